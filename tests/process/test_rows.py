"""P3: a post costs two rows, whatever the number of followers."""

import os
import pathlib
import subprocess
import time

import pytest

from node import Node, kind

ROWS = "trunkline_storage_rows_written_total"
WATCHED_SECONDS = 10
# The reserve of ids: one row per node and 10 s, so that 10 s may see two.
RESERVE_ROWS_MAX = 2


def seed(node, name, count):
    program = os.environ.get("TRUNKLINE_SEED_BINARY")
    assert program and pathlib.Path(program).exists(), "TRUNKLINE_SEED_BINARY: build trunkline_seed"
    where = node.postgres or str(node.data / "trunkline.db")
    done = subprocess.run([program, where, name, str(count)], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.parametrize("followers", [10, 1_000, 100_000])
def test_P3_rows_of_a_post_until_ten_seconds_after(storage, followers):
    with Node(postgres=storage) as node:
        alice = node.create_account("alice")
        alice.token
        node.admin_token()
        node.stop()
        assert seed(node, "alice", followers) == followers
        node.start()
        assert node.get("/api/v1/timelines/home", alice).status_code == 200
        shown = node.get(f"/api/v1/accounts/{alice.id}", alice).json()
        assert shown["followers_count"] == followers
        before = node.metrics()[ROWS]
        answer = node.post("/api/v1/statuses", alice, json={"status": "to all of you"})
        assert answer.status_code == 200, answer.text
        time.sleep(WATCHED_SECONDS)
        written = node.metrics()[ROWS] - before
        # PostgreSQL notes each commit in one row of `batch`: the post's and those of the reserve.
        least = 2 if not storage else 3
        most = least + RESERVE_ROWS_MAX * (1 if not storage else 2)
        print(f"P3 on {kind(storage)}: {written:.0f} rows at {followers} local followers")
        assert least <= written <= most
