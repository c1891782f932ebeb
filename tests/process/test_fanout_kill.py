"""F02: kill -9 while a post is on its way to 5,000 inboxes: each gets it, few get it twice."""

from fake_hosts import FakeHosts
from node import eventually, kind
from test_fedify import federated_node
from test_rows import seed

HOSTS = 5_000


def test_F02_a_kill_in_the_middle_of_5000_inboxes(storage):
    with FakeHosts(HOSTS, check_every=250) as farm, federated_node(storage) as node:
        alice = node.create_account("alice")
        alice.token
        node.stop()
        assert seed(node, "alice", HOSTS, farm.port) == HOSTS
        node.start()
        farm.learn_key(f"{node.web_url}/users/alice")
        answer = node.post("/api/v1/statuses", alice, data={"status": "to all of you"})
        assert answer.status_code == 200, answer.text
        activity = answer.json()["uri"] + "/activity"
        have = lambda: sum(activity in host.received for host in farm.hosts)
        assert eventually(lambda: have() >= HOSTS // 2, 120, pause=0.01)
        node.kill()
        at_kill = have()
        node.start()
        assert eventually(lambda: have() == HOSTS, 300), have()
        twice = sum(len(host.received) - 1 for host in farm.hosts)
        # What was acknowledged before the kill may have been forgotten, and nothing else.
        assert twice <= at_kill, (twice, at_kill)
        assert all(len(host.received) <= 2 for host in farm.hosts)
        assert not farm.problems, farm.problems[:3]
        print(f"F02 on {kind(storage)}: killed at {at_kill} of {HOSTS}, {twice} got it twice")
