"""A pipeline with the structure of Mastodon's, on Debian's Sidekiq and Redis, against the fake hosts.

    with Sidekiq(farm, folder, processes=2, client="net") as rival:
        rival.post(100, rate=0)
        rival.kill(); rival.start()
"""

import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
THREADS = 25
READY_SECONDS = 60
NEEDED = {"sidekiq": "ruby-sidekiq", "redis-server": "redis-server", "ruby": "ruby"}


def missing_packages():
    """Debian's packages that are not here, besides ruby-http."""
    return [package for program, package in NEEDED.items() if not shutil.which(program)]


class Sidekiq:
    def __init__(self, farm, folder, processes, client, port, hosts, followers=0):
        self.folder, self.processes, self.port = pathlib.Path(folder), processes, port
        self.folder.mkdir(parents=True, exist_ok=True)
        inboxes = self.folder / "inboxes"
        inboxes.write_text("".join(f"http://127.1.{number // 250}.{number % 250 + 1}:{farm.port}/inbox\n"
                                   for number in range(hosts)))
        key = self.folder / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True,
                       capture_output=True, timeout=60)
        self.environment = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{port}/0",
                            "INBOXES": str(inboxes), "KEY": str(key), "CLIENT": client,
                            "FOLLOWERS": str(followers), "BREAKER": "1"}
        self.redis, self.workers = None, []

    def __enter__(self):
        self.redis = self._begin("redis", ["redis-server", "--port", str(self.port), "--bind",
                                           "127.0.0.1", "--save", "", "--appendonly", "no",
                                           "--dir", str(self.folder)])
        ends = time.monotonic() + READY_SECONDS
        while self.ask("ping") != "PONG":
            assert time.monotonic() < ends, "redis-server does not answer"
            time.sleep(0.1)
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.redis.terminate()
        self.redis.wait(20)

    def _begin(self, name, command):
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=log,
                                    stderr=subprocess.STDOUT)

    def ask(self, *words):
        done = subprocess.run(["redis-cli", "-p", str(self.port), *words], capture_output=True,
                              text=True, timeout=20)
        return done.stdout.strip()

    def start(self):
        self.ask("del", "processes")
        self.workers = [self._begin(f"sidekiq{number}", [
            "sidekiq", "-e", "production", "-r", str(HERE / "workers.rb"), "-c", str(THREADS),
            "-q", "default,8", "-q", "push,6"]) for number in range(self.processes)]
        ends = time.monotonic() + READY_SECONDS
        while len(self.ask("smembers", "processes").split()) < self.processes:
            assert time.monotonic() < ends, "sidekiq does not start: see its log"
            time.sleep(0.1)

    def kill(self):
        for worker in self.workers:
            worker.kill()
            worker.wait(20)
        self.workers = []

    def post(self, count, rate):
        """Starts to post; returns the process, which ends by itself."""
        return subprocess.Popen(["ruby", str(HERE / "poster.rb"), str(count), str(rate)],
                                env=self.environment, cwd=self.folder)
