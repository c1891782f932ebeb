"""Nodes that share one PostgreSQL, one key file and one URL; one of them serves.

    with Cluster(server, "kills") as cluster:       # n1 serves, n2 and n3 stand by
        owner = cluster.serving()                   # the others pass on to it
        owner.kill()
        cluster.serving(12).name

Every node says its name to PostgreSQL, and triggers note which node wrote which row in which
transaction: `cluster.foreign_writes()` finds what was committed by a node that did not own the
shard at that instant, by PostgreSQL's own times of commit: that of the host for the books of
delivery, those of the accounts for everything else.
"""

import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import psycopg2
import requests

from nginx import Nginx
from node import START_SECONDS, Node, clean_environment, eventually
from pgbouncer import ROOT, DocumentedDatabase, PgBouncer
from postgres_line import Line, free_ports
from postgres_server import PostgresServer

PAGE = ROOT / "docs" / "cluster.md"

# The kinds of actors whose shards are owned, and how many each has.
ACCOUNTS, HOSTS, SHARDS = 1, 2, 256

# What the owner of a host's shard writes.
BOOKS = ("shard_mark", "host_backlog", "delivery_exception", "host")


def shard_of(scheme, name, port):
    """The shard of a host."""
    return hashlib.sha256(f"{scheme}://{name}:{port}".encode()).digest()[0]


def over_socket(node, path):
    """GET over the node's unix socket: its status and its JSON, or its text."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(node.data / "admin.sock"))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, body = text.split("\r\n\r\n", 1)
    return int(head.split(" ")[1]), json.loads(body) if "json" in head else body


def watched_server(server=None):
    """A PostgreSQL that remembers when each transaction was committed."""
    server = server or PostgresServer(in_memory=True)
    connection = psycopg2.connect(host=str(server.folder), user="trunkline", dbname="postgres")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    connection.close()
    server.stop()
    server.start()
    return server


class Loopback:
    """Where the nodes of a cluster are that has no network of its own."""

    def address(self, name):
        return "127.0.0.1"

    def inside(self, name):
        return contextlib.nullcontext()


class ClusterNode(Node):
    """One node of a cluster: its ports are chosen before it starts, and kept."""

    def __init__(self, cluster, name, url, settings=None):
        address, (web, admin, port) = cluster.network.address(name), free_ports(3)
        super().__init__(
            postgres=url + ("&" if "?" in url else "?") + f"application_name={name or 'alone'}",
            domain=cluster.domain, start=False, settings={
                "server.listen": f"{address}:{web}", "server.url": f"http://{cluster.domain}",
                "admin.listen": f"{address}:{admin}", "secrets.key_file": str(cluster.key_file),
                "federation.allow_addresses": ["127.0.0.0/8"],
                **(cluster.link_settings(name, f"{address}:{port}") if name else {}),
                **(settings or {})})
        self.name, self.cluster = name, cluster
        self.web_url, self.admin_url = f"http://{address}:{web}", f"http://{address}:{admin}"
        self.told = []  # (moment, line) of its stdout
        self.is_frozen = False

    def start(self, wait=True):
        """Starts the node; with `wait`, returns once it serves or stands by."""
        self.told = []
        with open(self.log_file, "ab") as log, self.cluster.network.inside(self.name):
            self.process = subprocess.Popen(
                self.command("run", "--config", str(self.config_file)), stdout=subprocess.PIPE,
                stderr=log, env=clean_environment(**self.environment))
        threading.Thread(target=self.listen, args=(self.process.stdout, self.told),
                         daemon=True).start()
        if wait:
            assert eventually(lambda: self.state() or not self.is_running(), START_SECONDS)
            assert self.state(), f"{self.name} ended\n{self.log()[-3000:]}"
        return self

    @staticmethod
    def listen(stream, told):
        try:
            for line in stream:
                told.append((time.monotonic(), line.decode().strip()))
        except ValueError:  # closed behind a process that is gone
            pass

    def state(self):
        """What it said last: "serves", "stands by", or "" before it said either."""
        last = self.told[-1][1] if self.told else ""
        return "serves" if last.startswith("admin ") else "stands by" if "stands by" in last else ""

    def said(self, words):
        """The moments at which it wrote a line with `words`."""
        return [moment for moment, line in list(self.told) if words in line]

    def is_ready(self):
        """Whether it can answer: it serves, or reaches the node that does."""
        if not self.is_running() or self.is_frozen:
            return False
        try:
            return requests.get(self.admin_url + "/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def serves(self):
        return self.state() == "serves" and self.is_ready()

    def links(self):
        """{peer: what the node says of its link to it}"""
        nodes = over_socket(self, "/admin/v1/nodes")[1]["nodes"]
        return {link["node"]: link for each in nodes if each["name"] == self.name
                for link in each.get("links", [])}

    def probe(self, path):
        """GET of the admin listener without a token."""
        return requests.get(self.admin_url + path, timeout=10)

    def freeze(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.is_frozen = True

    def wake(self):
        os.kill(self.pid, signal.SIGCONT)
        self.is_frozen = False

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))


class Cluster:
    """`count` nodes n1, n2, ... on a database of their own, as docs/postgresql.md makes it.

    `lines=True` puts a `Line` between each node and PostgreSQL: `cluster.lines["n1"].cut()`. With a
    `network` (tests/cluster/namespaces.py) each node is at the place of its name.
    """

    def __init__(self, server, name, count=3, settings=None, pooled=False, lines=False,
                 network=None):
        self.server, self.settings, self.lines = server, settings, {}
        self.network = network or Loopback()
        self.database = DocumentedDatabase(server, name)
        self.pooler = PgBouncer(self.database) if pooled else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="trunkline-cluster-"))
        self.key_file = self.folder / "secret.key"
        self.key_file.write_bytes(secrets.token_bytes(32))
        self.key_file.chmod(0o600)
        self.certificates = self.folder / "certificates"
        # Nobody listens there: the tests are the proxy, and send what it would.
        self.domain = f"127.0.0.1:{free_ports(1)[0]}"
        self.url = f"http://{self.domain}"
        self.all, self.nodes = [], []
        for number in range(count):
            self.nodes.append(self.make(f"n{number + 1}", line=lines))

    def certify(self, *names, **environment):
        """Makes keys and certificates as an operator does, anew where there are some."""
        subprocess.run([ROOT / "cluster-config" / "make-certificates.sh", self.certificates, *names],
                       check=True, capture_output=True, text=True, timeout=60,
                       env=clean_environment(**environment))

    def link_settings(self, name, address):
        if not (self.certificates / f"{name}.pem").exists():
            self.certify(name)
        return {"cluster.node": name, "cluster.listen": address,
                "cluster.certificate_file": str(self.certificates / f"{name}.pem"),
                "cluster.key_file": str(self.certificates / f"{name}.key"),
                "cluster.authority_file": str(self.certificates / "ca.pem")}

    def make(self, name, settings=None, line=False):
        """A node that is not started yet, and not among `nodes`."""
        url = self.pooler.url if self.pooler else self.database.url
        if line:
            self.lines[name] = Line(self.server)
            url = self.url_at("127.0.0.1", self.lines[name].port)
        elif self.server.address:
            url = self.url_at(self.server.address)
        node = ClusterNode(self, name, url, {**(self.settings or {}), **(settings or {})})
        self.all.append(node)
        return node

    def url_at(self, host, port=5432):
        return f"postgresql://{self.database.name}@{host}:{port}/{self.database.name}"

    def start(self):
        if not self.nodes:
            return self
        self.nodes[0].start()
        self.watch_writes()
        for node in self.nodes[1:]:
            node.start(wait=False)
        for node in self.nodes[1:]:
            assert eventually(node.state, START_SECONDS) == "stands by", node.log()[-3000:]
        assert self.nodes[0].state() == "serves", self.nodes[0].told
        self.token = self.nodes[0].admin_token()
        return self

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close(failed=True)
            raise

    def __exit__(self, kind, value, trace):
        self.close(failed=kind is not None)

    def close(self, failed):
        for node in self.all:
            if failed and node.log_file.exists():
                print(f"--- {node.name} said {node.told}, its log:\n" + node.log()[-4000:])
            node.close()
        for line in self.lines.values():
            line.close()
        if self.pooler:
            self.pooler.__exit__(None, None, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- who serves -------------------------------------------------------------------------------

    def serving(self, seconds=15.0):
        """The node that serves; fails when none does within `seconds`."""
        found = eventually(lambda: next((each for each in self.all if each.serves()), None),
                           seconds)
        assert found, f"nobody serves after {seconds} s"
        return found

    def others(self, node):
        return [each for each in self.nodes if each is not node]

    def create_accounts(self, names):
        """Accounts with their tokens, made by the node that serves."""
        owner = self.serving()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            accounts = list(pool.map(owner.create_account, names))
            list(pool.map(lambda account: account.token, accounts))
        return accounts

    # --- what PostgreSQL saw ----------------------------------------------------------------------

    def rows(self, sql, values=()):
        """Runs one statement as the nodes' role, beside all lines and poolers."""
        with psycopg2.connect(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def watch_writes(self):
        """Notes from now on who writes a row, and who owns."""
        self.rows("""
            CREATE SCHEMA watch;
            CREATE TABLE watch.written(node TEXT, relation TEXT, host JSONB, xid XID);
            CREATE TABLE watch.owned(kind INT, shard INT, node_id BIGINT, incarnation BIGINT,
                                     xid XID);
            CREATE FUNCTION watch.write() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE written JSONB = to_jsonb(coalesce(NEW, OLD)); BEGIN
              INSERT INTO watch.written VALUES (
                current_setting('application_name'), TG_TABLE_NAME,
                CASE TG_TABLE_NAME
                  WHEN 'shard_mark' THEN jsonb_build_object('shard', written->'shard')
                  WHEN 'host' THEN written
                  ELSE (SELECT to_jsonb(host) FROM public.host
                        WHERE id = (written->>'host_id')::bigint) END,
                pg_current_xact_id()::xid);
              RETURN NULL; END $$;
            CREATE FUNCTION watch.own() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              INSERT INTO watch.owned VALUES (NEW.kind, NEW.shard, NEW.node_id, NEW.incarnation,
                                              pg_current_xact_id()::xid);
              RETURN NULL; END $$;
            INSERT INTO watch.owned SELECT kind, shard, node_id, incarnation,
              pg_current_xact_id()::xid FROM public.shard_owner;
            CREATE TRIGGER watch AFTER INSERT OR UPDATE ON public.shard_owner
              FOR EACH ROW EXECUTE FUNCTION watch.own()""")
        # A node's own row, its batches, the ids that it reserves and the lock of a start that
        # looks at the schema are its own, whoever owns the shards.
        for table, in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
                                " AND tablename NOT IN ('node', 'id_slot', 'shard_owner', 'batch',"
                                " 'schema_version')"):
            self.rows(f"CREATE TRIGGER watch AFTER INSERT OR UPDATE OR DELETE ON public.{table}"
                      " FOR EACH ROW EXECUTE FUNCTION watch.write()")

    def owners(self, kind=ACCOUNTS, shard=0):
        """[(time of commit, name, incarnation)], oldest first: each change of who owns the shard;
        those of the accounts have one owner."""
        rows = self.rows(
            "SELECT extract(epoch FROM pg_xact_commit_timestamp(xid))::float8, name,"
            " watch.owned.incarnation FROM watch.owned JOIN public.node ON node.id = node_id"
            " WHERE kind = %s AND shard = %s ORDER BY 1", (kind, shard))
        changes = []
        for row in rows:
            if not changes or changes[-1][1:] != row[1:]:
                changes.append(row)
        return changes

    def owner_names(self):
        return [name for _, name, _ in self.owners()]

    def host_owners(self):
        """{name of a node: how many shards of hosts it has}"""
        return dict(self.rows("SELECT name, count(*) FROM public.shard_owner JOIN public.node"
                              " ON node.id = node_id AND node.incarnation = shard_owner.incarnation"
                              " WHERE kind = %s GROUP BY name", (HOSTS,)))

    def host_owner(self, scheme, name, port):
        """The name of the node that delivers to this host."""
        return self.owners(HOSTS, shard_of(scheme, name, port))[-1][1]

    def foreign_writes(self):
        """Rows that a node committed while another one owned: {(node, table): count}."""
        changes = {None: self.owners()}
        changes.update({shard: self.owners(HOSTS, shard) for shard in range(SHARDS)})
        foreign = collections.Counter()
        written = self.rows("SELECT node, relation, host->>'shard', host->>'scheme',"
                            " host->>'name', host->>'port', count(*),"
                            " extract(epoch FROM pg_xact_commit_timestamp(xid))::float8"
                            " FROM watch.written GROUP BY 1, 2, 3, 4, 5, 6, xid::text, xid")
        assert written, "no write was seen"
        for node, relation, shard, scheme, name, port, count, at in written:
            place = None
            if relation in BOOKS:
                place = int(shard) if shard is not None else shard_of(scheme, name, port)
            # The row of a host is made with its first follower, and written by whoever delivers.
            places = {place, None} if relation == "host" else {place}
            owners = {owned[-1] for owned in ([name for since, name, _ in changes[each]
                                               if since <= at] for each in places) if owned}
            if owners and node not in owners:
                foreign[node, relation] += count
        return dict(foreign)

    def sessions(self, name):
        """[(state, whether it has a transaction that writes)] of a node's sessions."""
        return self.database.administer(
            "SELECT state, backend_xid IS NOT NULL FROM pg_stat_activity"
            f" WHERE usename = '{self.database.name}' AND application_name = '{name}'")


def documented_nginx():
    """The boxes of docs/cluster.md: the upstream, a location, and lines for the location `/`."""
    boxes = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    begun = [box.split()[0] for box in boxes]
    assert begun == ["upstream", "location", "proxy_next_upstream"], boxes
    return boxes


class ClusterNginx(Nginx):
    """nginx as the pages set it up, in front of all nodes of a cluster."""

    def configuration(self, ports):
        upstream, location, lines = documented_nginx()
        assert len(re.findall(r"server 127\.0\.0\.1:\d+", upstream)) == len(ports), upstream
        numbers = iter(ports)
        upstream = re.sub(r"(server 127\.0\.0\.1):\d+",
                          lambda found: f"{found[1]}:{next(numbers)}", upstream)
        text = super().configuration(0)
        for pattern, value in ((r"upstream \w+ \{.*?\n\}\n", lambda _: upstream),
                               (r"( +location / \{\n +proxy_pass http://\w+;\n)",
                                lambda found: location + found[1] + lines)):
            text, count = re.subn(pattern, value, text, flags=re.DOTALL)
            assert count == 1, pattern
        return text

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print("--- log of nginx\n" + (self.folder / "error.log").read_text()[-3000:])
        super().__exit__(kind, value, trace)
