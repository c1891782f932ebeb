"""Remote servers by the thousand, in one thread: host N listens on a loopback address of its own.

    with FakeHosts(200) as farm:
        farm.follow(node, alice_uri, range(200))      # real, signed Follows
        farm.hang(range(64))                          # these accept and never answer
        farm.hosts[100].received                      # ids of activities, in order of arrival

Every host has one actor, `/users/u`, and a shared inbox. All share one RSA key. The signature and the
digest of every `check_every`-th delivery are checked; what was wrong is in `farm.problems`.
"""

import asyncio
import base64
import email.utils
import hashlib
import json
import re
import resource
import threading
import urllib.parse
import uuid

import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ACTIVITY = "application/activity+json"


class FakeHost:
    def __init__(self, farm, number):
        self.farm, self.number = farm, number
        self.address = f"127.1.{number // 250}.{number % 250 + 1}"
        self.name = f"{self.address}:{farm.port}"
        self.origin = f"http://{self.name}"
        self.actor = f"{self.origin}/users/u"
        self.received = []      # ids of activities
        self.bodies = {}        # id -> activity, when the farm keeps bodies
        self.inbox_requests = 0
        self.status = 202       # of deliveries; None: never answers
        self.documents = {}     # path -> JSON, or (status, headers, body); besides the actor
        self.asked = []         # paths of GET requests
        self.open_requests = 0  # that wait for an answer which never comes
        self.most_open = 0

    def document(self, path):
        if path in self.documents:
            return self.documents[path]
        if path == "/users/u":
            return {
                "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
                "id": self.actor, "type": "Person", "preferredUsername": "u",
                "inbox": f"{self.origin}/users/u/inbox",
                "outbox": f"{self.origin}/users/u/outbox",
                "followers": f"{self.origin}/users/u/followers",
                "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
                "publicKey": {"id": self.actor + "#main-key", "owner": self.actor,
                              "publicKeyPem": self.farm.public_pem},
            }
        if path.startswith("/.well-known/webfinger"):
            return {"subject": f"acct:u@{self.name}",
                    "links": [{"rel": "self", "type": ACTIVITY, "href": self.actor}]}
        return None


class FakeHosts:
    def __init__(self, count, port=0, check_every=1, keep_bodies=False, follow_accept=True):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        self.count, self.port, self.check_every, self.keep_bodies = count, port, check_every, keep_bodies
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public_pem = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.problems = []
        self.deliveries = 0
        self.checked = 0
        self.keys = {}  # key id -> public key of ours
        self.node_url = None
        self.session = requests.Session()

    def __enter__(self):
        ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(60), "the fake hosts did not start"
        return self

    def __exit__(self, kind, value, trace):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._listen())
        ready.set()
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())

    async def _listen(self):
        if not self.port:
            probe = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
            self.port = probe.sockets[0].getsockname()[1]
            probe.close()
            await probe.wait_closed()
        self.hosts = [FakeHost(self, number) for number in range(self.count)]
        for host in self.hosts:
            await asyncio.start_server(lambda r, w, host=host: self._serve(host, r, w),
                                       host.address, self.port, backlog=64)

    async def _serve(self, host, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                method, target, _ = head.split("\r\n", 1)[0].split(" ")
                headers = {name.lower(): value.strip() for name, value in
                           re.findall(r"^([^:\r\n]+):(.*)$", head.split("\r\n", 1)[1], re.M)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, more, text = await self._answer(host, method, target, headers, body, reader)
                if status is None:
                    return
                more = {"Content-Type": ACTIVITY, "Content-Length": len(text), **more}
                lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + text)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, host, method, target, headers, body, reader):
        if method != "POST":
            host.asked.append(target)
            if host.status is None:
                await reader.read()
                return None, {}, b""
            document = host.document(target)
            if isinstance(document, tuple):
                return document
            return (200, {}, json.dumps(document).encode()) if document else (404, {}, b"{}")
        host.inbox_requests += 1
        if host.status is None:  # until the other side gives up
            host.open_requests += 1
            host.most_open = max(host.most_open, host.open_requests)
            await reader.read()
            host.open_requests -= 1
            return None, {}, b""
        if host.status // 100 != 2:
            return host.status, {}, b"{}"
        self.deliveries += 1
        if self.check_every and self.deliveries % self.check_every == 0:
            self._check(host, target, headers, body)
        activity = json.loads(body)
        host.received.append(activity["id"])
        if self.keep_bodies:
            host.bodies[activity["id"]] = activity
        return host.status, {}, b"{}"

    def hang(self, numbers):
        for number in numbers:
            self.hosts[number].status = None

    # --- signatures ------------------------------------------------------------------------------

    def _check(self, host, target, headers, body):
        """What every server of the field would check of a delivery of ours (draft-cavage)."""
        self.checked += 1
        try:
            fields = dict(re.findall(r'(\w+)="([^"]*)"', headers["signature"]))
            signed = fields["headers"].split()
            assert {"(request-target)", "host", "date", "digest"} <= set(signed), signed
            digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
            assert headers["digest"] == digest, "digest"
            lines = [f"(request-target): post {target}" if name == "(request-target)"
                     else f"{name}: {headers[name]}" for name in signed]
            self._public_key(fields["keyId"]).verify(
                base64.b64decode(fields["signature"]), "\n".join(lines).encode(),
                padding.PKCS1v15(), hashes.SHA256())
        except (AssertionError, KeyError, InvalidSignature, requests.RequestException) as problem:
            self.problems.append(f"{host.name}{target}: {problem!r} in {headers}")

    def _public_key(self, key_id):
        if key_id not in self.keys:
            answer = requests.get(key_id.split("#")[0], headers={"Accept": ACTIVITY}, timeout=30)
            pem = answer.json()["publicKey"]["publicKeyPem"]
            self.keys[key_id] = serialization.load_pem_public_key(pem.encode())
        return self.keys[key_id]

    def learn_key(self, actor):
        """Fetches the key of an account of ours now: later the thread of the hosts would wait."""
        self._public_key(actor + "#main-key")

    def signed_headers(self, host, url, body, key_id=None, date=None):
        digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
        return {"Content-Type": ACTIVITY,
                **self._sign(host, "post", url, key_id, date, {"Digest": digest})}

    def _sign(self, host, method, url, key_id=None, date=None, more=None):
        """The headers `date` and `more`, and the signature over them, the target and the host."""
        parts = urllib.parse.urlsplit(url)
        target = parts.path + ("?" + parts.query if parts.query else "")
        headers = {"Date": date or email.utils.formatdate(usegmt=True), **(more or {})}
        signed = {"(request-target)": f"{method} {target}", "host": parts.netloc,
                  **{name.lower(): value for name, value in headers.items()}}
        base = "\n".join(f"{name}: {value}" for name, value in signed.items())
        signature = base64.b64encode(
            self.key.sign(base.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        return {**headers,
                "Signature": f'keyId="{key_id or host.actor + "#main-key"}",algorithm="rsa-sha256",'
                             f'headers="{" ".join(signed)}",signature="{signature}"'}

    # --- what hosts do ---------------------------------------------------------------------------

    def send(self, number, url, activity):
        """POSTs a signed activity of host `number`; returns the response."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        headers = self.signed_headers(self.hosts[number], url, body)
        return self.session.post(url, data=body, headers=headers, timeout=60)

    def get(self, number, url):
        """GETs a document as the actor of host `number`, signed; redirects are not followed."""
        url = requests.Request("GET", url).prepare().url
        headers = {"Accept": ACTIVITY, **self._sign(self.hosts[number], "get", url)}
        return self.session.get(url, headers=headers, timeout=60, allow_redirects=False)

    def follow(self, node, actor, numbers):
        """Each of the hosts follows `actor`; all must be answered 202."""
        if self.check_every:
            self.learn_key(actor)
        for number in numbers:
            host = self.hosts[number]
            answer = self.send(number, node.web_url + "/inbox", {
                "@context": "https://www.w3.org/ns/activitystreams", "type": "Follow",
                "id": f"{host.origin}/follows/{uuid.uuid4()}",
                "actor": host.actor, "object": actor})
            assert answer.status_code == 202, (answer.status_code, answer.text)
