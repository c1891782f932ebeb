"""Three nodes on one PostgreSQL: one serves, the others pass on to it; they come and go.

F04 behind PgBouncer, F15 where PostgreSQL refuses, and F16. Nodes that are killed, frozen or cut
off in silence are in tests/cluster.
"""

import contextlib
import http.client
import itertools
import os
import re
import socket
import subprocess
import time

import pytest
import requests

from cluster import Cluster, ClusterNginx, over_socket, watched_server
from cluster_faults import (BETWEEN_FAULTS, LEASE_SECONDS, REPEATED_PER_FAULT, SHED_SECONDS,
                            TAKEOVER_SECONDS, Strikes, assert_kept, in_words, watch_cut_off)
from cluster_load import Door, Load
from cluster_peer import Peer
from node import Node, binary, clean_environment, eventually

HANDOVER_SECONDS = 2
PAUSE_SECONDS = 4.5  # less than it takes to take over from who has not handed over
CUT_PER_HANDOVER = 4  # requests
OUTAGE_SECONDS = 8  # longer than a lease


@pytest.fixture(scope="module")
def server():
    running = watched_server()
    with running:
        yield running


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


def test_F04_behind_a_pooler_a_killed_node_is_replaced(server):
    with Cluster(server, "pooled_nodes", count=2, pooled=True) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        gap = load.served_again(strikes.at(owner, owner.kill))
        owner.start()
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, REPEATED_PER_FAULT)
        print(f"F04 kill behind PgBouncer: owners {' '.join(cluster.owner_names())}, {kept},"
              f" {strikes.in_words()}; served again after {gap:.1f} s")
        assert len(cluster.owners()) == 2
        assert gap <= TAKEOVER_SECONDS


# --- PostgreSQL is away --------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True])
def test_F16_postgresql_restarts_and_nobody_is_deposed(server, at_once):
    name = "restart_immediate" if at_once else "restart_fast"
    with Cluster(server, name) as cluster, Peer() as peer, Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        before = cluster.owners()
        moment = strikes.at(owner, lambda: server.stop(at_once))
        try:
            assert eventually(lambda: owner.probe("/readyz").status_code == 503, SHED_SECONDS)
            time.sleep(max(0.0, moment + OUTAGE_SECONDS - time.monotonic()))
        finally:
            server.start()
        back = time.monotonic()
        gap = load.served_again(back)
        load.wait_for(BETWEEN_FAULTS)
        # Longer than it takes to depose one whose lease is over.
        time.sleep(max(0.0, back + LEASE_SECONDS + 2 - time.monotonic()))
        kept = assert_kept(load, REPEATED_PER_FAULT)
        refused = load.tries(moment + SHED_SECONDS, back, owner.name)
        answers = {attempt.status for attempt in refused}
        print(f"F16 PostgreSQL stopped {'as by a crash' if at_once else 'fast'} for"
              f" {back - moment:.1f} s: {kept}, {strikes.in_words()}, refused: {len(refused)};"
              f" served again {gap:.1f} s after its return, changes of owner:"
              f" {len(cluster.owners()) - len(before)}")
        assert cluster.owners() == before and cluster.serving() is owner
        assert refused and answers == {503}, answers
        assert all(int(attempt.retry_after) > 0 for attempt in refused)
        assert gap <= TAKEOVER_SECONDS


def test_F15_a_node_whose_connections_are_refused_sheds_and_is_replaced(server):
    with Cluster(server, "line_cut", lines=True) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        line = cluster.lines[owner.name]
        outcome = watch_cut_off(load, owner, strikes.at(owner, line.cut), line.mend)
        kept = assert_kept(load, REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"F15 line to PostgreSQL refused: owners {' '.join(owners)}, {kept},"
              f" {strikes.in_words()}; {outcome}")
        assert len(owners) == 2


# --- nodes come and go ---------------------------------------------------------------------------


def test_a_node_that_stands_by_passes_on_and_says_who_serves(server):
    with Cluster(server, "views") as cluster:
        owner = cluster.serving()
        alice, = cluster.create_accounts(["alice"])
        for node in cluster.others(owner):
            line = node.told[-1][1]
            assert line.startswith("trunkline "), line
            assert line.endswith(f" stands by, {owner.name} serves"), line
            assert eventually(node.is_ready, 10), node.probe("/readyz").text
            assert_passes_on(node, owner, alice)
            assert_admin_passes_on(node, owner)
        everybody = {node.name: ("live", node is owner) for node in cluster.nodes}
        version = owner.told[0][1].split()[1]
        everyone_says = {node.name: (version, "serving" if node is owner else "standing_by")
                         for node in cluster.nodes}
        all_pairs = set(itertools.permutations(everybody, 2))
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
                assert each["writes_waiting"] >= 0 and each["log_applied"] >= 0, each
            assert eventually(lambda node=node: round_trips(node) == all_pairs, 5), \
                round_trips(node)
            table = node.cli("cluster")
            assert all(each.name in table for each in cluster.nodes) and "live" in table, table
        print(f"cluster views: {len(cluster.nodes)} nodes say that {owner.name} serves, and answer"
              f" for it")


def round_trips(node):
    """The pairs of nodes of which the first says how long it takes to the second."""
    nodes = over_socket(node, "/admin/v1/nodes")[1]["nodes"]
    return {(each["name"], link["node"]) for each in nodes for link in each["links"]
            if link.get("round_trip_us", 0) > 0 and "problem" not in link}


def assert_passes_on(node, owner, author):
    """Clients and other servers are answered as by the node that serves."""
    for method, path in (("GET", "/api/v2/instance"), ("GET", "/"), ("POST", "/inbox"),
                         ("GET", "/.well-known/webfinger?resource=acct:a@b"),
                         ("GET", "/api/v1/streaming/public"), ("GET", "/no/such/path"),
                         ("POST", "/api/v1/statuses"), ("DELETE", "/api/v2/instance")):
        answers = [requests.request(method, each.web_url + path, timeout=10)
                   for each in (node, owner)]
        assert answers[0].status_code == answers[1].status_code < 500, (path, answers)
        assert answers[0].content == answers[1].content, path
        assert answers[0].headers["Content-Type"] == answers[1].headers["Content-Type"], path
    text = f"written through {node.name}"
    posted = node.post("/api/v1/statuses", author, json={"status": text})
    assert posted.status_code == 200, posted.text
    read = owner.get(f"/api/v1/statuses/{posted.json()['id']}", author)
    assert read.status_code == 200 and text in read.json()["content"], read.text


def uptime_of(node, owner):
    told = node.admin("GET", "/metrics", token=owner.admin_token("read"))
    assert told.status_code == 200, told.text
    return float(re.search(r"^trunkline_uptime_seconds (\S+)$", told.text, re.M).group(1))


def assert_admin_passes_on(node, owner):
    """Operators are answered as well; what tells how the node is, it says itself."""
    for path in ("/livez", "/startupz", "/readyz"):
        assert node.probe(path).status_code == 200, path
    assert owner.name in node.probe("/readyz").text
    assert node.probe("/metrics").status_code == 401
    assert uptime_of(node, owner) < uptime_of(owner, owner)  # it began later
    assert node.probe("/admin/v1/nodes").status_code == 401
    assert node.admin("GET", "/admin/v1/accounts", token="of-nobody").status_code == 401
    told = node.admin("GET", "/admin/v1/nodes", token=owner.admin_token())
    assert told.status_code == 200 and told.json()["node"] == owner.name, told.text
    made = node.admin("POST", "/admin/v1/accounts", token=owner.admin_token(),
                      json={"name": f"of_{node.name}", "role": "user"})
    assert made.status_code == 201, made.text
    # The same user over the node's own socket, as the command line asks.
    assert node.cli("account", "token", f"of_{node.name}").strip()
    assert node.admin_token("read") and "socket" in node.cli("audit")


def test_who_asks_through_another_node_keeps_its_own_limit(server):
    allowed = 5
    settings = {"test.enabled": False, "server.domain": "trunkline.example",
                "server.url": "https://trunkline.example", "rate_limit.requests": allowed,
                "server.trusted_proxies": ["127.0.0.1"]}
    with Cluster(server, "limits", count=2, settings=settings) as cluster:
        owner = cluster.serving()
        other, = cluster.others(owner)
        assert eventually(other.is_ready, 10)

        def asks(node, client):
            return node.get("/api/v2/instance", headers={"X-Forwarded-For": client}).status_code

        answers = [asks(other, "192.0.2.1") for _ in range(allowed + 1)]
        assert answers == [200] * allowed + [429], answers
        assert asks(other, "192.0.2.2") == 200  # another client of the same node
        assert asks(owner, "192.0.2.1") == 429  # the same client at another node
        print(f"limits: a client had {allowed} answers through {other.name}, then 429 at each node")


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


def test_sigterm_hands_over_and_clients_behind_nginx_lose_nothing(server):
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
                  f" {len(verdict.doubled)} doubled, {statuses.count(503)} answers 503,"
                  f" {statuses.count(504)} times 504 and no other error; handed over after"
                  f" {in_words(handed)} s, longest pauses {in_words(pauses)} s")
            assert verdict.posts > 100 and not verdict.lost and not verdict.doubled, verdict
            assert not verdict.foreign, verdict.foreign
            assert set(statuses) <= {200, 503, 504}, set(statuses)
            # A request that meets the end of a connection that nginx has kept.
            assert statuses.count(504) <= CUT_PER_HANDOVER * len(orders), statuses.count(504)
            assert len(owners) == 3
            assert max(handed) <= HANDOVER_SECONDS
            assert max(pauses) < PAUSE_SECONDS


def test_a_connection_goes_on_when_the_turn_of_its_node_comes(server):
    with Cluster(server, "kept", count=2) as cluster:
        owner, other = cluster.nodes
        assert eventually(other.is_ready, 10), other.log()
        host, port = other.web_url.removeprefix("http://").split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.auto_open = 0  # what ends it must be seen
        connection.connect()
        answers = [ask_on(connection)]
        owner.stop()
        end = time.monotonic() + PAUSE_SECONDS
        while not other.serves() and time.monotonic() < end:
            answers.append(ask_on(connection))
        answers.append(ask_on(connection))
        print(f"a kept connection through a hand-over: {len(answers)} answers,"
              f" {answers.count(200)} of them 200")
        assert answers[0] == answers[-1] == 200 and set(answers) <= {200, 503}, answers


def ask_on(connection):
    connection.request("GET", "/api/v2/instance")
    answer = connection.getresponse()
    answer.read()
    return answer.status


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
