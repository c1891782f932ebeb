"""The admin API: who may do what, what it shows, and its description."""

import http.client
import json
import os
import socket

import pytest
import requests

from database import rows
from node import Node, eventually


@pytest.fixture(scope="module")
def shared():
    with Node() as node:
        node.alice = node.create_account("alice")
        node.post_id = node.post("/api/v1/statuses", node.alice, json={"status": "x"}).json()["id"]
        rows(node, "INSERT INTO host(id, scheme, name, port) VALUES (1, 'https', 'far.example', 443)")
        yield node


def description(node):
    return node.admin("GET", "/admin/v1/openapi.json").json()


def operations(node):
    """Every documented operation as (method, path, scope)."""
    for path, methods in description(node)["paths"].items():
        for method, operation in methods.items():
            needs = operation["security"]
            yield method.upper(), path, (needs[0]["token"][0] if needs else None)


def filled(node, path):
    """The documented path with ids of things that are there."""
    return (path.replace("{account}", node.alice.id).replace("{node}", "1")
            .replace("{kind}", "account").replace("{id}", node.alice.id)
            .replace("{timeline}", f"home:{node.alice.id}").replace("{host}", "far.example")
            .replace("{domain}", "bad.example").replace("{post}", node.post_id))


BODIES = {
    "/admin/v1/accounts": {"name": "made_by_contract"},
    "/admin/v1/domain_blocks": {"domain": "bad.example"},
    "/admin/v1/tokens": {"scope": "read", "name": "contract"},
    "/admin/v1/hosts/{host}:replay": {"from_seq": 1},
    "/admin/v1/hosts/{host}:limit": {"in_flight": 2},
    "/admin/v1/dead-letters:replay": {"host": "far.example"},
    "/admin/v1/dead-letters:discard": {"host": "far.example"},
}

# Nothing was ever owed to the host.
REFUSED = {"/admin/v1/hosts/{host}:replay", "/admin/v1/dead-letters:replay",
           "/admin/v1/dead-letters:discard"}


# --- the description -------------------------------------------------------------------------------

def test_the_description_is_openapi_3_1_and_names_every_route(shared):
    document = description(shared)
    assert document["openapi"] == "3.1.0"
    ids = [operation["operationId"] for methods in document["paths"].values()
           for operation in methods.values()]
    assert len(ids) == len(set(ids))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {parameter["name"] for parameter in operation.get("parameters", [])
                     if parameter["in"] == "path"}
            assert named == set(part.split("}")[0] for part in path.split("{")[1:]), path
    for path in ("/livez", "/readyz", "/startupz", "/metrics", "/admin/v1/nodes",
                 "/admin/v1/actors/{kind}/{id}", "/admin/v1/accounts/{account}",
                 "/admin/v1/timelines/{timeline}", "/admin/v1/version", "/admin/v1/hosts/{host}",
                 "/admin/v1/hosts/{host}:pause", "/admin/v1/domain_blocks/{domain}",
                 "/admin/v1/filters", "/admin/v1/delivery", "/admin/v1/hosts/{host}/queue",
                 "/admin/v1/posts/{post}/deliveries", "/admin/v1/dead-letters:discard",
                 "/admin/v1/audit"):
        assert path in document["paths"]


def test_every_documented_path_answers_as_documented(shared):
    document = description(shared)
    eventually(lambda: shared.admin("GET", "/readyz").status_code == 200)
    for method, path, _ in operations(shared):
        documented = document["paths"][path][method.lower()]["responses"]
        answer = shared.admin(method, filled(shared, path), json=BODIES.get(path))
        status = "default" if path in REFUSED else str(answer.status_code)
        assert status in documented, f"{method} {path}: {answer.text}"
        wanted = next(iter(documented[status]["content"]))
        assert answer.headers["Content-Type"].startswith(wanted), path


# --- A129 ------------------------------------------------------------------------------------------

def test_A129_every_route_with_no_wrong_read_and_operate_token(shared):
    tokens = {None: None, "wrong": "x" * 43, "read": shared.admin_token("read"),
              "operate": shared.admin_token("operate")}
    for method, path, scope in list(operations(shared)):
        for name, token in tokens.items():
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = requests.request(method, shared.admin_url + filled(shared, path),
                                      headers=headers, json={"name": "!"}, timeout=30)
            if name == "wrong" or (name is None and scope):
                expected = {401}
            elif scope == "operate" and name == "read":
                expected = {403}
            else:
                expected = {200, 201, 422} if "{domain}" not in path else {404}
            assert answer.status_code in expected, f"{method} {path} {name}: {answer.text}"


def test_a_refused_caller_changes_nothing(shared):
    for path in (f"/admin/v1/accounts/{shared.alice.id}:disable",
                 f"/admin/v1/accounts/{shared.alice.id}:password"):
        assert shared.admin("POST", path, token=shared.admin_token("read")).status_code == 403
    shown = shared.admin("GET", f"/admin/v1/accounts/{shared.alice.id}").json()
    assert shown["disabled_at"] is None


def raw(node, path, headers):
    """A request whose Host header is ours to choose."""
    host, port = node.admin_url.split("//")[1].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("GET", path, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_A129_foreign_hosts_and_origins_are_refused(shared):
    bearer = {"Authorization": "Bearer " + shared.admin_token("read")}
    own = shared.admin_url.split("//")[1]
    for path in ("/livez", "/admin/v1/version"):
        assert raw(shared, path, {"Host": own, **bearer}) == 200
        assert raw(shared, path, {"Host": "localhost:1", **bearer}) == 200
        assert raw(shared, path, {"Host": "[::1]:1", **bearer}) == 200
        assert raw(shared, path, {"Host": "evil.example", **bearer}) == 403
        assert raw(shared, path, {"Host": "127.0.0.1.evil.example", **bearer}) == 403
        assert raw(shared, path, {"Host": own, "Origin": "https://evil.example", **bearer}) == 403
        assert raw(shared, path, {"Host": own, "Origin": "null", **bearer}) == 403
        assert raw(shared, path, {"Host": own, "Origin": f"http://{own}", **bearer}) == 200


def over_socket(node, user=None):
    """GET /admin/v1/version over the unix socket, as `user`."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            if user is not None:
                os.setgid(user)
                os.setuid(user)
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(str(node.data / "admin.sock"))
            connection.sendall(b"GET /admin/v1/version HTTP/1.1\r\nHost: x\r\n"
                               b"Connection: close\r\n\r\n")
            code = int(connection.recv(4096).split()[1]) // 100
        except PermissionError:
            code = 13
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_the_unix_socket_serves_the_same_user_alone(shared):
    assert over_socket(shared) == 2
    mode = (shared.data / "admin.sock").stat().st_mode & 0o777
    assert mode == 0o600
    if os.geteuid() != 0:
        print("left out: another user needs root")
        return
    assert over_socket(shared, user=65534) == 13
    # Even one who gets through the file system is nobody.
    for path in [shared.folder, shared.data]:
        path.chmod(0o755)
    (shared.data / "admin.sock").chmod(0o666)
    assert over_socket(shared, user=65534) == 4
    (shared.data / "admin.sock").chmod(0o600)
    for path in [shared.folder, shared.data]:
        path.chmod(0o700)


def test_no_answer_of_the_client_api_on_the_admin_listener_and_back(shared):
    assert shared.admin("GET", "/api/v1/instance").status_code == 404
    answer = requests.get(shared.web_url + "/admin/v1/version", timeout=10)
    assert answer.status_code == 404
    assert requests.get(shared.web_url + "/metrics", timeout=10).status_code == 404


# --- refusals --------------------------------------------------------------------------------------

def test_refusals_are_problems_that_name_what_was_wrong(shared):
    id = shared.alice.id
    for method, path, body, status, words in [
        ("POST", "/admin/v1/accounts", {"name": ""}, 422, "username"),
        ("POST", "/admin/v1/accounts", {"name": "a b"}, 422, "username"),
        ("POST", "/admin/v1/accounts", {"name": "x" * 31}, 422, "username"),
        ("POST", "/admin/v1/accounts", {"name": "inbox"}, 422, "reserved"),
        ("POST", "/admin/v1/accounts", {"name": "ALICE"}, 409, "taken"),
        ("POST", "/admin/v1/accounts", {"name": "bob", "role": "king"}, 422, "role"),
        ("POST", "/admin/v1/accounts", {"name": 7}, 422, "name"),
        ("POST", "/admin/v1/tokens", {"scope": "all"}, 422, "scope"),
        ("POST", "/admin/v1/tokens", {"scope": "read", "name": "x" * 101}, 422, "name"),
        ("POST", f"/admin/v1/accounts/{id}:token", {"scopes": "fly"}, 422, "scopes"),
        ("POST", f"/admin/v1/accounts/{id}:fly", {}, 405, ""),
        ("POST", "/admin/v1/accounts/7:disable", {}, 404, "account 7"),
        ("GET", "/admin/v1/accounts/x", None, 404, "account 'x'"),
        ("GET", "/admin/v1/accounts?limit=0", None, 422, "limit"),
        ("GET", "/admin/v1/accounts?limit=501", None, 422, "limit"),
        ("GET", "/admin/v1/accounts?after=x", None, 422, "after"),
        ("GET", "/admin/v1/nodes/2", None, 404, "node"),
        ("GET", "/admin/v1/actors/king/1", None, 404, "king"),
        ("GET", "/admin/v1/actors/account/7", None, 404, "account 7"),
        ("GET", "/admin/v1/timelines/home:7", None, 404, "account 7"),
        ("GET", "/admin/v1/timelines/attic:7", None, 404, "attic"),
        ("DELETE", "/admin/v1/version", None, 405, ""),
        ("GET", "/admin/v1/none", None, 404, ""),
    ]:
        answer = shared.admin(method, path, json=body)
        assert answer.status_code == status, f"{method} {path} {body}: {answer.text}"
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert words in problem["detail"], problem
        assert problem["type"].startswith("urn:trunkline:problem:")
    broken = shared.admin("POST", "/admin/v1/tokens", data="{")
    assert broken.status_code == 400


# --- what it shows and does ------------------------------------------------------------------------

def test_health_of_a_running_node(shared):
    assert requests.get(shared.admin_url + "/livez", timeout=10).text == "ok\n"
    assert requests.get(shared.admin_url + "/startupz", timeout=10).text == "ok\n"
    assert eventually(
        lambda: requests.get(shared.admin_url + "/readyz", timeout=10).text == "ok\n")
    verbose = requests.get(shared.admin_url + "/readyz?verbose", timeout=10).text
    assert "[+] started\n[+] draining\n[+] log\nok\n" == verbose


def test_nodes_and_version(shared):
    nodes = shared.admin("GET", "/admin/v1/nodes").json()
    assert nodes["complete"] is True and nodes["missing_nodes"] == []
    (node,) = nodes["nodes"]
    assert node["id"] == "1" and node["state"] == "serving"
    assert node["domain"] == shared.domain
    assert node["resident_bytes"] > 1_000_000 and node["threads"] > 3
    assert node["name"] == "1" and node["member"] == "live" and node["serves"] is True
    assert 0 <= node["saturation"] <= node["cpu_cores"] + 1 and node["writes_waiting"] >= 0
    assert shared.admin("GET", "/admin/v1/nodes/1").json()["id"] == "1"
    version = shared.admin("GET", "/admin/v1/version").json()
    assert version["version"] == shared.ready_line.split()[1]


def test_accounts_are_listed_in_pages():
    with Node() as node:
        made = [node.create_account(f"user{number}") for number in range(5)]
        first = node.admin("GET", "/admin/v1/accounts?limit=3")
        assert [account["id"] for account in first.json()["accounts"]] == [
            account.id for account in made[:3]]
        link = first.links["next"]["url"]
        second = node.admin("GET", link)
        assert [account["name"] for account in second.json()["accounts"]] == ["user3", "user4"]
        assert "next" not in second.links
        (found,) = node.admin("GET", "/admin/v1/accounts?name=USER1").json()["accounts"]
        assert found["id"] == made[1].id


def test_an_account_from_create_to_disable(node):
    account = node.create_account("Alice")
    shown = node.admin("GET", f"/admin/v1/accounts/{account.id}").json()
    assert shown["name"] == "Alice" and shown["role"] == "user" and shown["tokens"] == 0
    assert account.token
    assert node.admin("GET", f"/admin/v1/accounts/{account.id}").json()["tokens"] == 1

    disabled = node.admin("POST", f"/admin/v1/accounts/{account.id}:disable").json()
    assert disabled["disabled_at"] and disabled["tokens"] == 0
    refused = node.admin("POST", f"/admin/v1/accounts/{account.id}:token")
    assert refused.status_code == 409
    enabled = node.admin("POST", f"/admin/v1/accounts/{account.id}:enable").json()
    assert enabled["disabled_at"] is None
    assert node.user_token(account)


def test_the_command_line_does_the_same_and_prints_the_secret_alone(node):
    password = node.cli("account", "create", "bob")
    assert len(password) == 44 and password.endswith("\n")
    assert len(node.cli("account", "token", "bob")) == 44
    other = node.cli("account", "password", "bob")
    assert len(other) == 44 and other != password
    assert node.cli("account", "disable", "bob") == ""
    node.cli("account", "token", "bob", expect=65)
    assert node.cli("account", "enable", "bob") == ""
    assert len(node.cli("account", "token", "bob", "--scope", "read")) == 44
    assert len(node.cli("token", "create", "--scope", "read")) == 44
    node.cli("account", "create", "bob", expect=65)
    node.cli("account", "token", "nobody", expect=65)
    node.cli("account", "token", "../x", expect=65)
    node.stop()
    node.cli("account", "create", "carol", expect=69)


def test_an_actor_tells_how_it_is(node):
    alice = node.create_account("alice")
    assert node.post("/api/v1/statuses", alice, json={"status": "hello"}).status_code == 200
    shown = node.admin("GET", f"/admin/v1/actors/account/{alice.id}").json()
    assert shown["kind"] == "account" and shown["stale"] is False
    assert shown["writes"] == 1
    cold = node.admin("GET", f"/admin/v1/timelines/home:{alice.id}").json()
    assert cold["state"] == "cold"
    assert node.get("/api/v1/timelines/home", alice).status_code == 200
    warm = node.admin("GET", f"/admin/v1/timelines/home:{alice.id}").json()
    assert warm["state"] == "loaded" and warm["length"] == 1 and warm["reads"] == 1
    assert node.admin("GET", f"/admin/v1/actors/timeline/home:{alice.id}").json()["length"] == 1


def test_metrics_are_prometheus_text_and_each_is_listed(node):
    text = node.admin("GET", "/metrics").text
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    typed = {line.split()[2]: line.split()[3] for line in text.splitlines()
             if line.startswith("# TYPE")}
    assert helped == typed.keys()
    for name in node.metrics():
        base = name.split("{")[0]
        family = base if base in typed else base.rsplit("_", 1)[0]
        assert family in typed, name
    for name, type in typed.items():
        assert name.startswith("trunkline_")
        assert name.endswith("_total") == (type == "counter"), name


def test_metrics_count_what_happens(node):
    before = node.metrics()
    alice = node.create_account("alice")
    node.admin("GET", "/admin/v1/none")
    requests.get(node.web_url + "/none", timeout=10)
    after = node.metrics()
    assert alice.id
    for name, least in {
        "trunkline_storage_rows_written_total": 1,
        "trunkline_storage_units_total": 1,
        "trunkline_storage_batches_total": 1,
        "trunkline_storage_reads_total": 1,
        "trunkline_storage_sync_seconds_count": 1,
        'trunkline_http_requests_total{listener="admin"}': 3,
        'trunkline_http_requests_total{listener="web"}': 1,
        'trunkline_api_answers_total{api="admin",status="2xx"}': 2,
        'trunkline_api_answers_total{api="client",status="4xx"}': 1,
        'trunkline_api_refusals_total{api="admin",reason="not_found"}': 1,
        "trunkline_uptime_seconds": 0,
    }.items():
        assert after[name] - before[name] >= least, name
