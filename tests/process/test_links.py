"""The links between the nodes of a cluster: who is let in, what a peer may send, certificates that
change while nodes run, and what clients of a node that stands by see of it all.

A130, A131, F45 and the half of F14 that is about a frozen node; half-open connections are in
tests/cluster.
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import struct
import subprocess
import threading
import time
import uuid

import pytest
import requests

from cluster import Cluster, watched_server
from cluster_faults import in_words
from cluster_load import Threads
from link_peer import (DIRECT_MESSAGE, FRAMES, NAMED_RECEIVER, ROUTED_MESSAGE, LinkPeer, atom, basp,
                       certify, context, envelope, hello, message, replace, text_of)
from node import ROOT, binary, clean_environment, eventually

UNREACHABLE_SECONDS = 5
GROWTH_MAX = 16 << 20  # bytes of memory that a peer may cost
ANSWER_SECONDS = 5  # a request that is passed on has an answer then, whatever happens
EXPIRY_SECONDS = 60
NOT_CONNECTED, NO_ANSWER = "not connected", "no answer"


@pytest.fixture(scope="module")
def server():
    running = watched_server()
    with running:
        yield running


# --- what is looked at ---------------------------------------------------------------------------


def logged(node, event):
    """The lines of the node's log with that event."""
    lines = [json.loads(line) for line in node.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def problem_of(node, peer):
    """Why the node cannot reach its peer; "" while it can."""
    return node.links().get(peer.name, {}).get("problem", "" if peer.name in node.links() else "?")


def are_linked(*nodes):
    return all(not problem_of(node, peer) for node in nodes for peer in nodes if peer is not node)


def await_links(*nodes, seconds=10):
    assert eventually(lambda: are_linked(*nodes), seconds), [node.links() for node in nodes]


def established(node):
    """The time from which on each link is what it is, as far as the node shows it."""
    return {name: link.get("unreachable_since") for name, link in node.links().items()}


def resident(node):
    status = pathlib.Path(f"/proc/{node.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def reload(node, event):
    """SIGHUP; the node must log `event`, whose line this returns."""
    before = len(logged(node, event))
    os.kill(node.pid, signal.SIGHUP)
    lines = eventually(lambda: logged(node, event)[before:], 10)
    assert lines, node.log()[-1000:]
    return lines[-1]


def run_script(*arguments):
    subprocess.run([ROOT / "cluster-config" / "make-certificates.sh", *arguments], check=True,
                   capture_output=True, timeout=60, env=clean_environment())


class Asking(Threads):
    """A client of each of the nodes, who posts and reads without a pause that counts.

    `answers` has (moment of the question, name of the node, status, seconds until the answer, the
    post). The status is NOT_CONNECTED when nothing was sent, and NO_ANSWER when the connection
    ended after that."""

    def __init__(self, nodes, author, pause=0.05, patience=30):
        self.nodes, self.author, self.pause, self.patience = nodes, author, pause, patience
        self.answers = []
        super().__init__([self.ask_on], len(nodes))

    def ask_on(self, number):
        node = self.nodes[number]
        while not self.stopping.wait(self.pause):
            self.ask(node)

    def ask(self, node):
        began, text = time.monotonic(), f"{uuid.uuid4()} through {node.name}"
        try:
            status = node.post("/api/v1/statuses", self.author, timeout=self.patience,
                               headers={"Idempotency-Key": str(uuid.uuid4())},
                               json={"status": text}).status_code
        except requests.RequestException as fault:
            status = NOT_CONNECTED if "NewConnectionError" in str(fault) else NO_ANSWER
        self.answers.append((began, node.name, status, time.monotonic() - began, text))

    def wait_for_one_of(self, node, count, seconds=20):
        """So many answers 200 from now on, from that node, or from all together."""
        since, name = time.monotonic(), node and node.name
        assert eventually(lambda: self.statuses(since, name)[200] >= count, seconds), \
            self.statuses(since)

    def statuses(self, since=0.0, name=None):
        return collections.Counter(status for began, node, status, _, _ in list(self.answers)
                                   if began >= since and name in (None, node))

    def wait_for(self, count, seconds=20):
        """So many answers 200 from now on, from each of the nodes."""
        since = time.monotonic()
        for node in self.nodes:
            assert eventually(
                lambda node=node: self.statuses(since, node.name)[200] >= count, seconds), \
                (node.name, self.statuses(since))


def counted(statuses):
    return ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items(), key=str))


# --- A130: who is let in -------------------------------------------------------------------------


def test_A130_nobody_but_members_is_let_in(server):
    with Cluster(server, "strangers") as cluster:
        owner, other, _ = cluster.nodes
        folder = cluster.certificates
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        cluster.certify("stranger")
        certify(folder, "n3", -7200, -3600, out="expired")
        foreign = cluster.folder / "foreign"
        run_script(foreign, "n3")
        attempts = {"plain TCP": None, "mute TCP": None, "no certificate": context(folder),
                    "foreign CA": context(foreign, "n3"), "expired": context(folder, "expired"),
                    "unknown name": context(folder, "stranger"),
                    "the node's own name": context(folder, owner.name)}
        since = {node: established(node) for node in cluster.nodes}
        took = {}
        with Asking([other], alice) as asking:
            for words, with_context in attempts.items():
                took[words] = assert_refused(owner, words, with_context)
            asking.wait_for(5)
            statuses = asking.statuses()
        problems = [line["problem"] for line in logged(owner, "link_refused")]
        times = "; ".join(f"{words} in {seconds:.1f} s" for words, seconds in took.items())
        print(f"A130 refused: {times}; meanwhile through {other.name} {counted(statuses)},"
              f" links undisturbed")
        assert set(statuses) == {200}, statuses
        assert any("certificate" in problem for problem in problems), problems
        assert any("stranger" in problem for problem in problems), problems
        assert are_linked(*cluster.nodes)
        assert {node: established(node) for node in cluster.nodes} == since


def assert_refused(node, words, with_context):
    """The connection ends without a byte of what CAF would say; returns after how long."""
    before, began = len(logged(node, "link_refused")), time.monotonic()
    with LinkPeer(node, with_context) as stranger:
        if words == "plain TCP":
            stranger.send(basp(DIRECT_MESSAGE, message("@unit"), destination=1))
        got = stranger.read(1)
    took = time.monotonic() - began
    assert got in (b"", b"\x15"), (words, got)  # 0x15: an alert of TLS, to who speaks none
    assert eventually(lambda: len(logged(node, "link_refused")) > before, 5), (words, node.log())
    assert took < 6, (words, took)
    return took


def test_A130_a_node_does_not_start_without_certificates_that_are_its_own(server):
    with Cluster(server, "uncertified", count=0) as cluster:
        folder = cluster.certificates
        node = cluster.make("n1")
        cluster.certify("n2")
        readable = folder / "readable.key"
        readable.write_bytes((folder / "n1.key").read_bytes())
        readable.chmod(0o644)
        certify(folder, "n1", -7200, -3600, out="expired")
        foreign = cluster.folder / "foreign"
        run_script(foreign, "n1")
        refused = {
            "no certificate": ({"cluster.certificate_file": ""},
                               ["cluster.certificate_file", "make-certificates.sh"]),
            "no key": ({"cluster.key_file": ""}, ["cluster.key_file", "make-certificates.sh"]),
            "no CA": ({"cluster.authority_file": ""}, ["cluster.authority_file"]),
            "no such file": ({"cluster.certificate_file": str(folder / "none.pem")}, ["none.pem"]),
            "another node's": ({"cluster.certificate_file": str(folder / "n2.pem"),
                                "cluster.key_file": str(folder / "n2.key")}, ["n2", "n1"]),
            "another one's key": ({"cluster.key_file": str(folder / "n2.key")}, ["n2.key"]),
            "a key that others read": ({"cluster.key_file": str(readable)}, ["readable.key"]),
            "another CA's": ({"cluster.authority_file": str(foreign / "ca.pem")}, ["n1.pem"]),
            "expired": ({"cluster.certificate_file": str(folder / "expired.pem"),
                         "cluster.key_file": str(folder / "expired.key")}, ["expired"]),
        }
        right = dict(node.settings)
        for what, (settings, words) in refused.items():
            node.settings = {**right, **settings}
            node.write_config()
            assert_does_not_start(node, what, words)
        print(f"A130 no start, exit 78: {', '.join(refused)}")
        node.settings = right
        node.write_config()
        node.start()
        assert node.state() == "serves", node.told


def assert_does_not_start(node, what, words):
    done = subprocess.run(["timeout", "-s", "KILL", "30", binary(), "run", "--config",
                           str(node.config_file)], text=True, capture_output=True, timeout=60,
                          env=clean_environment())
    assert done.returncode == 78, (what, done.returncode, done.stdout, done.stderr)
    for each in words:
        assert each in done.stderr, (what, each, done.stderr)


# --- A131: what a peer may send ------------------------------------------------------------------


def bad_peers():
    """What a member says that speaks BASP badly: (words, what it does, whether that ends it)."""
    def header_alone(**fields):
        return lambda peer: peer.send(basp(payload=b"", **fields))

    def told(payload):
        return lambda peer: peer.tell(payload)

    def old_epoch(peer):
        peer.tell(hello("n3", epoch=7))
        peer.tell(envelope(FRAMES, web_request(1), epoch=6, sequence=1))

    def named(name):
        return lambda peer: peer.send(basp(
            DIRECT_MESSAGE, message("@atom+@str", struct.pack(">Q", atom("get")) + text_of("x")),
            flags=NAMED_RECEIVER, number=1 << 60 | 5, source=1, destination=atom(name)))

    return [
        ("payload of 4 GiB", header_alone(operation=DIRECT_MESSAGE, length=0xFFFFFFFF,
                                          destination=1), True),
        ("payload of 16 MiB and a byte", header_alone(operation=DIRECT_MESSAGE, destination=1,
                                                      length=(16 << 20) + 1), True),
        ("unknown operation", header_alone(operation=0x77), True),
        ("routed message", lambda peer: peer.send(basp(
            ROUTED_MESSAGE, message("@unit"), source=1, destination=peer.link)), True),
        ("garbage", lambda peer: peer.send(b"\xee" + os.urandom(1 << 20)), True),
        ("unknown type", told(message("trunkline.unknown", b"\0" * 64)), False),
        ("another type", told(message("@str", text_of("hello"))), False),
        ("half a message", told(message("trunkline.envelope", b"\1")), False),
        ("text of 4 GiB", told(message("@str", b"\xff\xff\xff\xff\x0f")), False),
        ("unknown actor", lambda peer: peer.send(basp(
            DIRECT_MESSAGE, message("@unit"), source=1, destination=0x123456789)), False),
        ("SpawnServ", named("SpawnServ"), False),
        ("ConfigServ", named("ConfigServ"), False),
        ("a hello of another name", told(hello("n2")), True),
        ("a hello of rubbish", told(envelope(1, b"\xff" * 40)), True),
        ("frames without a hello", told(envelope(FRAMES, web_request(1), sequence=1)), False),
        ("frames of an earlier epoch", old_epoch, False),
    ]


def web_request(id):
    """A frame that asks for /api/v2/instance."""
    def text(value):
        return struct.pack("<Q", len(value)) + value

    request = (b"\0" + text(b"/api/v2/instance") + text(b"") + struct.pack("<I", 0) + text(b"") +
               text(b"192.0.2.1") + struct.pack("<I", 0) + b"\0")
    return struct.pack("<BBQ", 1, 1, id) + text(request)


def test_A131_a_member_that_speaks_badly_costs_its_own_link_alone(server):
    cluster = Cluster(server, "bad_peers")
    owner, other, gone = cluster.nodes
    # The sanitizer would keep what was freed, and look like growth.
    owner.environment = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}
    with cluster:
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        gone.stop()
        with_context = context(cluster.certificates, gone.name)
        since = established(owner)[other.name], established(other)[owner.name]
        ended, refusals = [], {}
        with Asking([other], alice) as asking:
            asking.wait_for(10)
            before = resident(owner)
            for words, act, must_end in bad_peers():
                with LinkPeer(owner, with_context) as peer:
                    assert peer.greet(), (words, peer.fault)
                    act(peer)
                    if words.endswith("Serv"):
                        refusals[words] = peer.answers(1)
                    elif peer.ends(3 if must_end else 0.5):
                        ended.append(words)
                    else:
                        assert not must_end, words
                assert owner.is_running(), (words, owner.log()[-2000:])
                assert asking.statuses()[200], words
            asking.wait_for(10)
            grown = resident(owner) - before
            statuses = asking.statuses()
        print(f"A131 {len(bad_peers())} kinds of bad BASP: {owner.name} grew by"
              f" {grown / (1 << 20):.1f} MiB and ended {len(ended)}; meanwhile through {other.name}"
              f" {counted(statuses)}")
        assert set(statuses) == {200}, statuses
        assert grown < GROWTH_MAX, grown
        assert are_linked(owner, other)
        assert since == (established(owner)[other.name], established(other)[owner.name])
        for name, answers in refusals.items():
            assert len(answers) == 1 and b"@error" in answers[0], (name, answers)
        gone.start()
        await_links(*cluster.nodes)


@pytest.mark.parametrize("kind", ["@message", "@error"])
def test_A131_messages_within_messages_do_not_end_the_node(server, kind):
    """CAF reads each of them within the one around it, on the stack."""
    with Cluster(server, f"nested_{kind[1:]}", count=2) as cluster:
        owner, gone = cluster.nodes
        await_links(*cluster.nodes)
        gone.stop()
        one = struct.pack(">H", 0) + text_of("@<>+" + kind)
        if kind == "@error":
            one += b"\1" + struct.pack(">Q", atom("system"))
        with LinkPeer(owner, context(cluster.certificates, gone.name)) as peer:
            assert peer.greet()
            peer.wire.settimeout(30)
            peer.tell(b"\0" + one * ((8 << 20) // len(one)))
            is_ended = peer.ends(3)
        assert owner.is_running(), f"ended by {owner.process.poll()}"
        assert owner.serves()
        print(f"A131 8 MiB of {kind} in {kind}: the link {'ended' if is_ended else 'went on'}")


def test_A131_senders_without_number_cost_no_memory(server):
    """CAF remembers each actor of a peer that has sent something."""
    senders = 100_000
    cluster = Cluster(server, "senders", count=2)
    owner, gone = cluster.nodes
    owner.environment = {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"}
    with cluster:
        await_links(*cluster.nodes)
        gone.stop()
        before = resident(owner)
        with LinkPeer(owner, context(cluster.certificates, gone.name)) as peer:
            assert peer.greet()
            peer.wire.settimeout(30)
            peer.send(b"".join(basp(DIRECT_MESSAGE, message("@unit"), source=number + 2,
                                    destination=peer.link) for number in range(senders)))
            is_ended = peer.ends(3)
            grown = resident(owner) - before
        print(f"A131 {senders} senders: {owner.name} grew by {grown / (1 << 20):.1f} MiB, the link"
              f" {'ended' if is_ended else 'went on'}")
        assert grown < GROWTH_MAX, grown
        assert owner.serves()


def test_a_peer_of_another_format_is_refused_by_its_formats(server):
    with Cluster(server, "formats", count=2) as cluster:
        owner, gone = cluster.nodes
        await_links(*cluster.nodes)
        gone.stop()
        with LinkPeer(owner, context(cluster.certificates, gone.name)) as peer:
            assert peer.greet()
            peer.tell(hello(gone.name, versions=(2, 3)))
            told = eventually(lambda: "formats" in (why := problem_of(owner, gone)) and why,
                              5, 0.01)
            assert peer.ends()
        assert told and "2 to 3" in told, told
        with LinkPeer(owner, context(cluster.certificates, gone.name)) as peer:
            assert peer.greet()
            peer.tell(hello(gone.name, versions=(1, 3)))
            assert eventually(lambda: not problem_of(owner, gone), 5), owner.links()
        print(f"formats: a peer of 2 to 3 alone is refused: {told!r}; one of 1 to 3 is welcome")


# --- F45: certificates change while nodes run ----------------------------------------------------


def test_F45_certificates_are_renewed_broken_and_revoked_under_way(server):
    cluster = Cluster(server, "rotation")
    folder = cluster.certificates
    # The setting is there from the start: a list that names nobody who matters.
    cluster.certify("spare")
    run_script("--revoke", folder, "spare")
    for node in cluster.nodes:
        node.settings["cluster.revoked_file"] = str(folder / "revoked.pem")
        node.write_config()
    with cluster:
        owner, other, third = cluster.nodes
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        with Asking([other, third], alice) as asking:
            asking.wait_for(5)
            for node in (owner, other):
                cluster.certify(node.name)
                reload(node, "reloaded")
            await_links(*cluster.nodes)
            asking.wait_for(5)
            renewed = asking.statuses()

            since = established(other)
            kept = (folder / f"{other.name}.pem").read_bytes()
            replace(folder / f"{other.name}.pem", b"no certificate")
            told = reload(other, "reload_failed")
            asking.wait_for(5)
            replace(folder / f"{other.name}.pem", kept)
            reload(other, "reloaded")
            assert are_linked(*cluster.nodes) and established(other) == since, other.links()
            assert f"{other.name}.pem" in told["problem"], told

            run_script("--revoke", folder, third.name)
            moment = time.monotonic()
            for node in (owner, other):
                reload(node, "reloaded")
            why = eventually(lambda: problem_of(owner, third), 5)
            assert eventually(lambda: third.probe("/readyz").status_code == 503, 10)
            took = time.monotonic() - moment
            said = third.get("/api/v2/instance")
            asking.wait_for_one_of(other, 10)
            through = asking.statuses(moment, other.name)
            refused = asking.statuses(moment + took, third.name)
        print(f"F45 certificates: renewed on 2 nodes, answers {counted(renewed)}; a broken file:"
              f" {told['problem']!r}; {third.name} revoked: out after {took:.1f} s ({why}), then"
              f" {counted(refused)} there and {counted(through)} through {other.name}")
        assert set(renewed) <= {200, 503} and renewed[503] <= 20, renewed
        assert set(through) == {200}, through
        assert set(refused) == {503}, refused
        assert said.status_code == 503 and said.headers["Retry-After"] == "1", said.text
        assert said.json()["error"].startswith(f"This node stands by: {owner.name} "), said.text
        assert are_linked(owner, other)


def test_F45_a_node_whose_certificate_has_expired_is_out_until_it_has_a_new_one(server):
    with Cluster(server, "expiry") as cluster:
        owner, other, third = cluster.nodes
        folder, valid = cluster.certificates, 25
        alice, = cluster.create_accounts(["alice"])
        other.stop()
        certify(folder, other.name, -3600, valid)
        ends = time.monotonic() + valid
        other.start()
        await_links(*cluster.nodes)
        with Asking([other, third], alice) as asking:
            asking.wait_for(5)
            why = eventually(lambda: problem_of(owner, other), valid + EXPIRY_SECONDS)
            out = time.monotonic() - ends
            assert eventually(lambda: other.probe("/readyz").status_code == 503, 5)
            moment = time.monotonic()
            failed = reload(other, "reload_failed")
            asking.wait_for_one_of(third, 5)
            refused = asking.statuses(moment, other.name)
            through = asking.statuses(name=third.name)
            cluster.certify(other.name)
            reload(other, "reloaded")
            renewed = time.monotonic()
            await_links(*cluster.nodes, seconds=20)
            back = time.monotonic() - renewed
            asking.wait_for(5)
        print(f"F45 expiry: out {out:.1f} s after the certificate's end ({why}), then"
              f" {counted(refused)} there, {counted(through)} through {third.name}; back"
              f" {back:.1f} s after it was renewed; a reload before that: {failed['problem']!r}")
        assert why and out <= EXPIRY_SECONDS
        assert set(refused) == {503}, refused
        assert set(through) == {200}, through


def test_F45_a_new_authority_takes_the_place_of_the_old_one(server):
    """Both in one file while the certificates change, as the page for operators says."""
    with Cluster(server, "authorities", count=2) as cluster:
        owner, other = cluster.nodes
        folder, fresh = cluster.certificates, cluster.folder / "fresh"
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        run_script(fresh, owner.name, other.name)
        both = (folder / "ca.pem").read_bytes() + (fresh / "ca.pem").read_bytes()
        with Asking([other], alice) as asking:
            asking.wait_for(5)
            replace(folder / "ca.pem", both)
            for node in cluster.nodes:
                reload(node, "reloaded")
            for node in cluster.nodes:
                for suffix in ("key", "pem"):
                    replace(folder / f"{node.name}.{suffix}",
                            (fresh / f"{node.name}.{suffix}").read_bytes())
                reload(node, "reloaded")
            asking.wait_for(5)
            replace(folder / "ca.pem", (fresh / "ca.pem").read_bytes())
            for node in cluster.nodes:
                reload(node, "reloaded")
            await_links(*cluster.nodes)
            asking.wait_for(5)
            statuses = asking.statuses()
        print(f"F45 another CA: {counted(statuses)} meanwhile")
        assert set(statuses) <= {200, 503, 504} and statuses[503] + statuses[504] <= 30, statuses


# --- F14: a node that stands still ---------------------------------------------------------------


def test_F14_a_frozen_node_is_named_and_nobody_hangs(server):
    with Cluster(server, "frozen_owner") as cluster:
        owner = cluster.serving()
        others = cluster.others(owner)
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        with Asking(others * 4, alice, pause=0.02) as asking:
            asking.wait_for(10)
            moment = time.monotonic()
            owner.freeze()
            named = {}
            while time.monotonic() < moment + 6:
                for node in others:
                    with contextlib.suppress(OSError):
                        if node not in named and problem_of(node, owner):
                            named[node] = (time.monotonic() - moment, problem_of(node, owner))
                time.sleep(0.05)
            owner.wake()
            assert eventually(lambda: any(node.serves() for node in cluster.nodes), 20)
            asking.wait_for_one_of(None, 20)
        during = [answer for answer in asking.answers if moment < answer[0] < moment + 6]
        under_way = counted(collections.Counter(status for began, _, status, _, _ in during
                                                if began < moment + 3))
        later = counted(collections.Counter(status for began, _, status, _, _ in during
                                            if began >= moment + 3))
        longest = max(took for _, _, _, took, _ in during)
        print(f"F14 {owner.name} frozen for 6 s: named after"
              f" {in_words(seconds for seconds, _ in named.values())} s ({named[others[0]][1]});"
              f" begun in the first 3 s: {under_way}, later: {later}; longest wait {longest:.1f} s")
        assert len(named) == len(others), named
        assert all(seconds <= UNREACHABLE_SECONDS for seconds, _ in named.values()), named
        assert all("silent" in why for _, why in named.values()), named
        assert "504" in under_way and "503" in later
        assert longest <= ANSWER_SECONDS, longest
        statuses = collections.Counter(status for _, _, status, _, _ in during)
        assert set(statuses) <= {200, 503, 504, NOT_CONNECTED, NO_ANSWER}, (under_way, later)
        # One that meets the end of a connection, or of a listener: one of each client at most.
        assert statuses[NO_ANSWER] <= len(asking.nodes), (under_way, later)


def test_a_hand_over_does_nothing_without_saying_so(server):
    """SIGTERM to the node that serves, while clients ask through all of them."""
    with Cluster(server, "passed_over") as cluster:
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        owner = cluster.serving()
        with Asking(cluster.nodes * 4, alice, pause=0.01) as asking:
            asking.wait_for(10)
            moment = time.monotonic()
            owner.stop()
            assert cluster.serving() is not owner
            asking.wait_for_one_of(None, 40)
        statuses, kept = asking.statuses(moment), {text for text, in cluster.rows(
            "SELECT text FROM post")}
        done = [answer for answer in asking.answers
                if answer[2] in (503, NOT_CONNECTED) and answer[4] in kept]
        lost = [answer for answer in asking.answers if answer[2] == 200 and answer[4] not in kept]
        print(f"hand-over seen through all nodes: {counted(statuses)}; {len(done)} of the"
              f" refused were done, {len(lost)} of those answered 200 not")
        assert set(statuses) <= {200, 503, 504, NOT_CONNECTED, NO_ANSWER}, statuses
        # What meets the end of a connection, a listener or a link: one of each client at most.
        assert statuses[504] + statuses[NO_ANSWER] <= len(asking.nodes), statuses
        assert not done and not lost, (done, lost)


# --- how much goes through -----------------------------------------------------------------------


def test_three_hundred_at_once_and_long_bodies_go_through(server):
    crowd, most = 300, 1 << 20
    with Cluster(server, "crowd", count=2, settings={"server.body_bytes_max": most}) as cluster:
        owner, other = cluster.nodes
        alice, = cluster.create_accounts(["alice"])
        await_links(*cluster.nodes)
        start = threading.Barrier(crowd)

        def post(number):
            start.wait()
            return other.post("/api/v1/statuses", alice, json={"status": f"number {number}"},
                              timeout=60).status_code

        with concurrent.futures.ThreadPoolExecutor(crowd) as pool:
            began = time.monotonic()
            statuses = collections.Counter(pool.map(post, range(crowd)))
            took = time.monotonic() - began
        sizes = {}
        for size in (most, most + 1):
            body = json.dumps({"status": f"{size} bytes", "more": ""}).encode()
            body = body[:-2] + b"x" * (size - len(body)) + body[-2:]
            sizes[size] = [node.post("/api/v1/statuses", alice, data=body, headers={
                "Content-Type": "application/json"}).status_code for node in (other, owner)]
        print(f"through a node that stands by: {counted(statuses)} of {crowd} at once in"
              f" {took:.1f} s; bodies {sizes}")
        assert statuses == {200: crowd}, statuses
        assert sizes == {most: [200, 200], most + 1: [413, 413]}, sizes
