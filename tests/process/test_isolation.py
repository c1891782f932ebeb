"""A third of all hosts hangs, and nobody else waits: counted, not timed."""

import collections
import os

from fake_hosts import FakeHosts
from node import eventually, kind
from test_fedify import federated_node

HOSTS, HUNG, AUTHORS, POSTS = 200, 64, 5, 20


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def test_64_of_200_hosts_hang_and_the_others_have_every_post(storage):
    """20 posts by 5 authors reach 136 hosts while the first request to the other 64 is still open;
    a kill in the middle loses nothing."""
    with FakeHosts(HOSTS, check_every=7) as farm, federated_node(storage) as node:
        authors = [node.create_account(f"author{number}") for number in range(AUTHORS)]
        for author in authors:
            actor = f"{node.web_url}/users/{author.name}"
            farm.follow(node, actor, range(HOSTS))
            farm.learn_key(actor)
        for author in authors:
            assert eventually(lambda author=author: node.get(
                f"/api/v1/accounts/{author.id}", author).json()["followers_count"] == HOSTS, 120)
        # Every Accept has arrived.
        assert eventually(lambda: all(len(host.received) == AUTHORS for host in farm.hosts), 120), \
            collections.Counter(len(host.received) for host in farm.hosts)
        farm.hang(range(HUNG))
        healthy, hung = farm.hosts[HUNG:], farm.hosts[:HUNG]

        def post(number):
            answer = node.post("/api/v1/statuses", authors[number % AUTHORS],
                               data={"status": f"post {number}"})
            assert answer.status_code == 200, answer.text
            return answer.json()["uri"] + "/activity"

        first = [post(number) for number in range(POSTS // 2)]
        delivered = lambda ids: all(set(ids) <= set(host.received) for host in healthy)
        assert eventually(lambda: delivered(first), 60)
        # While the first requests to the hung ones are open: none of them has been answered.
        assert eventually(lambda: all(host.open_requests >= 1 for host in hung), 60)
        assert threads_of(node.pid) <= 12 + 2 * os.cpu_count()
        open_most = max(host.most_open for host in hung)
        assert open_most <= 2, f"{open_most} requests open to one unproven host"

        node.kill()
        node.start()
        second = [post(number) for number in range(POSTS // 2, POSTS)]
        assert eventually(lambda: delivered(first + second), 60)
        assert threads_of(node.pid) <= 12 + 2 * os.cpu_count()

        # P5: what a kill repeats is at most a second's worth: here the posts of before the kill.
        repeated = [count - 1 for host in healthy
                    for count in collections.Counter(host.received).values() if count > 1]
        assert all(count == 1 for count in repeated), repeated
        per_author = lambda ids, number: [one for at, one in enumerate(ids) if at % AUTHORS == number]
        for host in healthy:
            once = list(dict.fromkeys(host.received))
            for number in range(AUTHORS):
                wanted = per_author(first + second, number)
                assert [one for one in once if one in wanted] == wanted, host.name

        # The hung ones come back and have everything.
        for host in hung:
            host.status = 202
        token = node.admin_token()
        for host in hung:
            node.admin("POST", f"/admin/v1/hosts/{host.name}:retry-now", token=token)
        assert eventually(lambda: all(set(first + second) <= set(host.received) for host in hung), 120), \
            collections.Counter(len(host.received) for host in hung)
        assert not farm.problems, farm.problems[:3]
        print(f"F20 isolation on {kind(storage)}: {len(healthy)} hosts had all {POSTS} posts, "
              f"{sum(repeated)} repeated after the kill, {farm.checked} signatures checked")
