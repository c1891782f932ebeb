"""A poll of ours, voted in from here and from elsewhere: whoever has it learns how it stands."""

from fake_hosts import FakeHosts
from node import eventually
from test_fedify import federated_node

FOLLOWER, VOTER = 0, 1
TOLD_SECONDS = 90  # votes are told of once a minute


def vote(farm, node, poll, option):
    host = farm.hosts[VOTER]
    author = poll["account"]["uri"]
    note = {"id": f"{host.origin}/votes/1", "type": "Note", "attributedTo": host.actor,
            "name": option, "inReplyTo": poll["uri"], "to": [author]}
    answer = farm.send(VOTER, node.web_url + "/inbox", {
        "@context": "https://www.w3.org/ns/activitystreams", "type": "Create",
        "id": note["id"] + "/activity", "actor": host.actor, "to": [author], "object": note})
    assert answer.status_code == 202, answer.text


def updates(host):
    return [body for body in host.bodies.values() if body["type"] == "Update"]


def test_votes_from_everywhere_are_counted_and_told(storage):
    with FakeHosts(2, keep_bodies=True) as farm, federated_node(storage) as node:
        alice, bob = node.create_account("alice"), node.create_account("bob")
        actor = f"{node.web_url}/users/alice"
        farm.follow(node, actor, [FOLLOWER])
        farm.learn_key(actor)
        assert eventually(lambda: farm.hosts[FOLLOWER].received, 60), "no Accept"
        poll = node.post("/api/v1/statuses", alice, json={
            "status": "?", "poll": {"options": ["yes", "no"], "expires_in": 3600}}).json()
        node.post(f"/api/v1/polls/{poll['id']}/votes", bob, json={"choices": ["0"]})
        vote(farm, node, poll, "no")
        shown = lambda: node.get(f"/api/v1/polls/{poll['id']}").json()
        assert eventually(lambda: shown()["voters_count"] == 2, 30), shown()
        assert [option["votes_count"] for option in shown()["options"]] == [1, 1]

        for host in farm.hosts:
            assert eventually(lambda host=host: updates(host), TOLD_SECONDS), host.name
            told = [update["object"] for update in updates(host)
                    if update["object"]["votersCount"] == 2]
            assert told, updates(host)
            assert told[0]["id"] == poll["uri"] and told[0]["type"] == "Question"
            assert [option["replies"]["totalItems"] for option in told[0]["oneOf"]] == [1, 1]
            assert "updated" not in told[0], "a vote is no edit"
            assert len(updates(host)) <= 2
        assert not farm.problems, farm.problems
