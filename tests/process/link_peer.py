"""A stranger at the port for the other nodes: with any certificate, or none, and with CAF's BASP.

    with LinkPeer(node, context(folder, "n3")) as peer:     # n3 is not running
        assert peer.greet()                                 # BASP's handshake
        peer.tell(hello("n3"))
        assert peer.ends()
"""

import datetime
import os
import socket
import ssl
import struct
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SERVER_HANDSHAKE, CLIENT_HANDSHAKE, DIRECT_MESSAGE, ROUTED_MESSAGE = range(4)
NAMED_RECEIVER = 1  # a flag: the destination is a name
BASP_VERSION = 3
WELCOME = b"\1"  # what a node says to who dialled, before anything else
HELLO, FRAMES = 1, 2  # kinds of envelopes
ATOM_LETTERS = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def context(folder, name=None):
    """Of a client that shows the certificate of that name, or none, and believes everybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if name:
        made.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return made


def certify(folder, name, begins, ends, out=None):
    """Makes a certificate of the CA in `folder` for `name`, valid from and to those seconds from
    now, in the files of `out`."""
    authority = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    signer = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.utcnow()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(authority.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(seconds=begins))
            .not_valid_after(now + datetime.timedelta(seconds=ends))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.ExtendedKeyUsage(usages), False)
            .sign(signer, hashes.SHA256()))
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                               serialization.NoEncryption())
    replace(folder / f"{out or name}.key", secret)
    replace(folder / f"{out or name}.pem", made.public_bytes(serialization.Encoding.PEM))


def replace(file, content):
    """In the place of the old file at once, for its owner alone."""
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(content)
    part.rename(file)


# --- BASP ----------------------------------------------------------------------------------------


def basp(operation, payload=b"", flags=0, number=0, source=0, destination=0, length=None):
    """A message; `length` is what its header says of the payload, when that is not true."""
    return struct.pack(">BxxBIQQQ", operation, flags, len(payload) if length is None else length,
                       number, source, destination) + payload


def atom(text):
    value = 0xF
    for letter in text:
        value = value << 6 | ATOM_LETTERS.index(letter)
    return value


def text_of(content):
    """A text or bytes, behind their length."""
    content = content.encode() if isinstance(content, str) else content
    size, length = len(content), b""
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return length + bytes([size]) + content


def message(types, values=b""):
    """The payload of a message that nobody has forwarded: "A+B" and the bytes of both."""
    return b"\0" + struct.pack(">H", 0) + text_of("@<>+" + types) + values


def envelope(kind, body=b"", epoch=1, sequence=0, version=1):
    return message("trunkline.envelope",
                   struct.pack(">BHQQ", kind, version, epoch, sequence) + text_of(body))


def hello(node, versions=(1, 1), is_answer=False, epoch=1):
    body = struct.pack("<Q", len(node)) + node.encode() + struct.pack("<HHB", *versions, is_answer)
    return envelope(HELLO, body, epoch)


class LinkPeer:
    """One connection to the port of a node; without a context it is plain TCP."""

    def __init__(self, node, context=None):
        host, port = node.settings["cluster.listen"].rsplit(":", 1)
        self.wire = socket.create_connection((host, int(port)), 10)
        self.wire.settimeout(10)
        self.fault = ""
        if context:
            try:
                self.wire = context.wrap_socket(self.wire)
            except OSError as fault:
                self.fault = str(fault)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def send(self, content):
        """Tells whether the node still takes something."""
        try:
            self.wire.sendall(content)
            return True
        except OSError as fault:
            self.fault = str(fault)
            return False

    def read(self, size):
        """As much, or less when the connection ends before."""
        got = b""
        while len(got) < size:
            try:
                more = self.wire.recv(size - len(got))
            except TimeoutError:
                raise
            except OSError as fault:
                self.fault = str(fault)
                break
            if not more:
                break
            got += more
        return got

    def read_message(self):
        """The header of BASP as a tuple, and the payload; None at the end."""
        header = self.read(32)
        if len(header) < 32:
            return None
        operation, flags, length, number, source, destination = struct.unpack(">BxxBIQQQ", header)
        return (operation, flags, number, source, destination), self.read(length)

    def greet(self, answer=True):
        """The handshake of BASP, in which the node speaks first; returns whether it did."""
        welcome, told = self.read(1), self.read_message()
        if welcome != WELCOME or told is None:
            return False
        (operation, _, version, _, _), payload = told
        assert (operation, version) == (SERVER_HANDSHAKE, BASP_VERSION), told
        self.link = struct.unpack(">Q", payload[-9:-1])[0]  # before an empty set
        if answer:
            own = struct.pack(">QI", atom("default"), os.getpid()) + os.urandom(20)
            self.send(basp(CLIENT_HANDSHAKE, own))
        return True

    def tell(self, payload, source=1):
        """A message from one of our actors to the link; tells whether the node takes something."""
        return self.send(basp(DIRECT_MESSAGE, payload, source=source, destination=self.link))

    def answers(self, seconds, source=1):
        """The payloads that come within that time to our actor `source`; None last: it is over."""
        got, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                told = self.read_message()
            except TimeoutError:
                break
            if told is None:
                got.append(None)
                break
            (operation, flags, _, _, destination), payload = told
            if (operation, flags, destination) == (DIRECT_MESSAGE, 0, source):
                got.append(payload)
        return got

    def ends(self, seconds=5):
        """Whether the node ends the connection."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.wire.settimeout(left)
            try:
                if not self.wire.recv(65536):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False
