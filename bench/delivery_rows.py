"""The rows of bench/delivery.py."""

import http.client
import os
import queue
import statistics
import threading
import time

from delivery_kit import *


# --- row 13: the ceiling ----------------------------------------------------------------------------


class Saturated:
    """Keeps the node in work: posts as long as fewer than `ahead` deliveries are missing."""

    def __init__(self, farm, accounts, ahead=4000, threads=2):
        self.farm, self.ahead, self.posted, self.is_over = farm, ahead, 0, False
        self.failures = []
        self.before = farm.count()["unique"]
        self.turns = queue.Queue(1)
        self.threads = [threading.Thread(target=self._post, args=(accounts[number::threads],),
                                         daemon=True) for number in range(threads)]
        self.threads.append(threading.Thread(target=self._watch, daemon=True))
        for thread in self.threads:
            thread.start()

    def _watch(self):
        while not self.is_over:
            wanted = (self.ahead - self.missing()) // self.farm.hosts + 1
            for _ in range(max(0, wanted)):
                self.posted += 1
                self.turns.put(True)
            time.sleep(0.02)
        for _ in self.threads:
            self.turns.put(False)

    def _post(self, accounts):
        clients = [Author(account) for account in accounts]
        number = 0
        while self.turns.get():
            try:
                clients[number % len(clients)].post()
            except (OSError, RuntimeError, http.client.HTTPException) as problem:
                self.failures.append(repr(problem))
            number += 1

    def missing(self):
        return self.posted * self.farm.hosts - (self.farm.count()["unique"] - self.before)

    def stop(self, patience=60):
        """Waits until everything has arrived; returns how much did not."""
        self.is_over = True
        self.threads[-1].join(30)
        for thread in self.threads[:-1]:
            thread.join(30)
        eventually(lambda: self.missing() <= 0, patience, 0.1)
        return self.missing()


def ceiling_scene(farm, node, authors=32):
    node.start()
    accounts = node.create_accounts("author", authors)
    node.stop()
    node.seed("followers", ",".join(one.name for one in accounts), f"0-{farm.hosts - 1}",
              "h%.test", farm.port)
    node.start()
    farm.learn_keys(node, accounts)
    for account in accounts:  # every lane and connection is warm
        Author(account).post()
    wanted = len(accounts) * farm.hosts
    if not eventually(lambda: farm.count()["unique"] >= wanted, 60, 0.2):
        raise RuntimeError(f"warming up: {farm.count()} of {wanted}")
    return accounts


def measured_ceiling(farm, node, accounts, seconds):
    """Deliveries a second while there is always work, and the CPU of each by process and thread."""
    load = Saturated(farm, accounts)
    time.sleep(2)

    def used():
        threads = {"node, threads " + name: spent
                   for name, spent in cpu_by_thread(node.pid).items()}
        return {"node": node.cpu_seconds(), **threads,
                "farm": cpu_seconds(farm.process.process.pid), "driver": sum(os.times()[:2])}
    began, before, cpu = time.monotonic(), farm.count()["posts"], used()
    time.sleep(seconds)
    now, arrived, took = used(), farm.count()["posts"] - before, time.monotonic() - began
    missing = load.stop()
    costs = {name: 1e6 * (now[name] - cpu.get(name, 0)) / max(arrived, 1) for name in now}
    return arrived / took, costs, missing


def row_13(bench):
    """The ceiling: 100 fast hosts, always work; and where the CPU goes."""
    with scene(bench.programs, 100) as (farm, node):
        accounts = ceiling_scene(farm, node)
        shares, rates, costs, lost = [], [], [], 0
        before = signing_rate()
        for _ in range(bench.pairs):
            rate, cost, missing = measured_ceiling(farm, node, accounts, 8)
            after = signing_rate()
            shares.append(rate / ((before + after) / 2))
            rates.append(rate)
            costs.append(cost)
            before, lost = after, lost + missing
        share = statistics.median(shares)
        bench.table.add(13, "share of the RSA speed of both threads", share, ">= 0.6", share >= 0.6)
        bench.table.add(13, "signed deliveries/s, 100 fast hosts", statistics.median(rates), "", None)
        bench.table.add(13, "a signature at that RSA speed, CPU", 2e6 / before, "", None, "us")
        for name in costs[0]:
            cost = statistics.median(one.get(name, 0) for one in costs)
            if cost >= 0.5:
                bench.table.add(13, f"CPU of a delivery: {name}", cost, "", None, "us")
        bench.table.add(13, "deliveries that did not arrive", lost, "0", lost == 0)
        bench.check_farm(13, farm)


# --- row 3: one host far away -----------------------------------------------------------------------


def row_3(bench):
    """A backlog of 10,000 of 64 authors to a host at 300 ms; in short form its first minute."""
    with scene(bench.programs, 1, "--script", "0=fast@300") as (farm, node):
        node.start()
        accounts = node.create_accounts("author", 64)
        node.stop()
        names = ",".join(one.name for one in accounts)
        node.seed("followers", names, "0-0", "h%.test", farm.port)
        node.seed("log", names, 10_000 // 64 + 1, 0)
        wanted = 64 * (10_000 // 64 + 1)
        node.start()
        farm.learn_keys(node, accounts)
        eventually(lambda: farm.count()["unique"] >= wanted, 50 if bench.is_short else 300, 0.2)
        found = farm.stats()
        times = [at for _, _, at, repeated in farm.arrivals() if not repeated]
        if bench.is_short:  # the window has grown after ten seconds
            times = [at for at in times if at > times[0] + 10e9]
        rate = len(times) / ((times[-1] - times[0]) / 1e9) if len(times) > 1 else 0.0
        what = f"activities/s to one host at 300 ms, {found['unique']} of {wanted}"
        enough = found["unique"] >= wanted or bench.is_short
        bench.table.add(3, what, rate, ">= 45", rate >= 45 and enough)
        bench.table.add(3, "sent twice", found["arrivals"] - found["unique"], "0",
                        found["arrivals"] == found["unique"])
        bench.check_farm(3, farm)


# --- row 1: a third of the hosts fails --------------------------------------------------------------


def followed_scene(bench, farm, node, authors, ranges):
    """Accounts that all hosts of `ranges` [(FIRST-LAST, pattern)] follow, a local reader, warm
    connections."""
    node.start()
    accounts = node.create_accounts("author", authors)
    reader = node.create_account("reader")
    for account in accounts:
        Author(reader).ask("POST", f"/api/v1/accounts/{account.id}/follow", {})
    node.stop()
    for hosts, pattern in ranges:
        node.seed("followers", ",".join(one.name for one in accounts), hosts, pattern, farm.port)
    node.start()
    farm.learn_keys(node, accounts)
    return accounts, reader


def wait_drained(farm, node, seconds):
    """Until nothing waits, exceptions included, and nothing has come for three seconds."""
    last = [0, time.monotonic()]

    def is_drained():
        posts = farm.count()["posts"]
        if posts != last[0]:
            last[:] = posts, time.monotonic()
        _, listed = node.admin("GET", "/admin/v1/hosts?limit=40")
        waits = sum(row["backlog"] + row["exceptions"] for row in listed["hosts"])
        return waits == 0 and time.monotonic() - last[1] > 3
    return eventually(is_drained, seconds, 0.5)


def settle(farm, node, hosts):
    """Everybody is well again and has everything: the first `hosts` were not."""
    farm.script(f"0-{hosts - 1}", "refuse")  # ends what they never answered
    time.sleep(0.5)
    farm.script("", "fast")
    time.sleep(0.5)
    for number in range(hosts):
        node.admin("POST", f"/admin/v1/hosts/h{number}.test:{farm.port}:retry-now")
    if not wait_drained(farm, node, 120):
        raise RuntimeError("the hosts did not come to rest")


def row_1(bench):
    """200 hosts at 40 % of the signing rate; 20 black holes, 20 that refuse, 20 that take 5 s."""
    seconds = 20
    with scene(bench.programs, 200) as (farm, node):
        accounts, reader = followed_scene(bench, farm, node, 16, [("0-199", "h%.test")])
        rate = 0.4 * signing_rate() / 200
        missing, failures = [], []

        def run(faulty):
            settle(farm, node, 60)
            if faulty:
                farm.script("0-19", "black_hole")
                farm.script("20-39", "refuse")
                farm.script("40-59", "slow:5000")
            load = Steady(accounts, rate, seconds, reader).wait()
            wanted = 140 * load.posts
            found = eventually(lambda: (lambda now: now["unique"] >= wanted and now)(
                farm.stats("60-199", load.since, load.until)), 30, 0.5) or \
                farm.stats("60-199", load.since, load.until)
            missing.append(wanted - found["unique"])
            failures.extend(load.failures)
            return {"healthy": latency(found, wanted), "home": percentile(load.seen_ms, 0.99),
                    "posts": load.posts / seconds}

        without, with_faults = in_pairs(bench.pairs, run)
        compare(bench, 1, "healthy p99", without["healthy"], with_faults["healthy"], 1000)
        compare(bench, 1, "seen in a local home, p99", without["home"], with_faults["home"], 50)
        bench.table.add(1, "posts/s to 200 hosts", with_faults["posts"], "", None)
        bench.table.add(1, "missing at healthy hosts", sum(missing), "0", not any(missing))
        bench.table.add(1, "failed posts", len(failures), "0", not failures)
        bench.check_farm(1, farm)


def latency(found, wanted):
    """The p99 of what arrived in ms; no number when much did not."""
    return found["p99_ms"] if found["unique"] >= 0.9 * wanted > 0 else float("inf")


def compare(bench, row, what, without, with_fault, most=None):
    """A figure with the fault: within the one without it, and at most `most`."""
    bar = f"within {without:.3g}" + (f", <= {most:g}" if most else "")
    good = within(with_fault, without) and (not most or with_fault <= most)
    bench.table.add(row, what, with_fault, bar, good, "ms")


# --- row 2: most hosts turn into black holes --------------------------------------------------------

HEALTHY, LOST = "0-499", "500-5499"
HEALTHY_COUNT, ALL_COUNT = 500, 5500
MIXED = 50  # a post goes out in the order in which hosts were found: by turns so many of both


def graveyard_scene(bench, farm, node, pattern):
    """500 hosts, and 5,000 named by `pattern`: all are proven, and the database is kept."""
    lost = (ALL_COUNT - HEALTHY_COUNT) // MIXED
    accounts, _ = followed_scene(bench, farm, node, 4, [
        one for turn in range(MIXED) for one in (
            (f"{HEALTHY_COUNT + turn * lost}-{HEALTHY_COUNT + (turn + 1) * lost - 1}", pattern),
            (f"{turn * 10}-{turn * 10 + 9}", "h%.test"))])
    for account in accounts:
        Author(account).post("proof")
    wanted = len(accounts) * ALL_COUNT
    if not eventually(lambda: farm.count()["unique"] >= wanted, 240, 1):
        raise RuntimeError(f"proving the hosts: {farm.count()}")
    time.sleep(3)  # the checkpoint after the last one
    node.stop()
    node.keep_copy()
    return accounts


def graveyard_run(farm, node, accounts, faulty, seconds):
    """One run from the kept database; returns the load, the watch and the memory at its start."""
    farm.script("", "fast")
    farm.reset()
    node.go_back()
    node.start()
    warm = Author(accounts[0])
    warm.post("warm")
    eventually(lambda: farm.count()["unique"] >= ALL_COUNT, 120, 0.5)
    memory = node.rss_mb()
    watch = Watch(lambda: {
        "in flight": node.metrics().get("trunkline_client_requests_in_flight", 0),
        "to black holes": farm.stats(LOST)["open"], "rss": node.rss_mb()})
    load = Steady(accounts, 0.2, seconds)
    if faulty:
        farm.script(LOST, "black_hole")
    load.wait()
    wanted = HEALTHY_COUNT * load.posts
    eventually(lambda: farm.stats(HEALTHY, load.since, load.until)["unique"] >= wanted, 60, 0.5)
    watch.stop()
    node.kill()
    return load, watch, memory


def row_2(bench):
    """500 healthy hosts and 5,000 that turn into black holes in one second, 0.2 posts/s to all."""
    with scene(bench.programs, ALL_COUNT) as (farm, node):
        accounts = graveyard_scene(bench, farm, node, "h%.test")
        most = {"in flight": [], "to black holes": [], "rss": [], "missing": []}

        def run(faulty):
            load, watch, memory = graveyard_run(farm, node, accounts, faulty, 150 if faulty else 120)
            minute = load.since + 60 * 10**9
            early = farm.stats(HEALTHY, load.since, minute)
            late = farm.stats(HEALTHY, minute, load.until)
            most["missing"].append(HEALTHY_COUNT * load.posts - early["unique"] - late["unique"])
            if faulty:
                most["in flight"].append(watch.most("in flight"))
                most["to black holes"].append(watch.most("to black holes", 120))
                most["rss"].append(watch.most("rss") - memory)
            posts = load.posts * 60 / load.seconds
            return {"early": latency(early, HEALTHY_COUNT * posts),
                    "late": latency(late, HEALTHY_COUNT * (load.posts - posts))}

        without, with_fault = in_pairs(bench.pairs, run)
        bench.table.add(2, "healthy p99 in the first minute", with_fault["early"], "<= 2000",
                        with_fault["early"] <= 2000, "ms")
        compare(bench, 2, "healthy p99 after it", without["late"], with_fault["late"])
        bench.table.add(2, "requests in flight", max(most["in flight"]), "<= 3072",
                        max(most["in flight"]) <= 3072)
        bench.table.add(2, "of those to black holes, after 2 minutes", max(most["to black holes"]),
                        "<= 64", max(most["to black holes"]) <= 64)
        bench.table.add(2, "memory grows by", max(most["rss"]), "<= 128", max(most["rss"]) <= 128,
                        "MB")
        bench.table.add(2, "missing at healthy hosts", sum(most["missing"]), "0",
                        not any(most["missing"]))
        bench.check_farm(2, farm)


def row_2b(bench):
    """The 5,000 are names below one registrable domain."""
    with scene(bench.programs, ALL_COUNT) as (farm, node):
        accounts = graveyard_scene(bench, farm, node, "h%.graveyard.test")
        missing = []

        def run(faulty):
            load, _, _ = graveyard_run(farm, node, accounts, faulty, 60)
            found = farm.stats(HEALTHY, load.since, load.until)
            missing.append(HEALTHY_COUNT * load.posts - found["unique"])
            return {"p99": latency(found, HEALTHY_COUNT * load.posts)}

        without, with_fault = in_pairs(bench.pairs, run)
        compare(bench, "2b", "healthy p99, 5,000 names of one domain", without["p99"],
                with_fault["p99"])
        bench.table.add("2b", "missing at healthy hosts", sum(missing), "0", not any(missing))
        bench.check_farm("2b", farm)
