"""kill -9 at every named point of the inbound path: what was answered is applied, and once."""

import requests

import pytest

from database import one, rows
from fake_hosts import FakeHosts
from node import eventually, kind
from test_fedify import federated_node

POINTS = ["inbox_logged", "inbox_answered", "inbox_applying", "inbox_applied"]


def kill_points_of(node, farm, activity, point):
    """Sends `activity` to a node that kills itself at `point`; returns the status, None without."""
    node.stop()
    node.settings["test.kill_at"] = point
    node.write_config()
    node.start()
    try:
        status = farm.send(0, node.web_url + "/inbox", activity).status_code
    except requests.ConnectionError:
        status = None
    assert eventually(lambda: not node.is_running(), 30), f"{point} was never reached"
    node.kill()
    del node.settings["test.kill_at"]
    node.write_config()
    node.start()
    return status


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_on_the_inbound_path_applies_exactly_once(storage, point):
    with FakeHosts(1, keep_bodies=True) as farm, federated_node(storage) as node:
        host = farm.hosts[0]
        alice = node.create_account("alice")
        alice.token
        actor = f"{node.web_url}/users/alice"
        farm.learn_key(actor)  # when a delivery comes, the node may just be ending
        context = {"@context": "https://www.w3.org/ns/activitystreams", "actor": host.actor}
        follow = {**context, "type": "Follow", "id": f"{host.origin}/follows/1", "object": actor}
        note = {"id": f"{host.origin}/notes/1", "type": "Note", "attributedTo": host.actor,
                "content": "<p>hello @alice</p>", "published": "2026-01-01T00:00:00Z",
                "to": [actor], "cc": [],
                "tag": [{"type": "Mention", "href": actor, "name": "@alice"}]}
        create = {**context, "type": "Create", "id": f"{host.origin}/notes/1/create",
                  "object": note, "to": [actor]}
        for activity in (follow, create):
            status = kill_points_of(node, farm, activity, point)
            assert (status == 202) == (point not in ("inbox_logged",)) or status is None, status
            if status is None:  # the sender knows nothing and sends it again
                answer = farm.send(0, node.web_url + "/inbox", activity)
                assert answer.status_code == 202, answer.text
            assert eventually(lambda: not one(
                node, "SELECT COUNT(*) FROM inbox_log WHERE done = 0"), 60)
            # And once more, as senders do.
            assert farm.send(0, node.web_url + "/inbox", activity).status_code == 202
        assert eventually(lambda: len(host.received) >= 1, 60)
        assert rows(node, "SELECT ap_id, done FROM inbox_log ORDER BY id") == [
            (follow["id"], 1), (create["id"], 1)]
        shown = node.get(f"/api/v1/accounts/{alice.id}", alice).json()
        assert shown["followers_count"] == 1
        assert one(node, "SELECT COUNT(*) FROM follow") == 1
        accepts = [body for body in host.bodies.values() if body["type"] == "Accept"]
        assert len(accepts) == 1, accepts
        told = node.get("/api/v1/notifications", alice).json()
        assert sorted(entry["type"] for entry in told) == ["follow", "mention"], told
        assert one(node, "SELECT COUNT(*) FROM post") == 1
        assert not farm.problems
        print(f"F01 kill at {point} on {kind(storage)}: applied once")
