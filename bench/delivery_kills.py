"""Rows 4 and 5 of bench/delivery.py: the node is killed while it works."""

import collections
import itertools
import threading
import time
import urllib.parse
import uuid

from delivery_kit import *
from delivery_rows import followed_scene, wait_drained

KILL_SECONDS = 10


class Killer:
    """kill -9 every ten seconds, and a start at once. `before` is called before each kill."""

    def __init__(self, node, before=lambda: None, every=KILL_SECONDS):
        self.node, self.before, self.every, self.kills = node, before, every, 0
        self.is_over, self.problem = threading.Event(), None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.is_over.wait(self.every):
                self.before()
                self.node.kill()
                self.kills += 1
                self.node.start()
        except Exception as problem:
            self.problem = problem

    def stop(self):
        self.is_over.set()
        self.thread.join(180)
        if self.problem:
            raise RuntimeError(f"the node did not start again: {self.problem!r}")


class Stubborn:
    """A client that asks until it is answered, whatever happens to the node; posts are idempotent."""

    def __init__(self, account, patience=90):
        self.author, self.patience = Author(account), patience

    def ask(self, method, path, form=None, gone=None):
        """Returns the JSON of the answer; `gone` for 404, as for what was deleted before."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if path == "/api/v1/statuses" else {}
        body = urllib.parse.urlencode(form) if form is not None else None
        end = time.monotonic() + self.patience
        while True:
            try:
                status, text = self.author.connection.ask(
                    method, path, body, {**self.author.account.headers, **headers})
            except (OSError, http.client.HTTPException):
                status, text = 0, b""
            if status // 100 == 2:
                return json.loads(text)
            if status == 404 and gone is not None:
                return gone
            if status // 100 == 4 or time.monotonic() > end:
                raise RuntimeError(f"{method} {path}: {status} {text[:200]}")
            time.sleep(0.2)


def in_threads(jobs, count):
    """Runs functions on some threads; returns the problems."""
    turns, problems = iter(jobs), []
    lock = threading.Lock()

    def run():
        while True:
            with lock:
                job = next(turns, None)
            if job is None:
                return
            try:
                job()
            except Exception as problem:
                problems.append(repr(problem))
    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(1800)
    return problems


def row_5(bench):
    """kill -9 every 10 s for 10 minutes at 2 posts/s to 500 hosts."""
    hosts, rate, seconds = 500, 2, bench.seconds_of_row_5
    with scene(bench.programs, hosts) as (farm, node):
        accounts, _ = followed_scene(bench, farm, node, 8, [("0-499", "h%.test")])
        for account in accounts:
            Author(account).post("proof")
        eventually(lambda: farm.count()["unique"] >= len(accounts) * hosts, 120, 0.5)
        farm.reset()
        repeated, most_repeated = [0] * hosts, 0

        def look():
            nonlocal repeated, most_repeated
            now = [one["repeated"] for one in farm.each_host()]
            most_repeated = max(most_repeated, *(new - old for new, old in zip(now, repeated)))
            repeated = now

        clients = [Stubborn(account) for account in accounts]
        locks = [threading.Lock() for _ in accounts]
        start = time.monotonic()

        def post(number):
            def run():
                time.sleep(max(0, start + number / rate - time.monotonic()))
                with locks[number % len(clients)]:
                    clients[number % len(clients)].ask("POST", "/api/v1/statuses", {
                        "status": f"a post [[k{number}@{time.time_ns()}]]"})
            return run

        killer = Killer(node, look)
        posts = int(rate * seconds)
        problems = in_threads(map(post, range(posts)), 16)
        killer.stop()
        wanted = posts * hosts
        eventually(lambda: farm.count()["unique"] >= wanted, 180, 0.5)
        look()
        found = farm.count()
        bench.table.add(5, f"lost of {wanted} deliveries with {killer.kills} kills",
                        wanted - found["unique"], "0", found["unique"] == wanted)
        bench.table.add(5, "repeated per host and kill, at most", most_repeated, "<= 6",
                        most_repeated <= 6)
        bench.table.add(5, "posts that failed", len(problems), "0", not problems)
        bench.check_farm(5, farm)


# --- row 4: order and final state -------------------------------------------------------------------

CHAIN_HOSTS = 4
NOTES_OF_A_HOST = 12


def chain(client, number):
    """Creates, edits and, but for one in ten, deletes a post; returns (object, last mark or None)."""
    post = client.ask("POST", "/api/v1/statuses", {"status": f"chain [[c{number}.1]]"})
    path = f"/api/v1/statuses/{post['id']}"
    last = 2 + number % 2
    for edit in range(2, last + 1):
        client.ask("PUT", path, {"status": f"chain [[c{number}.{edit}]]"})
    if number % 10 == 0:
        return post["uri"], f"c{number}.{last}"
    client.ask("DELETE", path, gone={})
    return post["uri"], None


def like_pairs(client, notes, count):
    for number in range(count):
        path = f"/api/v1/statuses/{notes[number % len(notes)]}"
        client.ask("POST", path + "/favourite", {})
        client.ask("POST", path + "/unfavourite", {})


def find_notes(farm, account):
    """Remote posts, as the account finds them: their ids here."""
    found = []
    author = Author(account)
    for host, note in itertools.product(range(CHAIN_HOSTS), range(NOTES_OF_A_HOST)):
        url = urllib.parse.quote(f"http://h{host}.test:{farm.port}/notes/{note}")
        answer = author.ask("GET", f"/api/v2/search?q={url}&resolve=true&type=statuses")
        found += [one["id"] for one in answer["statuses"]]
    if len(found) < CHAIN_HOSTS:
        raise RuntimeError(f"{len(found)} notes were found")
    return found


class Peer:
    """What a server makes of what it received, and what was out of order."""

    def __init__(self):
        self.objects, self.ranks, self.inversions = {}, {}, []
        self.likes, self.undone = {}, set()

    def take(self, id, kind, object, mark, repeated):
        if kind == "Like":
            if not repeated and id in self.undone:
                self.inversions.append(id)
            self.likes[id] = id not in self.undone
        elif kind == "Undo":
            self.undone.add(object)
            self.likes[object] = False
        elif kind in ("Create", "Update", "Delete"):
            rank = 99 if kind == "Delete" else int(mark.split(".")[1])
            if not repeated and rank < self.ranks.get(object, 0):
                self.inversions.append(id)
            if not repeated or kind != "Create":
                self.objects[object] = None if kind == "Delete" else mark
            self.ranks[object] = max(rank, self.ranks.get(object, 0))


def judged(farm):
    """A peer for each host, after all that arrived."""
    arrivals = farm.arrivals()
    activities = farm.activities()  # all that the arrivals speak of
    peers = collections.defaultdict(Peer)
    for host, number, _, repeated in arrivals:
        id, kind, object, _, mark, _ = activities[number]
        if kind in ("Create", "Update") and not mark.startswith("c"):
            continue
        peers[host].take(id, kind, object, mark, repeated)
    return peers


def row_4(bench):
    """Chains and Like/Undo pairs under random 503s, requests without answer, and kill -9."""
    chains, pairs, seconds = (1_000, 200, 20) if bench.is_short else (10_000, 1_000, 120)
    with scene(bench.programs, CHAIN_HOSTS) as (farm, node):
        accounts, reader = followed_scene(bench, farm, node, 16,
                                          [(f"0-{CHAIN_HOSTS - 1}", "h%.test")])
        notes = find_notes(farm, reader)
        farm.script("", "random:100:2")
        wanted, lock = {}, threading.Lock()

        def work(account, numbers):
            def run():
                client = Stubborn(account)
                like_pairs(client, notes[accounts.index(account) % len(notes):] or notes,
                           pairs // len(accounts))
                for number in numbers:
                    time.sleep(max(0, start + number * seconds / chains - time.monotonic()))
                    object, mark = chain(client, number)
                    with lock:
                        wanted[object] = mark
            return run

        start = time.monotonic()
        killer = Killer(node, every=5 if bench.is_short else KILL_SECONDS)
        problems = in_threads([work(account, range(at, chains, len(accounts)))
                               for at, account in enumerate(accounts)], len(accounts))
        killer.stop()
        farm.script("", "fast")
        for host in range(CHAIN_HOSTS):
            node.admin("POST", f"/admin/v1/hosts/h{host}.test:{farm.port}:retry-now")
        # An exception is tried after 30 s, 2 min and 10 min.
        drained = wait_drained(farm, node, 150 if bench.is_short else 900)
        peers = judged(farm)
        inversions = sum(len(peer.inversions) for peer in peers.values())
        left = sum(1 for peer in peers.values() for object, mark in peer.objects.items()
                   if mark is not None and wanted.get(object, "?") is None)
        likes = sum(likes for peer in peers.values() for likes in peer.likes.values())
        wrong = sum(1 for host in range(CHAIN_HOSTS) for object, mark in wanted.items()
                    if mark is not None and peers[host].objects.get(object) != mark)
        what = f"{len(wanted)} chains, {pairs} pairs, {killer.kills} kills"
        bench.table.add(4, f"inversions per object and inbox ({what})", inversions, "0",
                        inversions == 0)
        bench.table.add(4, "objects left that should be gone", left + likes, "0",
                        left + likes == 0)
        bench.table.add(4, "objects whose final state is wrong", wrong, "0", wrong == 0)
        bench.table.add(4, "kills", killer.kills, ">= 2", killer.kills >= 2)
        bench.table.add(4, "drained", str(bool(drained)), "True", bool(drained))
        bench.table.add(4, "requests that failed", str(problems[:2]) if problems else 0, "0",
                        not problems)
        bench.check_farm(4, farm)
