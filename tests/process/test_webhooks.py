"""Webhooks of a real node: an operator's, over a real socket, with kills in between."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import threading
import time

import pytest

import database
from node import Node, binary, clean_environment, eventually

SECRET = "0123456789abcdef0123456789abcdef"


class Receiver:
    """Takes webhooks on loopback; `status` is what it answers, `delay` after how long."""

    def __init__(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(dict(self.headers), body)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # the node was killed meanwhile

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # connections of nodes that were killed
        self.lock = threading.Lock()
        self.status, self.delay, self.taken, self.tries, self.forged = 200, 0.0, [], [], []
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/in"

    def take(self, headers, body):
        if self.delay:
            time.sleep(self.delay)
        names = {name.lower(): value for name, value in headers.items()}
        signed = b".".join([names["webhook-id"].encode(), names["webhook-timestamp"].encode(), body])
        mac = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        with self.lock:
            if names["webhook-signature"] != "v1," + mac:
                self.forged.append(names)
            if abs(time.time() - int(names["webhook-timestamp"])) > 300:
                self.forged.append(names)
            event = (names["webhook-id"], json.loads(body))
            self.tries.append(event)
            if self.status // 100 == 2:
                self.taken.append(event)
            return self.status

    def ids(self, type):
        """Of the things that events of one type are about, each once, in the order they came."""
        with self.lock:
            return list(dict.fromkeys(
                body["data"]["id"] for _, body in self.taken if body["type"] == type))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


def settings_for(receiver, folder, events=()):
    secret = folder / "webhook.secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    return {"webhooks.url": receiver.url, "webhooks.secret_file": str(secret),
            "webhooks.events": list(events)}


def publish(node, account, text):
    answer = node.post("/api/v1/statuses", account, json={"status": text})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def report(node):
    answer = node.admin("GET", "/admin/v1/webhooks")
    assert answer.status_code == 200, answer.text
    [one] = answer.json()["webhooks"]
    return one


def test_killed_again_and_again_it_loses_no_event(storage, receiver, tmp_path):
    """kill -9 ten times: every post comes at least once, in order, a repeated one with its id."""
    with Node(settings_for(receiver, tmp_path, ["post", "account"]), postgres=storage) as node:
        alice = node.create_account("alice")
        made = []
        for round in range(10):
            receiver.delay = 0.02 if round % 2 else 0.0
            receiver.status = 500 if round in (3, 6) else 200
            for number in range(10):
                made.append(publish(node, alice, f"post {round} {number}"))
            time.sleep(0.15 * round)
            node.kill()
            receiver.status = 200
            node.start()
        assert eventually(lambda: receiver.ids("post.created")[-1:] == made[-1:], 60)
        assert receiver.ids("post.created") == made
        assert receiver.ids("account.created") == [alice.id]
        assert not receiver.forged
        by_id = {}
        for id, body in receiver.tries:
            by_id.setdefault(id, set()).add((body["type"], body["data"]["id"]))
        assert all(len(things) == 1 for things in by_id.values())
        by_thing = {}
        for id, body in receiver.tries:
            by_thing.setdefault((body["type"], body["data"]["id"]), set()).add(id)
        assert all(len(ids) == 1 for ids in by_thing.values()), "the same event has the same id"
        assert len(receiver.tries) > len(by_thing), "no kill made an event come twice"
        # What the last kill makes it send again may take a while: till then the mark moves.
        mark = database.one(node, "SELECT MAX(seq) FROM log")
        assert eventually(lambda: report(node)["mark"] == mark), report(node)
        node.stop()  # writes the mark of all that was taken
        before = len(receiver.tries)
        node.start()
        assert eventually(lambda: report(node)["mark"] == mark)
        last = publish(node, alice, "after an orderly end")
        assert eventually(lambda: receiver.ids("post.created")[-1:] == [last])
        assert [body["data"]["id"] for _, body in receiver.tries[before:]] == [last], \
            "an orderly end repeats nothing"


def test_a_receiver_that_fails_is_shown_to_operators(receiver, tmp_path):
    with Node(settings_for(receiver, tmp_path, ["post"])) as node:
        alice = node.create_account("alice")
        receiver.status = 410
        made = publish(node, alice, "one")
        assert eventually(lambda: report(node)["failures"] >= 1)
        shown = report(node)
        assert shown["name"] == "configured" and shown["last_error"] == "answered 410"
        assert shown["next_try_at"] and shown["delivered"] == 0 and shown["lost"] == 0
        metrics = node.metrics()
        assert metrics['trunkline_webhook_failures_total{webhook="configured"}'] >= 1
        receiver.status = 200
        assert eventually(lambda: receiver.ids("post.created") == [made], 30)
        assert "webhook configured: failed" in node.log()


@pytest.mark.parametrize("key, value, part", [
    ("webhooks.url", "http://hooks.example/in", "loopback"),
    ("webhooks.url", "", "together"),
    ("webhooks.events", ["pots"], "did you mean 'post'"),
    ("webhooks.secret_file", "/nowhere/secret", "cannot be read"),
])
def test_wrong_settings_stop_the_start(receiver, tmp_path, key, value, part):
    settings = {**settings_for(receiver, tmp_path), key: value}
    if not value:
        del settings[key]
    with Node(settings, start=False) as node:
        done = subprocess.run([binary(), "run", "--config", str(node.config_file)],
                              capture_output=True, text=True, timeout=60,
                              env=clean_environment(**os.environ))
        assert done.returncode == 78, done.stderr
        assert key.split(".")[0] in done.stderr and part in done.stderr, done.stderr
