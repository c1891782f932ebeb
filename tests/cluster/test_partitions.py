"""F11 to F15: the network between nodes and PostgreSQL is cut, in every way that it can be.

TRUNKLINE_PARTITION_SECONDS is how long F11 and F15 cut at least: 60 in the long form; here it is
enough that another node serves. TRUNKLINE_FLAP_SECONDS is how long F13 lasts: 30 here, or 120.
"""

import os
import time

import pytest

from cluster import Cluster
from cluster_faults import (BETWEEN_FAULTS, LEASE_SECONDS, REJOIN_SECONDS, REPEATED_PER_FAULT,
                            SHED_SECONDS, TAKEOVER_SECONDS, Strikes, assert_kept, refuses,
                            watch_cut_off)
from cluster_load import Load
from cluster_peer import Peer
from node import eventually

PARTITION_SECONDS = float(os.environ.get("TRUNKLINE_PARTITION_SECONDS", 0))
FLAP_SECONDS = float(os.environ.get("TRUNKLINE_FLAP_SECONDS", 30))
STEADY_SECONDS = 30  # within which the owner changes once at most
HALF_OPEN_SECONDS = 15
HANDED_SECONDS = 15
CHANGES_PER_MINUTE = 4


def cut_off(server, network, name, cut, words, **more):
    """`cut(owner)` takes PostgreSQL away from the node that serves, and not the clients."""
    with Cluster(server, name, network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        moment = strikes.at(owner, lambda: cut(owner.name))
        outcome = watch_cut_off(load, owner, moment, network.heal, **more)
        kept = assert_kept(load, REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"{words}: owners {' '.join(owners)}, {kept}, {strikes.in_words()}; {outcome}")
        assert len(owners) == 2, owners


def test_F11_one_against_two_and_PostgreSQL(server, network):
    cut_off(server, network, "partition",
            lambda owner: network.isolate(owner, apart_from=["clients"]),
            "F11 partition, one against two", seconds=PARTITION_SECONDS)


def test_F11_one_that_serves_against_two_hands_over(server, network):
    """PostgreSQL and the clients reach all of them: who cannot reach the others gives way."""
    with Cluster(server, "bystanders", network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        others = cluster.others(owner)
        assert eventually(lambda: all("round_trip_us" in link for node in cluster.nodes
                                      for link in node.links().values()), 10)
        moment = strikes.at(owner, lambda: network.isolate(
            owner.name, apart_from=["clients", "postgres"]))
        assert eventually(lambda: any(each.serves() for each in others), 30), \
            [each.told[-1:] for each in cluster.nodes]
        handed = time.monotonic() - moment
        served = next(each for each in others if each.serves())
        assert eventually(lambda: owner.state() == "stands by", REJOIN_SECONDS), owner.told
        assert set(owner.links()) == {each.name for each in others}
        assert all("problem" in link for link in owner.links().values()), owner.links()
        # Whom it is left with reach each other, and who it is says that it can do nothing.
        assert eventually(lambda: all(each.is_ready() for each in others), 10)
        assert refuses(owner, load.authors[0]) and not owner.is_ready()
        time.sleep(max(0.0, moment + PARTITION_SECONDS - time.monotonic()))
        refused = {attempt.status for attempt in
                   load.tries(moment + handed + SHED_SECONDS, time.monotonic(), owner.name)}
        network.heal()
        mended = time.monotonic()
        assert eventually(owner.is_ready, REJOIN_SECONDS), owner.links()
        passes_on = time.monotonic() - mended
        load.wait_for(BETWEEN_FAULTS)
        kept = assert_kept(load, REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"F11 one that serves against two: owners {' '.join(owners)}, {kept},"
              f" {strikes.in_words()}; another served after {handed:.1f} s, the one passed on"
              f" {passes_on:.1f} s after it was mended")
        assert owners == [owner.name, served.name], owners
        assert refused <= {503, None}, refused
        assert handed <= HANDED_SECONDS


@pytest.mark.nightly
def test_F15_a_node_that_does_not_reach_PostgreSQL_sheds_and_is_replaced(server, network):
    cut_off(server, network, "line", lambda owner: network.cut(owner, "postgres"),
            "F15 line to PostgreSQL silent", seconds=PARTITION_SECONDS)


@pytest.mark.nightly
@pytest.mark.parametrize("way", ["to", "from"])
def test_F12_a_line_that_is_cut_one_way_is_cut_and_the_owner_changes_once(server, network, way):
    def cut(owner):
        network.cut_one_way(*((owner, "postgres") if way == "to" else ("postgres", owner)))

    cut_off(server, network, f"one_way_{way}", cut, f"F12 cut of one way, {way} PostgreSQL",
            seconds=LEASE_SECONDS + STEADY_SECONDS)


@pytest.mark.nightly
def test_F12_a_cut_between_nodes_that_reach_the_rest_changes_no_owner_twice(server, network):
    with Cluster(server, "bridge", network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        other = cluster.others(owner)[0]
        moment = strikes.at(owner, lambda: network.cut(owner.name, other.name))
        gap = load.served_again(moment)
        time.sleep(max(0.0, moment + STEADY_SECONDS - time.monotonic()))
        load.wait_for(BETWEEN_FAULTS)
        network.heal()
        kept = assert_kept(load, REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"F12 cut between two nodes: owners {' '.join(owners)}, {kept}, {strikes.in_words()};"
              f" served again after {gap:.1f} s")
        assert len(owners) <= 2, owners
        assert gap <= TAKEOVER_SECONDS


def unsteady(server, network, name, words, disturb):
    """`disturb(owner)` spoils the line of the node that serves, for FLAP_SECONDS."""
    with Cluster(server, name, network=network) as cluster, Peer() as peer, \
            Load(cluster, peer) as load:
        load.wait_for(BETWEEN_FAULTS)
        owner, strikes = cluster.serving(), Strikes(load)
        moment = strikes.at(owner, lambda: None)
        disturb(owner.name)
        network.heal()
        healed = time.monotonic()
        during = len(load.acknowledged(moment))
        load.wait_for(BETWEEN_FAULTS)
        gap = load.longest_gap(moment)
        for node in cluster.nodes:
            assert eventually(node.state, 30), (node.name, node.told)
        kept = assert_kept(load, int(FLAP_SECONDS) * REPEATED_PER_FAULT)
        owners = cluster.owner_names()
        print(f"{words} for {healed - moment:.0f} s: owners {' '.join(owners)}, {kept},"
              f" {strikes.in_words()}; acknowledged meanwhile {during}, longest pause {gap:.1f} s")
        assert during > 0
        assert gap <= TAKEOVER_SECONDS
        assert len(owners) - 1 <= max(1, CHANGES_PER_MINUTE * FLAP_SECONDS / 60), owners


@pytest.mark.nightly
def test_F13_a_link_that_comes_and_goes_every_second(server, network):
    def flap(owner):
        end = time.monotonic() + FLAP_SECONDS
        while time.monotonic() < end:
            network.link_down(owner)
            time.sleep(1)
            network.link_up(owner)
            time.sleep(1)

    unsteady(server, network, "flapping", "F13 link up and down every second", flap)


@pytest.mark.nightly
def test_F13_a_link_to_clients_and_other_nodes_that_loses_a_fifth_of_its_packets(server, network):
    def lose(owner):
        network.lose(owner, 20, apart_from=["postgres"])
        time.sleep(FLAP_SECONDS)

    unsteady(server, network, "lossy", "F13 a fifth of the packets lost, but not PostgreSQL's",
             lose)


@pytest.mark.nightly
def test_F14_a_connection_that_carries_nothing_any_more_is_noticed(server, network):
    cut_off(server, network, "half_open", lambda owner: network.half_open(owner, "postgres"),
            "F14 half-open to PostgreSQL", takeover=HALF_OPEN_SECONDS)
