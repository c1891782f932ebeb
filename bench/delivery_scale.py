"""Rows 6, 7, 10 and 11 of bench/delivery.py, and those that run on a fake clock."""

import itertools
import pathlib
import statistics
import subprocess
import threading
import time
import urllib.parse

from delivery_kit import *
from delivery_rows import Saturated, ceiling_scene, compare, followed_scene, latency
from delivery_signing import Key

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


def row_6(bench):
    """A restart with 1,000 activities that 1,000 hosts do not have."""
    with scene(bench.programs, 1_000) as (farm, node):
        accounts, _ = followed_scene(bench, farm, node, 8, [("0-999", "h%.test")])
        time.sleep(5)
        baseline = node.rss_mb()
        node.stop()
        node.seed("log", ",".join(one.name for one in accounts), 125, 0)
        farm.reset()
        began = time.time_ns()
        node.start()
        watch = Watch(lambda: {"rss": node.rss_mb()})
        eventually(lambda: farm.count()["posts"], 60, 0.02)
        first = (farm.stats()["first_ns"] - began) / 1e9 if farm.count()["posts"] else float("inf")
        time.sleep(45)
        watch.stop()
        grown = watch.most("rss") - baseline
        bench.table.add(6, "first send after a start with 1,000,000 undelivered", first, "<= 3",
                        first <= 3, "s")
        bench.table.add(6, "memory over the baseline", grown, "<= 256", grown <= 256, "MB")
        bench.table.add(6, "delivered in the first 45 s", farm.count()["unique"], "", None)
        bench.check_farm(6, farm)


def row_7(bench):
    """A log of 5,000,000 rows, as a rule; each of 1,001 hosts is 6 days behind with 10 items."""
    hosts_of_an_author, authors, items = 20, 50, 10
    with scene(bench.programs, 1 + hosts_of_an_author * authors) as (farm, node):
        node.start()
        accounts = node.create_accounts("author", authors + 1)
        node.stop()
        node.seed("followers", accounts[0].name, "0-0", "h%.test", farm.port)
        for number, account in enumerate(accounts[1:]):
            first = 1 + number * hosts_of_an_author
            node.seed("followers", account.name, f"{first}-{first + hosts_of_an_author - 1}",
                      "h%.test", farm.port)
        began = time.monotonic()
        node.seed("log", ",".join(one.name for one in accounts), items,
                  bench.rows_of_row_7, 6)
        print(f"     ({bench.rows_of_row_7} rows written in {time.monotonic() - began:.0f} s)", flush=True)
        node.start()
        farm.learn_keys(node, accounts)
        time.sleep(5)
        early = farm.count()["posts"]
        pages = node.pages_read()
        began = time.time_ns()
        node.admin("POST", f"/admin/v1/hosts/h0.test:{farm.port}:retry-now")
        eventually(lambda: farm.stats("0")["unique"] >= items, 60, 0.02)
        found = farm.stats("0")
        first = (found["first_ns"] - began) / 1e9 if found["unique"] else float("inf")
        bench.table.add(7, "first send after the host's recovery", first, "<= 1",
                        first <= 1 and not early, "s")
        bench.table.add(7, "of its 10 items delivered", found["unique"], "10",
                        found["unique"] == items)
        # A scan of the log would read 12,000 pages an item: 40 rows are on one.
        read = (node.pages_read() - pages) / items
        bench.table.add(7, "pages of the database read for each item", read, "<= 100", read <= 100)
        wanted = items * (1 + hosts_of_an_author * authors)
        due = time.time()
        for number in range(1, farm.hosts):
            node.admin("POST", f"/admin/v1/hosts/h{number}.test:{farm.port}:retry-now")
        eventually(lambda: farm.count()["unique"] >= wanted, 120, 0.1)
        found = farm.stats()
        took = found["last_ns"] / 1e9 - due if found["unique"] >= wanted else float("inf")
        bench.table.add(7, "1,000 such hosts at once", took, "<= 60", took <= 60, "s")
        bench.check_farm(7, farm)


def row_10(bench):
    """30,000 known hosts of which 300 are active, against 300 alone."""
    seconds = 60
    with scene(bench.programs, 300) as (farm, node):
        accounts, _ = followed_scene(bench, farm, node, 2, [("0-299", "h%.test")])
        idle = node.create_account("idle")
        node.stop()
        node.keep_copy()
        crowd = node.folder / "crowd"
        node.seed("followers", idle.name, "300-29999", "h%.test", farm.port)
        shutil.copytree(node.data, crowd)

        def run(crowded):
            node.go_back()
            if crowded:
                shutil.rmtree(node.data)
                shutil.copytree(crowd, node.data)
            node.start()
            Author(accounts[0]).post("warm")
            time.sleep(5)
            cpu = node.cpu_seconds()
            Steady(accounts, 0.5, seconds, threads=2).wait()
            result = {"cpu": 100 * (node.cpu_seconds() - cpu) / seconds, "rss": node.rss_mb()}
            node.stop()
            return result

        without, with_idle = in_pairs(bench.pairs, run)
        memory, cpu = with_idle["rss"] - without["rss"], with_idle["cpu"] - without["cpu"]
        bench.table.add(10, "memory of 29,700 idle hosts", memory, "<= 50", memory <= 50, "MB")
        bench.table.add(10, "their CPU, percent of a core", cpu, "<= 1", cpu <= 1, "%")
        bench.check_farm(10, farm)


# --- the list of hosts: what an operator asks while everything is busy -------------------------------


def row_hosts(bench):
    """The hosts sorted and searched, 100,000 of them, while deliveries run at full speed."""
    known, asked = 100_000, 40
    with scene(bench.programs, 100) as (farm, node):
        accounts = ceiling_scene(farm, node)
        idle = node.create_account("idle")
        node.stop()
        node.seed("followers", idle.name, f"{farm.hosts}-{known - 1}", "h%.test", farm.port)
        node.start()
        eventually(lambda: node.admin("GET", "/admin/v1/delivery")[1]["totals"]["hosts"] >= known,
                   60, 0.5)
        load = Saturated(farm, accounts)
        time.sleep(3)
        began, before = time.monotonic(), farm.count()["posts"]
        took, wrong = {}, 0
        wishes = [f"sort={order}" for order in ("backlog", "oldest", "failures", "latency", "name")]
        for _ in range(asked):
            for wish in [*wishes, "q=h777", "state=healthy"]:
                at = time.monotonic()
                status, listed = node.admin("GET", f"/admin/v1/hosts?limit=25&{wish}")
                took.setdefault(wish, []).append(1000 * (time.monotonic() - at))
                wrong += status != 200 or len(listed["hosts"]) != 25
        rate = (farm.count()["posts"] - before) / (time.monotonic() - began)
        missing = load.stop()
        for wish, times in took.items():
            middle = statistics.median(times)
            bench.table.add("hosts", f"25 of {known} hosts, {wish}: median (p99 "
                                     f"{percentile(times, 0.99):.0f} ms)", middle, "<= 50",
                            middle <= 50, "ms")
        bench.table.add("hosts", "lists that were not right", wrong, "0", wrong == 0)
        bench.table.add("hosts", "deliveries/s meanwhile", rate, "", None)
        bench.table.add("hosts", "deliveries that did not arrive", missing, "0", missing == 0)


# --- row 11: hosts whose GETs hang ------------------------------------------------------------------

HANGING, OTHERS = 200, 50


class Inbound:
    """Signed deliveries to the node, made before the run and sent at a constant rate."""

    def __init__(self, node, requests, rate, seconds, threads):
        self.latencies, self.statuses, self.lock = [], {}, threading.Lock()
        start = time.monotonic()
        count = min(len(requests), int(rate * seconds))
        turns = iter([(start + number / rate, requests[number]) for number in range(count)])
        self.threads = [threading.Thread(target=self._run, args=(node, turns), daemon=True)
                        for _ in range(threads)]
        self.turns_lock = threading.Lock()
        for thread in self.threads:
            thread.start()

    def _run(self, node, turns):
        connection = Connection(node.url, timeout=40)
        while True:
            with self.turns_lock:
                due, request = next(turns, (0, None))
            if request is None:
                return
            time.sleep(max(0, due - time.monotonic()))
            began = time.monotonic()
            try:
                status, _ = connection.ask("POST", "/inbox", request[1], request[0])
            except (OSError, http.client.HTTPException):
                status = 0
            with self.lock:
                self.statuses[status] = self.statuses.get(status, 0) + 1
                self.latencies.append((time.monotonic() - began) * 1000)

    def wait(self):
        for thread in self.threads:
            thread.join(120)
        return self


class Letters:
    """Activities of the fake hosts' actors to a local account, signed."""

    def __init__(self, farm, node, key, to):
        self.farm, self.node, self.key, self.to = farm, node, key, to
        self.numbers = itertools.count()

    def note_from(self, host, answers=None):
        origin = f"http://h{host}.test:{self.farm.port}"
        actor, id = f"{origin}/users/u", f"{origin}/inbound/{next(self.numbers)}-{time.time_ns()}"
        me = f"{self.node.url}/users/{self.to.name}"
        note = {"id": id, "type": "Note", "attributedTo": actor, "content": "<p>hello</p>",
                "to": [PUBLIC], "cc": [me], "tag": [{"type": "Mention", "href": me}],
                "published": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        if answers is not None:
            note["inReplyTo"] = f"http://h{answers}.test:{self.farm.port}/notes/{answers}"
        return self.key.request(actor, self.node.url + "/inbox", {
            "@context": "https://www.w3.org/ns/activitystreams", "id": id + "/activity",
            "type": "Create", "actor": actor, "to": [PUBLIC], "cc": [me], "object": note})


def resolve_strangers(account, farm, hosts, until):
    """What local users do who search for accounts of hosts that hang."""
    def run(share):
        author = Author(account)
        author.connection.timeout = 40
        for host in itertools.cycle(share):
            if time.monotonic() > until:
                return
            try:
                handle = urllib.parse.quote(f"@u@h{host}.test:{farm.port}")
                author.ask("GET", f"/api/v2/search?q={handle}&resolve=true&type=accounts")
            except (OSError, RuntimeError, http.client.HTTPException):
                author.connection.close()
            time.sleep(0.5)
    threads = [threading.Thread(target=run, args=(hosts[at::8],), daemon=True) for at in range(8)]
    for thread in threads:
        thread.start()
    return threads


def row_11(bench):
    """200 hosts whose GETs hang, while local users and 50 other hosts work."""
    seconds, rate = 30, 8
    key = Key()
    with workplace() as folder:
        pem = folder / "key.pem"
        pem.write_text(key.public_pem)
        with scene(bench.programs, HANGING + OTHERS, "--public-key", str(pem)) as (farm, node):
            others = f"{HANGING}-{HANGING + OTHERS - 1}"
            accounts, reader = followed_scene(bench, farm, node, 8, [(others, "h%.test")])
            letters = Letters(farm, node, key, reader)
            known = [letters.note_from(HANGING + number) for number in range(OTHERS)]
            Inbound(node, known, 50, 1, 4).wait()  # their keys are known afterwards
            node.stop()
            node.keep_copy()

            def run(faulty):
                farm.script("", "fast")
                farm.reset()
                node.go_back()
                node.start()
                good = [letters.note_from(HANGING + at % OTHERS) for at in range(rate * seconds)]
                threads = [letters.note_from(HANGING + at % OTHERS, at % HANGING)
                           for at in range(seconds)]
                bad = [letters.note_from(at % HANGING) for at in range(rate * seconds)]
                for account in accounts:
                    Author(account).post("warm")
                time.sleep(2)
                if faulty:
                    farm.script(f"0-{HANGING - 1}", "gets_hang")
                users = resolve_strangers(reader, farm, range(HANGING), time.monotonic() + seconds)
                hung = Inbound(node, bad + threads, rate + 1, seconds, 100)
                load = Steady(accounts, 2, seconds, reader)
                inbound = Inbound(node, good, rate, seconds, 8).wait()
                load.wait()
                wanted = OTHERS * load.posts
                eventually(lambda: farm.stats(others, load.since, load.until)["unique"] >= wanted,
                           30, 0.5)
                found = farm.stats(others, load.since, load.until)
                accepted = inbound.statuses.get(202, 0)
                hung.wait()
                for user in users:
                    user.join(60)
                node.kill()
                return {"home": percentile(load.seen_ms, 0.99),
                        "inbound": percentile(inbound.latencies, 0.99),
                        "refused": len(inbound.latencies) - accepted,
                        "deliveries": latency(found, wanted)}

            without, with_fault = in_pairs(bench.pairs, run)
            compare(bench, 11, "seen in a local home, p99", without["home"], with_fault["home"])
            compare(bench, 11, "inbound of other hosts, p99", without["inbound"],
                    with_fault["inbound"])
            compare(bench, 11, "deliveries to other hosts, p99", without["deliveries"],
                    with_fault["deliveries"])
            bench.table.add(11, "inbound of other hosts that was refused", with_fault["refused"],
                            "0", with_fault["refused"] == 0)
            bench.check_farm(11, farm)


# --- rows 8, 9 and 12 -------------------------------------------------------------------------------


def rows_on_a_fake_clock(bench, rows):
    """Runs tests/delivery_rows_tests, which prints "row 8: ..." and fails when a row does."""
    program = pathlib.Path(bench.rows_tests)
    if not program.exists():
        for row in rows:
            bench.table.add(row, f"{program} is missing", "-", "", False)
        return
    done = subprocess.run([str(program)], capture_output=True, text=True, timeout=300)
    for line in done.stdout.splitlines():
        for row in rows:
            if line.startswith(f"row {row}:"):
                bench.table.add(row, line.split(":", 1)[1].strip()[:150], "", "", None)
    for row in rows:
        bench.table.add(row, f"{program.name} ends with", done.returncode, "0",
                        done.returncode == 0)
