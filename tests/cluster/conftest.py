"""Fixtures of the cluster's tests: one network with PostgreSQL per process, whose faults end with
each test."""

import os
import pathlib
import sys

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    sys.stdout = sys.stderr  # what a worker prints is lost

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "process")]

from cluster import watched_server  # noqa: E402
from namespaces import Network  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "nightly: takes longer than a change should wait for")


class PlacedServer(PostgresServer):
    """A PostgreSQL in a namespace of its own."""

    def __init__(self, network):
        self.network = network
        super().__init__(in_memory=True, address=network.address("postgres"))

    def start(self):
        with self.network.inside("postgres"):
            super().start()


@pytest.fixture(scope="session")
def whole_network():
    with Network(["n1", "n2", "n3", "postgres", "clients"]) as network:
        yield network


@pytest.fixture
def network(whole_network):
    """The network without a fault, seen from where the clients and the other servers are."""
    with whole_network.inside("clients"):
        yield whole_network
        whole_network.heal()


@pytest.fixture(scope="session")
def server(whole_network):
    running = watched_server(PlacedServer(whole_network))
    with running:
        yield running
