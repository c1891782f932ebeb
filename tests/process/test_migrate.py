"""A node moves from SQLite into PostgreSQL, killed on its way, and goes on there as the same node."""

import subprocess
import time

import psycopg2
import pytest

from node import Node, binary, clean_environment
from test_rows import seed

FOLLOWERS = 4_000  # so that a kill has time to come in the middle


@pytest.fixture
def target(postgres_server, tmp_path):
    """An empty database: its URL, and the file that holds it."""
    postgres_server.count = getattr(postgres_server, "count", 0) + 1
    url = postgres_server.url(f"target_{postgres_server.count}")
    file = tmp_path / "target.url"
    file.write_text(url)
    file.chmod(0o600)
    return url, file


def migrate_command(node, file, *more):
    return [binary(), "migrate", "sqlite-to-postgres", "--config", str(node.config_file),
            "--postgres-url-file", str(file), *more]


def run(command, expect):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                          env=clean_environment())
    assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout if expect == 0 else done.stderr


def refused_start(node, words):
    """A start must end with 78 and say why."""
    told = run([binary(), "run", "--config", str(node.config_file)], 78)
    assert words in told, told


class Target:
    """What somebody sees who looks into the database that is moved into."""

    def __init__(self, url):
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def rows(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def tables(self):
        return [name for name, in self.rows(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def copied(self):
        if "move_in_table" not in self.tables():
            return 0
        return int(self.rows("SELECT coalesce(sum(copied), 0) FROM move_in_table")[0][0])


def kill_when_copied(command, target, rows):
    """Starts the move, kills it when so many rows are over there, and returns how many are then."""
    moving = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env=clean_environment())
    end = time.monotonic() + 60
    while target.copied() < rows and moving.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.002)
    assert moving.poll() is None, "it ended before it could be killed"
    moving.kill()
    moving.wait(30)
    return target.copied()


def seen_by(node, reader, author):
    """What a client sees that must not change."""
    home = node.get("/api/v1/timelines/home", reader)
    posts = node.get(f"/api/v1/accounts/{author.id}/statuses", reader)
    assert home.status_code == 200 and posts.status_code == 200
    account = node.get(f"/api/v1/accounts/{author.id}", reader).json()
    return home.json(), posts.json(), account


def test_a_node_moves_and_is_killed_on_its_way(target):
    url, file = target
    there = Target(url)
    with Node() as node:
        alice, bob = node.create_account("alice"), node.create_account("bob")
        alice.token, node.admin_token()
        node.stop()
        assert seed(node, "alice", FOLLOWERS) == FOLLOWERS
        node.start()
        assert node.post(f"/api/v1/accounts/{alice.id}/follow", bob).status_code == 200
        for text in ("the first", "ä ß 𝄞", "the last"):
            assert node.post("/api/v1/statuses", alice, json={"status": text}).status_code == 200
        before = seen_by(node, bob, alice)
        assert len(before[0]) == 3

        # While it runs, only a dry run is possible; it changes nothing.
        assert "stop the node" in run(migrate_command(node, file), 75)
        told = run(migrate_command(node, file, "--dry-run"), 0)
        assert "the node runs" in told and "which is empty" in told
        assert there.tables() == []
        node.stop()

        told = run(migrate_command(node, file, "--dry-run"), 0)
        assert "the node runs" not in told and there.tables() == []

        command = migrate_command(node, file)
        first = kill_when_copied(command, there, 1)
        refused_start(node, "a move of " + str(node.data))
        assert "holds a part of this move" in run([*command, "--dry-run"], 0)
        second = kill_when_copied(command, there, first + FOLLOWERS)
        told = run(command, 0)
        assert 0 < first < second < 2 * FOLLOWERS, (first, second)
        print(f"killed at {first} and {second} rows")
        assert "which was begun before" in told
        shown = {line.split()[0]: line.split() for line in told.splitlines() if " rows " in line}
        assert set(shown) == set(there.tables()) - {"move_in"}
        for name in ("account", "follow", "post", "token", "log"):
            counted = there.rows(f"SELECT count(*) FROM {name}")[0][0]
            assert int(shown[name][1]) == counted > 0
            assert len(shown[name][3]) == 16
        assert str(node.data / "secret.key") in told and str(file) in told

        refused_start(node, f"remove {node.data}/moved_to")
        assert "The move is complete" in run(command, 0)

        node.settings["storage.postgres_url_file"] = str(file)
        node.write_config()
        node.postgres = url
        node.start()
        assert seen_by(node, bob, alice) == before
        assert node.admin("GET", "/admin/v1/version").status_code == 200
        new = node.post("/api/v1/statuses", alice, json={"status": "from the other side"})
        assert new.status_code == 200, new.text
        home = node.get("/api/v1/timelines/home", bob).json()
        assert [post["id"] for post in home] == [new.json()["id"],
                                                 *[post["id"] for post in before[0]]]


def test_a_target_that_will_not_do_is_refused_and_left_alone(target):
    url, file = target
    there = Target(url)
    with Node() as node:
        node.create_account("alice")
        node.stop()
        command = migrate_command(node, file)

        there.rows("CREATE TABLE theirs(at TIMESTAMP)")
        assert "it has the table theirs" in run(command, 65)
        assert there.tables() == ["theirs"]
        there.rows("DROP TABLE theirs")

        name = there.connection.info.dbname
        there.rows(f"ALTER DATABASE {name} SET synchronous_commit = off")
        assert "a crash would lose confirmed posts" in run(command, 69)
        there.rows(f"ALTER DATABASE {name} RESET synchronous_commit")

        assert "names no PostgreSQL" in run(command[:-2], 78)
        file.write_text("")
        assert "cannot be read or is empty" in run(command, 78)
        assert there.tables() == []
        node.start()  # nothing of it has touched the folder


def test_a_database_that_is_moved_into_starts_no_node(target):
    url, file = target
    there = Target(url)
    with Node(postgres=url, start=False) as node:
        there.rows("CREATE TABLE move_in(one BIGINT PRIMARY KEY, id TEXT, complete BIGINT,"
                   " schema_version BIGINT); INSERT INTO move_in VALUES (1, 'x', 0, 0)")
        refused_start(node, "a move into it has begun and is not complete")
        assert there.tables() == ["move_in"]
