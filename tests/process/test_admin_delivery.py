"""What operators order of delivery, and what they see: a real node, hosts that hang, fail and heal."""

import datetime
import json
import time
import urllib.parse

import pytest

from fake_hosts import FakeHosts
from node import eventually
from test_admin_hosts import HOSTS, followed_by, has, problem, publish, shown
from test_fedify import federated_node

DELIVERY = "/admin/v1/delivery"
LETTERS = "/admin/v1/dead-letters"
AUDIT = "/admin/v1/audit"


@pytest.fixture
def farm():
    with FakeHosts(3, keep_bodies=True) as hosts:
        yield hosts


def act(node, path, **body):
    answer = node.admin("POST", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def order(node, host, action, **body):
    return act(node, f"{HOSTS}/{host.name}:{action}", **body)


def audit(node, **params):
    return node.admin("GET", AUDIT, params=params).json()["audit"]


def queue(node, host):
    answer = node.admin("GET", f"{HOSTS}/{host.name}/queue")
    assert answer.status_code == 200, answer.text
    return answer.json()["queue"]


def balanced(sums):
    return sums["offered"] == sum(count for name, count in sums.items() if name != "offered")


def times(host, activity):
    return host.received.count(activity)


def post_of(activity):
    return activity.removesuffix("/activity")


def deliveries(node, post, **params):
    path = f"/admin/v1/posts/{urllib.parse.quote(post, safe='')}/deliveries"
    answer = node.admin("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def states(node, post):
    return {host["name"]: host["state"] for host in deliveries(node, post)["hosts"]}


# --- who is it? ------------------------------------------------------------------------------------

def test_the_host_that_hangs_is_named_with_what_waits_since_when_and_why(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1, 2)
        bad, *good = farm.hosts
        farm.hang([0])
        activities = [publish(node, alice, f"post {number}") for number in range(4)]
        assert all(has(host, activity) for host in good for activity in activities)

        def named():
            attention = node.admin("GET", DELIVERY).json()["attention"]
            return attention and attention[0]["name"] == bad.name and attention[0]["fail_streak"]
        assert eventually(named, 90), node.admin("GET", DELIVERY).text
        glance = node.admin("GET", DELIVERY).json()
        assert [host["name"] for host in glance["attention"]] == [bad.name]
        sentence = glance["attention"][0]["sentence"]
        assert sentence.startswith("4 waiting, oldest ") and " since " in sentence, sentence
        totals = glance["totals"]
        assert totals["hosts"] == 3 and totals["waiting"] == 4 and balanced(totals["sums"]), totals
        assert sum(totals["by_state"].values()) == 3
        assert {budget["kind"] for budget in glance["budgets"]} == {
            "healthy", "unproven", "retry", "probe", "slow"}
        first = node.admin("GET", HOSTS).json()["hosts"][0]
        assert first["name"] == bad.name and first["backlog"] == 4 and balanced(first["sums"])
        assert "timeout" in first["last_error"]["text"] or "time" in first["last_error"]["text"]
        assert [item["kind"] for item in queue(node, bad)] == ["create"] * 4
        assert queue(node, good[0]) == []


# --- what can be done about it? --------------------------------------------------------------------

def test_a_drained_host_gets_what_waits_and_nothing_new(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        host, other = farm.hosts[:2]
        # The Accept of its Follow has arrived there, but may not have been answered yet.
        assert eventually(lambda: order(node, host, "pause", dry_run=True)["units"] == 0)
        assert shown(node, host)["paused"] is False, "a dry run changes nothing"
        host.status = 503
        before = publish(node, alice, "before")
        assert has(other, before)
        assert eventually(lambda: shown(node, host)["backlog"] == 1)
        drained = order(node, host, "drain", reason="moving")
        assert drained["action"] == "drain" and drained["dry_run"] is False
        assert shown(node, host)["drained"] is True
        host.status = 202
        order(node, host, "retry-now")
        assert has(host, before)
        late = publish(node, alice, "late")
        assert has(other, late)
        assert eventually(lambda: states(node, post_of(late))[host.name] == "cancelled")
        node.restart()
        assert shown(node, host)["drained"] is True, "outlives the process"
        order(node, host, "resume", reason="moved")
        assert shown(node, host)["drained"] is False
        assert has(host, publish(node, alice, "last"))
        assert late not in host.received, "it was written while the host was drained"
        assert eventually(lambda: shown(node, host)["backlog"] == 0)
        assert eventually(lambda: balanced(shown(node, host)["sums"])), shown(node, host)


def test_a_flush_says_first_what_it_would_cancel_and_keeps_what_is_taken_back(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        host, other = farm.hosts[:2]
        gone = publish(node, alice, "to be deleted")
        assert has(host, gone)
        order(node, host, "pause")
        waiting = [publish(node, alice, f"post {number}") for number in range(3)]
        id = post_of(gone).rsplit("/", 1)[1]
        assert node.request("DELETE", f"/api/v1/statuses/{id}", alice).status_code == 200
        assert has(other, waiting[-1])
        assert eventually(lambda: shown(node, host)["backlog"] == 4)
        dry = node.admin("POST", f"{HOSTS}/{host.name}:flush?dry_run=1").json()
        assert (dry["units"], dry["kept"], dry["dry_run"], dry["is_all"]) == (3, 1, True, True)
        assert shown(node, host)["backlog"] == 4
        assert node.cli("host", "flush", host.name, expect=64).strip() == (
            "would reach: 3 activities; 1 Delete, Undo and Block stay")
        assert shown(node, host)["backlog"] == 4
        out = node.cli("host", "flush", host.name, "--yes", "--reason", "too old")
        assert "would reach: 3" in out and "done: 3" in out
        assert eventually(lambda: shown(node, host)["backlog"] == 1), shown(node, host)
        order(node, host, "resume")
        assert eventually(lambda: any(one["type"] == "Delete" for one in host.bodies.values()), 60)
        later = publish(node, alice, "later")
        assert has(host, later)
        assert not set(waiting) & set(host.received), "flushed"
        sums = eventually(lambda: (found := shown(node, host)["sums"])["pending"] == 0 and found)
        assert sums["cancelled"] >= 3 and balanced(sums), sums
        entry = next(one for one in audit(node, target=host.name) if one["action"] == "flush")
        assert entry["reason"] == "too old" and entry["who"] == "socket"
        assert entry["detail"] == "3 activities, 1 kept"


def test_a_replay_sends_one_post_again_or_everything_since_a_time(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        host, other = farm.hosts[:2]
        early = publish(node, alice, "early")
        assert has(host, early)
        time.sleep(1.1)
        since = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
        late = [publish(node, alice, f"late {number}") for number in range(2)]
        assert all(has(host, activity) for activity in late)
        assert eventually(lambda: shown(node, host)["backlog"] == 0)

        dry = order(node, host, "replay", post=post_of(early), dry_run=True)
        assert dry["units"] == 1
        assert order(node, host, "replay", post=post_of(early), reason="lost")["units"] == 1
        assert eventually(lambda: times(host, early) == 2, 60)
        assert order(node, host, "replay", **{"from": since}, dry_run=True)["units"] == 2
        assert order(node, host, "replay", **{"from": since})["units"] == 2
        assert eventually(lambda: all(times(host, activity) == 2 for activity in late), 60)
        assert times(host, early) == 2 and times(other, early) == 1
        assert eventually(lambda: shown(node, host)["backlog"] == 0)
        assert eventually(lambda: balanced(shown(node, host)["sums"]))
        answer = node.admin("POST", f"{HOSTS}/{host.name}:replay", json={"post": "99"})
        problem(answer, 404, "")


def test_a_limit_holds_and_is_lifted(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        host = farm.hosts[0]
        order(node, host, "limit", in_flight=1, per_s=2, reason="small server")
        assert shown(node, host)["limit"] == {"in_flight": 1, "per_s": 2}
        node.restart()
        assert shown(node, host)["limit"] == {"in_flight": 1, "per_s": 2}, "outlives the process"
        began = time.monotonic()
        activities = [publish(node, alice, f"post {number}") for number in range(6)]
        assert all(has(host, activity) for activity in activities)
        assert time.monotonic() - began >= 2, "2 a second"
        order(node, host, "limit", per_s=None)
        assert shown(node, host)["limit"] == {"in_flight": 1, "per_s": None}
        node.cli("host", "limit", host.name, "--in-flight", "none")
        assert shown(node, host)["limit"] == {"in_flight": None, "per_s": None}


def test_an_action_with_a_key_is_done_once(storage, farm):
    with federated_node(storage) as node:
        followed_by(node, farm, 0)
        host = farm.hosts[0]
        answers = [node.admin("POST", f"{HOSTS}/{host.name}:pause", json={"reason": "once"},
                              headers={"Idempotency-Key": "k1"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert len({answer.text for answer in answers}) == 1
        assert len(audit(node, target=host.name)) == 1
        answer = node.admin("POST", f"{HOSTS}/{host.name}:resume",
                            headers={"Idempotency-Key": "k1"})
        problem(answer, 422, "another request")


# --- what was given up -----------------------------------------------------------------------------

def test_dead_letters_are_listed_replayed_and_discarded(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1)
        host, other = farm.hosts[:2]
        host.status = 422
        refused = [publish(node, alice, f"refused {number}") for number in range(3)]
        assert all(has(other, activity) for activity in refused)
        listed = lambda: node.admin("GET", LETTERS, params={"host": host.name}).json()["dead_letters"]
        assert eventually(lambda: len(listed()) == 3, 60), listed()
        assert eventually(lambda: shown(node, host)["dead"] == 3), shown(node, host)
        newest = listed()[0]
        assert newest["host"] == host.name and newest["author_name"] == "alice"
        assert "422" in newest["error"] and newest["kind"] == "create"
        assert eventually(lambda: states(node, post_of(refused[0]))[host.name] == "dead")

        host.status = 202
        assert act(node, LETTERS + ":replay", host=host.name, dry_run=True)["units"] == 3
        oldest = listed()[-1]["unit"]
        done = act(node, LETTERS + ":replay", host=host.name, units=[oldest], reason="it heals")
        assert done["units"] == 1
        assert has(host, refused[0])
        assert eventually(lambda: len(listed()) == 2)
        assert node.cli("dead-letters", "discard", host.name, newest["unit"],
                        "--dry-run") == "would reach: 1 dead letters\n"
        assert len(listed()) == 2
        assert node.cli("dead-letters", "discard", host.name, newest["unit"]) == (
            "done: 1 dead letters\n")
        assert eventually(lambda: len(listed()) == 1)
        table = node.cli("dead-letters", "list", "--host", host.name).splitlines()
        assert len(table) == 2 and "422" in table[1]
        assert act(node, LETTERS + ":replay", host=host.name)["units"] == 1
        assert has(host, refused[1])
        assert eventually(lambda: shown(node, host)["dead"] == 0), shown(node, host)
        assert refused[2] not in host.received, "discarded"
        assert [(one["action"], one["reason"]) for one in audit(node, target=host.name)] == [
            ("replay-dead-letters", ""), ("discard-dead-letters", ""),
            ("replay-dead-letters", "it heals")]
        assert eventually(lambda: balanced(shown(node, host)["sums"])), shown(node, host)


# --- where is my post? -----------------------------------------------------------------------------

def test_a_post_tells_which_hosts_have_it_which_wait_and_why(storage, farm):
    with federated_node(storage) as node:
        alice = followed_by(node, farm, 0, 1, 2)
        hangs, paused, well = farm.hosts
        order(node, paused, "pause")
        farm.hang([0])
        activity = publish(node, alice, "where am I?")
        assert has(well, activity)
        post = post_of(activity)
        assert eventually(lambda: states(node, post) == {
            hangs.name: "pending", paused.name: "pending", well.name: "delivered"}, 30)
        told = deliveries(node, post)
        assert told["totals"]["hosts"] == 3 and told["totals"]["pending"] == 2
        assert told["totals"]["delivered"] == 1 and told["complete"] is True
        assert told["hosts"][-1]["name"] == well.name, "failed and waiting ones first"
        waits = next(host for host in told["hosts"] if host["name"] == paused.name)
        assert "paused by an operator" in waits["why"] and waits["paused"] is True
        assert eventually(lambda: any(
            host["name"] == hangs.name and "since" in host["why"] and host["next_try_at"]
            for host in deliveries(node, post)["hosts"]), 90), deliveries(node, post)
        only = deliveries(node, post, state="delivered", limit=1)
        assert [host["name"] for host in only["hosts"]] == [well.name]
        id = post.rsplit("/", 1)[1]
        assert deliveries(node, id)["totals"] == told["totals"]
        table = node.cli("post", "deliveries", post).splitlines()
        assert table[0] == "hosts 3: delivered 1, pending 2" and len(table) == 5
        assert json.loads(node.cli("post", "deliveries", id, "--json"))["post"] == id
        problem(node.admin("GET", "/admin/v1/posts/x/deliveries"), 422, "post: must be")
        problem(node.admin("GET", "/admin/v1/posts/99/deliveries"), 404, "")


# --- who did what, and why? ------------------------------------------------------------------------

def test_every_action_is_in_the_audit_with_its_reason(storage, farm):
    with federated_node(storage) as node:
        followed_by(node, farm, 0)
        host = farm.hosts[0]
        actions = {"pause": {}, "resume": {}, "retry-now": {}, "drain": {}, "flush": {},
                   "replay": {"from_seq": 1}, "limit": {"in_flight": 3}}
        for action, body in actions.items():
            order(node, host, action, **body, dry_run=True, reason="only looking")
            order(node, host, action, **body, reason=f"why {action}")
        for action in ("replay", "discard"):
            problem(node.admin("POST", f"{LETTERS}:{action}", json={"host": host.name}), 404,
                    "no such dead letters")
        entries = audit(node, target=host.name)
        assert [entry["action"] for entry in entries] == [*reversed(actions)]
        assert all(entry["reason"] == f"why {entry['action']}" for entry in entries), entries
        assert all(entry["who"].startswith("token") for entry in entries)
        seen, path = [], AUDIT + "?limit=4"
        while path:
            answer = node.admin("GET", path)
            seen += [entry["id"] for entry in answer.json()["audit"]]
            path = answer.links["next"]["url"] if "next" in answer.links else None
        assert seen == sorted(seen, key=int, reverse=True) and len(seen) == len(set(seen))
        assert len(seen) > len(entries), "accounts and tokens are in it too"
        table = node.cli("audit", "--target", host.name).splitlines()
        assert len(table) == len(entries) + 1 and "why pause" in table[-1]
        assert json.loads(node.cli("audit", "--json"))["audit"][0]["id"] == seen[0]
        node.restart()
        assert audit(node, target=host.name) == entries
