"""Remote hosts and blocked domains as operators see and steer them: the admin API, the command line."""

import json
import time

import pytest

from database import one, rows
from fake_hosts import FakeHosts
from node import eventually
from test_fedify import federated_node

HOSTS = "/admin/v1/hosts"
BLOCKS = "/admin/v1/domain_blocks"


@pytest.fixture
def farm():
    with FakeHosts(2, keep_bodies=True) as hosts:
        yield hosts


def problem(answer, status, part):
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status and part in said["detail"], said


def listed(node, **params):
    answer = node.admin("GET", HOSTS, params=params)
    assert answer.status_code == 200, answer.text
    return [host["name"] for host in answer.json()["hosts"]]


def shown(node, host):
    answer = node.admin("GET", f"{HOSTS}/{host.name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def publish(node, account, text):
    answer = node.post("/api/v1/statuses", account, json={"status": text})
    assert answer.status_code == 200, answer.text
    return answer.json()["uri"] + "/activity"


def followed_by(node, farm, *numbers):
    """An account whom these hosts follow, and who knows it; their Accepts have arrived."""
    alice = node.create_account("alice")
    actor = f"{node.web_url}/users/alice"
    farm.follow(node, actor, numbers)
    farm.learn_key(actor)
    for number in numbers:
        assert eventually(lambda: farm.hosts[number].received, 60), f"host {number} got no Accept"
    return alice


def has(host, activity):
    return eventually(lambda: activity in host.received, 60)


# --- without any host ------------------------------------------------------------------------------

def test_no_host_is_an_empty_list_and_an_unknown_one_a_404_that_says_so(node):
    answer = node.admin("GET", HOSTS).json()
    assert answer["hosts"] == [] and answer["complete"] is True and answer["as_of"]
    problem(node.admin("GET", HOSTS + "/nobody.example"), 404,
            "host nobody.example: is not known")
    for action in ("pause", "resume", "retry-now"):
        problem(node.admin("POST", f"{HOSTS}/nobody.example:{action}"), 404, "is not known")
    problem(node.admin("GET", HOSTS + "/a%20b"), 404, "is no name of a host")
    problem(node.admin("GET", HOSTS, params={"sort": "x"}), 422, "sort: must be")
    for token, status in (("x" * 43, 401), (node.admin_token("read"), 403)):
        answer = node.admin("POST", HOSTS + "/nobody.example:pause", token=token)
        assert answer.status_code == status
    assert node.cli("host", "list").split() == ["HOST", "STATE", "WAITING", "OLDEST", "FAILURES",
                                                "NEXT", "TRY", "LAST", "OK"]
    assert json.loads(node.cli("host", "list", "--json"))["hosts"] == []
    for action in ("show", "pause", "resume", "retry"):
        assert node.cli("host", action, "nobody.example", expect=65) == ""
    node.cli("host", "show", "../accounts", expect=65)
    node.cli("host", "list", "--sort", "x", expect=64)
    node.cli("host", expect=64)


# --- hosts -----------------------------------------------------------------------------------------

def test_a_paused_host_is_sent_nothing_until_it_is_resumed(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        slow, other = farm.hosts
        assert sorted(listed(node, sort="name")) == sorted([slow.name, other.name])
        assert eventually(lambda: shown(node, slow)["state"] == "healthy")
        for _ in range(2):
            answer = node.admin("POST", f"{HOSTS}/{slow.name}:pause")
            assert answer.status_code == 200 and answer.json()["paused"] is True
        assert listed(node, state="paused") == [slow.name]
        activity = publish(node, alice, "for both")
        assert has(other, activity)
        assert activity not in slow.received
        # A paused host is told of nothing; the books, which know, are on the board each second.
        waiting = eventually(lambda: (now := shown(node, slow))["backlog"] >= 1 and now)
        assert waiting and waiting["oldest_at"] and waiting["in_flight"] == 0, shown(node, slow)
        assert waiting["next_try_why"].startswith("paused by an operator")
        assert eventually(lambda: listed(node)[0] == slow.name), "the most that waits first"
        problem(node.admin("POST", f"{HOSTS}/{slow.name}:retry-now"), 409, "resume it")

        node.restart()
        assert shown(node, slow)["paused"] is True, "a pause outlives the process"
        table = node.cli("host", "list", "--state", "paused").splitlines()
        assert table[1].split()[0] == slow.name and "paused" in table[1] and len(table) == 2
        assert "paused by an operator" in node.cli("host", "show", slow.name)
        assert activity not in slow.received
        assert node.cli("host", "resume", slow.name) == ""
        assert has(slow, activity)
        assert shown(node, slow)["paused"] is False
        assert eventually(lambda: shown(node, slow)["backlog"] == 0)
        assert not farm.problems, farm.problems


def test_a_failing_host_tells_why_and_when_and_is_tried_when_asked(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0)
        host = farm.hosts[0]
        host.status = 503
        activity = publish(node, alice, "not now")
        assert eventually(lambda: shown(node, host)["state"] == "suspended", 60)
        told = shown(node, host)
        assert told["backlog"] == 1, "kept, in its lane or beside it"
        assert told["next_try_at"] and "503" in told["next_try_why"]
        assert told["last_errors"][0]["status"] == 503 and told["last_errors"][0]["at"]
        assert eventually(lambda: shown(node, host)["fail_streak"] >= 3)
        assert listed(node, state="suspended") == [host.name]
        page = node.cli("host", "show", host.name)
        assert "why then:" in page and "last errors" in page and "suspended" in page
        host.status = 202
        assert node.cli("host", "retry", host.name) == ""
        assert has(host, activity)
        assert eventually(lambda: shown(node, host)["state"] in ("recovering", "healthy"))


def test_hosts_are_listed_in_pages(node):
    for id in range(1, 6):
        rows(node, "INSERT INTO host(id, scheme, name, port, fail_streak)"
                   " VALUES (?, 'https', ?, 443, ?)", (id, f"h{id}.example", id % 3))
    node.restart()
    for sort, expected in (("name", "12345"), ("failures", "25143"), ("backlog", "12345")):
        seen, path = "", f"{HOSTS}?sort={sort}&limit=2"
        while path:
            answer = node.admin("GET", path)
            seen += "".join(host["name"][1] for host in answer.json()["hosts"])
            path = answer.links["next"]["url"] if "next" in answer.links else None
        assert seen == expected, sort
    assert listed(node, q="H4.") == ["h4.example"]
    shown_once = node.admin("GET", HOSTS + "/H4.EXAMPLE:443").json()
    assert shown_once["name"] == "h4.example" and shown_once["stale"] is False
    assert len(node.cli("host", "list", "--limit", "2").splitlines()) == 3


# --- domains ---------------------------------------------------------------------------------------

def test_a_domain_is_blocked_listed_and_unblocked_by_api_and_command_line(node):
    assert node.cli("domain", "list").split() == ["DOMAIN", "SEVERITY", "SINCE", "COMMENT"]
    made = node.admin("POST", BLOCKS, json={"domain": "Bücher.example", "comment": "spam"})
    assert made.status_code == 200, made.text
    assert made.json() == {"domain": "xn--bcher-kva.example", "severity": "suspend",
                           "comment": "spam"}
    assert node.cli("domain", "block", "Loud.example", "--severity", "silence") == ""
    table = [line.split() for line in node.cli("domain", "list").splitlines()[1:]]
    assert [(line[0], line[1]) for line in table] == [("loud.example", "silence"),
                                                      ("xn--bcher-kva.example", "suspend")]
    assert table[1][3] == "spam"
    assert json.loads(node.cli("domain", "list", "--json")) == node.admin("GET", BLOCKS).json()
    assert one(node, "SELECT COUNT(*) FROM domain_block WHERE account_id = 0 AND severity = 1") == 1
    assert node.cli("domain", "unblock", "bücher.example") == ""
    node.cli("domain", "unblock", "bücher.example", expect=65)
    assert node.admin("DELETE", BLOCKS + "/LOUD.example").status_code == 200
    problem(node.admin("DELETE", BLOCKS + "/loud.example"), 404, "is not blocked")
    assert node.admin("GET", BLOCKS).json() == {"domain_blocks": []}
    problem(node.admin("POST", BLOCKS, json={"domain": node.domain}), 422, "this server's own")
    problem(node.admin("POST", BLOCKS, json={"domain": "x.example", "severity": "noop"}), 422,
            "severity: must be")
    node.cli("domain", "block", "a b", expect=65)
    node.cli("domain", "block", "x.example", "--severity", "noop", expect=64)
    node.stop()
    node.cli("domain", "list", expect=69)


def test_a_list_of_domains_is_whole_on_the_command_line(node):
    for number in range(501):
        rows(node, "INSERT INTO domain_block(account_id, host, at, severity) VALUES (0, ?, 0, 2)",
             (f"d{number:04}.example",))
    assert len(json.loads(node.cli("domain", "list", "--json"))["domain_blocks"]) == 501


def test_nothing_goes_to_or_comes_from_a_suspended_domain(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        bad, good = farm.hosts
        node.cli("domain", "block", bad.address, "--comment", "spam")
        activity = publish(node, alice, "for friends")
        assert has(good, activity)
        assert activity not in bad.received
        note = {"@context": "https://www.w3.org/ns/activitystreams", "type": "Create",
                "id": f"{bad.origin}/1/activity", "actor": bad.actor,
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
                "object": {"id": f"{bad.origin}/1", "type": "Note", "attributedTo": bad.actor,
                           "to": ["https://www.w3.org/ns/activitystreams#Public"],
                           "content": "<p>spam</p>"}}
        refused = farm.send(0, node.web_url + "/inbox", note)
        assert refused.status_code in (401, 403), refused.status_code
        assert one(node, "SELECT COUNT(*) FROM follow") == 1, "only the good host's is left"
        assert farm.send(1, node.web_url + "/inbox", {
            **note, "id": f"{good.origin}/1/activity", "actor": good.actor}).status_code != 401
        node.cli("domain", "unblock", bad.address)
        assert eventually(lambda: farm.send(0, node.web_url + "/inbox",
                                            note).status_code == 202, 60)


def test_I6_nothing_goes_to_a_blocked_domain(storage):
    """Neither what waited for it, nor what names somebody there; and it waits for nothing more."""
    with FakeHosts(2, keep_bodies=True) as farm, federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        bad, good = farm.hosts
        node.cli("host", "pause", bad.name)
        waiting = publish(node, alice, "waits")
        assert has(good, waiting)
        node.cli("domain", "block", bad.address)
        time.sleep(3)  # the dispatcher reads the blocks once a second
        node.cli("host", "resume", bad.name)
        mention = publish(node, alice, f"hello @u@{bad.name} and @u@{good.name}")
        assert has(good, mention)
        assert eventually(lambda: shown(node, bad)["backlog"] == 0, 30), shown(node, bad)
        assert waiting not in bad.received and mention not in bad.received
        # After the block others' activities go there again; what was cancelled does not come back.
        node.cli("domain", "unblock", bad.address)
        time.sleep(3)
        accepts = lambda: [one for one in bad.bodies.values() if one["type"] == "Accept"]
        before = len(accepts())
        farm.follow(node, f"{node.web_url}/users/alice", [0])
        assert eventually(lambda: len(accepts()) > before, 60), "the second follow was not accepted"
        later = publish(node, alice, "again")
        assert has(bad, later)
        assert waiting not in bad.received


def test_an_inbox_that_is_gone_makes_its_owner_looked_up_again(storage):
    """410 to a personal inbox: a dead letter, and the actor is fetched; the host goes on."""
    with FakeHosts(1, keep_bodies=True) as farm, federated_node(storage) as node:
        alice = followed_by(node, farm, 0)
        host = farm.hosts[0]
        asked = host.asked.count("/users/u")
        host.status = 410
        answer = node.post("/api/v1/statuses", alice, json={
            "status": f"@u@{host.name} hello", "visibility": "direct"})
        assert answer.status_code == 200, answer.text
        assert eventually(lambda: host.asked.count("/users/u") > asked, 60), host.asked
        assert eventually(lambda: shown(node, host)["dead"] == 1, 60), shown(node, host)
        host.status = 202
        assert has(host, publish(node, alice, "still delivered to"))
