"""Fixtures of the process tests: one PostgreSQL per file, and the two kinds of storage."""

import os
import pathlib
import sys

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    sys.stdout = sys.stderr  # what a worker prints is lost

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from node import Node  # noqa: E402
from postgres_server import PostgresServer  # noqa: E402


@pytest.fixture(scope="session")
def postgres_server():
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def node(request):
    """A running node with an empty database; the test runs on both kinds."""
    with Node(postgres=database_url(request)) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request):
    """The `postgres=` argument for a node that the test makes itself."""
    return database_url(request)


def database_url(request):
    if request.param == "sqlite":
        return None
    server = request.getfixturevalue("postgres_server")
    server.count = getattr(server, "count", 0) + 1
    return server.url(f"test_{server.count}")
