"""Other servers of a cluster's, which note which process sent what."""

import asyncio
import dataclasses
import json
import os
import pathlib
import time

from fake_hosts import FakeHosts


@dataclasses.dataclass
class Delivery:
    """A request to an inbox, from when all of it had come."""
    host: int
    node: str  # whose process sent it
    activity: str
    began: float
    ended: float = 0.0  # when it was answered


class Peer(FakeHosts):
    """A farm, of one host where it is not said otherwise. `slow` is how long its inboxes take to
    answer; `slow_hosts`: those of a host by its number."""

    def __init__(self, slow=0.0, count=1):
        super().__init__(count, keep_bodies=True)
        self.slow, self.slow_hosts, self.nodes = slow, {}, []
        self.senders = {}  # of open connections: reader -> name of a node
        self.arrivals = []  # (moment, name of the node, id of the activity)
        self.requests = []  # each `Delivery`

    @property
    def host(self):
        return self.hosts[0]

    async def _serve(self, host, reader, writer):
        self.senders[reader] = self.name_behind(writer.get_extra_info("peername"),
                                                writer.get_extra_info("sockname"))
        try:
            await super()._serve(host, reader, writer)
        finally:
            del self.senders[reader]

    async def _answer(self, host, method, target, headers, body, reader):
        if method == "POST":
            name, now = json.loads(body)["id"], time.monotonic()
            self.arrivals.append((now, self.senders[reader], name))
            request = Delivery(host.number, self.senders[reader], name, now)
            self.requests.append(request)
            slow = self.slow_hosts.get(host.number, self.slow)
            if slow:
                await asyncio.sleep(slow)
            answer = await super()._answer(host, method, target, headers, body, reader)
            request.ended = time.monotonic()
            return answer
        return await super()._answer(host, method, target, headers, body, reader)

    def name_behind(self, address, ours):
        """The node whose process has the socket at `address` that is connected to `ours`."""
        ends = [in_table(*address), in_table(*ours)]  # a port can lead to several hosts at once
        for node in self.nodes:
            if node.is_running() and self.has_socket(node.pid, ends):
                return node.name
        return "?"

    @staticmethod
    def has_socket(process, ends):
        folder = f"/proc/{process}/fd"
        try:
            # Of the network that the process is in.
            table = pathlib.Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
            inodes = [line.split()[9] for line in table if line.split()[1:3] == ends]
            names = {f"socket:[{inode}]" for inode in inodes if inode != "0"}
            return any(read_link(f"{folder}/{number}") in names for number in os.listdir(folder))
        except OSError:  # the process has ended
            return False

    def arrived_since(self, moment, name=None):
        return [arrival for arrival in list(self.arrivals)
                if arrival[0] >= moment and name in (None, arrival[1])]


def in_table(host, port):
    """An address as /proc/net/tcp has it."""
    return "".join(f"{int(part):02X}" for part in reversed(host.split("."))) + f":{port:04X}"


def read_link(path):
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""


def object_of(activity):
    """The id of what it is about."""
    about = activity["object"]
    return about["id"] if isinstance(about, dict) else about
