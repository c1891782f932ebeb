"""One other server of a cluster's, which notes which process sent what."""

import asyncio
import json
import os
import pathlib
import time

from fake_hosts import FakeHosts


class Peer(FakeHosts):
    """Host 0 of a farm of one. `slow` is how long its inbox takes to answer."""

    def __init__(self, slow=0.0):
        super().__init__(1, keep_bodies=True)
        self.slow, self.nodes = slow, []
        self.senders = {}  # of open connections: reader -> name of a node
        self.arrivals = []  # (moment, name of the node, id of the activity)

    @property
    def host(self):
        return self.hosts[0]

    async def _serve(self, host, reader, writer):
        self.senders[reader] = self.name_behind(writer.get_extra_info("peername"))
        try:
            await super()._serve(host, reader, writer)
        finally:
            del self.senders[reader]

    async def _answer(self, host, method, target, headers, body, reader):
        if method == "POST":
            self.arrivals.append((time.monotonic(), self.senders[reader], json.loads(body)["id"]))
            if self.slow:
                await asyncio.sleep(self.slow)
        return await super()._answer(host, method, target, headers, body, reader)

    def name_behind(self, address):
        """The node whose process has the socket at `address`."""
        number = address[0].split(".")
        local = "".join(f"{int(part):02X}" for part in reversed(number)) + f":{address[1]:04X}"
        for node in self.nodes:
            if node.is_running() and self.has_socket(node.pid, local):
                return node.name
        return "?"

    @staticmethod
    def has_socket(process, local):
        folder = f"/proc/{process}/fd"
        try:
            # Of the network that the process is in.
            table = pathlib.Path(f"/proc/{process}/net/tcp").read_text().splitlines()[1:]
            inodes = [line.split()[9] for line in table if line.split()[1] == local]
            names = {f"socket:[{inode}]" for inode in inodes if inode != "0"}
            return any(read_link(f"{folder}/{number}") in names for number in os.listdir(folder))
        except OSError:  # the process has ended
            return False

    def arrived_since(self, moment, name=None):
        return [arrival for arrival in list(self.arrivals)
                if arrival[0] >= moment and name in (None, arrival[1])]


def read_link(path):
    try:
        return os.readlink(path)
    except OSError:  # closed meanwhile
        return ""


def object_of(activity):
    """The id of what it is about."""
    about = activity["object"]
    return about["id"] if isinstance(about, dict) else about
