"""A132: what must stay secret is in no log, no metric and no command line."""

import pathlib

import requests

from fake_hosts import FakeHosts
from node import eventually
from test_fedify import federated_node


def test_A132_no_secret_is_told(storage):
    with FakeHosts(1, keep_bodies=True) as farm, federated_node(storage) as node:
        alice = node.create_account("alice")
        admin = node.admin_token()
        farm.follow(node, f"{node.web_url}/users/alice", [0])
        assert eventually(lambda: farm.hosts[0].received, 60)
        secrets = {"password": alice.password, "token": alice.token, "admin token": admin,
                   "wrong password": "canary-7f3a-password", "cookie": "canary-91bc-cookie",
                   "private post": "canary-44de-direct", "signature": "canary-0c11-signature"}
        node.post("/api/v1/statuses", alice, data={"status": secrets["private post"],
                                                   "visibility": "direct"})
        for path in ("/oauth/authorize", "/oauth/token", "/api/v1/statuses", "/inbox"):
            requests.post(node.web_url + path, timeout=30, data={
                "password": secrets["wrong password"], "username": "alice"}, headers={
                "Cookie": "trunkline_session=" + secrets["cookie"],
                "Signature": secrets["signature"],
                "Authorization": "Bearer " + secrets["wrong password"]})
        # A request that is wrong in itself, and a host that fails: both are written about.
        farm.hosts[0].status = 500
        node.post("/api/v1/statuses", alice, data={"status": "public"})
        assert eventually(lambda: farm.hosts[0].inbox_requests >= 2, 60)
        told = {
            "log": node.log(),
            "metrics": node.admin("GET", "/metrics").text,
            "host": node.admin("GET", f"/admin/v1/hosts/{farm.hosts[0].name}").text,
            "command line": pathlib.Path(f"/proc/{node.pid}/cmdline").read_text(),
        }
        key = (node.data / "secret.key").read_bytes()
        assert "node_ready" in told["log"], "the log itself is empty"
        for where, text in told.items():
            for what, secret in secrets.items():
                assert secret not in text, f"the {what} stands in the {where}"
            assert key.hex() not in text and "PRIVATE KEY" not in text, where
