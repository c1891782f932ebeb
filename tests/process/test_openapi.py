"""Every answer of the client API against an OpenAPI description of Mastodon's API that others made.

The description lies in ../shared/data beside the repository; a stranger's clone has none, and then
this file says loudly that it was left out.
"""

import json
import pathlib
import warnings

import jsonschema
import pytest

from database import rows
from node import Node
from oauth_client import OAuthClient

DESCRIPTION = (pathlib.Path(__file__).resolve().parents[2].parent / "shared" / "data"
               / "mastodon-openapi.json")


@pytest.fixture(scope="module")
def description():
    if not DESCRIPTION.exists():
        warnings.warn(f"LEFT OUT: {DESCRIPTION} is missing; no answer was checked against Mastodon's"
                      " description")
        pytest.skip("mastodon-openapi.json is missing")
    return json.loads(DESCRIPTION.read_text())


class Checker:
    """Calls the node and validates what comes back."""

    def __init__(self, node, description):
        self.node, self.description, self.checked, self.wrong = node, description, set(), []
        self.resolver = jsonschema.RefResolver.from_schema(description)
        # Not "email": a server without a contact address has "", as in Mastodon.
        self.formats = jsonschema.FormatChecker(["date", "ipv4"])

    def schema(self, method, template, status):
        if (method, template, status) in UNTIED:
            return UNTIED[method, template, status]
        answers = self.description["paths"][template][method.lower()]["responses"]
        return answers[str(status)].get("content", {}).get("application/json", {}).get("schema")

    def call(self, method, template, account=None, status=200, ids=(), **more):
        path = template
        for id in ids:
            start, end = path.index("{"), path.index("}")
            path = path[:start] + str(id) + path[end + 1:]
        answer = self.node.request(method, path, account, **more)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        schema = self.schema(method, template, status)
        if schema is None:
            self.wrong.append((method, template, status, "no schema"))
            return answer.json()
        errors = list(jsonschema.Draft202012Validator(
            schema, resolver=self.resolver, format_checker=self.formats).iter_errors(answer.json()))
        self.wrong += [(method, template, "/".join(map(str, error.absolute_path)),
                        error.message[:300]) for error in errors]
        self.checked.add((method, template))
        return answer.json()


# Answers that the description does not tie to a schema.
UNTIED = {("GET", "/api/v1/preferences", 200): {"$ref": "#/components/schemas/Preferences"},
          ("POST", "/oauth/revoke", 200): {"type": "object", "maxProperties": 0}}

STATUS = "/api/v1/statuses/{id}"
ACCOUNT = "/api/v1/accounts/{id}"

SERVED = {
    ("GET", "/.well-known/oauth-authorization-server"), ("POST", "/oauth/token"),
    ("POST", "/oauth/revoke"), ("POST", "/api/v1/apps"), ("GET", "/api/v1/apps/verify_credentials"),
    ("GET", "/api/v1/instance"), ("GET", "/api/v2/instance"), ("GET", "/api/v1/instance/peers"),
    ("GET", "/api/v1/instance/rules"), ("GET", "/api/v1/custom_emojis"),
    ("GET", "/api/v1/announcements"), ("GET", "/api/v1/accounts/verify_credentials"),
    ("GET", "/api/v1/accounts/lookup"), ("GET", "/api/v1/accounts/relationships"), ("GET", ACCOUNT),
    ("GET", ACCOUNT + "/statuses"), ("POST", ACCOUNT + "/follow"), ("POST", ACCOUNT + "/unfollow"),
    ("POST", ACCOUNT + "/block"), ("POST", ACCOUNT + "/unblock"), ("POST", ACCOUNT + "/mute"),
    ("POST", ACCOUNT + "/unmute"), ("GET", "/api/v1/preferences"), ("GET", "/api/v1/statuses"),
    ("POST", "/api/v1/statuses"), ("GET", STATUS), ("PUT", STATUS), ("DELETE", STATUS),
    ("GET", STATUS + "/context"), ("GET", STATUS + "/source"), ("GET", STATUS + "/history"),
    ("POST", STATUS + "/reblog"), ("POST", STATUS + "/unreblog"), ("GET", "/api/v1/timelines/home"),
}


def fill(node, alice, bob, id):
    """States that endpoints cannot make yet: media, polls, marks, another server."""
    for sql, values in (
            ("INSERT INTO medium(id, author, post_id, kind, url, description, created_at)"
             " VALUES (5, ?, ?, 1, 'https://m.example/1.png', 'a cat', 0)", (int(alice.id), int(id))),
            ("INSERT INTO poll(post_id, options, multiple, hide_totals, expires_at)"
             " VALUES (?, '[\"a\",\"b\"]', 0, 0, 4102444800000000)", (int(id),)),
            ("INSERT INTO poll_vote(post_id, account_id, choice) VALUES (?, ?, 1)",
             (int(id), int(bob.id))),
            ("INSERT INTO favourite(account_id, post_id, at) VALUES (?, ?, 0)",
             (int(bob.id), int(id))),
            ("INSERT INTO host(id, scheme, name, port) VALUES (1, 'https', 'b.example', 443)", ()),
            ("UPDATE account SET note = 'hello', fields = '[{\"name\":\"a\",\"value\":\"b\"}]'"
             " WHERE id = ?", (int(alice.id),))):
        rows(node, sql, values)


def test_every_answer_has_the_described_shape(storage, description):
    with Node(postgres=storage) as node:
        checker = Checker(node, description)
        call = checker.call
        admin = node.create_account("root", role="admin")
        alice, bob = node.create_account("alice"), node.create_account("bob")
        call("GET", "/.well-known/oauth-authorization-server")
        app = call("POST", "/api/v1/apps", json={
            "client_name": "x", "redirect_uris": ["urn:ietf:wg:oauth:2.0:oob"],
            "scopes": "read write follow", "website": "https://client.example"})
        call("POST", "/api/v1/apps", status=422, json={"client_name": ""})
        client = OAuthClient(node.web_url)
        credentials = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        token = call("POST", "/oauth/token", json={
            "grant_type": "authorization_code", "code": client.authorize(app, alice),
            "redirect_uri": "urn:ietf:wg:oauth:2.0:oob", **credentials})
        bearer = {"Authorization": "Bearer " + token["access_token"]}
        call("GET", "/api/v1/apps/verify_credentials", headers=bearer)
        known = node.get("/oauth/userinfo", headers=bearer).json()  # described without a schema
        assert set(known) == {"iss", "sub", "name", "preferred_username", "profile", "picture"}
        assert known["sub"] == "https://trunkline.example/users/alice"
        call("GET", "/api/v1/apps/verify_credentials", status=401)

        call("POST", ACCOUNT + "/follow", alice, ids=[bob.id])
        made = call("POST", "/api/v1/statuses", headers=bearer,
                    json={"status": "hello #tag @bob https://x.example/", "language": "en"})
        fill(node, alice, bob, made["id"])
        reply = call("POST", "/api/v1/statuses", bob, json={
            "status": "answer", "in_reply_to_id": made["id"], "spoiler_text": "care"})
        call("POST", "/api/v1/statuses", bob, status=422, json={"status": ""})
        call("POST", "/api/v1/statuses", status=401, json={"status": "x"})
        call("POST", STATUS + "/reblog", bob, ids=[made["id"]])
        for account in (None, alice, bob):
            call("GET", STATUS, account, ids=[made["id"]])
            call("GET", STATUS + "/context", account, ids=[made["id"]])
        call("GET", STATUS, alice, status=404, ids=["4711"])
        call("PUT", STATUS, bob, ids=[reply["id"]], json={"status": "a better answer"})
        call("GET", STATUS + "/history", bob, ids=[reply["id"]])
        call("GET", STATUS + "/source", bob, ids=[reply["id"]])
        call("GET", "/api/v1/statuses", alice, params={"id[]": [made["id"], reply["id"]]})
        for account in (alice, bob):
            call("GET", "/api/v1/timelines/home", account)
        call("GET", "/api/v1/timelines/home", status=401)
        call("POST", STATUS + "/unreblog", bob, ids=[made["id"]])
        call("DELETE", STATUS, bob, ids=[reply["id"]])

        call("GET", "/api/v1/accounts/verify_credentials", alice)
        call("GET", "/api/v1/accounts/verify_credentials", admin)
        call("GET", "/api/v1/accounts/lookup", params={"acct": "alice"})
        call("GET", "/api/v1/accounts/lookup", status=404, params={"acct": "nobody"})
        call("GET", ACCOUNT, ids=[admin.id])
        call("GET", ACCOUNT + "/statuses", alice, ids=[alice.id])
        for verb in ("mute", "unmute", "block", "unblock", "unfollow"):
            call("POST", ACCOUNT + "/" + verb, alice, ids=[bob.id])
        call("GET", "/api/v1/accounts/relationships", alice, params={"id[]": [bob.id]})
        call("GET", "/api/v1/preferences", alice)
        for path in ("/api/v1/instance", "/api/v2/instance", "/api/v1/instance/peers",
                     "/api/v1/instance/rules", "/api/v1/custom_emojis"):
            call("GET", path)
        call("GET", "/api/v1/announcements", alice)
        call("POST", "/oauth/revoke", data={"token": token["access_token"], **credentials})
        assert not checker.wrong, checker.wrong
        assert checker.checked == SERVED
