"""A PostgreSQL 15 of the tests' own: in a temporary folder, on a unix socket, durable."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


def read_or_nothing(file):
    """The text of a file of /proc, whose process may end meanwhile."""
    try:
        return file.read_text()
    except OSError:
        return ""


class PostgresServer:
    """One server for a test file; `url(name)` makes a database and returns its URL."""

    def __init__(self, environment=None, in_memory=False, address=""):
        """`environment` is the server's own alone, set as its user: a clock of faketime's.

        `in_memory` keeps the files in /dev/shm: they outlive every process, and cost no syncs. It
        listens on `address` too, for whoever is in its network.
        """
        self.address = address
        self.environment = [f"{key}={value}" for key, value in (environment or {}).items()]
        assert (PROGRAMS / "initdb").exists(), "PostgreSQL 15 is missing: install postgresql-15"
        self.folder = pathlib.Path(tempfile.mkdtemp(
            prefix="trunkline-pg-", dir="/dev/shm" if in_memory else None))
        # initdb refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder.chmod(0o755)
        self.cluster = self.folder / "cluster"
        self.cluster.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            os.chown(self.cluster, owner.pw_uid, owner.pw_gid)
        self.run("initdb", "-D", self.cluster, "-A", "trust", "-U", "trunkline", "-E", "UTF8",
                 "--no-sync", "--no-instructions", "--locale=C.UTF-8")
        if address:
            with open(self.cluster / "pg_hba.conf", "a") as rules:
                rules.write("host all all samenet trust\n")
        self.process = None
        self.start()

    def as_user(self, command):
        """The command line that runs `command` as the server's user, whose pid it keeps."""
        if os.geteuid() != 0:
            return [str(part) for part in command]
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups",
                *[str(part) for part in command]]

    def run(self, program, *arguments):
        subprocess.run(self.as_user([PROGRAMS / program, *arguments]), check=True, timeout=120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=self.folder)

    def start(self):
        command = ["env", *self.environment, PROGRAMS / "postgres", "-D", self.cluster, "-k", self.folder,
                   "-c", f"listen_addresses={self.address}", "-c", "shared_buffers=32MB",
                   "-c", "max_connections=60"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.as_user(command), stdout=log, stderr=log,
                                            cwd=self.folder)
        end = time.monotonic() + 60
        ready = self.as_user([PROGRAMS / "pg_isready", "-q", "-h", self.folder])
        while subprocess.run(ready, cwd=self.folder).returncode != 0:
            assert self.process.poll() is None and time.monotonic() < end, \
                (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self, at_once=False):
        """Ends the server; `at_once` as a crash would."""
        if self.process is not None:
            self.process.send_signal(3 if at_once else 2)  # SIGQUIT, SIGINT
            self.process.wait(60)
            self.process = None

    def processes(self):
        """The server's own process first, then its children."""
        children = [int(status.parent.name) for status in pathlib.Path("/proc").glob("[0-9]*/status")
                    if f"\nPPid:\t{self.process.pid}\n" in read_or_nothing(status)]
        return [self.process.pid, *children]

    def kill(self):
        """kill -9 of the postmaster; returns when its children, which notice, are gone as well."""
        children = self.processes()[1:]
        self.process.kill()
        self.process.wait(60)
        self.process = None
        end = time.monotonic() + 30
        while any(pathlib.Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < end, "the server's children live on"
            time.sleep(0.02)

    @contextlib.contextmanager
    def frozen(self):
        """Stops every process of the server: its sockets stay open, and nobody answers."""
        stopped = self.processes()
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)

    def url(self, database):
        """Makes the database and returns its URL."""
        self.run("createdb", "-h", self.folder, "-U", "trunkline", database)
        return f"postgresql://trunkline@/{database}?host={self.folder}"

    def close(self):
        self.stop(at_once=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
