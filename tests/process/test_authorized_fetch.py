"""RELIABILITY A25 and A117: where other servers must sign what they read, the blocked read nothing,
no cache keeps what was for one alone, and two such servers still find each other."""

import pytest
import requests

from database import one
from fake_hosts import ACTIVITY, FakeHosts
from node import eventually
from routes import client_routes
from test_fedify import federated_node

FOLLOWER, BLOCKED, BANNED, STRANGER = range(4)  # blocked by alice, by the operator
SECURE = {"federation.authorized_fetch": True}
# Readable without a signature: the others' look at a key begins with these (A25).
NEVER_SIGNED = {"show_instance_actor"}


def documents(post):
    """Every document for other servers, by its address."""
    for route in client_routes():
        if route.method == "GET" and route.pattern.startswith(("/users/", "/@", "/actor")):
            yield route, route.path(*["alice", post][:route.pattern.count("{}")])


class World:
    def __init__(self, node, farm):
        self.node, self.farm = node, farm
        self.alice = node.create_account("alice")
        farm.follow(node, f"{node.web_url}/users/alice", (FOLLOWER, BLOCKED, BANNED))
        assert eventually(lambda: one(node, "SELECT COUNT(*) FROM follow WHERE accepted = 1") == 3)
        self.open = self.publish("SECRET open", "public")
        self.private = self.publish("SECRET private", "private")
        enemy = one(node, "SELECT id FROM account WHERE uri = ?", (farm.hosts[BLOCKED].actor,))
        assert node.post(f"/api/v1/accounts/{enemy}/block", self.alice).status_code == 200
        node.cli("domain", "block", farm.hosts[BANNED].address)

    def publish(self, text, visibility):
        answer = self.node.post("/api/v1/statuses", self.alice,
                                json={"status": text, "visibility": visibility})
        id = answer.json()["id"]
        assert self.node.post(f"/api/v1/statuses/{id}/pin", self.alice).status_code == 200
        return id


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def world(request):
    storage = None
    if request.param == "postgres":
        storage = request.getfixturevalue("postgres_server").url("secure")
    with FakeHosts(4, check_every=0) as farm, federated_node(storage, **SECURE) as node:
        yield World(node, farm)


def varies(answer):
    return "Signature" in answer.headers.get("Vary", "")


def is_shared(answer):
    return "public" in answer.headers.get("Cache-Control", "")


def test_without_a_signature_there_is_the_servers_own_actor_and_nothing_else(world):
    for route, path in documents(world.open):
        answer = world.node.get(path, headers={"Accept": ACTIVITY}, allow_redirects=False)
        expected = 200 if route.handler in NEVER_SIGNED else 401
        assert answer.status_code == expected, (path, answer.text)
        assert varies(answer), path
        assert "SECRET" not in answer.text
    handle = f"acct:alice@{world.node.domain}"
    assert world.node.get("/.well-known/webfinger", params={"resource": handle}).status_code == 200
    key = world.node.get("/actor", headers={"Accept": ACTIVITY}).json()["publicKey"]
    assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----")


def test_what_a_signer_reads_is_kept_by_no_cache(world):
    for route, path in documents(world.private):
        for number in (FOLLOWER, STRANGER):
            answer = world.farm.get(number, world.node.web_url + path + "?page=true")
            is_hidden = route.pattern.count("{}") == 2 and number == STRANGER
            assert answer.status_code == (404 if is_hidden else 200), (path, answer.text)
            assert varies(answer) and not is_shared(answer), path
            assert ("SECRET private" in answer.text) == (
                route.pattern.count("{}") == 2 and number == FOLLOWER), path


def test_a_blocked_host_reads_nothing_but_the_key_of_the_server(world):
    for route, path in documents(world.open):
        answer = world.farm.get(BANNED, world.node.web_url + path)
        expected = 200 if route.handler in NEVER_SIGNED else 403
        assert answer.status_code == expected, (path, answer.text)
        assert varies(answer) and not is_shared(answer), path
        assert "SECRET" not in answer.text


def test_a_blocked_actor_reads_no_post_pin_or_list(world):
    for route, path in documents(world.open):
        for more in ("", "?page=true"):
            answer = world.farm.get(BLOCKED, world.node.web_url + path + more)
            # The account's key and the empty outbox of the server are for everybody who signs.
            is_open = route.handler.startswith("show_instance") or route.pattern in (
                "/@{}", "/users/{}")
            assert answer.status_code in ((200,) if is_open else (403, 404)), (path, answer.text)
            assert varies(answer) and not is_shared(answer), path
            assert "SECRET" not in answer.text


def test_a_page_for_people_needs_no_signature(world):
    for path in ("/@alice", f"/@alice/{world.open}"):
        answer = world.node.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200 and "SECRET open" in answer.text
        assert varies(answer), path
    assert world.node.get(f"/@alice/{world.private}").status_code == 404


# --- two of them -----------------------------------------------------------------------------------

class Wire:
    """What a node asked other servers for."""

    def __init__(self, node):
        self.node = node
        self.before = self.asked()

    def asked(self):
        return sum(value for name, value in self.node.metrics().items()
                   if name.startswith("trunkline_client_requests_total"))

    def since(self):
        return self.asked() - self.before


def find(node, account, query, kind="accounts"):
    answer = node.get("/api/v2/search", account, params={"q": query, "resolve": "true"})
    assert answer.status_code == 200, answer.text
    return answer.json()[kind]


def test_two_servers_that_both_want_signatures_find_each_other(storage):
    """A25: neither needs the other's signature to check the other's signature."""
    with federated_node(storage, **SECURE) as here, federated_node(**SECURE) as there:
        anna, bert = here.create_account("anna"), there.create_account("bert")
        wires = Wire(here), Wire(there)
        assert find(here, anna, f"bert@{there.domain}"), here.log()
        # Here: WebFinger and bert. There: the key of the server that asked.
        assert 1 <= wires[1].since() <= 2, wires[1].since()
        assert wires[0].since() <= 4, wires[0].since()
        found = find(there, bert, f"anna@{here.domain}")
        assert found, there.log()
        wires = Wire(here), Wire(there)
        for node, account, name, other in ((here, anna, "bert", there), (there, bert, "anna", here)):
            assert find(node, account, f"{other.web_url}/users/{name}")
        assert wires[0].since() <= 2 and wires[1].since() <= 2, "what is known is not asked for again"

        follow = there.post(f"/api/v1/accounts/{found[0]['id']}/follow", bert)
        assert follow.status_code == 200
        assert eventually(lambda: one(here, "SELECT COUNT(*) FROM follow WHERE accepted = 1") == 1, 30)
        made = here.post("/api/v1/statuses", anna,
                         json={"status": "for bert", "visibility": "private"}).json()
        assert eventually(lambda: [post for post in there.get(
            "/api/v1/timelines/home", bert).json() if post["uri"] == made["uri"]], 30)
        open_post = there.post("/api/v1/statuses", bert, json={"status": "for all"}).json()
        assert find(here, anna, open_post["uri"], "statuses")
        answer = requests.get(open_post["uri"], headers={"Accept": ACTIVITY}, timeout=30)
        assert answer.status_code == 401
