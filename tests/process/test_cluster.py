"""F04, F05, F10, F15, F16: three nodes on one PostgreSQL. One serves, the others stand by, and what
was acknowledged is kept, once, whichever of them is killed, frozen or cut off.

TRUNKLINE_FREEZE_SECONDS is how long F10 freezes a node: 15 here, 90 in the long form.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import uuid

import pytest
import requests

from cluster import Cluster, ClusterNginx, over_socket, watched_server
from cluster_load import Door, Insistent, Load
from cluster_peer import Peer
from node import Node, binary, clean_environment, eventually

TAKEOVER_SECONDS = 12
HANDOVER_SECONDS = 2
PAUSE_SECONDS = 4.5  # less than it takes to take over from who has not handed over
SHED_SECONDS = 5
REJOIN_SECONDS = 15
FREEZE_SECONDS = float(os.environ.get("TRUNKLINE_FREEZE_SECONDS", 15))
OUTAGE_SECONDS = 8  # longer than a lease
BETWEEN_FAULTS = 10  # acknowledged
REPEATED_PER_KILL = 6
LEASE_SECONDS = 6


@pytest.fixture(scope="module")
def server():
    running = watched_server()
    with running:
        yield running


def assert_kept(load, repeated_max):
    """Ends the load; nothing is lost, doubled, missing or in the wrong order. Returns the words."""
    assert eventually(lambda: load.acknowledged_of("post", "note", "edit"), 60), "too little is done"
    load.finish()
    verdict = load.verdict()
    assert verdict.posts and verdict.notes and verdict.changes, verdict
    assert not verdict.lost, verdict.lost[:5]
    assert not verdict.doubled, verdict.doubled[:5]
    assert not verdict.undelivered, verdict.undelivered[:5]
    assert not verdict.out_of_order, verdict.out_of_order[:5]
    assert not verdict.foreign, verdict.foreign
    assert verdict.repeated <= repeated_max, (verdict.repeated, repeated_max)
    return (f"{verdict.posts} posts, {verdict.changes} edits and deletes and {verdict.notes} from"
            f" outside acknowledged, 0 lost, 0 doubled, 0 written by who did not own,"
            f" {verdict.repeated} delivered twice")


def in_words(numbers):
    return ", ".join(f"{number:.1f}" if isinstance(number, float) else str(number)
                     for number in numbers)


def kill_at_once(*nodes):
    for node in nodes:
        os.kill(node.pid, signal.SIGKILL)
    for node in nodes:
        node.kill()


def refused_start(node, *words):
    """A start must end with 78 and say why."""
    done = subprocess.run(["timeout", "-s", "KILL", "30", binary(), "run", "--config",
                           str(node.config_file)], text=True, capture_output=True, timeout=60,
                          env=clean_environment())
    assert done.returncode == 78, (done.returncode, done.stdout, done.stderr)
    for each in words:
        assert each in done.stderr, done.stderr
    return done.stderr


# --- nodes die -----------------------------------------------------------------------------------


def test_F04_the_node_that_serves_is_killed_three_times(server):
    with Cluster(server, "kills") as cluster, Peer() as peer, Load(cluster, peer) as load:
        in_flight, gaps = [], []
        for _ in range(3):
            load.wait_for(BETWEEN_FAULTS)
            owner = cluster.serving()
            moment = load.strike(owner, owner.kill)
            in_flight.append(load.in_flight(owner.name, moment))
            gaps.append(load.served_again(moment))
            assert cluster.serving() is not owner
            owner.start()
            assert owner.state() == "stands by", owner.told
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, 3 * REPEATED_PER_KILL)
        owners = cluster.owner_names()
        assert len(owners) == 4 and all(a != b for a, b in zip(owners, owners[1:])), owners
        print(f"F04 kill: 3 kills, owners {' '.join(owners)}, {kept}, in flight at the kills:"
              f" {in_words(in_flight)}; served again after {in_words(gaps)} s")
        assert min(in_flight) > 0
        assert max(gaps) <= TAKEOVER_SECONDS


def test_F05_two_of_three_and_then_all_are_killed_at_once(server):
    with Cluster(server, "most") as cluster, Peer() as peer, Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner = cluster.serving()
        other, survivor = cluster.others(owner)
        moment = load.strike(owner, lambda: kill_at_once(owner, other))
        in_flight = [load.in_flight(owner.name, moment)]
        gaps = [load.served_again(moment)]
        assert cluster.serving() is survivor
        owner.start()
        other.start()
        load.wait_for(BETWEEN_FAULTS)

        moment = load.strike(survivor, lambda: kill_at_once(*cluster.nodes))
        in_flight.append(load.in_flight(survivor.name, moment))
        for node in cluster.nodes:
            node.start(wait=False)
        gaps.append(load.served_again(moment, seconds=30))
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, 2 * REPEATED_PER_KILL)
        owners = cluster.owner_names()
        print(f"F05 two, then three killed at once: owners {' '.join(owners)}, {kept}, in flight:"
              f" {in_words(in_flight)}; served again after {in_words(gaps)} s")
        assert min(in_flight) > 0
        assert max(gaps) <= TAKEOVER_SECONDS


def test_F04_behind_a_pooler_a_killed_node_is_replaced(server):
    with Cluster(server, "pooled_nodes", count=2, pooled=True) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner = cluster.serving()
        moment = load.strike(owner, owner.kill)
        in_flight = load.in_flight(owner.name, moment)
        gap = load.served_again(moment)
        owner.start()
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, REPEATED_PER_KILL)
        print(f"F04 kill behind PgBouncer: owners {' '.join(cluster.owner_names())}, {kept},"
              f" in flight at the kill: {in_flight}; served again after {gap:.1f} s")
        assert in_flight > 0 and len(cluster.owners()) == 2
        assert gap <= TAKEOVER_SECONDS


# --- nodes freeze --------------------------------------------------------------------------------


def freeze_in_a_transaction(cluster, owner, tries=400):
    """Stops the node at an instant at which one of its transactions has written and is open."""
    for _ in range(tries):
        owner.freeze()
        # What it had sent already is carried out; what waits for more of it stays.
        time.sleep(0.02)
        if ("idle in transaction", True) in cluster.sessions(owner.name):
            return
        owner.wake()
        time.sleep(0.013)
    raise AssertionError("no transaction was open whenever the node was stopped")


def count_late(cluster, deeds):
    """Of what a woken node acknowledged: how much it had not committed before it was deposed."""
    ids = [int(deed.id) for deed in deeds]
    in_time = cluster.rows("SELECT count(*) FROM post WHERE id = ANY(%s) AND"
                           " extract(epoch FROM pg_xact_commit_timestamp(xmin)) < %s",
                           (ids, cluster.owners()[-1][0]))[0][0]
    return len(ids) - in_time


@pytest.mark.parametrize("busy", [False, True])
def test_F10_a_frozen_node_is_replaced_and_wakes_up_harmless(server, busy):
    name = "frozen_busy" if busy else "frozen_idle"
    with Cluster(server, name) as cluster, Peer(slow=0.1) as peer, Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner = cluster.serving()
        process, threads, lines = owner.pid, owner.threads(), len(owner.told)
        clients = Insistent(load, owner, FREEZE_SECONDS + REJOIN_SECONDS)
        with contextlib.ExitStack() as stack:
            if busy:
                stack.enter_context(clients)
                assert eventually(lambda: len(clients.deeds) >= 16, 20), clients.tries[-3:]
                freeze_in_a_transaction(cluster, owner)
            else:
                owner.freeze()
                stack.enter_context(clients)
            frozen = time.monotonic()
            gap = load.served_again(frozen)
            time.sleep(max(0.0, frozen + FREEZE_SECONDS - time.monotonic()))
            woken = time.monotonic()
            owner.wake()
            assert eventually(lambda: len(owner.told) > lines, REJOIN_SECONDS), owner.log()[-2000:]
            rejoined = owner.told[-1][0] - woken
            clients.stopping.set()
        assert owner.state() == "stands by" and owner.pid == process, owner.told
        load.wait_for(BETWEEN_FAULTS)
        sent = peer.arrived_since(woken, owner.name)
        acknowledged = [deed for deed in clients.deeds if deed.acknowledged > woken]
        late = count_late(cluster, acknowledged)
        waited = [attempt for attempt in clients.tries if attempt.began < woken < attempt.ended]
        in_flight = len(clients.waiting_at(frozen))
        # What a crash forgets: a second, and what was under way in the peer's slow inbox.
        recent = len(peer.arrived_since(frozen - 1.5)) - len(peer.arrived_since(frozen))
        kept = assert_kept(load, recent + 16 if busy else REPEATED_PER_KILL)
        owners = cluster.owner_names()
        how = "a transaction open" if busy else "idle"
        print(f"F10 frozen {FREEZE_SECONDS:.0f} s, {how}: owners {' '.join(owners)}, {kept};"
              f" in flight: {in_flight}; woken with {len(waited)} requests waiting, acknowledged"
              f" {len(acknowledged)}, of these {late} late, {len(sent)} requests to the peer by"
              f" {threads} threads, stood by after {rejoined:.1f} s; served again after"
              f" {gap:.1f} s")
        assert len(owners) == 2 and waited
        assert peer.arrived_since(0, owner.name), "nothing is known to come from it"
        assert in_flight > 0 or not busy
        assert {attempt.status for attempt in waited} <= {503, 200, None}, waited
        assert late == 0 and len(sent) <= threads
        assert gap <= TAKEOVER_SECONDS and rejoined <= REJOIN_SECONDS


# --- PostgreSQL is away --------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True])
def test_F16_postgresql_restarts_and_nobody_is_deposed(server, at_once):
    name = "restart_immediate" if at_once else "restart_fast"
    with Cluster(server, name) as cluster, Peer() as peer, Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner = cluster.serving()
        before = cluster.owners()
        moment = load.strike(owner, lambda: server.stop(at_once))
        try:
            in_flight = load.in_flight(owner.name, moment)
            assert eventually(lambda: owner.probe("/readyz").status_code == 503, SHED_SECONDS)
            time.sleep(max(0.0, moment + OUTAGE_SECONDS - time.monotonic()))
        finally:
            server.start()
        back = time.monotonic()
        gap = load.served_again(back)
        load.wait_for(BETWEEN_FAULTS)
        # Longer than it takes to depose one whose lease is over.
        time.sleep(max(0.0, back + LEASE_SECONDS + 2 - time.monotonic()))
        kept = assert_kept(load, REPEATED_PER_KILL)
        refused = load.tries(moment + SHED_SECONDS, back, owner.name)
        answers = {attempt.status for attempt in refused}
        print(f"F16 PostgreSQL stopped {'as by a crash' if at_once else 'fast'} for"
              f" {back - moment:.1f} s: {kept}, in flight: {in_flight}, refused: {len(refused)};"
              f" served again {gap:.1f} s after its return, changes of owner:"
              f" {len(cluster.owners()) - len(before)}")
        assert cluster.owners() == before and cluster.serving() is owner
        assert in_flight > 0 and refused and answers == {503}, answers
        assert all(int(attempt.retry_after) > 0 for attempt in refused)
        assert gap <= TAKEOVER_SECONDS


@pytest.mark.parametrize("silent", [False, True])
def test_F15_a_node_that_is_cut_off_sheds_and_is_replaced(server, silent):
    name = "line_silent" if silent else "line_cut"
    with Cluster(server, name, lines=True) as cluster, Peer() as peer, Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner = cluster.serving()
        line, starts = cluster.lines[owner.name], len(owner.said("stands by"))
        moment = load.strike(owner, line.silence if silent else line.cut)
        in_flight = load.in_flight(owner.name, moment)
        sheds = eventually(
            lambda: refuses(owner, load.authors[0]) and time.monotonic() - moment,
            2 * SHED_SECONDS)
        told = eventually(lambda: owner.probe("/readyz").status_code == 503, SHED_SECONDS) \
            and owner.probe("/readyz").text
        assert_alone(owner, cluster)
        gap = load.served_again(moment)
        after = {attempt.status for attempt in
                 load.tries(moment + SHED_SECONDS, time.monotonic(), owner.name)}
        line.mend()
        mended = time.monotonic()
        assert eventually(lambda: len(owner.said("stands by")) > starts, REJOIN_SECONDS), \
            (owner.told, owner.log()[-2000:])
        rejoined = owner.said("stands by")[-1] - mended
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, REPEATED_PER_KILL)
        owners = cluster.owner_names()
        how = "silent" if silent else "cut"
        print(f"F15 line to PostgreSQL {how}: owners {' '.join(owners)}, {kept}, in flight:"
              f" {in_flight}, shed after {sheds:.1f} s, stood by {rejoined:.1f} s after it was"
              f" mended; served again after {gap:.1f} s")
        assert in_flight > 0 and len(owners) == 2
        assert sheds <= SHED_SECONDS and told and ("lease" in told or "database" in told), told
        assert 503 in after and after <= {503, None}, after
        assert gap <= TAKEOVER_SECONDS


def assert_alone(node, cluster):
    """A node that is cut off still answers, with what it knew, and knows that it may be wrong."""
    others = {each.name for each in cluster.others(node)}
    for path in ("/admin/v1/nodes", "/admin/v1/cluster"):
        assert eventually(
            lambda path=path: set(over_socket(node, path)[1]["missing_nodes"]) == others,
            SHED_SECONDS), over_socket(node, path)
        status, shown = over_socket(node, path)
        assert status == 200 and shown["complete"] is False, shown
        assert {each["name"] for each in shown["nodes"]} == others | {node.name}, shown


def refuses(node, author):
    """A post is answered 503 at once."""
    try:
        answer = node.post("/api/v1/statuses", author, timeout=1,
                           json={"status": str(uuid.uuid4())})
    except requests.RequestException:
        return False
    return answer.status_code == 503


# --- nodes come and go ---------------------------------------------------------------------------


def test_a_node_that_stands_by_says_who_serves(server):
    with Cluster(server, "views") as cluster:
        owner = cluster.serving()
        for node in cluster.others(owner):
            line = node.told[-1][1]
            assert line.startswith("trunkline "), line
            assert line.endswith(f" stands by, {owner.name} serves"), line
            for method, path in (("GET", "/"), ("POST", "/api/v1/statuses"), ("POST", "/inbox"),
                                 ("GET", "/.well-known/webfinger?resource=acct:a@b")):
                answer = requests.request(method, node.web_url + path, timeout=10)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), path
                assert answer.json() == {"error": f"This node stands by: {owner.name} serves"}
            assert node.probe("/livez").status_code == 200
            started, ready = node.probe("/startupz"), node.probe("/readyz")
            assert started.status_code == 503 and "standing by" in started.text
            assert ready.status_code == 503 and owner.name in ready.text
            other = node.probe("/admin/v1/nodes")
            assert other.status_code == 503
            assert other.headers["Content-Type"].startswith("application/problem+json")
        everybody = {node.name: ("live", node is owner) for node in cluster.nodes}
        version = owner.told[0][1].split()[1]
        everyone_says = {node.name: (version, "serving" if node is owner else "standing_by")
                         for node in cluster.nodes}
        for node in cluster.nodes:
            # What a node shows is as old as its last renewal.
            assert eventually(lambda node=node: states(node) == everybody, 3), states(node)
            status, shown = over_socket(node, "/admin/v1/cluster")
            assert status == 200, shown
            assert (shown["node"], shown["serves"]) == (node.name, owner.name)
            assert shown["complete"] is True and shown["missing_nodes"] == [] and shown["as_of"]
            for each in shown["nodes"]:
                assert 0 < each["lease_left_ms"] <= 1000 * LEASE_SECONDS and each["joined_at"], each
                assert each["incarnation"] >= 1 and int(each["id"]) >= 1, each
            assert eventually(lambda node=node: said(node) == everyone_says, 5), said(node)
            status, shown = over_socket(node, "/admin/v1/nodes")
            assert status == 200 and shown["complete"] is True and shown["as_of"], shown
            for each in shown["nodes"]:
                assert each["resident_bytes"] > 1_000_000 and each["reported_at"], each
                assert ("writes_waiting" in each) == (each["name"] == owner.name), each
            table = node.cli("cluster")
            assert all(each.name in table for each in cluster.nodes) and "live" in table, table
        print(f"cluster views: {len(cluster.nodes)} nodes say that {owner.name} serves")


def said(node):
    """What each says of itself, as the node has heard it."""
    return {each["name"]: (each.get("version"), each.get("state"))
            for each in over_socket(node, "/admin/v1/nodes")[1]["nodes"]}


def states(node):
    """What the node says of each: its state, and whether it serves."""
    return {each["name"]: (each["state"], each["serves"])
            for each in over_socket(node, "/admin/v1/cluster")[1]["nodes"]}


def test_the_service_manager_hears_of_a_node_that_stands_by(server, tmp_path):
    """READY=1, and WATCHDOG=1 for as long as it waits: else systemd would end it in its sleep."""
    with Cluster(server, "watchdog", count=1) as cluster, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(0.2)
        other = cluster.make("n2")
        other.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        other.start()
        assert other.state() == "stands by", other.told
        told, end = [], time.monotonic() + 4
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                told.append(notify.recv(4096).decode())
        beats = told.count("WATCHDOG=1")
        print(f"service manager: {told[:2]}, then {beats} beats in 4 s of a watchdog of 1 s")
        assert any(word.startswith("READY=1") and "n1" in word for word in told), told
        assert beats >= 4, told


def test_sigterm_hands_over_and_clients_behind_nginx_see_nothing_but_503(server):
    with ClusterNginx() as proxy, Cluster(server, "handover") as cluster:
        proxy.serve([int(node.web_url.rsplit(":", 1)[1]) for node in cluster.nodes])
        doors = [Door("nginx", proxy.url, verify=str(proxy.certificate))]
        with Load(cluster, pause=0.02, doors=doors, keyed=False) as load:
            orders, pauses = [], []
            for _ in range(2):
                load.wait_for(40)
                owner = cluster.serving()
                orders.append(time.time())
                moment = time.monotonic()
                owner.stop()
                assert cluster.serving() is not owner
                load.wait_for(40)
                pauses.append(load.longest_gap(moment))
                owner.start()
                assert owner.state() == "stands by", owner.told
            load.wait_for(40)
            load.finish()
            verdict = load.verdict()
            statuses = [attempt.status for deed in load.deeds for attempt in deed.tries
                        if (deed.kind, attempt.status) != ("delete", 404)]  # done the first time
            owners = cluster.owners()
            handed = [at - order for (at, _, _), order in zip(owners[1:], orders)]
            print(f"hand-over: 2 nodes ended by SIGTERM, owners {' '.join(cluster.owner_names())},"
                  f" {verdict.posts} posts without a key through nginx, {len(verdict.lost)} lost,"
                  f" {len(verdict.doubled)} doubled, {statuses.count(503)} answers 503 and no other"
                  f" error; handed over after {in_words(handed)} s, longest pauses"
                  f" {in_words(pauses)} s")
            assert verdict.posts > 100 and not verdict.lost and not verdict.doubled, verdict
            assert not verdict.foreign, verdict.foreign
            assert set(statuses) <= {200, 503}, set(statuses)
            assert len(owners) == 3
            assert max(handed) <= HANDOVER_SECONDS
            assert max(pauses) < PAUSE_SECONDS


def test_a_killed_node_that_comes_back_at_once_does_not_wait(server):
    with Cluster(server, "back_at_once", count=1) as cluster, Load(cluster, pause=0.2) as load:
        owner = cluster.nodes[0]
        load.wait_for(8)
        owner.stop()
        calm = time_to_serve(owner)
        load.wait_for(8)
        lease_left = over_socket(owner, "/admin/v1/cluster")[1]["nodes"][0]["lease_left_ms"] / 1000
        owner.kill()
        took = time_to_serve(owner)
        load.wait_for(8)
        load.finish()
        verdict = load.verdict()
        owners = cluster.owners()
        print(f"restart after kill -9: serves after {took:.1f} s, after a stop {calm:.1f} s, of a"
              f" lease that had {lease_left:.1f} s left; {verdict.posts} posts,"
              f" {len(verdict.lost)} lost, incarnations"
              f" {in_words(incarnation for _, _, incarnation in owners)}")
        assert not verdict.lost and not verdict.doubled and verdict.posts
        assert lease_left > 3 and took < calm + 2
        assert len(owners) == 3 and owners[-1][2] > owners[0][2]


def time_to_serve(node):
    began = time.monotonic()
    node.start()
    assert node.state() == "serves", node.told
    return time.monotonic() - began


def test_the_same_name_twice_waits_and_says_so(server):
    with Cluster(server, "twice", count=1) as cluster:
        owner = cluster.nodes[0]
        before = cluster.owners()
        double = cluster.make("n1")
        double.start(wait=False)
        assert eventually(lambda: "n1" in double.log() or double.told, 20), double.log()
        time.sleep(LEASE_SECONDS + 2)
        assert double.is_running() and double.state() != "serves", (double.told, double.log())
        assert owner.is_ready() and cluster.owners() == before
        said = double.told[-1][1] if double.told else double.log().splitlines()[-1]
        assert "n1" in said, said
        owner.kill()
        killed = time.monotonic()
        assert eventually(lambda: double.state() == "serves", 20), (double.told, double.log())
        took = time.monotonic() - killed
        print(f"the same name twice: the second said {said!r}, and serves {took:.1f} s after the"
              f" first was killed")
        assert took <= TAKEOVER_SECONDS


# --- what is refused -----------------------------------------------------------------------------


def test_another_key_file_is_refused(server):
    with Cluster(server, "keys", count=1) as cluster:
        key = cluster.folder / "other.key"
        key.write_bytes(os.urandom(32))
        key.chmod(0o600)
        stranger = cluster.make("n2", {"secrets.key_file": str(key)})
        told = refused_start(stranger, "secrets.key_file")
        assert cluster.nodes[0].is_ready() and len(cluster.owners()) == 1
        print(f"another key: {told.strip()}")


def test_a_role_without_timeouts_is_refused(server):
    with Cluster(server, "untimed_nodes", count=0) as cluster:
        cluster.database.administer("ALTER ROLE untimed_nodes RESET ALL")
        node = cluster.make("n1")
        told = refused_start(node, "ALTER ROLE", "idle_in_transaction_session_timeout",
                             "lock_timeout", "statement_timeout")
        statements = list(dict.fromkeys(re.findall(r"ALTER ROLE [^;]+;", told)))
        assert len(statements) == 3, told
        cluster.database.administer(*statements)
        node.start()
        assert node.state() == "serves", node.told
        print(f"a role without timeouts: refused with {len(statements)} statements, then accepted")


def test_without_a_name_it_does_not_join_others(server):
    with Cluster(server, "named", count=1) as cluster:
        told = refused_start(cluster.make(""), "cluster", "name")
        assert cluster.nodes[0].is_ready() and len(cluster.owners()) == 1
        print(f"without a name among others: {told.strip().splitlines()[-1]}")


def test_a_name_needs_postgresql():
    with Node(settings={"cluster.node": "n1"}, start=False) as node:
        refused_start(node, "cluster.node", "postgres_url_file")


def test_without_a_name_a_second_process_gives_up(server):
    with Cluster(server, "nameless", count=0) as cluster:
        first, second = cluster.make(""), cluster.make("")
        first.start()
        began = time.monotonic()
        done = subprocess.run(["timeout", "-s", "KILL", "30", binary(), "run", "--config",
                               str(second.config_file)], text=True, capture_output=True,
                              timeout=60, env=clean_environment())
        took = time.monotonic() - began
        print(f"nameless: the second gave up after {took:.1f} s: {done.stderr.splitlines()[-1]}")
        assert done.returncode == 75, (done.returncode, done.stderr)
        assert first.is_ready()
        assert took < 25
