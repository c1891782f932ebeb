"""The network of these tests: a cut cuts what it names and nothing else, and nothing is left."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

import namespaces
from namespaces import NAMES, PREFIX, Network, names_of
from node import eventually

PORT = 4000
PATIENCE = 0.4  # s; between two places of one machine a packet takes less than a millisecond


class Echo:
    """Says whatever it is told, at a place."""

    def __init__(self, network, place):
        self.address = (network.address(place), PORT)
        with network.inside(place):
            self.listener = socket.create_server(self.address)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.answer, args=(self.listener.accept()[0],),
                                 daemon=True).start()

    @staticmethod
    def answer(connection):
        with contextlib.suppress(OSError):
            for text in iter(lambda: connection.recv(65536), b""):
                connection.sendall(text)


@pytest.fixture
def echoes(network):
    running = {place: Echo(network, place) for place in network.places}
    yield running
    for echo in running.values():
        echo.listener.shutdown(socket.SHUT_RDWR)
        echo.listener.close()


def connect(network, place, echo):
    with network.inside(place):
        return socket.create_connection(echo.address, PATIENCE)


def asks(connection):
    """Whether what is said comes back; a silence is no error."""
    try:
        connection.sendall(b"x")
        return connection.recv(1) == b"x"
    except TimeoutError:
        return False


def reaches(network, place, echo):
    """Whether a new connection carries something."""
    try:
        with connect(network, place, echo) as connection:
            return asks(connection)
    except TimeoutError:
        return False


def silent_pairs(network, echoes):
    """The pairs of places, from who asks to who is asked, between which nothing new can be said."""
    return {(one, other) for one in echoes for other in echoes
            if one != other and not reaches(network, one, echoes[other])}


def test_a_cut_is_silent_on_both_sides_and_nowhere_else(network, echoes):
    assert silent_pairs(network, echoes) == set()
    with connect(network, "n1", echoes["postgres"]) as old:
        assert asks(old)
        network.cut("n1", "postgres")
        began = time.monotonic()
        assert not asks(old) and time.monotonic() - began >= PATIENCE
        assert silent_pairs(network, echoes) == {("n1", "postgres"), ("postgres", "n1")}
        network.heal()
        old.settimeout(5)
        assert old.recv(1) == b"x", "what was said meanwhile comes late"
    assert silent_pairs(network, echoes) == set()


@pytest.mark.parametrize("sender, receiver", [("n1", "postgres"), ("postgres", "n1")])
def test_a_cut_of_one_way_lets_the_other_way_pass(network, sender, receiver):
    def udp(place):
        with network.inside(place):
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((network.address(place), PORT))
        made.settimeout(PATIENCE)
        return made

    with udp(sender) as one, udp(receiver) as other:
        network.cut_one_way(sender, receiver)
        other.sendto(b"passes", one.getsockname())
        assert one.recv(10) == b"passes"
        one.sendto(b"dropped", other.getsockname())
        with pytest.raises(TimeoutError):
            other.recv(10)


def test_a_half_open_connection_is_made_and_carries_nothing(network, echoes):
    with connect(network, "n1", echoes["postgres"]) as old:
        assert asks(old)
        network.half_open("n1", "postgres")
        assert not asks(old)
        with connect(network, "n1", echoes["postgres"]) as new:  # which does not time out
            assert not asks(new)
    assert reaches(network, "n2", echoes["postgres"]) and reaches(network, "n1", echoes["n2"])


def test_a_link_that_is_down_carries_nothing_and_comes_back(network, echoes):
    network.link_down("n1")
    assert silent_pairs(network, echoes) == {
        pair for other in network.places if other != "n1"
        for pair in (("n1", other), (other, "n1"))}
    waits = []
    for _ in range(3):
        network.link_down("n1")
        assert not reaches(network, "n2", echoes["n1"])
        network.link_up("n1")
        began = time.monotonic()
        assert eventually(lambda: reaches(network, "n1", echoes["n2"]), 5, 0.01)
        waits.append(time.monotonic() - began)
    print(f"network: a link that is up again carries after {max(waits) * 1000:.0f} ms at most")
    assert max(waits) < 0.5


def test_a_lossy_link_loses_about_what_it_should(network):
    with network.inside("n1"):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with network.inside("n2"):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with one, other:
        other.bind((network.address("n2"), PORT))
        network.lose("n1", 20)
        for _ in range(100):  # little enough for the receiver's buffer
            one.sendto(b"x", other.getsockname())
        arrived = 0
        other.settimeout(PATIENCE)
        with contextlib.suppress(TimeoutError):
            while other.recv(1):
                arrived += 1
    assert 55 <= arrived <= 97, arrived


def test_nothing_of_a_network_is_seen_outside_and_nothing_is_left():
    def links():
        return subprocess.run(["ip", "-o", "link"], text=True, capture_output=True,
                              check=True).stdout

    before = names_of(f"{PREFIX}{os.getpid()}-")
    seen = links()
    with Network(["n1", "clients"]) as other:
        assert len(names_of(other.prefix)) == 3 and links() == seen
        with other.inside("n1"):
            assert links() != seen
            sleeper = subprocess.Popen(["sleep", "600"])
    assert sleeper.wait(10) < 0 and links() == seen
    assert names_of(f"{PREFIX}{os.getpid()}-") == before


def test_a_start_that_fails_leaves_nothing(monkeypatch):
    before = names_of(f"{PREFIX}{os.getpid()}-")
    with pytest.raises(OSError), Network(["n1", "a name that no link may have", "clients"]):
        pass
    assert names_of(f"{PREFIX}{os.getpid()}-") == before
    # As without the rights to it.
    ip = namespaces.run

    def refuse(*command, **more):
        if command[:3] == ("ip", "netns", "add"):
            raise OSError("mount --make-shared /run/netns failed: Operation not permitted")
        return ip(*command, **more)

    monkeypatch.setattr(namespaces, "run", refuse)
    with pytest.raises(AssertionError, match="needs network namespaces.*\n.*not permitted"), \
            Network(["clients"]):
        pass


def test_what_a_killed_run_left_is_removed_by_the_next_one():
    program = ("import subprocess, sys, time\nfrom namespaces import Network\n"
               "network = Network(['n1', 'clients']).__enter__()\n"
               "with network.inside('n1'):\n    child = subprocess.Popen(['sleep', '600'])\n"
               "print(network.prefix, child.pid, flush=True)\ntime.sleep(600)\n")
    killed = subprocess.Popen([sys.executable, "-c", program], text=True, stdout=subprocess.PIPE,
                              cwd=pathlib.Path(namespaces.__file__).parent)
    prefix, child = killed.stdout.readline().split()
    namespaces.remove_leftovers()
    assert len(names_of(prefix)) == 3, "it is alive"
    killed.kill()
    killed.wait(10)
    killed.stdout.close()
    namespaces.remove_leftovers()
    assert names_of(prefix) == []
    assert eventually(lambda: not is_asleep(child), 10)
    left = [path.name for path in NAMES.glob(PREFIX + "*")]
    owners = [re.findall(r"[0-9]+", name)[0] for name in left]
    assert all(pathlib.Path(f"/proc/{owner}").exists() for owner in owners), left


def is_asleep(process):
    """Still running: not gone, and no zombie."""
    try:
        return "\nState:\tZ" not in pathlib.Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
