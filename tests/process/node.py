"""A real node, started, killed and asked by the process tests.

    with Node() as node:                    # SQLite; Node(postgres=server.url("a")) for PostgreSQL
        alice = node.create_account("alice")     # .id, .name, .password, .token
        requests.post(node.web_url + "/api/v1/statuses", headers=alice.headers, ...)
        node.kill(); node.start()           # the same ports, the same folder

Every node has a folder of its own, listens on loopback and takes free ports. The program is the one
that ctest names in TRUNKLINE_BINARY.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_SECONDS = 60  # a build with sanitizers on a busy machine
STOP_SECONDS = 40


def binary():
    """The program under test."""
    named = os.environ.get("TRUNKLINE_BINARY")
    path = pathlib.Path(named) if named else ROOT / "build" / "debug" / "trunkline"
    assert path.exists(), f"{path}: build it, or name it in TRUNKLINE_BINARY"
    return str(path)


def clean_environment(**more):
    """The environment of this process without our own settings, and `more`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TRUNKLINE_")}
    kept.update(more)
    return kept


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return str(value) if isinstance(value, int) else json.dumps(str(value))


def kind(storage):
    """The word for a `storage` fixture's value in what a test prints."""
    return "postgres" if storage else "sqlite"


class Account:
    """A local account; `token` is made at the first use, with every scope of a client."""

    def __init__(self, node, id, name, password):
        self.node, self.id, self.name, self.password = node, id, name, password
        self._token = None

    @property
    def token(self):
        if self._token is None:
            self._token = self.node.user_token(self)
        return self._token

    @property
    def headers(self):
        return {"Authorization": "Bearer " + self.token}


class Node:
    """One node and its folder; both end with the `with` block.

    `settings` are written into the configuration by their keys: {"rate_limit.requests": 5}. With
    `test=True` the node is in test mode: no rate limits, http everywhere. `wrap` stands before the
    program's command line (strace, faketime, prlimit).
    """

    def __init__(self, settings=None, postgres=None, domain="trunkline.example", test=True,
                 wrap=(), folder=None, environment=None, start=True):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="trunkline-test-"))
        self.data = self.folder / "data"
        self.config_file = self.folder / "trunkline.toml"
        self.domain, self.wrap, self.environment = domain, list(wrap), environment or {}
        self.settings = {
            "server.domain": domain,
            "server.listen": "127.0.0.1:0",
            "admin.listen": "127.0.0.1:0",
            "storage.folder": str(self.data),
            "test.enabled": test,
        }
        if postgres:
            url_file = self.folder / "postgres.url"
            url_file.write_text(postgres)
            url_file.chmod(0o600)
            self.settings["storage.postgres_url_file"] = str(url_file)
        self.settings.update(settings or {})
        self.postgres = postgres
        self.process = None
        self.web_url = self.admin_url = None
        self.log_file = self.folder / "log"
        self.write_config()
        if start:
            self.start()

    # --- life ------------------------------------------------------------------------------------

    def write_config(self):
        sections = {}
        for key, value in self.settings.items():
            section, name = key.split(".", 1)
            sections.setdefault(section, []).append(f"{name} = {toml(value)}")
        self.config_file.write_text(
            "".join(f"[{section}]\n" + "\n".join(lines) + "\n" for section, lines in
                    sections.items()))

    def command(self, *arguments):
        return [*self.wrap, binary(), *arguments]

    def start(self, wait=True):
        """Starts the node; with `wait`, returns once it is ready. Later starts keep the ports."""
        arguments = ["run", "--config", str(self.config_file)]
        for key, url in (("server.listen", self.web_url), ("admin.listen", self.admin_url)):
            if url and str(self.settings[key]).endswith(":0"):
                arguments += ["--" + key, url.split("//")[1]]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*arguments), stdout=subprocess.PIPE, stderr=log,
                env=clean_environment(**self.environment))
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=START_SECONDS):
        """Reads the three lines that say where the node listens."""
        lines = []
        reader = threading.Thread(
            target=lambda: lines.extend(self.process.stdout.readline() for _ in range(3)))
        reader.start()
        reader.join(seconds)
        texts = [line.decode() for line in lines]
        if len(texts) < 3 or not texts[2].startswith("admin "):
            self.kill()
            raise AssertionError(f"not ready: {texts}\n{self.log()}")
        self.ready_line = texts[0].strip()
        self.web_url = texts[1].split()[1]
        self.admin_url = texts[2].split()[1]
        # The settings name the domain; what clients call is the address.
        return self

    @property
    def pid(self):
        """Of the node itself, also when something is wrapped around it."""
        if not self.wrap:
            return self.process.pid
        return int((self.data / "lock").read_text())

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, and waits until it is gone."""
        if self.is_running():
            if self.wrap and (self.data / "lock").exists():
                try:
                    os.kill(self.pid, signal.SIGKILL)
                    self.process.wait(STOP_SECONDS)
                except (ProcessLookupError, ValueError, subprocess.TimeoutExpired):
                    pass
            if self.is_running():
                self.process.kill()
        if self.process is not None:
            self.process.wait(STOP_SECONDS)
            self.process.stdout.close()
        self.process = None

    def stop(self, expect=0):
        """SIGTERM; returns the exit code, which must be `expect`."""
        os.kill(self.pid, signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        self.process.stdout.close()
        self.process = None
        assert code == expect, f"exit code {code}, expected {expect}\n{self.log()}"
        return code

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        self.kill()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and self.log_file.exists():
            print("--- log of the node\n" + self.log()[-4000:])
        self.close()

    def log(self):
        """Everything on stderr so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # --- asking ----------------------------------------------------------------------------------

    def cli(self, *arguments, expect=0):
        """Runs `trunkline ARGUMENTS --config FILE` and returns its stdout."""
        done = subprocess.run([binary(), *arguments, "--config", str(self.config_file)],
                              capture_output=True, text=True, timeout=STOP_SECONDS,
                              env=clean_environment(**self.environment))
        assert done.returncode == expect, f"{arguments}: {done.returncode}\n{done.stderr}"
        return done.stdout

    def admin(self, method, path, token=None, **more):
        """A request to the admin API with an `operate` token; returns the response."""
        headers = more.pop("headers", {})
        headers = {"Authorization": "Bearer " + (token or self.admin_token()), **headers}
        return requests.request(method, self.admin_url + path, headers=headers, timeout=30, **more)

    def admin_token(self, scope="operate"):
        """An admin token of `scope`, made once."""
        name = f"_admin_token_{scope}"
        if not hasattr(self, name):
            setattr(self, name, self.cli("token", "create", "--scope", scope).strip())
        return getattr(self, name)

    def create_account(self, name, role="user"):
        answer = self.admin("POST", "/admin/v1/accounts", json={"name": name, "role": role})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return Account(self, made["id"], made["name"], made["password"])

    def user_token(self, account, scopes="read write follow"):
        """A client's access token of the account."""
        answer = self.admin("POST", f"/admin/v1/accounts/{account.id}:token",
                            json={"scopes": scopes})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["token"]

    def metrics(self):
        """Every sample of /metrics: {'name{label="x"}': value}."""
        answer = self.admin("GET", "/metrics")
        assert answer.status_code == 200, answer.text
        samples = {}
        for line in answer.text.splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def get(self, path, account=None, **more):
        """GET of the client API."""
        return self.request("GET", path, account, **more)

    def post(self, path, account=None, **more):
        """POST to the client API."""
        return self.request("POST", path, account, **more)

    def request(self, method, path, account=None, **more):
        headers = {**(account.headers if account else {}), **more.pop("headers", {})}
        more.setdefault("timeout", 30)
        return requests.request(method, self.web_url + path, headers=headers, **more)


def eventually(claim, seconds=20.0, pause=0.05):
    """Asks `claim()` until it holds (returns what it returned) or the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = claim()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)
