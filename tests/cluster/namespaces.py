"""A network of this machine's own: a bridge, and a network namespace for each place at it.

    with Network(["n1", "n2", "n3", "postgres", "clients"]) as network:
        with network.inside("n1"):              # what this thread begins there stays there
            process = subprocess.Popen(...)
        network.cut("n1", "postgres")           # silently, what is connected already as well
        network.cut_one_way("n1", "n2")         # of the packets from n1 to n2
        network.link_down("n3")                 # its port of the bridge
        network.heal()

The bridge has a namespace too: outside nothing is made but the names of all. Addresses are loopback
addresses, since the program's test mode wants those: each namespace has 127.0.0.0/16 to itself, and
127.77.0.0/24 is the bridge. 127.1.0.0/16, where fake hosts listen, is at the last place.
"""

import contextlib
import ctypes
import itertools
import os
import pathlib
import re
import signal
import subprocess

PREFIX = "trunkline-test-"
NAMES = pathlib.Path("/run/netns")
CLONE_NEWNET = 0x40000000
OWN, BRIDGE, HOSTS = "127.0.0.1/16", "127.77.0.{}/24", "127.1.0.0/16"
FORBIDDEN = ("tests/cluster needs network namespaces, and may not make them here: run it as root,"
             " in a container with CAP_NET_ADMIN and CAP_SYS_ADMIN")

# A connection can be made and acknowledges what it does not carry: a segment that holds data has
# PSH, or is longer than headers are.
NO_DATA = ("ip protocol tcp tcp flags & (syn | psh) == psh drop",
           "ip protocol tcp meta length > 120 drop")

libc = ctypes.CDLL(None, use_errno=True)
numbers = itertools.count(1)


def run(*command, text=None):
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=60)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Network:
    """All of it ends with the `with` block; what a killed run has left, at the start."""

    def __init__(self, places):
        self.prefix = f"{PREFIX}{os.getpid()}-{next(numbers)}-"
        self.places = {name: BRIDGE.format(number) for number, name in enumerate(places, 1)}
        self.hosts = places[-1]

    def __enter__(self):
        remove_leftovers()
        try:
            run("ip", "netns", "add", self.name("bridge"))
        except OSError as refused:
            raise AssertionError(f"{FORBIDDEN}\n{refused}") from refused
        try:
            self.make_bridge()
            for place in self.places:
                self.make(place)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Removes every namespace, and ends whatever still runs in one."""
        for name in names_of(self.prefix):
            remove(name)

    def make_bridge(self):
        self.ip("bridge", "link", "add", "bridge", "type", "bridge")
        self.ip("bridge", "link", "set", "bridge", "up")
        self.nft("add table bridge faults",
                 "add chain bridge faults forward { type filter hook forward priority 0; }")

    def make(self, place):
        run("ip", "netns", "add", self.name(place))
        run("ip", "link", "add", "bridge", "netns", self.name(place), "type", "veth",
            "peer", "name", place, "netns", self.name("bridge"))
        self.ip("bridge", "link", "set", place, "master", "bridge", "up")
        with self.inside(place):
            # Else the kernel keeps loopback addresses within a machine.
            pathlib.Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")
        self.ip(place, "link", "set", "lo", "up")
        self.ip(place, "address", "del", "127.0.0.1/8", "dev", "lo")
        self.ip(place, "address", "add", OWN, "dev", "lo")
        # Else ip takes a loopback address for one that only its own machine may be told of.
        self.ip(place, "address", "add", self.places[place], "dev", "bridge", "scope", "global")
        self.ip(place, "link", "set", "bridge", "up")
        if place == self.hosts:
            self.ip(place, "route", "add", "local", HOSTS, "dev", "lo", "table", "local")
        else:
            self.ip(place, "route", "add", HOSTS, "via", self.address(self.hosts))

    def name(self, place):
        return self.prefix + place

    def address(self, place):
        return self.places[place].split("/")[0]

    @contextlib.contextmanager
    def inside(self, place):
        """Moves this thread: its sockets, and the threads and processes that it begins, are there.

        The others of this process stay where they are."""
        with open("/proc/thread-self/ns/net") as outside, open(NAMES / self.name(place)) as there:
            enter(there)
            try:
                yield
            finally:
                enter(outside)

    def ip(self, place, *arguments):
        run("ip", "-n", self.name(place), *arguments)

    def nft(self, *commands):
        run("ip", "netns", "exec", self.name("bridge"), "nft", "-f", "-",
            text="\n".join(commands) + "\n")

    # --- faults -----------------------------------------------------------------------------------

    def cut(self, one, other):
        """Drops all packets between the two; neither is told."""
        self.drop([(one, other), (other, one)])

    def cut_one_way(self, sender, receiver):
        self.drop([(sender, receiver)])

    def isolate(self, place, apart_from=()):
        """Cuts the place off from all others but some."""
        self.drop(self.pairs(place, apart_from))

    def half_open(self, one, other):
        """Connections can still be made and stay open; what is written to one never arrives."""
        self.drop([(one, other), (other, one)], NO_DATA)

    def lose(self, place, percent, apart_from=()):
        """Drops so many of the packets from the place and to it."""
        self.drop(self.pairs(place, apart_from),
                  [f"meta protocol ip numgen random mod 100 < {percent} drop"])

    def pairs(self, place, apart_from):
        return [pair for other in self.places if other not in (place, *apart_from)
                for pair in ((place, other), (other, place))]

    def drop(self, pairs, rules=("meta protocol ip drop",)):
        self.nft(*[f'add rule bridge faults forward iifname "{sender}" oifname "{receiver}" {rule}'
                   for sender, receiver in pairs for rule in rules])

    def link_down(self, place):
        """Pulls its link out of the bridge. The carrier stays: when one comes back, the kernel
        takes up to a second to notice."""
        self.ip("bridge", "link", "set", place, "nomaster")

    def link_up(self, place):
        self.ip("bridge", "link", "set", place, "master", "bridge")

    def heal(self):
        """Ends every fault."""
        self.nft("flush chain bridge faults forward")
        for place in self.places:
            self.link_up(place)


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


def names_of(prefix):
    return [path.name for path in NAMES.glob(prefix + "*")] if NAMES.exists() else []


def remove(name):
    """Also from under a process that still runs in it."""
    for process in run("ip", "netns", "pids", name).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(process), signal.SIGKILL)
    run("ip", "netns", "del", name)


def remove_leftovers():
    """Of runs that were killed: the process whose id is in the name is gone."""
    for name in names_of(PREFIX):
        owner = re.fullmatch(re.escape(PREFIX) + r"(\d+)-.*", name)
        if owner and not pathlib.Path(f"/proc/{owner[1]}").exists():
            with contextlib.suppress(OSError):  # another run that starts just now is quicker
                remove(name)
