"""A91: hostile markup, sanitised, in a real browser: nothing of it runs. Raw, much of it does."""

import html
import json
import os
import pathlib
import re
import subprocess

from node import ROOT

PAYLOADS = ROOT.parent / "shared" / "data" / "hostile-html.json"
BROWSER = "chromium-headless-shell"
# How many of the payloads a browser of today runs as they are: the check itself must see scripts.
RUN_RAW_MIN = 20
# Every one of these does.
PLAIN = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
         "<a href='javascript:alert(1)'>x</a>", "<svg onload=alert(1)>"]

# Handed to each frame before the payload: whatever calls one of these has run.
TRAP = """<script>
const ran = () => parent.postMessage(%d, "*");
for (const name of ["alert", "confirm", "prompt", "print", "open", "eval"]) window[name] = ran;
window.addEventListener("load", () => {
  for (const one of document.querySelectorAll("body *"))
    for (const event of ["click", "mouseover", "mouseenter", "focus", "toggle", "animationstart"])
      one.dispatchEvent(new Event(event, { bubbles: true, cancelable: true }));
  for (const link of document.querySelectorAll("a[href]"))
    if (link.protocol === "javascript:") ran(); // once somebody clicks
});
</script><body>"""

PAGE = """<!doctype html><meta charset="utf-8"><script>
const seen = new Set();
window.addEventListener("message", (event) => {
  seen.add(event.data);
  document.documentElement.dataset.ran = [...seen].join(",");
});
</script>%s<script>
window.addEventListener("load", () => { document.documentElement.dataset.loaded = "yes"; });
</script>"""


def ran_in_browser(folder, name, texts):
    """The numbers of the texts of which some script ran."""
    frames = "".join(
        f'<iframe sandbox="allow-scripts" srcdoc="{html.escape(TRAP % number + text, quote=True)}"></iframe>'
        for number, text in enumerate(texts))
    page = pathlib.Path(folder) / name
    page.write_text(PAGE % frames, encoding="utf-8", errors="replace")
    done = subprocess.run(
        [BROWSER, "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
         "--timeout=20000", "--dump-dom", f"--user-data-dir={folder}/{name}-profile",
         page.as_uri()], capture_output=True, text=True, timeout=240)
    assert 'data-loaded="yes"' in done.stdout, (done.stdout[:300], done.stderr[-2000:])
    found = re.search(r'<html[^>]* data-ran="([^"]*)"', done.stdout)
    return {int(number) for number in found[1].split(",")} if found else set()


def sanitised(texts):
    program = os.environ.get("TRUNKLINE_SANITIZE_BINARY")
    assert program and pathlib.Path(program).exists(), "TRUNKLINE_SANITIZE_BINARY: build it"
    done = subprocess.run([program], input=json.dumps(texts), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_A91_nothing_that_was_sanitised_runs(tmp_path):
    texts = []
    if PAYLOADS.exists():
        texts = [one["payload"] for one in json.loads(PAYLOADS.read_text())]
    else:
        print("left out: A91, ../shared/data/hostile-html.json is not here; the plain ones are run")
    texts += PLAIN
    raw = ran_in_browser(tmp_path, "raw.html", texts)
    assert len(raw) >= min(RUN_RAW_MIN, len(texts)), f"only {len(raw)} of {len(texts)} ran as they are"
    plain = set(range(len(texts) - len(PLAIN), len(texts)))
    assert plain <= raw, [texts[number] for number in plain - raw]
    clean = ran_in_browser(tmp_path, "clean.html", sanitised(texts))
    assert not clean, [texts[number] for number in sorted(clean)]
    print(f"A91 in a browser: {len(raw)} of {len(texts)} texts ran raw, 0 sanitised")
