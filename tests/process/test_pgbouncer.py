"""F14 to F16 and the pool: a node on PostgreSQL as docs/postgresql.md sets it up, with PgBouncer
in transaction mode and without.

Left out: streams, which come with their own issue; connections that stay open stand in for them.
"""

import collections
import contextlib
import json
import pathlib
import re
import socket
import threading
import time
import uuid

import pytest
import requests

from node import Node, eventually
from pgbouncer import DocumentedDatabase, PgBouncer
from postgres_server import PostgresServer

CLIENTS = 16
POSTS = 200
POOL = 6  # default_pool_size of the page
ANSWER_SECONDS = 5
RECOVERY_SECONDS = 10
OUTAGE_SECONDS = 5  # so that whoever asked at its begin is answered in it
FROZEN_SECONDS = 15
GROWTH_MEGABYTES = 32  # of a node whose clients all wait
LOAD_SECONDS = 4
OPEN_CONNECTIONS = 100


@pytest.fixture(scope="module")
def server():
    with PostgresServer(in_memory=True) as running:
        yield running


@contextlib.contextmanager
def a_node(server, name, pooled, settings=None, environment=None):
    """A node on a database of its own; `node.pooler` is None when it is `pooled` by nobody."""
    database = DocumentedDatabase(server, name)
    with contextlib.ExitStack() as stack:
        pooler = stack.enter_context(PgBouncer(database)) if pooled else None
        node = stack.enter_context(Node(postgres=pooler.url if pooled else database.url,
                                        settings=settings, environment=environment))
        node.database, node.pooler = database, pooler
        yield node


Answer = collections.namedtuple("Answer", "began took status retry_after")


class Clients:
    """Threads that post, or read their home timeline, until they are told to stop.

    A post is tried again with its key until it is acknowledged; `acknowledged` is text -> id.
    """

    def __init__(self, node, account, posting, reading=0):
        self.node, self.account = node, account
        account.token
        self.acknowledged, self.answers, self.broken = {}, [], 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.post_on, args=(number,), daemon=True)
                        for number in range(posting)]
        self.threads += [threading.Thread(target=self.read_on, daemon=True)
                         for _ in range(reading)]
        for thread in self.threads:
            thread.start()

    def ask(self, method, path, **more):
        began = time.monotonic()
        try:
            answer = self.node.request(method, path, self.account, timeout=60, **more)
        except requests.RequestException:
            self.broken += 1
            return None
        self.answers.append(Answer(began, time.monotonic() - began, answer.status_code,
                                   answer.headers.get("Retry-After")))
        return answer

    def post_on(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            text, key = f"client {number} writes {count}", str(uuid.uuid4())
            while not self.stopping.is_set() and not self.try_to_post(text, key):
                self.stopping.wait(0.05)

    def try_to_post(self, text, key):
        answer = self.ask("POST", "/api/v1/statuses", json={"status": text},
                          headers={"Idempotency-Key": key})
        if answer is None or answer.status_code != 200:
            return False
        self.acknowledged[text] = answer.json()["id"]
        return True

    def read_on(self):
        while not self.stopping.is_set():
            answer = self.ask("GET", "/api/v1/timelines/home")
            if answer is None or answer.status_code != 200:
                self.stopping.wait(0.05)

    def wait_for(self, posts, seconds=30):
        before = len(self.acknowledged)
        assert eventually(lambda: len(self.acknowledged) >= before + posts, seconds), \
            (len(self.acknowledged) - before, self.answers[-5:])

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def begun_since(self, moment):
        return [answer for answer in self.answers if answer.began >= moment]


def assert_kept_once(node, clients):
    """Every acknowledged post is there, and no post is there twice."""
    counted = dict(node.database.rows("SELECT text, count(*) FROM post GROUP BY text"))
    twice = [text for text, count in counted.items() if count > 1]
    assert not twice, twice[:5]
    assert set(clients.acknowledged) <= set(counted)
    newest = list(clients.acknowledged.items())[-20:]
    for text, identifier in newest:
        answer = node.get(f"/api/v1/statuses/{identifier}", clients.account)
        assert answer.status_code == 200 and text in answer.json()["content"], answer.text
    return len(counted)


def assert_refused_in_time(answers):
    """Of an outage: nobody waits for long, and who is refused is told when to come again."""
    slowest = max(answer.took for answer in answers)
    assert slowest < ANSWER_SECONDS, slowest
    others = [answer for answer in answers if answer.status not in (200, 503)]
    assert not others, others[:5]
    refused = [answer for answer in answers if answer.status == 503]
    assert refused, "nobody was refused"
    assert all(int(answer.retry_after) > 0 for answer in refused)
    return len(refused), slowest


def assert_recovers(node, account, returned):
    def answers():
        try:
            return (node.post("/api/v1/statuses", account, json={"status": "after"}).status_code
                    == 200 and node.get("/api/v1/timelines/home", account).status_code == 200)
        except requests.RequestException:
            return False
    assert eventually(answers, RECOVERY_SECONDS, 0.1), node.log()[-2000:]
    took = time.monotonic() - returned
    assert took < RECOVERY_SECONDS, took
    return took


def writes_waiting(node):
    """In the writer's queue, asked over the unix socket: that needs no database."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(node.data / "admin.sock"))
        connection.sendall(b"GET /admin/v1/nodes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: connection.recv(65536), b""))
    return json.loads(text.split(b"\r\n\r\n", 1)[1])["nodes"][0]["writes_waiting"]


def resident_megabytes(node):
    status = pathlib.Path(f"/proc/{node.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) // 1024


# --- what the page says --------------------------------------------------------------------------


def test_behind_a_pooler_every_acknowledged_post_is_there_once(server):
    with a_node(server, "pooled", pooled=True) as node:
        assert "role_timeouts_missing" not in node.log()
        author, reader = node.create_account("author"), node.create_account("reader")
        assert node.post(f"/api/v1/accounts/{author.id}/follow", reader).status_code == 200
        clients = Clients(node, author, posting=CLIENTS)
        backends = 0
        while len(clients.acknowledged) < POSTS:
            backends = max(backends, node.database.backends())
            assert all(answer.status == 200 for answer in clients.answers), clients.answers[-3:]
            time.sleep(0.05)
        clients.stop()
        assert all(answer.status == 200 for answer in clients.answers)
        assert clients.broken == 0
        assert backends <= POOL
        home = node.get("/api/v1/timelines/home", reader)
        newest = max(clients.acknowledged.values(), key=int)
        assert newest in [status["id"] for status in home.json()]
        posts = assert_kept_once(node, clients)
        print(f"{posts} posts by {CLIENTS} clients, each once; {backends} backends of {POOL}")

        process = node.process.pid
        node.pooler.stop()
        began = time.monotonic()
        refused = node.post("/api/v1/statuses", author, json={"status": "meanwhile"})
        assert time.monotonic() - began < ANSWER_SECONDS
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
        node.pooler.start()
        took = assert_recovers(node, author, time.monotonic())
        assert node.is_running() and node.process.pid == process
        print(f"after a restart of PgBouncer: {took:.1f} s")


def test_a_role_without_timeouts_is_told_once_what_to_run(server):
    database = DocumentedDatabase(server, "untimed")
    database.administer("ALTER ROLE untimed RESET ALL")
    with Node(postgres=database.url) as node:
        lines = [json.loads(line) for line in node.log().splitlines()
                 if "role_timeouts_missing" in line]
        assert len(lines) == 1 and lines[0]["level"] == "warning", lines
        database.administer(*[part for part in lines[0]["run"].split(";") if part.strip()])
        node.restart()
        assert node.log().count("role_timeouts_missing") == 1


def test_the_number_of_sessions_is_that_of_the_configuration(server):
    readers = 4
    with a_node(server, "counted", pooled=False, settings={"storage.readers": readers}) as node:
        author = node.create_account("author")
        idle = []
        for _ in range(OPEN_CONNECTIONS):
            session = requests.Session()
            assert session.get(node.web_url + "/api/v1/timelines/home", timeout=30,
                               headers=author.headers).status_code == 200
            idle.append(session)
        clients = Clients(node, author, posting=32, reading=32)
        seen = []
        end = time.monotonic() + LOAD_SECONDS
        while time.monotonic() < end:
            seen.append(node.database.backends())
            time.sleep(0.05)
        clients.stop()
        for session in idle:
            session.close()
        print(f"{len(clients.answers)} answers to 64 clients, {OPEN_CONNECTIONS} connections open:"
              f" {min(seen)} to {max(seen)} backends with {readers} readers")
        assert len(clients.acknowledged) > 0
        assert readers <= max(seen) <= readers + 2


# --- away, and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("pooled, at_once", [(True, False), (True, True), (False, True)])
def test_F16_a_server_that_is_gone_refuses_and_its_return_heals(server, pooled, at_once):
    name = f"gone_{pooled}_{at_once}".lower()
    with a_node(server, name, pooled) as node:
        author = node.create_account("author")
        clients = Clients(node, author, posting=4, reading=2)
        clients.wait_for(20)
        gone = time.monotonic()
        try:
            if at_once:
                server.kill()
            else:
                server.stop()
            time.sleep(OUTAGE_SECONDS)
        finally:
            server.start()
        returned = time.monotonic()
        took = assert_recovers(node, author, returned)
        clients.wait_for(20)
        clients.stop()
        refused, slowest = assert_refused_in_time(clients.begun_since(gone - 1))
        assert node.is_running()
        posts = assert_kept_once(node, clients)
        print(f"{refused} refused within {slowest:.1f} s, back in {took:.1f} s, {posts} posts kept")


@pytest.mark.parametrize("pooled", [False, True])
def test_F15_a_frozen_server_keeps_nobody_waiting(server, pooled):
    # The sanitizer would keep what was freed, and look like growth.
    environment = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}
    with a_node(server, f"frozen_{pooled}".lower(), pooled, environment=environment) as node:
        author = node.create_account("author")
        clients = Clients(node, author, posting=CLIENTS, reading=CLIENTS)
        clients.wait_for(20)
        waiting = []
        before = resident_megabytes(node)
        with server.frozen():
            frozen = time.monotonic()
            while time.monotonic() < frozen + FROZEN_SECONDS:
                waiting.append(writes_waiting(node))
                time.sleep(0.2)
            grown = resident_megabytes(node) - before
            ready = requests.get(node.admin_url + "/readyz", timeout=30)
            assert ready.status_code == 503 and "database" in ready.text, ready.text
        took = assert_recovers(node, author, time.monotonic())
        clients.wait_for(20)
        clients.stop()
        assert node.is_running()
        refused, slowest = assert_refused_in_time(clients.begun_since(frozen - 1))
        assert max(waiting) <= len(clients.threads), max(waiting)
        assert grown < GROWTH_MEGABYTES, grown
        posts = assert_kept_once(node, clients)
        print(f"{refused} refused within {slowest:.1f} s, at most {max(waiting)} waited,"
              f" grown by {grown} MB, back in {took:.1f} s, {posts} posts kept")
