"""A line between a node and PostgreSQL that can be cut."""

import itertools
import os
import random
import selectors
import socket
import threading
import time

from node import eventually

# Below what the kernel gives to outgoing connections, which would sit on the port of a dead node.
# Each worker of pytest-xdist has its part: what one has chosen and not taken yet is no other's.
FIRST_PORT, LAST_PORT, WORKERS_MAX = 20_000, 32_000, 4
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % WORKERS_MAX
PORTS = range(FIRST_PORT + WORKER, LAST_PORT, WORKERS_MAX)
port_order = itertools.cycle(random.sample(PORTS, len(PORTS)))


def free_ports(count):
    """Ports that nobody listens on, and that were not given for long."""
    found = []
    while len(found) < count:
        port = next(port_order)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


class Line:
    """The line between a node and PostgreSQL: open, or cut: both ends are told."""

    def __init__(self, server):
        self.target = str(server.folder / ".s.PGSQL.5432")
        self.port = free_ports(1)[0]
        self.mood, self.reached, self.peers, self.listener = "open", None, {}, None
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.set("open")

    def cut(self):
        """Ends every connection; new ones are refused."""
        self.set("cut")

    def mend(self):
        self.set("open")

    def close(self):
        self.set("ended")
        self.thread.join(10)

    def set(self, mood):
        self.mood = mood
        assert eventually(lambda: self.reached == mood, 10, 0.005)

    def run(self):
        while self.reached != "ended":
            self.enter(self.mood)
            if self.reached == "open":
                for key, _ in self.selector.select(0.02):
                    self.accept() if key.fileobj is self.listener else self.hand_on(key.fileobj)
            else:
                time.sleep(0.005)

    def enter(self, mood):
        if self.listener is None and mood == "open":
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self.selector.register(self.listener, selectors.EVENT_READ)
        if mood in ("cut", "ended") and self.listener is not None:
            self.selector.unregister(self.listener)
            self.listener.close()
            self.listener = None
            for end in list(self.peers):
                self.drop(end)
        self.reached = mood

    def accept(self):
        client, _ = self.listener.accept()
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.target)
        except OSError:  # PostgreSQL is down
            client.close()
            return
        self.peers[client], self.peers[server] = server, client
        for end in (client, server):
            self.selector.register(end, selectors.EVENT_READ)

    def hand_on(self, end):
        if end not in self.peers:  # its other end was dropped a moment ago
            return
        try:
            text = end.recv(65536)
            if text:
                self.peers[end].sendall(text)
        except OSError:
            text = b""
        if not text:
            self.drop(end)

    def drop(self, end):
        for each in (end, self.peers.get(end)):
            if self.peers.pop(each, None) is not None:
                self.selector.unregister(each)
                each.close()
