"""What clients and one other server do to a cluster while its nodes die, and what became of it.

    with Peer() as peer, Load(cluster, peer) as load:
        load.wait_for(20)
        load.strike(owner, owner.kill)     # in the middle of a burst of posts
        load.finish()
        verdict = load.verdict()           # .lost, .doubled, .undelivered, .out_of_order, ...

Four authors post, edit and delete; four senders at the peer send posts that name them. Whoever has
no answer, or 503 or 504, asks the next node in turn with the same key (the same id) until it has one.
"""

import collections
import dataclasses
import itertools
import json
import random
import threading
import time
import uuid

import requests
from cryptography.hazmat.primitives import serialization

from cluster_peer import object_of
from fake_hosts import ACTIVITY
from node import eventually

AUTHORS = 4
PATIENCE = 3  # s that a client waits for one node
PAUSE = 1.6  # s between two posts of one author: what is forgotten in a second stays countable
FINISH_SECONDS = 60


@dataclasses.dataclass
class Try:
    """One request to one node; without a status nobody answered it."""
    node: str
    began: float
    ended: float = 0.0
    status: int = None
    retry_after: str = None


@dataclasses.dataclass
class Deed:
    """What a client wanted, until it was acknowledged."""
    kind: str  # post, edit, delete; note: one that the peer sent
    text: str
    uri: str = ""
    id: str = ""
    tries: list = dataclasses.field(default_factory=list)
    acknowledged: float = 0.0


@dataclasses.dataclass
class Verdict:
    posts: int = 0
    notes: int = 0
    changes: int = 0
    lost: list = dataclasses.field(default_factory=list)
    doubled: list = dataclasses.field(default_factory=list)
    undelivered: list = dataclasses.field(default_factory=list)
    out_of_order: list = dataclasses.field(default_factory=list)
    foreign: dict = dataclasses.field(default_factory=dict)
    repeated: int = 0


class Door:
    """Where a client may ask: a node, or a proxy in front of all."""

    def __init__(self, name, url, **more):
        self.name, self.url, self.more = name, url, more


class Threads:
    """Runs each of `works` on `count` threads, for as long as the `with` block lasts."""

    patience = 10  # s that the end waits for one of them

    def __init__(self, works, count):
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=work, args=(number,), daemon=True)
                        for work in works for number in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(self.patience)


class Load(Threads):
    """The clients and the senders, each a thread; `pause` is between two posts of one of them.

    With `keyed=False` posts are asked for again without a key: right where all that was not
    acknowledged was refused."""

    def __init__(self, cluster, peer=None, pause=PAUSE, doors=None, keyed=True):
        self.cluster, self.peer, self.pause, self.keyed = cluster, peer, pause, keyed
        self.doors = doors or [Door(node.name, node.web_url) for node in cluster.nodes]
        self.deeds, self.open, self.unexpected = [], set(), []
        self.bell = threading.Condition()
        self.first_door = None  # of what begins in a burst
        self.authors = cluster.create_accounts([f"author{number}" for number in range(AUTHORS)])
        if peer:
            peer.nodes = cluster.all
            self.introduce()
        works = [self.write_on] + ([self.send_on] if peer else [])
        super().__init__(works, AUTHORS)

    def introduce(self):
        """The peer follows every author and knows their keys; every Accept has arrived."""
        for author in self.authors:
            assert eventually(lambda author=author: self.learn_key(author), 60), "no key"
            follow = {"type": "Follow", "id": f"{self.peer.host.origin}/follows/{author.name}",
                      "object": self.actor(author)}
            assert eventually(lambda follow=follow: self.deliver(
                self.doors[0], follow, patience=30).status_code == 202, 60), "no Follow was taken"
        assert eventually(lambda: len(self.peer.host.received) >= AUTHORS, 60), "no Accept arrived"

    def learn_key(self, author):
        """Whether the document of the author was to be had: a key that is new takes a while."""
        answer = requests.get(f"{self.doors[0].url}/users/{author.name}", timeout=30,
                              headers={"Accept": ACTIVITY, "Host": self.cluster.domain})
        if answer.status_code != 200:
            return False
        key = answer.json()["publicKey"]
        self.peer.keys[key["id"]] = serialization.load_pem_public_key(key["publicKeyPem"].encode())
        return True

    def actor(self, author):
        return f"{self.cluster.url}/users/{author.name}"

    # --- what they do -----------------------------------------------------------------------------

    def write_on(self, number):
        author = self.authors[number]
        for count in itertools.count(1):
            if self.wait_for_turn():
                return
            self.write(author, f"{author.name} writes {count}", count)

    def write(self, author, text, count):
        """A post; every fourth is edited afterwards, and every eighth then deleted."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if self.keyed else {}
        post = self.until_acknowledged(
            Deed("post", text), lambda door: self.ask(
                door, author, "POST", "/api/v1/statuses", json={"status": text}, headers=headers),
            {200})
        if not post.acknowledged or count % 4:
            return
        path = f"/api/v1/statuses/{post.id}"
        changed = Deed("edit", f"{text}, edited", post.uri, post.id)
        self.until_acknowledged(changed, lambda door: self.ask(
            door, author, "PUT", path, json={"status": changed.text}), {200})
        if count % 8 == 0:
            self.until_acknowledged(Deed("delete", text, post.uri, post.id), lambda door: self.ask(
                door, author, "DELETE", path), {200, 404})

    def send_on(self, number):
        author = self.authors[number]
        for count in itertools.count(1):
            if self.wait_for_turn():
                return
            self.send(author, f"for {author.name}, {count}")

    def send(self, author, text):
        uri = f"{self.peer.host.origin}/notes/{uuid.uuid4()}"
        actor = self.actor(author)
        note = {"id": uri, "type": "Note", "attributedTo": self.peer.host.actor,
                "content": f"<p>{text}</p>", "published": "2026-01-01T00:00:00Z", "to": [actor],
                "cc": [], "tag": [{"type": "Mention", "href": actor, "name": "@" + author.name}]}
        self.until_acknowledged(Deed("note", text, uri), lambda door: self.deliver(
            door, {"type": "Create", "id": uri + "/create", "object": note, "to": [actor]}), {202})

    def wait_for_turn(self):
        """Returns at the end of a pause or at the bell; tells whether all is over."""
        with self.bell:
            if not self.stopping.is_set():
                self.bell.wait(self.pause * random.uniform(0.5, 1.5))
        return self.stopping.is_set()

    def ask(self, door, author, method, path, **more):
        headers = {**author.headers, **more.pop("headers", {})}
        return requests.request(method, door.url + path, headers=headers, timeout=PATIENCE,
                                **door.more, **more)

    def deliver(self, door, activity, patience=PATIENCE):
        """As a proxy hands it on: signed for the cluster's name, sent to one node."""
        host = self.peer.host
        body = json.dumps({"@context": "https://www.w3.org/ns/activitystreams",
                           "actor": host.actor, **activity}).encode()
        headers = self.peer.signed_headers(host, self.cluster.url + "/inbox", body)
        return requests.post(door.url + "/inbox", data=body, timeout=patience,
                             headers={**headers, "Host": self.cluster.domain})

    def until_acknowledged(self, deed, ask, wanted):
        """Asks one node after the other; gives up when the load has been stopped for long."""
        self.deeds.append(deed)
        turn = self.doors.index(self.first_door) if self.first_door else random.randrange(99)
        end = None
        while end is None or time.monotonic() < end:
            if end is None and self.stopping.is_set():
                end = time.monotonic() + FINISH_SECONDS
            answer = self.try_once(deed, self.doors[turn % len(self.doors)], ask)
            if answer is not None and answer.status_code in wanted:
                if deed.kind == "post":
                    deed.id, deed.uri = answer.json()["id"], answer.json()["uri"]
                deed.acknowledged = time.monotonic()
                return deed
            # 504: the node that was asked has lost the one that serves.
            if answer is not None and answer.status_code not in (503, 504):
                self.unexpected.append((deed.kind, answer.status_code, answer.text[:300]))
            turn += 1
            if len(deed.tries) % len(self.doors) == 0:
                time.sleep(0.05)
        return deed

    def try_once(self, deed, door, ask):
        attempt = Try(door.name, time.monotonic())
        deed.tries.append(attempt)
        self.open.add(id(attempt))
        try:
            answer = ask(door)
            attempt.status = answer.status_code
            attempt.retry_after = answer.headers.get("Retry-After")
            return answer
        except requests.RequestException:
            return None
        finally:
            attempt.ended = time.monotonic()
            self.open.discard(id(attempt))

    # --- what a test does with them ---------------------------------------------------------------

    def acknowledged(self, since=0.0):
        return [deed for deed in list(self.deeds) if deed.acknowledged > since]

    def wait_for(self, count, seconds=40):
        before = len(self.acknowledged())
        assert eventually(lambda: len(self.acknowledged()) >= before + count, seconds), \
            (len(self.acknowledged()) - before, self.unexpected[:3], self.deeds[-1])

    def strike(self, owner, act, in_flight=3, tries=60):
        """Does `act` while at least so many requests to `owner` wait for their answer.

        Returns the moment at which it began."""
        door = next(each for each in self.doors if each.name == owner.name)
        for _ in range(tries):
            self.first_door = door
            with self.bell:
                self.bell.notify_all()
            time.sleep(random.uniform(0.002, 0.02))
            if len(self.open) >= in_flight:
                break
        began = time.monotonic()
        act()
        self.first_door = None
        return began

    def in_flight(self, name, moment):
        """Requests to the node that had no answer at `moment`."""
        return sum(attempt.node == name and attempt.began <= moment <= (attempt.ended or moment)
                   for deed in list(self.deeds) for attempt in list(deed.tries))

    def served_again(self, moment, seconds=20):
        """How long after `moment` the first request that began after it was acknowledged."""
        def first():
            return min((deed.acknowledged for deed in self.acknowledged(moment)
                        if deed.tries[-1].began > moment), default=None)
        found = eventually(first, seconds)
        assert found, f"nothing was acknowledged within {seconds} s"
        return found - moment

    def longest_gap(self, since):
        """The longest time without an acknowledgement from `since` to the newest one."""
        moments = sorted([since, *(deed.acknowledged for deed in self.acknowledged(since))])
        return max((b - a for a, b in zip(moments, moments[1:])), default=0.0)

    def tries(self, since, until, name=None):
        return [attempt for deed in list(self.deeds) for attempt in list(deed.tries)
                if since <= attempt.began < until and name in (None, attempt.node)]

    def finish(self):
        """Stops; everything that was begun is acknowledged, and every delivery has arrived."""
        self.stopping.set()
        with self.bell:
            self.bell.notify_all()
        for thread in self.threads:
            thread.join(FINISH_SECONDS + 10)
            assert not thread.is_alive()
        assert not self.unexpected, self.unexpected[:5]
        pending = [deed for deed in self.deeds if not deed.acknowledged]
        assert not pending, (len(pending), pending[0])
        if self.peer:
            eventually(lambda: not self.undelivered(), 30, 0.2)
            time.sleep(1)  # what comes a second time comes soon
            # But for an Update that a process before may have sent: it is held for 15 s.
            eventually(lambda: not self.out_of_order(), 20, 0.2)
            assert not self.peer.problems, self.peer.problems[:3]

    # --- what became of it ------------------------------------------------------------------------

    def of_kind(self, kind):
        return [deed for deed in self.deeds if deed.kind == kind]

    def acknowledged_of(self, *kinds):
        """Whether one of each kind was."""
        return set(kinds) <= {deed.kind for deed in self.acknowledged()}

    def undelivered(self):
        """What was acknowledged and has not come to the peer."""
        ids = set(self.peer.host.received)
        bodies = list(self.peer.host.bodies.values())
        contents = {body["object"]["id"]: body["object"]["content"] for body in bodies
                    if body["type"] == "Update"}  # the last one to come
        deleted = {object_of(body) for body in bodies if body["type"] == "Delete"}
        gone = {deed.uri for deed in self.of_kind("delete")}
        missing = [deed.text for deed in self.of_kind("post")
                   if deed.uri not in gone and deed.uri + "/activity" not in ids]
        missing += [deed.text for deed in self.of_kind("edit")
                    if deed.uri not in gone and deed.text not in contents.get(deed.uri, "")]
        return missing + [f"delete: {deed.text}" for deed in self.of_kind("delete")
                          if deed.uri not in deleted]

    def out_of_order(self):
        """Objects whose Create, Update and Delete came in another order, at first or at last."""
        rank = {"Create": 0, "Update": 1, "Delete": 2}
        first, last = collections.defaultdict(dict), collections.defaultdict(dict)
        came = collections.defaultdict(list)
        for at, name in enumerate(self.peer.host.received):
            body = self.peer.host.bodies[name]
            if body["type"] in rank:
                came[object_of(body)].append((at, name))
                first[object_of(body)].setdefault(rank[body["type"]], at)
                last[object_of(body)][rank[body["type"]]] = at
        return [(uri, came[uri]) for seen_of in (first, last) for uri, seen in seen_of.items()
                if [seen[step] for step in sorted(seen)] != sorted(seen.values())]

    def verdict(self):
        """Looks at PostgreSQL, at the node that serves, and at what has come to the peer."""
        verdict = Verdict(len(self.of_kind("post")), len(self.of_kind("note")),
                          len(self.of_kind("edit")) + len(self.of_kind("delete")))
        kept = {str(number): text for number, text in
                self.cluster.rows("SELECT id, text FROM post WHERE uri IS NULL")}
        wanted = {deed.id: deed.text for deed in self.of_kind("post") + self.of_kind("edit")}
        gone = {deed.id for deed in self.of_kind("delete")}
        verdict.lost = [text for number, text in wanted.items()
                        if number not in gone and kept.get(number) != text]
        verdict.lost += [f"deleted, and there: {kept[number]}" for number in gone & set(kept)]
        times = collections.Counter(text.split(",")[0] for text in kept.values())
        verdict.doubled = [text for text, count in times.items() if count > 1]
        verdict.foreign = self.cluster.foreign_writes()
        self.look_at_answers(verdict, [number for number in wanted if number not in gone][-10:])
        if self.peer:
            self.look_at_notes(verdict)
            self.look_at_peer(verdict)
        return verdict

    def look_at_answers(self, verdict, ids):
        owner = self.cluster.serving()
        for number in ids:
            answer = owner.get(f"/api/v1/statuses/{number}", self.authors[0])
            if answer.status_code != 200:
                verdict.lost.append(f"{number} is answered {answer.status_code}")

    def look_at_notes(self, verdict):
        """Each was taken once, and whom it names was told once."""
        assert eventually(
            lambda: not self.cluster.rows("SELECT 1 FROM inbox_log WHERE done = 0"), 30)
        told = dict(self.cluster.rows(
            "SELECT post.uri, count(notification.id) FROM post LEFT JOIN notification"
            " ON notification.post_id = post.id WHERE post.uri IS NOT NULL GROUP BY post.uri"))
        for deed in self.of_kind("note"):
            count = told.get(deed.uri, 0)
            if count != 1:
                (verdict.doubled if count else verdict.lost).append(deed.text)

    def look_at_peer(self, verdict):
        verdict.undelivered = self.undelivered()
        verdict.out_of_order = self.out_of_order()
        counts = collections.Counter(self.peer.host.received)
        verdict.repeated = sum(count - 1 for count in counts.values())


class Insistent(Threads):
    """Clients of one node alone, who wait for its answer as long as it takes and ask once.

    What it acknowledges is among the deeds of the load, and so in its verdict.
    """

    def __init__(self, load, owner, seconds):
        self.load, self.door, self.seconds = load, Door(owner.name, owner.web_url), seconds
        self.tries, self.deeds, self.patience = [], [], seconds + 10
        super().__init__([self.insist], 2 * AUTHORS)

    def insist(self, number):
        author = self.load.authors[number % AUTHORS]
        for count in itertools.count(1):
            if self.stopping.is_set():
                return
            deed = Deed("post", f"{author.name} at {number} insists {count}")
            self.tries.append(Try(self.door.name, time.monotonic()))
            deed.tries.append(self.tries[-1])
            self.ask(author, deed, deed.tries[0])
            if not deed.acknowledged:
                self.stopping.wait(0.2)

    def ask(self, author, deed, attempt):
        try:
            answer = requests.post(self.door.url + "/api/v1/statuses", headers=author.headers,
                                   json={"status": deed.text}, timeout=self.seconds)
            attempt.status = answer.status_code
            if answer.status_code == 200:
                deed.id, deed.uri = answer.json()["id"], answer.json()["uri"]
                deed.acknowledged = time.monotonic()
                self.deeds.append(deed)
                self.load.deeds.append(deed)
        except requests.RequestException:
            pass
        finally:
            attempt.ended = time.monotonic()

    def waiting_at(self, moment):
        """The requests that had no answer then."""
        return [attempt for attempt in list(self.tries)
                if attempt.began <= moment and not 0.0 < attempt.ended <= moment]
