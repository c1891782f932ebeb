"""OAuth and the pages on which people log in and consent, on a real node over real HTTP."""

import urllib.parse

import pytest
import requests

from database import rows
from node import Node
from oauth_client import OOB, Browser, Form, OAuthClient, pkce

CALLBACK = "https://client.example/callback?keep=1"


@pytest.fixture
def client(node):
    return OAuthClient(node.web_url)


def bearer(token):
    return {"Authorization": "Bearer " + token}


def works(node, token):
    answer = node.get("/api/v1/accounts/verify_credentials", headers=bearer(token))
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def test_an_app_gets_a_code_and_a_token_and_ends_it(node, client):
    alice = node.create_account("alice")
    app = client.register(redirect_uris=[OOB, CALLBACK], website="https://client.example")
    assert app["redirect_uris"] == [OOB, CALLBACK]
    assert app["redirect_uri"] == OOB + "\n" + CALLBACK
    assert app["scopes"] == ["read", "write", "follow"]
    assert app["client_secret"] and app["client_secret_expires_at"] == 0
    token = client.exchange(app, client.authorize(app, alice, scope="read:accounts write"))
    assert token["token_type"] == "Bearer"
    assert token["scope"] == "read:accounts write"
    me = node.get("/api/v1/accounts/verify_credentials", headers=bearer(token["access_token"]))
    assert me.json()["username"] == "alice"
    shown = node.get("/api/v1/apps/verify_credentials", headers=bearer(token["access_token"])).json()
    assert shown["name"] == "Test app" and shown["website"] == "https://client.example"
    assert "client_secret" not in shown and shown["id"] == app["id"]
    ended = client.post("/oauth/revoke", data={"token": token["access_token"],
                                               "client_id": app["client_id"],
                                               "client_secret": app["client_secret"]})
    assert (ended.status_code, ended.json()) == (200, {})
    assert not works(node, token["access_token"])


def test_the_code_travels_to_a_registered_address_with_the_state(node, client):
    alice = node.create_account("alice")
    app = client.register(redirect_uris=[CALLBACK, "tusky://done"])
    answer = client.decide(client.page(app, redirect_uri=CALLBACK, state="a&b c"), alice)
    assert answer.status_code == 303
    address = urllib.parse.urlparse(answer.headers["Location"])
    assert answer.headers["Location"].startswith(CALLBACK + "&code=")
    assert urllib.parse.parse_qs(address.query)["state"] == ["a&b c"]
    denied = client.decide(client.page(app, redirect_uri="tusky://done"), alice, action="deny")
    assert denied.headers["Location"] == "tusky://done?error=access_denied"


def test_scopes_are_granular_and_never_more_than_the_app_registered(node, client):
    alice = node.create_account("alice")
    app = client.register(scopes="read:accounts")
    for scope in ("read", "write", "read:statuses", "admin:read", "nonsense"):
        page = Browser(node.web_url).get(client.page(app, scope=scope))
        assert page.status_code == 400 and "scope" in page.text
    token = client.exchange(app, client.authorize(app, alice, scope="read:accounts"))
    headers = bearer(token["access_token"])
    assert node.get("/api/v1/accounts/verify_credentials", headers=headers).status_code == 200
    for method, path in (("GET", "/api/v1/timelines/home"), ("POST", "/api/v1/statuses")):
        answer = node.request(method, path, headers=headers, data={"status": "x"})
        assert answer.status_code == 403
        assert answer.json() == {"error": "This action is outside the authorized scopes"}


def test_client_credentials_are_of_the_app_and_of_nobody_else(node, client):
    app = client.register(scopes="read")
    asked = {"grant_type": "client_credentials", "client_id": app["client_id"],
             "client_secret": app["client_secret"]}
    for sent in ({"data": asked}, {"json": asked},
                 {"data": {"grant_type": "client_credentials"},
                  "auth": (app["client_id"], app["client_secret"])}):
        token = client.post("/oauth/token", **sent).json()
        assert token["scope"] == "read"
        headers = bearer(token["access_token"])
        assert node.get("/api/v1/apps/verify_credentials", headers=headers).status_code == 200
        refused = node.get("/api/v1/accounts/verify_credentials", headers=headers)
        assert refused.status_code == 422
        assert refused.json()["error"] == "This method requires an authenticated user"
    for wrong, status, code in (({"scope": "write"}, 400, "invalid_scope"),
                                ({"client_secret": "wrong"}, 401, "invalid_client"),
                                ({"client_id": "wrong"}, 401, "invalid_client"),
                                ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
                                ({"grant_type": ""}, 400, "invalid_request")):
        answer = client.post("/oauth/token", data={**asked, **wrong})
        assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_an_app_that_could_not_work_is_refused(node, client):
    before = rows(node, "SELECT COUNT(*) FROM app")
    good = {"client_name": "x", "redirect_uris": OOB, "scopes": "read"}
    for wrong in ({"client_name": ""}, {"client_name": "  "}, {"client_name": "x" * 241},
                  {"redirect_uris": ""}, {"redirect_uris": ["https://a.example/", "data:text/html,x"]},
                  {"redirect_uris": "javascript:alert(1)"}, {"redirect_uris": "/relative"},
                  {"redirect_uris": "https://a.example/#x"}, {"scopes": "read everything"},
                  {"website": "javascript:alert(1)"}, {"client_name": ["a", "b"]}):
        answer = client.post("/api/v1/apps", json={**good, **wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["error"]
    assert rows(node, "SELECT COUNT(*) FROM app") == before


def test_A101_only_the_exact_registered_address_is_led_to(node, client):
    node.create_account("alice")
    app = client.register(redirect_uris="https://client.example/callback")
    for address in ("https://client.example/callback/", "https://client.example/callback/more",
                    "https://client.example/", "https://client.example/callback?x=1",
                    "https://client.example/callback#x", "https://client.example:444/callback",
                    "https://evil.client.example/callback", "https://client.example.evil/callback",
                    "http://client.example/callback", "HTTPS://client.example/callback",
                    "https://client.example/callbac", "https://evil.example/", "javascript:alert(1)",
                    "data:text/html,x", "//client.example/callback", "", OOB):
        page = Browser(node.web_url).get(client.page(app, redirect_uri=address))
        assert page.status_code == 400, address
        assert "Location" not in page.headers and "redirect uri" in page.text
    unknown = Browser(node.web_url).get(client.page({"client_id": "nobody"}))
    assert unknown.status_code == 400 and "Location" not in unknown.headers
    wrong_type = client.page(app, redirect_uri="https://client.example/callback",
                             response_type="token")
    assert Browser(node.web_url).get(wrong_type).status_code == 400


def test_A102_a_code_is_good_once_for_its_app_and_address(node, client):
    alice = node.create_account("alice")
    app, other = client.register(), client.register()
    code = client.authorize(app, alice)
    for wrong in ({"code": "unknown"}, {"code": ""}, {"redirect_uri": "https://client.example/"},
                  {"client_id": other["client_id"], "client_secret": other["client_secret"]}):
        answer = client.token(app, **{"code": code, **wrong})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), wrong
    token = client.exchange(app, code)["access_token"]
    assert works(node, token)
    again = client.token(app, code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert not works(node, token), "a replayed code ends the token that it gave"


def test_A102_a_code_is_good_for_ten_minutes(node, client):
    alice = node.create_account("alice")
    app = client.register()
    code = client.authorize(app, alice)
    rows(node, "UPDATE oauth_code SET expires_at = expires_at - 600000000")
    assert client.token(app, code).json()["error"] == "invalid_grant"


def test_A103_PKCE_is_S256_and_its_verifier_must_fit(node, client):
    alice = node.create_account("alice")
    app = client.register()
    verifier, challenge = pkce()
    for asked in ({"code_challenge": verifier, "code_challenge_method": "plain"},
                  {"code_challenge": challenge}, {"code_challenge_method": "S256"},
                  {"code_challenge": "short", "code_challenge_method": "S256"}):
        assert Browser(node.web_url).get(client.page(app, **asked)).status_code == 400, asked
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    code = client.authorize(app, alice, **asked)
    for wrong in ({}, {"code_verifier": ""}, {"code_verifier": pkce()[0]},
                  {"code_verifier": challenge}):
        assert client.token(app, code, **wrong).status_code == 400, wrong
    assert works(node, client.exchange(app, code, code_verifier=verifier)["access_token"])
    without = client.authorize(app, alice)
    assert client.token(app, without, code_verifier=verifier).status_code == 400


def test_A104_a_forged_form_decides_nothing(node, client):
    alice = node.create_account("alice")
    app = client.register()
    path = client.page(app)
    browser, consent = client.log_in(path, alice)
    fields = {**Form(consent.text).fields, "action": "approve"}
    codes = "SELECT COUNT(*) FROM oauth_code"
    assert rows(node, codes)[0][0] == 0
    assert browser.post("/oauth/authorize",
                        data={**fields, "form_token": "forged"}).status_code == 403
    without = {key: value for key, value in fields.items() if key != "form_token"}
    assert browser.post("/oauth/authorize", data=without).status_code == 403
    for origin in ("https://evil.example", "null", "http://trunkline.example"):
        assert browser.post("/oauth/authorize", data=fields,
                            headers={"Origin": origin}).status_code == 403, origin
    # The token of one browser is no use in another, nor without a cookie.
    other, _ = client.log_in(path, alice)
    assert other.post("/oauth/authorize", data=fields).status_code == 403
    assert Browser(node.web_url).post("/oauth/authorize", data=fields).status_code == 403
    assert rows(node, codes)[0][0] == 0
    good = browser.post("/oauth/authorize", data=fields,
                        headers={"Origin": "https://trunkline.example"})
    assert good.status_code == 200 and rows(node, codes)[0][0] == 1


def test_A104_the_pages_cannot_be_framed_and_run_nothing(node, client):
    alice = node.create_account("alice")
    app = client.register(name="<script>alert(1)</script>")
    _, consent = client.log_in(client.page(app), alice)
    for page in (Browser(node.web_url).get(client.page(app)), consent,
                 Browser(node.web_url).get("/oauth/authorize")):
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert "<script" not in page.text
    assert "&lt;script&gt;" in consent.text


def test_the_session_is_renewed_at_the_log_in_and_its_cookie_is_kept_from_scripts(node, client):
    alice = node.create_account("alice")
    path = client.page(client.register())
    browser = Browser(node.web_url)
    sent = browser.get(path).headers["Set-Cookie"]
    assert "HttpOnly" in sent and "SameSite=Lax" in sent and "Secure" in sent
    before = browser.cookie
    client.log_in(path, alice, browser)
    assert browser.cookie != before
    fields = Form(browser.get(path).text).fields
    browser.post("/oauth/authorize", data={**fields, "action": "log_out"})
    assert "Log in" in browser.get(path).text


def test_A107_the_database_holds_no_secret_as_it_is(node, client):
    alice = node.create_account("alice")
    app = client.register()
    code = client.authorize(app, alice)
    token = client.exchange(app, code)["access_token"]
    browser, _ = client.log_in(client.page(app), alice)
    secrets = (app["client_secret"], code, token, browser.cookie, alice.password)
    tables = ("app", "oauth_code", "token", "web_session", "account", "log", "setting")
    seen = []
    for table in tables:
        for row in rows(node, f"SELECT * FROM {table}"):
            for value in row:
                if isinstance(value, memoryview):
                    value = value.tobytes()
                seen.append(value.encode() if isinstance(value, str) else value)
    for secret in secrets:
        assert not any(isinstance(value, bytes) and secret.encode() in value for value in seen)
    kept = [value[0] for value in rows(node, "SELECT password_hash FROM account")]
    assert kept and all(value.startswith("$argon2id$") for value in kept)
    assert all(len(bytes(value[0])) == 32 for value in rows(node, "SELECT hash FROM token"))
    assert not any(secret in node.log() for secret in secrets)


def test_A108_what_was_revoked_is_refused_at_once(node, client):
    alice, bob = node.create_account("alice"), node.create_account("bob")
    app, other = client.register(), client.register()
    first = client.exchange(app, client.authorize(app, alice))["access_token"]
    foreign = client.post("/oauth/revoke", data={"token": first, "client_id": other["client_id"],
                                                 "client_secret": other["client_secret"]})
    assert works(node, first), foreign.text
    wrong = client.post("/oauth/revoke", data={"token": first, "client_id": app["client_id"],
                                               "client_secret": "wrong"})
    assert wrong.status_code == 403 and works(node, first)

    node.cli("account", "password", "alice")
    assert not works(node, first), "a new password ends every token"
    assert works(node, bob.token)
    node.cli("account", "disable", "bob")
    assert not works(node, bob.token), "a disabled account's tokens are refused"
    answer = node.request("POST", "/api/v1/statuses", bob, data={"status": "x"})
    assert answer.status_code == 401


def test_a_disabled_account_and_a_wrong_password_do_not_log_in(node, client):
    alice = node.create_account("alice")
    path = client.page(client.register())
    _, wrong = client.log_in(path, alice, password="wrong")
    assert wrong.status_code == 401 and "Invalid" in wrong.text
    nobody = type("Nobody", (), {"name": "nobody", "password": "x"})
    _, unknown = client.log_in(path, nobody)
    assert unknown.status_code == 401 and "Invalid" in unknown.text
    upper = type("Upper", (), {"name": "ALICE", "password": alice.password})
    assert client.log_in(path, upper)[1].status_code == 200
    node.cli("account", "disable", "alice")
    _, disabled = client.log_in(path, alice)
    assert disabled.status_code == 403 and "disabled" in disabled.text


def test_A109_guessing_is_stopped_by_address_and_by_account(storage):
    with Node(postgres=storage, test=False,
              settings={"rate_limit.requests": 100_000,
                        "server.trusted_proxies": ["127.0.0.1/32"]}) as node:
        client = OAuthClient(node.web_url)
        alice, bob = node.create_account("alice"), node.create_account("bob")
        path = client.page(client.register())

        def guess(name, address, password="wrong"):
            browser = Browser(node.web_url)
            headers = {"X-Forwarded-For": address}
            form = Form(browser.get(path, headers=headers).text).fields
            return browser.post("/oauth/authorize", headers=headers, data={
                **form, "username": name, "password": password, "action": "log_in"}).status_code

        answers = [guess(f"name{i}", "192.0.2.1") for i in range(26)]
        assert answers == [401] * 25 + [429], "25 in 5 minutes from one address"
        assert guess("alice", "192.0.2.1", alice.password) == 429
        assert guess("alice", "192.0.2.2", alice.password) == 303
        answers = [guess("bob", f"198.51.100.{i}") for i in range(26)]
        assert answers == [401] * 25 + [429], "25 an hour at one account"
        assert guess("bob", "203.0.113.1", bob.password) == 429
        assert guess("alice", "203.0.113.1", alice.password) == 303


def test_A109_a_forwarded_address_is_believed_from_a_trusted_proxy_alone(storage):
    with Node(postgres=storage, test=False, settings={"rate_limit.requests": 5}) as node:
        spoofs = ({"X-Forwarded-For": f"192.0.2.{i}", "Forwarded": f"for=192.0.2.{i}",
                   "X-Real-IP": f"192.0.2.{i}", "Client-IP": f"192.0.2.{i}"} for i in range(6))
        answers = [requests.get(node.web_url + "/api/v1/instance", headers=spoof).status_code
                   for spoof in spoofs]
        assert answers == [200] * 5 + [429]


def test_the_password_grant_exists_in_test_mode_alone(storage):
    for test in (True, False):
        with Node(postgres=storage, test=test) as node:
            client = OAuthClient(node.web_url)
            alice = node.create_account("alice")
            app = client.register()
            asked = {"grant_type": "password", "client_id": app["client_id"], "scope": "read",
                     "client_secret": app["client_secret"], "username": "alice"}
            answer = client.post("/oauth/token", data={**asked, "password": alice.password})
            if not test:
                assert answer.json()["error"] == "unsupported_grant_type"
                continue
            assert works(node, answer.json()["access_token"])
            wrong = client.post("/oauth/token", data={**asked, "password": "wrong"})
            assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_grant")
        if storage:
            break  # one database, one node


def test_the_server_describes_what_it_supports(node):
    document = node.get("/.well-known/oauth-authorization-server").json()
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["issuer"] == "https://trunkline.example/"
    assert {"read", "write:statuses"} <= set(document["scopes_supported"])
