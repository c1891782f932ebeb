"""F04, F05: nodes are killed under load, and what was acknowledged is kept, once.

TRUNKLINE_KILLS is how many kills there are, 3 here and 20 in the long form, where they are
TRUNKLINE_KILL_SECONDS apart, 45.
"""

import os
import time

from cluster import Cluster
from cluster_faults import (BETWEEN_FAULTS, REPEATED_PER_FAULT, TAKEOVER_SECONDS, Strikes,
                            assert_kept, in_words, kill_at_once)
from cluster_load import Load
from cluster_peer import Peer

KILLS = int(os.environ.get("TRUNKLINE_KILLS", 3))
KILL_SECONDS = float(os.environ.get("TRUNKLINE_KILL_SECONDS", 0))


def test_F04_whichever_node_serves_is_killed(server, network):
    with Cluster(server, "kills", network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        strikes, gaps, moment = Strikes(load), [], 0.0
        for _ in range(KILLS):
            load.wait_for(BETWEEN_FAULTS)
            time.sleep(max(0.0, moment + KILL_SECONDS - time.monotonic()))
            owner = cluster.serving()
            moment = strikes.at(owner, owner.kill)
            gaps.append(load.served_again(moment))
            assert cluster.serving() is not owner
            owner.start()
            assert owner.state() == "stands by", owner.told
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, KILLS * REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"F04 kill: {KILLS} kills, owners {' '.join(owners)}, {kept}, {strikes.in_words()};"
              f" served again after {in_words(gaps)} s")
        assert len(owners) == KILLS + 1 and all(a != b for a, b in zip(owners, owners[1:])), owners
        assert max(gaps) <= TAKEOVER_SECONDS


def test_F05_two_of_three_and_then_all_are_killed_at_once(server, network):
    with Cluster(server, "most", network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        other, survivor = cluster.others(owner)
        gaps = [load.served_again(strikes.at(owner, lambda: kill_at_once(owner, other)))]
        assert cluster.serving() is survivor
        owner.start()
        other.start()
        load.wait_for(BETWEEN_FAULTS)

        moment = strikes.at(survivor, lambda: kill_at_once(*cluster.nodes))
        for node in cluster.nodes:
            node.start(wait=False)
        gaps.append(load.served_again(moment, seconds=30))
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, 2 * REPEATED_PER_FAULT)
        print(f"F05 two, then three killed at once: owners {' '.join(cluster.owner_names())},"
              f" {kept}, {strikes.in_words()}; served again after {in_words(gaps)} s")
        assert max(gaps) <= TAKEOVER_SECONDS
