"""Signed requests of fake hosts, with the standard library alone.

    key = Key()                       # RSA-2048, made by openssl; .public_pem
    key.request("http://h1.test:9/users/u", "http://127.0.0.1:8/inbox", activity) -> (headers, body)
"""

import base64
import email.utils
import hashlib
import json
import subprocess
import urllib.parse

SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def read_integers(der):
    """The whole numbers of an ASN.1 sequence of numbers."""
    def length(at):
        first = der[at]
        if first < 128:
            return first, at + 1
        size = first & 127
        return int.from_bytes(der[at + 1:at + 1 + size], "big"), at + 1 + size
    _, at = length(1)
    numbers = []
    while at < len(der):
        size, begin = length(at + 1)
        numbers.append(int.from_bytes(der[begin:begin + size], "big"))
        at = begin + size
    return numbers


class Key:
    def __init__(self):
        made = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], capture_output=True,
                              check=True, timeout=60).stdout
        self.public_pem = subprocess.run(["openssl", "rsa", "-pubout"], input=made,
                                         capture_output=True, check=True, timeout=60).stdout.decode()
        lines = made.decode().strip().splitlines()
        der = base64.b64decode("".join(lines[1:-1]))
        _, self.n, _, _, self.p, self.q, self.dp, self.dq, self.inverse = read_integers(der)[:9]
        self.size = (self.n.bit_length() + 7) // 8

    def sign(self, text):
        """RSASSA-PKCS1-v1_5 with SHA-256."""
        end = SHA256_PREFIX + hashlib.sha256(text).digest()
        padded = b"\0\1" + b"\xff" * (self.size - len(end) - 3) + b"\0" + end
        number = int.from_bytes(padded, "big")
        one, other = pow(number, self.dp, self.p), pow(number, self.dq, self.q)
        signed = other + (self.inverse * (one - other) % self.p) * self.q
        return base64.b64encode(signed.to_bytes(self.size, "big")).decode()

    def request(self, actor, url, activity):
        """The headers and the body of a signed POST (draft-cavage)."""
        body = json.dumps(activity).encode()
        parts = urllib.parse.urlsplit(url)
        headers = {"Host": parts.netloc, "Date": email.utils.formatdate(usegmt=True),
                   "Digest": "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()}
        lines = [f"(request-target): post {parts.path}"]
        lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
        signature = self.sign("\n".join(lines).encode())
        headers["Signature"] = (f'keyId="{actor}#main-key",algorithm="rsa-sha256",'
                                f'headers="(request-target) host date digest",'
                                f'signature="{signature}"')
        headers["Content-Type"] = "application/activity+json"
        return headers, body
