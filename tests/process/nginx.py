"""Debian's nginx with the sample configuration that we ship, in front of a node."""

import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "cluster-config" / "nginx.conf"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """Takes a port at once, so that `url` is known before the node starts; `serve` begins."""

    def __init__(self):
        self.program = shutil.which("nginx") or "/usr/sbin/nginx"
        assert pathlib.Path(self.program).exists(), "nginx is missing: apt install nginx-light"
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="trunkline-nginx-"))
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.certificate = self.folder / "certificate.pem"
        self.key = self.folder / "key.pem"
        self.process = None
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", str(self.key), "-out", str(self.certificate)],
                       check=True, capture_output=True)

    def configuration(self, node_port):
        """The sample with the names, ports and files of this test; each must stand in it."""
        text = SAMPLE.read_text()
        for pattern, value in ((r"127\.0\.0\.1:3000;", f"127.0.0.1:{node_port};"),
                               (r"listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
                               (r"listen 80;", f"listen 127.0.0.1:{free_port()};"),
                               (r"listen \[::\]:\d+[^;]*;", ""),
                               (r"example\.org;", "localhost;"),
                               (r"ssl_certificate [^;]+;", f"ssl_certificate {self.certificate};"),
                               (r"ssl_certificate_key [^;]+;", f"ssl_certificate_key {self.key};")):
            text, count = re.subn(pattern, value, text)
            assert count >= 1, pattern
        folders = "".join(f"  {name}_temp_path {self.folder}/{name};\n" for name in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return (f"daemon off;\npid {self.folder}/pid;\nerror_log {self.folder}/error.log;\n"
                "worker_processes 1;\nevents {}\n"
                f"http {{\n  access_log {self.folder}/access.log;\n{folders}{text}\n}}\n")

    def serve(self, node_port):
        file = self.folder / "nginx.conf"
        file.write_text(self.configuration(node_port))
        self.process = subprocess.Popen([self.program, "-p", str(self.folder), "-c", str(file)],
                                        stderr=subprocess.PIPE)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            assert self.process.poll() is None, self.process.stderr.read().decode()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise AssertionError("nginx does not listen")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)
