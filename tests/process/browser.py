"""Debian's headless Chromium, driven over its own debugging protocol.

    with Browser() as page:
        page.open("http://127.0.0.1:3001/")
        page.value("document.title")
        page.press("Tab")
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import requests
import websocket

PROGRAM = "chromium-headless-shell"
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}


class Browser:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="trunkline-browser-")
        self.process = subprocess.Popen(
            [PROGRAM, "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             f"--user-data-dir={self.folder}", "about:blank"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True)
        try:
            self._connect()
        except BaseException:
            self._end()
            raise
        return self

    def _connect(self):
        port = None
        for line in self.process.stderr:
            if found := re.search(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/", line):
                port = found[1]
                break
        assert port, f"{PROGRAM} does not start"
        pages = requests.get(f"http://127.0.0.1:{port}/json/list", timeout=20).json()
        target = next(one for one in pages if one["type"] == "page")
        self.socket = websocket.create_connection(target["webSocketDebuggerUrl"], timeout=60,
                                                  suppress_origin=True)
        self.count = 0
        self.requested = []  # addresses, of every request of the page
        self.received = 0    # bytes over the wire
        self.complaints = [] # what the console said, and what the page's policy refused
        for domain in ("Page", "Runtime", "Network", "Performance", "Log"):
            self.call(f"{domain}.enable")

    def __exit__(self, *_):
        self.socket.close()
        self._end()

    def _end(self):
        """Ends the whole group: the browser's helpers outlive it when it alone is told to end."""
        os.killpg(self.process.pid, signal.SIGKILL)  # it is there until it was waited for
        self.process.wait(20)
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **parameters):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.count:
                assert "error" not in message, message
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event, told):
        if event == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif event == "Network.loadingFinished":
            self.received += told["encodedDataLength"]
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"].get("exception", told))[:300])
        elif event == "Log.entryAdded" and told["entry"]["source"] in ("javascript", "security"):
            self.complaints.append(told["entry"]["text"])

    def open(self, address):
        self.call("Page.navigate", url=address)

    def value(self, expression):
        """What the expression is in the page; promises are waited for."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                         awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait_for(self, expression, seconds=20):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.value(expression):
                return True
            time.sleep(0.05)
        raise AssertionError(f"{expression} is not so after {seconds} s:\n"
                             + self.value("document.body.innerText")[:2000])

    def press(self, key):
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        # The codes of signs are those of other keys: of '.' that of Delete.
        code = ord(key.upper()) if len(key) == 1 and key.isalnum() else 0
        details = {"key": key, "windowsVirtualKeyCode": KEYS.get(key, code)}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **details)
        self.call("Input.dispatchKeyEvent", type="keyUp", **details)

    def prefer_reduced_motion(self, wish):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-reduced-motion", "value": "reduce" if wish else "no-preference"}])

    def metric(self, name):
        return next(one["value"] for one in self.call("Performance.getMetrics")["metrics"]
                    if one["name"] == name)
