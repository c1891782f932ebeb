"""What the rows of bench/delivery.py are made of: the node, the fake hosts, clients, pairs, figures.

Everything listens on loopback, is bounded in time and ended by its process id.
"""

import contextlib
import http.client
import json
import math
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_SECONDS = 120
STOP_SECONDS = 40
FARM_SECONDS = 3600


class Programs:
    """Where the programs are: of one build tree, or named in the environment."""

    def __init__(self, build):
        build = pathlib.Path(build)
        self.node = self._named("TRUNKLINE_BINARY", build / "trunkline")
        self.farm = self._named("TRUNKLINE_FARM", build / "bench" / "farm",
                                ROOT / "build" / "asan" / "bench" / "farm")
        self.seed = self._named("TRUNKLINE_SEED", build / "bench" / "seed",
                                ROOT / "build" / "asan" / "tests" / "trunkline_seed")

    @staticmethod
    def _named(variable, *places):
        if variable in os.environ:
            places = (pathlib.Path(os.environ[variable]),)
        for place in places:
            if place.exists():
                return str(place.resolve())
        raise SystemExit(f"{places[0]} is missing: cmake --preset release -DTRUNKLINE_BENCH=ON && "
                         "cmake --build build/release --target trunkline_program bench_farm bench_seed")


def signing_rate(seconds=3):
    """RSA-2048 signatures a second of two processes at once: the physical limit of delivery."""
    done = subprocess.run(["openssl", "speed", "-seconds", str(seconds), "-multi", "2", "rsa2048"],
                          capture_output=True, text=True, timeout=60, check=True)
    found = re.search(r"rsa 2048 bits\s+\S+\s+\S+\s+([\d.]+)", done.stdout)
    return float(found.group(1))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(claim, seconds, pause=0.05):
    """Asks `claim()` until it holds (returns what it returned) or the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = claim()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


class Connection:
    """A kept connection of one thread; asks once more when the other end has closed it."""

    def __init__(self, url, timeout=60):
        parts = urllib.parse.urlsplit(url)
        self.address, self.timeout, self.open = (parts.hostname, parts.port), timeout, None

    def ask(self, method, path, body=None, headers=None):
        """Returns (status, bytes)."""
        for attempt in (0, 1):
            fresh = self.open is None
            if fresh:
                self.open = http.client.HTTPConnection(*self.address, timeout=self.timeout)
            try:
                self.open.request(method, path, body, headers or {})
                answer = self.open.getresponse()
                return answer.status, answer.read()
            except (ConnectionError, http.client.HTTPException, TimeoutError):
                self.close()
                if fresh or attempt:
                    raise

    def close(self):
        if self.open is not None:
            self.open.close()
            self.open = None


class Process:
    """A program that says on its first lines where it listens."""

    def __init__(self, command, log, lines):
        with open(log, "ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        self.lines = []
        reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        reader.start()
        reader.join(START_SECONDS)
        if len(self.lines) < lines or not self.lines[-1]:
            self.kill()
            raise RuntimeError(f"{command[0]} did not start: {pathlib.Path(log).read_text()[-2000:]}")

    def _read(self, lines):
        for _ in range(lines):
            self.lines.append(self.process.stdout.readline().decode().strip())

    def kill(self):
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        self.process.stdout.close()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process.stdout.close()


class Farm:
    """The fake hosts; host N is hN.test."""

    def __init__(self, programs, hosts, folder, *more, port=0):
        began = Process([programs.farm, "--hosts", str(hosts), "--seconds", str(FARM_SECONDS),
                         "--port", str(port), *more], pathlib.Path(folder) / "farm.log", 1)
        self.process, self.hosts = began, hosts
        said = json.loads(began.lines[0])
        self.port, self.dns = said["port"], said["dns"]
        self.control = f"http://127.0.0.1:{said['control']}"
        self.local = threading.local()

    def ask(self, path, method="GET", body=None):
        if not hasattr(self.local, "connection"):
            self.local.connection = Connection(self.control)
        status, text = self.local.connection.ask(method, path, body)
        if status != 200:
            raise RuntimeError(f"farm: {path}: {status} {text[:200]}")
        return text.decode()

    def script(self, hosts, mode):
        self.ask(f"/script?hosts={hosts}&mode={mode}", "POST")

    def count(self):
        return json.loads(self.ask("/count"))

    def stats(self, hosts="", since=0, until=0):
        until = f"&until={until}" if until else ""
        return json.loads(self.ask(f"/stats?hosts={hosts}&since={since}{until}"))

    def each_host(self, hosts=""):
        return json.loads(self.ask(f"/hosts?hosts={hosts}"))

    def reset(self):
        self.ask("/reset", "POST")

    def learn_keys(self, node, accounts):
        """Teaches the keys of local accounts, so that their signatures are checked."""
        connection = Connection(node.url)
        for account in accounts:
            _, text = connection.ask("GET", f"/users/{account.name}", headers={
                "Accept": "application/activity+json"})
            key = json.loads(text)["publicKey"]
            self.ask("/key?id=" + key["id"], "POST", key["publicKeyPem"].encode())
        connection.close()

    def activities(self):
        """[(id, type, object, object type, mark, posted)] by number."""
        return [tuple(line.split("\t")[1:]) for line in self.ask("/activities").splitlines()]

    def arrivals(self, hosts=""):
        """[(host, number of the activity, nanoseconds, repeated)] in order."""
        return [tuple(map(int, line.split("\t"))) for line in
                self.ask(f"/arrivals?hosts={hosts}").splitlines()]

    def wrong(self):
        """What was wrong with digests and signatures, as a text; "" for nothing."""
        counted = self.count()
        if counted["digests_wrong"] or counted["signatures_wrong"] or counted["not_activities"]:
            return f"{counted} {self.ask('/problems')[:500]}"
        return ""

    def stop(self):
        self.process.stop()


class Account:
    def __init__(self, node, id, name, token):
        self.node, self.id, self.name, self.token = node, id, name, token
        self.headers = {"Authorization": "Bearer " + token,
                        "Content-Type": "application/x-www-form-urlencoded"}


class Node:
    """The node under test, as a user runs it: default limits, http to loopback in test mode."""

    def __init__(self, programs, farm, folder, settings=None):
        self.programs, self.folder = programs, pathlib.Path(folder)
        self.data, self.config = self.folder / "data", self.folder / "trunkline.toml"
        self.port, self.admin_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        self.settings = {
            "server": {"domain": f"127.0.0.1:{self.port}", "listen": f"127.0.0.1:{self.port}",
                       "url": self.url},
            "admin": {"listen": f"127.0.0.1:{self.admin_port}"},
            "storage": {"folder": str(self.data)},
            "federation": {"allow_addresses": ["127.0.0.0/8"], "name_servers": [farm.dns]},
            "test": {"enabled": True},
        }
        for key, value in (settings or {}).items():
            section, name = key.split(".", 1)
            self.settings.setdefault(section, {})[name] = value
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text("".join(
            f"[{section}]\n" + "".join(f"{name} = {json.dumps(value)}\n"
                                       for name, value in values.items())
            for section, values in self.settings.items()))
        self.process, self._token, self.local = None, None, threading.local()

    # --- life ------------------------------------------------------------------------------------

    def start(self):
        self.process = Process([self.programs.node, "run", "--config", str(self.config)],
                               self.folder / "node.log", 3)
        return self

    @property
    def pid(self):
        return self.process.process.pid

    def kill(self):
        if self.process:
            self.process.kill()
        self.process = None

    def stop(self):
        if self.process:
            self.process.stop()
        self.process = None

    def keep_copy(self):
        """Keeps what is stored; `go_back` returns to it. The node must be stopped."""
        shutil.copytree(self.data, self.folder / "copy", dirs_exist_ok=True)

    def go_back(self):
        shutil.rmtree(self.data)
        shutil.copytree(self.folder / "copy", self.data)

    def is_running(self):
        return self.process is not None and self.process.process.poll() is None

    # --- what it uses ----------------------------------------------------------------------------

    def rss_mb(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def pages_read(self):
        """Of 4 KiB, since the start; what came from sockets counts too."""
        text = pathlib.Path(f"/proc/{self.pid}/io").read_text()
        return int(re.search(r"rchar: (\d+)", text).group(1)) / 4096

    # --- asking ----------------------------------------------------------------------------------

    def admin(self, method, path, body=None):
        """Asks the admin API; returns (status, JSON)."""
        if self._token is None:
            done = subprocess.run([self.programs.node, "token", "create", "--scope", "operate",
                                   "--config", str(self.config)],
                                  capture_output=True, text=True, timeout=60, check=True)
            self._token = done.stdout.strip()
        if not hasattr(self.local, "admin"):
            self.local.admin = Connection(self.admin_url)
        headers = {"Authorization": "Bearer " + self._token, "Content-Type": "application/json"}
        status, text = self.local.admin.ask(method, path, body and json.dumps(body), headers)
        return status, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()

    def metrics(self):
        _, text = self.admin("GET", "/metrics")
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines()
                 if line and not line.startswith("#"))}

    def create_account(self, name):
        status, made = self.admin("POST", "/admin/v1/accounts", {"name": name, "role": "user"})
        if status != 201:
            raise RuntimeError(f"account {name}: {status} {made}")
        _, token = self.admin("POST", f"/admin/v1/accounts/{made['id']}:token",
                              {"scopes": "read write follow"})
        return Account(self, made["id"], name, token["token"])

    def create_accounts(self, prefix, count):
        """Accounts of which the first has a key; what seeds followers lets the others share it."""
        accounts = [self.create_account(f"{prefix}{number}") for number in range(count)]
        Connection(self.url).ask("GET", f"/users/{accounts[0].name}", headers={
            "Accept": "application/activity+json"})
        return accounts

    def seed(self, *words):
        """Loads the database of the node, which must be stopped."""
        done = subprocess.run([self.programs.seed, str(self.data / "trunkline.db"),
                               *map(str, words)], capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise RuntimeError(f"seed {words}: {done.stderr}")


def cpu_seconds(pid):
    parts = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def cpu_by_thread(pid):
    """CPU seconds of a process by the names of its threads."""
    used = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            text = (task / "stat").read_text()
        except OSError:
            continue  # it has just ended
        name, parts = text[text.index("(") + 1:text.rindex(")")], text.rsplit(")", 1)[1].split()
        seconds = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
        used[name] = used.get(name, 0) + seconds
    return used


class Author:
    """A client of one account with a connection of its own; for one thread at a time."""

    def __init__(self, account):
        self.account, self.connection = account, Connection(account.node.url)

    def post(self, name="p", **more):
        """Posts with a mark; returns the post as JSON."""
        form = {"status": f"a post [[{name}@{time.time_ns()}]] of the benchmark", **more}
        return self.ask("POST", "/api/v1/statuses", form)

    def ask(self, method, path, form=None, headers=None):
        body = urllib.parse.urlencode(form) if form is not None else None
        status, text = self.connection.ask(method, path, body,
                                           {**self.account.headers, **(headers or {})})
        if status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {status} {text[:300]}")
        return json.loads(text)


class Steady:
    """Posts at a constant rate from several threads, by turns of the authors.

    With `reader`, each post's time from the request until a local follower's home shows it is in
    `seen_ms`.
    """

    def __init__(self, authors, rate, seconds, reader=None, threads=8):
        self.seconds, self.failures, self.seen_ms, self.posts = seconds, [], [], 0
        self.turns = queue.Queue()
        count = int(rate * seconds)
        start = time.monotonic()
        for number in range(count):
            self.turns.put((start + number / rate, authors[number % len(authors)]))
        self.reader, self.lock = reader, threading.Lock()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        self.since = time.time_ns()
        for thread in self.threads:
            thread.start()

    def _run(self):
        clients, reader = {}, self.reader and Author(self.reader)
        while True:
            try:
                due, account = self.turns.get_nowait()
            except queue.Empty:
                return
            time.sleep(max(0, due - time.monotonic()))
            client = clients.setdefault(account.name, Author(account))
            began = time.monotonic()
            try:
                post = client.post()
                seen = self._wait_seen(reader, post["id"], began) if reader else None
            except (OSError, RuntimeError, http.client.HTTPException) as problem:
                self.failures.append(repr(problem))
                continue
            with self.lock:
                self.posts += 1
                if seen is not None:
                    self.seen_ms.append(seen)

    @staticmethod
    def _wait_seen(reader, wanted, began):
        while time.monotonic() < began + 5:
            home = reader.ask("GET", "/api/v1/timelines/home?limit=5")
            if any(post["id"] == wanted for post in home):
                break
        return (time.monotonic() - began) * 1000

    def wait(self):
        for thread in self.threads:
            thread.join(self.seconds + 120)
        self.until = time.time_ns() + 1
        return self


class Watch:
    """Asks for values once a second, in a thread: {name: [values]}."""

    def __init__(self, ask):
        self.ask, self.values, self.is_over = ask, {}, threading.Event()
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.is_over.wait(1):
            at = time.monotonic() - self.began
            for name, value in self.ask().items():
                self.values.setdefault(name, []).append((at, value))

    def most(self, name, after=0.0):
        return max((value for at, value in self.values.get(name, []) if at >= after), default=0)

    def stop(self):
        self.is_over.set()
        self.thread.join(30)
        return self


@contextlib.contextmanager
def workplace():
    """A folder that goes at the end."""
    folder = tempfile.mkdtemp(prefix="trunkline-bench-")
    try:
        yield pathlib.Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def scene(programs, hosts, *more, settings=None):
    """Yields a farm and a node that has not been started."""
    with workplace() as folder:
        farm = Farm(programs, hosts, folder, *more)
        node = Node(programs, farm, folder / "node", settings)
        try:
            yield farm, node
        finally:
            node.kill()
            farm.stop()


def within(with_fault, without, slack=5.0):
    """At most 1.2 times, or 5 ms more."""
    return with_fault <= max(1.2 * without, without + slack)


def in_pairs(count, run):
    """Interleaved pairs: `run(faulty)` returns {name: value}; returns the medians (without, with)."""
    results = {False: [], True: []}
    for number in range(count):
        for faulty in ((False, True) if number % 2 == 0 else (True, False)):
            results[faulty].append(run(faulty))
    return tuple({name: statistics.median(one[name] for one in results[faulty])
                  for name in results[faulty][0]} for faulty in (False, True))


class Table:
    """Figures as they are found: lines for people, a list for machines."""

    def __init__(self):
        self.rows = []
        print(f"{'row':<4} {'what':<58} {'figure':>12} {'bar':>22}  verdict", flush=True)

    def add(self, row, what, figure, bar, passed, unit=""):
        if isinstance(figure, float) and not math.isfinite(figure):
            figure = "never"
        self.rows.append({"row": str(row), "what": what, "figure": figure, "unit": unit,
                          "bar": bar, "pass": passed})
        shown = f"{figure:,.3g}" if isinstance(figure, float) and abs(figure) < 100 else (
            f"{figure:,.0f}" if isinstance(figure, (int, float)) else str(figure))
        verdict = "" if passed is None else "pass" if passed else "FAIL"
        print(f"{row:<4} {what:<58} {shown + ' ' + unit:>12} {bar:>22}  {verdict}", flush=True)

    def passed(self):
        return all(row["pass"] is not False for row in self.rows)
