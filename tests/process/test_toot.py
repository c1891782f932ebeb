"""Debian's `toot` through Debian's nginx with our sample configuration: nothing is simulated."""

import os
import pty
import re
import shutil
import subprocess

import pytest

from nginx import Nginx
from node import Node
from oauth_client import Form, OAuthClient

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Toot:
    """The command line client, with a home of its own."""

    def __init__(self, home, certificate):
        program = shutil.which("toot", path="/usr/bin")
        assert program, "toot is missing: apt install toot"
        self.command = [program]
        self.environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home),
                            "REQUESTS_CA_BUNDLE": str(certificate), "PYTHONUNBUFFERED": "1",
                            "PYTHONPATH": "", "COLUMNS": "100"}

    def start(self, *arguments):
        return subprocess.Popen([*self.command, *arguments], stdin=subprocess.PIPE, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                env=self.environment)

    def run(self, *arguments, answers="", expect=0):
        done = self.start(*arguments)
        output, _ = done.communicate(answers, timeout=60)
        output = ESCAPES.sub("", output)
        assert done.returncode == expect, output
        return output

    def run_in_terminal(self, *arguments, answers):
        """toot asks for the next page only when it writes to a terminal."""
        ours, theirs = pty.openpty()
        toot = subprocess.Popen([*self.command, *arguments], stdin=subprocess.PIPE, stdout=theirs,
                                stderr=theirs, env=self.environment)
        os.close(theirs)
        toot.stdin.write(answers.encode())
        toot.stdin.close()
        output = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end was closed
                break
            if not part:
                break
            output += part
        os.close(ours)
        assert toot.wait(60) == 0, output
        return ESCAPES.sub("", output.decode())

    def log_in(self, nginx, account):
        """`toot login`: opens the page it names, and types the code that stands there."""
        toot = self.start("login", "--instance", f"localhost:{nginx.port}")
        output = ""
        while "/oauth/authorize" not in output:
            line = toot.stdout.readline()
            assert line, output
            output += ESCAPES.sub("", line)
        path = output.split()[-1].removeprefix(nginx.url)
        client = OAuthClient(nginx.url, verify=str(nginx.certificate))
        code = client_code(client, path, account)
        rest, _ = toot.communicate(f"n\n{code}\n", timeout=60)
        assert toot.returncode == 0, output + rest
        return ESCAPES.sub("", output + rest)


def client_code(client, path, account):
    answer = client.decide(path, account)
    assert answer.status_code == 200, answer.text
    return Form(answer.text).code


@pytest.fixture
def place(storage, tmp_path):
    with Nginx() as nginx:
        settings = {"server.url": nginx.url, "server.trusted_proxies": ["127.0.0.1/32"]}
        with Node(postgres=storage, settings=settings, domain="localhost") as node:
            nginx.serve(int(node.web_url.rsplit(":", 1)[1]))
            yield node, nginx, tmp_path


def test_toot_logs_in_posts_reads_home_in_pages_and_deletes(place):
    node, nginx, folder = place
    alice, bob = node.create_account("alice"), node.create_account("bob")
    homes = [folder / "alice", folder / "bob"]
    for home in homes:
        home.mkdir()
    mine, theirs = (Toot(home, nginx.certificate) for home in homes)
    said = mine.log_in(nginx, alice)
    assert "Found instance localhost running Mastodon version 4.5.0" in said
    assert "Successfully logged in" in said or "logged in" in said, said
    theirs.log_in(nginx, bob)
    assert "alice" in mine.run("whoami")

    # `toot follow` searches first, and there is no search yet.
    assert node.post(f"/api/v1/accounts/{bob.id}/follow", alice).json()["following"] is True
    for i in range(7):
        assert "Toot posted" in theirs.run("post", f"post number {i}")
    theirs.run("post", "with care", "--spoiler-text", "careful", "--visibility", "unlisted")

    pages = mine.run_in_terminal("timeline", "--count", "3", answers="y\n" * 5)
    assert pages.count("post number") == 7 and "with care" in pages
    positions = [pages.index(f"post number {i}") for i in range(7)]
    assert positions == sorted(positions, reverse=True), "newest first, across pages"
    assert pages.count("Continue?") >= 3 and "That's all folks" in pages

    shown = node.get("/api/v1/timelines/home", alice).json()
    last = next(status for status in shown if "post number 6" in status["content"])
    assert last["url"].startswith(nginx.url + "/@bob/")
    assert last["application"]["name"] == "toot - a Mastodon CLI client"
    mine.run("reblog", last["id"])
    assert node.get(f"/api/v1/statuses/{last['id']}", alice).json()["reblogged"] is True
    assert "post number 6" in mine.run("thread", last["id"])

    assert "Status deleted" in theirs.run("delete", last["id"])
    assert "post number 6" not in mine.run("timeline", "--once")
    assert node.get(f"/api/v1/statuses/{last['id']}", bob).status_code == 404
    theirs.run("delete", last["id"], expect=1)

    # nginx passes on the client's address and nobody else's word for it.
    log = (nginx.folder / "access.log").read_text()
    assert '"GET /api/v1/timelines/home' in log and "toot/0.34" in log
