"""A client of OAuth as a browser and an app together would be one: registers an app, opens the real
page, fills in its forms, and exchanges the code.

    client = OAuthClient(node.web_url)
    app = client.register()
    code = client.authorize(app, account)          # out of band: the code stands on the page
    token = client.exchange(app, code)["access_token"]
"""

import base64
import hashlib
import html.parser
import secrets
import urllib.parse

import requests

OOB = "urn:ietf:wg:oauth:2.0:oob"


class Form(html.parser.HTMLParser):
    """The form of a page: its hidden fields; `code` is what stands in the first <code>."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.code, self.in_code = {}, None, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes["value"]
        self.in_code = tag == "code"

    def handle_data(self, data):
        if self.in_code and self.code is None:
            self.code = data


def pkce():
    """A verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Browser:
    """Keeps the session cookie itself: it is `Secure`, and the tests speak plain HTTP."""

    def __init__(self, url, verify=True):
        self.url, self.cookie, self.verify = url, None, verify

    def request(self, method, path, headers=None, **more):
        headers = dict(headers or {})
        if self.cookie:
            headers["Cookie"] = "trunkline_session=" + self.cookie
        url = path if path.startswith("http") else self.url + path
        answer = requests.request(method, url, headers=headers, allow_redirects=False, timeout=30,
                                  verify=self.verify, **more)
        sent = answer.headers.get("Set-Cookie", "")
        if sent.startswith("trunkline_session="):
            self.cookie = sent.split(";")[0].split("=", 1)[1]
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)


class OAuthClient:
    def __init__(self, url, verify=True):
        self.url, self.verify = url, verify

    def post(self, path, **more):
        return requests.post(self.url + path, timeout=30, verify=self.verify, **more)

    def register(self, redirect_uris=OOB, scopes="read write follow", name="Test app", **more):
        answer = self.post("/api/v1/apps", json={"client_name": name, "scopes": scopes,
                                                 "redirect_uris": redirect_uris, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self, app, redirect_uri=OOB, scope="read write follow", **more):
        """The path of the page for `app`."""
        asked = {"client_id": app["client_id"], "redirect_uri": redirect_uri, "scope": scope,
                 "response_type": "code", **more}
        return "/oauth/authorize?" + urllib.parse.urlencode(asked)

    def log_in(self, path, account, browser=None, password=None):
        """Opens the page and logs in; returns the browser and the page after it."""
        browser = browser or Browser(self.url, self.verify)
        shown = browser.get(path)
        assert shown.status_code == 200, shown.text
        form = {**Form(shown.text).fields, "username": account.name,
                "password": password or account.password, "action": "log_in"}
        answer = browser.post("/oauth/authorize", data=form)
        if answer.status_code == 303:
            answer = browser.get(answer.headers["Location"])
        return browser, answer

    def decide(self, path, account, action="approve"):
        """Logs in and decides; returns the answer to the decision."""
        browser, consent = self.log_in(path, account)
        assert consent.status_code == 200 and "Authorize" in consent.text, consent.text
        return browser.post("/oauth/authorize",
                            data={**Form(consent.text).fields, "action": action})

    def authorize(self, app, account, **asked):
        """Returns the code that `account` gives to `app`."""
        answer = self.decide(self.page(app, **asked), account)
        if asked.get("redirect_uri", OOB) == OOB:
            assert answer.status_code == 200, answer.text
            return Form(answer.text).code
        location = urllib.parse.urlparse(answer.headers["Location"])
        return urllib.parse.parse_qs(location.query)["code"][0]

    def token(self, app, code, redirect_uri=OOB, **more):
        """Asks for a token; returns the whole answer."""
        return self.post("/oauth/token", data={
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "client_id": app["client_id"], "client_secret": app["client_secret"], **more})

    def exchange(self, app, code, **more):
        answer = self.token(app, code, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()
