"""F01, F03: what was answered is kept, whatever is killed in between."""

import random
import subprocess
import threading
import time
import uuid

import pytest
import requests

from node import Node, eventually, kind

CLIENTS = 4
KILLS = 50
ACKNOWLEDGED_BETWEEN_KILLS = 20
ANSWER_SECONDS = 30


class Poster(threading.Thread):
    """Posts without a pause; tries a post whose answer it did not see again with the same key."""

    def __init__(self, node, account):
        super().__init__(daemon=True)
        self.node, self.account = node, account
        self.acknowledged = {}  # key -> (id, text)
        self.repeated = 0
        self.refused = []
        self.done = threading.Event()

    def run(self):
        number = 0
        while not self.done.is_set():
            number += 1
            self.post_until_answered(str(uuid.uuid4()), f"{self.account.name} writes {number}")

    def post_until_answered(self, key, text):
        first = True
        while first or not self.done.is_set():
            try:
                answer = self.node.post("/api/v1/statuses", self.account, json={"status": text},
                                        headers={"Idempotency-Key": key}, timeout=ANSWER_SECONDS)
            except requests.RequestException:
                first = False
                self.repeated += 1
                time.sleep(0.05)
                continue
            if answer.status_code == 200:
                self.acknowledged[key] = (answer.json()["id"], text)
                return
            if answer.status_code != 503:
                self.refused.append((answer.status_code, answer.text))
                return
            first = False
            time.sleep(0.05)


def home_of(node, account):
    """Every id in the home timeline, page by page."""
    ids, bound = [], None
    while True:
        query = {"limit": 40, **({"max_id": bound} if bound else {})}
        page = node.get("/api/v1/timelines/home", account, params=query)
        assert page.status_code == 200, page.text
        if not page.json():
            return ids
        ids += [status["id"] for status in page.json()]
        bound = ids[-1]


def follow(node, follower, followee):
    answer = node.post(f"/api/v1/accounts/{followee.id}/follow", follower)
    assert answer.status_code == 200, answer.text


def test_F01_answered_posts_survive_fifty_kills(storage):
    """4 clients, 50 kills, at least 20 answered posts between two of them."""
    kills = KILLS // 5 if storage else KILLS
    with Node(postgres=storage) as node:
        authors = [node.create_account(f"author{number}") for number in range(CLIENTS)]
        reader = node.create_account("reader")
        for author in authors:
            follow(node, reader, author)
            author.token  # made before the first kill
        posters = [Poster(node, author) for author in authors]
        for poster in posters:
            poster.start()
        counts = kill_under_load(node, posters, kills)
        for poster in posters:
            poster.done.set()
        for poster in posters:
            poster.join(ANSWER_SECONDS + 5)
            assert not poster.is_alive()
        total = sum(len(poster.acknowledged) for poster in posters)
        print(f"F01 on {kind(storage)}: {kills} kills, {total} posts answered, "
              f"{min(counts)} to {max(counts)} between two kills, "
              f"{sum(poster.repeated for poster in posters)} tries without an answer")
        assert min(counts) >= ACKNOWLEDGED_BETWEEN_KILLS
        assert [refusal for poster in posters for refusal in poster.refused] == []
        check_everything_is_there(node, posters, reader)


def kill_under_load(node, posters, kills):
    chance = random.Random(7)

    def answered():
        return sum(len(poster.acknowledged) for poster in posters)

    counts = []
    for _ in range(kills):
        before = answered()
        assert eventually(lambda: answered() >= before + ACKNOWLEDGED_BETWEEN_KILLS, seconds=60)
        time.sleep(chance.uniform(0, 0.05))  # anywhere in the life of a post
        node.kill()
        counts.append(answered() - before)
        node.start()
    return counts


def check_everything_is_there(node, posters, reader):
    read = home_of(node, reader)
    assert len(read) == len(set(read))
    for poster in posters:
        answered = {id for id, _ in poster.acknowledged.values()}
        assert len(answered) == len(poster.acknowledged), "two keys gave one post"
        own = home_of(node, poster.account)
        assert answered <= set(own)
        assert answered <= set(read)
        mine = [id for id in own]
        texts = set()
        for id in mine:
            status = node.get(f"/api/v1/statuses/{id}", poster.account).json()
            assert status["content"] not in texts, f"doubled: {status['content']}"
            texts.add(status["content"])
        for key, (id, text) in poster.acknowledged.items():
            again = node.post("/api/v1/statuses", poster.account, json={"status": text},
                              headers={"Idempotency-Key": key})
            assert (again.status_code, again.json()["id"]) == (200, id)
        assert home_of(node, poster.account) == own, "asking with an old key made a post"


def test_F03_killed_between_commit_and_answer(storage):
    """The client sees no answer, the post is there once, and its key finds it."""
    with Node(postgres=storage, environment={"ASAN_OPTIONS": "detect_leaks=0"}) as node:
        alice = node.create_account("alice")
        alice.token
        send = {"json": {"status": "sent but never answered"}, "headers": {"Idempotency-Key": "k"}}
        tracer = subprocess.Popen(
            ["strace", "-f", "-o", "/dev/null", "-e", "trace=sendmsg,sendto", "-e",
             "inject=sendmsg:signal=KILL:when=1", "-p", str(node.pid)],
            stderr=subprocess.PIPE, text=True)
        try:
            assert "attached" in tracer.stderr.readline()
            # PostgreSQL's connection uses sendto: the first sendmsg is the answer to the client.
            with pytest.raises(requests.RequestException):
                node.post("/api/v1/statuses", alice, **send)
            tracer.wait(30)
        finally:
            tracer.kill()
            tracer.stderr.close()
        node.kill()
        node.start()
        ids = [status["id"] for status in
               node.get(f"/api/v1/accounts/{alice.id}/statuses", alice).json()]
        assert len(ids) == 1, "killed before the commit: the injection came too early"
        again = node.post("/api/v1/statuses", alice, **send)
        assert (again.status_code, again.json()["id"]) == (200, ids[0])
        assert home_of(node, alice) == ids
