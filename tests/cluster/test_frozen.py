"""F10: the node that serves stands still for longer than its lease, and wakes up.

TRUNKLINE_FREEZE_SECONDS is for how long: 15 here, 90 in the long form.
"""

import contextlib
import os
import time

import pytest

from cluster import Cluster
from cluster_faults import (BETWEEN_FAULTS, REJOIN_SECONDS, REPEATED_PER_FAULT, TAKEOVER_SECONDS,
                            Strikes, assert_kept)
from cluster_load import Insistent, Load
from cluster_peer import Peer
from node import eventually

FREEZE_SECONDS = float(os.environ.get("TRUNKLINE_FREEZE_SECONDS", 15))


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
def test_F10_a_frozen_node_is_replaced_and_wakes_up_harmless(server, network, busy):
    name = "frozen_busy" if busy else "frozen_idle"
    with Cluster(server, name, network=network) as cluster, Peer(slow=0.1) as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        process, threads, lines = owner.pid, owner.threads(), len(owner.told)
        clients = Insistent(load, owner, FREEZE_SECONDS + REJOIN_SECONDS)
        with contextlib.ExitStack() as stack:
            if busy:
                stack.enter_context(clients)
                assert eventually(lambda: len(clients.deeds) >= 16, 20), clients.tries[-3:]
                freeze_in_a_transaction(cluster, owner)
                frozen = time.monotonic()
                strikes.note(owner, frozen, len(clients.waiting_at(frozen)))
            else:
                frozen = strikes.at(owner, owner.freeze)
                stack.enter_context(clients)
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
        # What it was asked later it has passed on.
        acknowledged = [deed for deed in clients.deeds
                        if deed.tries[0].began < woken < deed.acknowledged]
        late = count_late(cluster, acknowledged)
        waited = [attempt for attempt in clients.tries if attempt.began < woken < attempt.ended]
        # What a crash forgets: a second, and what was under way in the peer's slow inbox.
        recent = len(peer.arrived_since(frozen - 1.5)) - len(peer.arrived_since(frozen))
        kept = assert_kept(load, recent + 16 if busy else REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        how = "a transaction open" if busy else "idle"
        print(f"F10 frozen {FREEZE_SECONDS:.0f} s, {how}: owners {' '.join(owners)}, {kept},"
              f" {strikes.in_words()}; woken with {len(waited)} requests waiting, acknowledged"
              f" {len(acknowledged)}, of these {late} late, {len(sent)} requests to the peer by"
              f" {threads} threads, stood by after {rejoined:.1f} s; served again after"
              f" {gap:.1f} s")
        assert len(owners) == 2 and waited
        assert peer.arrived_since(0, owner.name), "nothing is known to come from it"
        assert {attempt.status for attempt in waited} <= {503, 200, None}, waited
        assert late == 0 and len(sent) <= threads
        assert gap <= TAKEOVER_SECONDS and rejoined <= REJOIN_SECONDS
