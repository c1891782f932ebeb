"""What docs/postgresql.md tells an operator to run: its role and database, and its PgBouncer."""

import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import time

import psycopg2

from nginx import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "postgresql.md"
PASSWORD = "of the tests"


def documented(language):
    """The box of the page that is written in `language`."""
    return re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL).group(1)


class DocumentedDatabase:
    """A role and a database of the same name, made as the page says."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        statements = re.sub(r"\btrunkline\b", name, documented("sql"))
        self.administer(*[line for line in statements.splitlines() if line])
        self.url = f"postgresql://{name}@/{name}?host={server.folder}"

    def administer(self, *statements):
        """Runs statements as the superuser, beside the node's role; returns the last one's rows."""
        connection = psycopg2.connect(host=str(self.server.folder), user="trunkline", dbname="postgres")
        connection.autocommit = True  # CREATE DATABASE insists
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def rows(self, statement):
        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()

    def backends(self):
        """How many processes of the server work for the role."""
        return self.administer("SELECT count(*) FROM pg_stat_activity"
                               f" WHERE usename = '{self.name}'")[0][0]


class PgBouncer:
    """The page's PgBouncer in front of one database, on loopback; `url` is what a node is given."""

    def __init__(self, database):
        self.program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        assert pathlib.Path(self.program).exists(), "pgbouncer is missing: apt install pgbouncer"
        self.database = database
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="trunkline-pgbouncer-"))
        self.port = free_port()
        self.url = f"postgresql://{database.name}:{PASSWORD.replace(' ', '%20')}" \
                   f"@127.0.0.1:{self.port}/{database.name}"
        (self.folder / "userlist.txt").write_text(f'"{database.name}" "{PASSWORD}"\n')
        (self.folder / "pgbouncer.ini").write_text(self.configuration())
        self.give_away()
        self.process = None
        self.start()

    def configuration(self):
        """The page's with the names and places of this test; each must stand in it."""
        text = documented("ini")
        for pattern, value in (
                (r"^trunkline = host=\S+ port=\d+$",
                 f"{self.database.name} = host={self.database.server.folder} port=5432"),
                (r"^listen_port = \d+$", f"listen_port = {self.port}\nunix_socket_dir ="),
                (r"^auth_file = \S+$", f"auth_file = {self.folder}/userlist.txt")):
            text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
            assert count == 1, pattern
        return text

    def give_away(self):
        """PgBouncer refuses to run as root."""
        if os.geteuid() != 0:
            return
        owner = pwd.getpwnam(self.database.server.user)
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def start(self):
        command = self.database.server.as_user([self.program, self.folder / "pgbouncer.ini"])
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        end = time.monotonic() + 30
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < end, \
                (self.folder / "log").read_text()
            time.sleep(0.05)

    def answers(self):
        try:
            psycopg2.connect(self.url).close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop(self):
        """SIGTERM: it drops everybody at once."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- log of PgBouncer\n" + (self.folder / "log").read_text()[-3000:])
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
