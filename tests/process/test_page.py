"""The one screen that names the culprit: the node's page in a real browser, and `trunkline top`."""

import gzip
import os
import pty
import re
import select
import struct
import subprocess
import termios
import fcntl
import time

import pytest

from browser import Browser
from fake_hosts import FakeHosts
from node import binary, clean_environment, eventually
from test_fedify import federated_node

HOSTS = 40
HUNG = 3
ASSETS_MAX = 60_000  # bytes, compressed
NODES_MAX = 600      # of the DOM


@pytest.fixture(scope="module")
def scene():
    """A node with followers on 40 hosts, of which three accept and never answer."""
    with FakeHosts(HOSTS, check_every=9) as farm, federated_node(None) as node:
        alice = node.create_account("alice")
        actor = f"{node.web_url}/users/{alice.name}"
        farm.follow(node, actor, range(HOSTS))
        farm.learn_key(actor)
        assert eventually(lambda: all(host.received for host in farm.hosts), 60)
        farm.hang(range(HUNG))
        for number in range(5):
            node.post("/api/v1/statuses", alice, data={"status": f"waits {number}"})
        assert eventually(lambda: len(attention(node)) >= HUNG, 90), attention(node)
        yield node, farm


def attention(node):
    answer = node.admin("GET", "/admin/v1/delivery", token=node.admin_token("read")).json()
    return [one["name"] for one in answer["attention"]]


def names(page):
    return page.value("[...document.querySelectorAll('#hosts tr')].map((row) => row.cells[0].textContent)")


def shown_page(node, page, scope="operate"):
    page.open(f"{node.admin_url}/#token={node.admin_token(scope)}")
    page.wait_for("document.querySelectorAll('#hosts tr').length > 0")


def test_it_names_who_stalls_and_why(scene):
    node, farm = scene
    with Browser() as page:
        shown_page(node, page)
        page.wait_for(f"document.querySelectorAll('#attention li').length >= {HUNG}")
        told = page.value("document.getElementById('attention').innerText")
        for host in farm.hosts[:HUNG]:
            line = next(line for line in told.splitlines() if line.startswith(host.name + ":"))
            assert re.search(r"\d+ waiting, oldest \d+ (s|min)", line), line
            assert "next try" in line or "since" in line, line
        for host in farm.hosts[HUNG:]:
            assert host.name + ":" not in told
        assert set(names(page)[:HUNG]) == {host.name for host in farm.hosts[:HUNG]}
        assert not page.value("location.hash"), "the token stands in the address"
        assert all(url.startswith((node.admin_url, "about:", "data:")) for url in page.requested)
        assert not page.complaints


def test_it_stays_small(scene):
    node, _ = scene
    total = 0
    for path in ("/", "/page.js", "/page.css"):
        answer = node.admin("GET", path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        total += len(gzip.compress(answer.content, 9))
    with Browser() as page:
        shown_page(node, page)
        page.wait_for("document.querySelectorAll('#hosts tr').length === 25")
        page.call("HeapProfiler.collectGarbage")
        elements = page.value("document.querySelectorAll('*').length")
        nodes = page.metric("Nodes")
    assert total <= ASSETS_MAX and elements <= NODES_MAX and nodes <= NODES_MAX * 2
    print(f"I15 page: {total} bytes compressed, {elements} elements, {nodes:.0f} nodes with text")


def test_a_host_is_paused_and_resumed_with_keys_alone(scene):
    node, farm = scene
    host = farm.hosts[0].name
    paused = lambda: node.admin("GET", f"/admin/v1/hosts/{host}",
                                token=node.admin_token("read")).json()["paused"]
    focused = "document.activeElement.getAttribute('aria-label')"
    with Browser() as page:
        shown_page(node, page)
        page.press("/")
        assert page.value("document.activeElement.id") == "search"
        for letter in host:
            page.press(letter)
        page.wait_for("document.querySelectorAll('#hosts tr').length === 1")
        for what, then in (("pause", True), ("resume", False)):
            page.value("document.getElementById('search').focus()")
            for _ in range(4):
                page.press("Tab")
                if page.value(focused) == f"{what} {host}":
                    break
            assert page.value(focused) == f"{what} {host}"
            page.press("Enter")
            assert eventually(lambda: paused() is then), what
            page.wait_for(f"document.getElementById('said').textContent === '{host}: {what} done'")
            page.wait_for("[...document.querySelectorAll('#hosts button')].some((one) => one.textContent === "
                          + ("'resume')" if then else "'pause')"))
        assert not page.complaints
    listed = node.admin("GET", "/admin/v1/audit", token=node.admin_token("read")).json()["audit"]
    assert {"pause", "resume"} <= {one["action"].split(".")[-1].split(":")[-1] for one in listed
                                   if host in one["target"]}


def test_a_token_that_may_only_read_changes_nothing(scene):
    node, farm = scene
    with Browser() as page:
        shown_page(node, page, "read")
        page.value("document.querySelector('#hosts button').click()")
        page.wait_for("document.getElementById('said').textContent.includes('refused')")
        page.open(node.admin_url + "/")
        page.value("sessionStorage.clear()")
        page.open(node.admin_url + "/")
        page.wait_for("document.readyState === 'complete' && !document.getElementById('login').hidden")
        assert names(page) == []


def test_motion_is_reduced_when_that_is_wished(scene):
    node, _ = scene
    with Browser() as page:
        moved = "getComputedStyle(document.querySelector('#hosts tr')).transitionDuration"
        shown_page(node, page)
        assert page.value(moved) != "0s"
        page.prefer_reduced_motion(True)
        assert page.value(moved) == "0s"


def test_sorting_asks_the_node(scene):
    node, _ = scene
    with Browser() as page:
        shown_page(node, page)
        page.value("(() => { const sort = document.getElementById('sort'); sort.value = 'failures';"
                   " sort.dispatchEvent(new Event('input', { bubbles: true })); })()")
        page.wait_for("performance.getEntriesByType('resource')"
                      ".some((one) => one.name.includes('sort=failures'))")
        assert len(names(page)) == 25


def test_top_prints_once_for_scripts(scene):
    node, farm = scene
    text = node.cli("top", "--once")
    for host in farm.hosts[:HUNG]:
        assert f"{host.name}: " in text
    assert "\x1b" not in text
    only = node.cli("top", "--once", "--search", farm.hosts[7].name)
    assert farm.hosts[7].name in only and farm.hosts[8].name not in only.split("HOST")[1]


def read_screen(terminal, until, seconds=20):
    text, ends = "", time.monotonic() + seconds
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 65536).decode(errors="replace")
            if until in text:
                return text
    raise AssertionError(f"{until!r} was not shown:\n{text[-3000:]}")


def test_top_obeys_keys_in_a_terminal(scene):
    node, farm = scene
    host = farm.hosts[1].name
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 150, 0, 0))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen([binary(), "top", "--config", str(node.config_file)], stdin=theirs,
                               stdout=theirs, stderr=subprocess.PIPE, env=clean_environment(),
                               start_new_session=True)
    try:
        read_screen(ours, "NEEDS ATTENTION")
        os.write(ours, b"/")
        for length, letter in enumerate(host, 1):
            os.write(ours, letter.encode())
            read_screen(ours, f"search: {host[:length]}_")
        os.write(ours, b"\r")
        read_screen(ours, "q quit")
        os.write(ours, b"p")
        read_screen(ours, f"{host}: pause done")
        os.write(ours, b"p")
        read_screen(ours, f"{host}: resume done")
        os.write(ours, b"s")
        read_screen(ours, "by oldest")
        os.write(ours, b"q")
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs) == before, "the terminal is as it was"
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
