"""Row 14 of bench/delivery.py: the same work by a pipeline of Sidekiq jobs, on the same fake hosts."""

import statistics
import sys

from delivery_kit import *
from delivery_rows import Saturated, ceiling_scene, latency, measured_ceiling, settle

sys.path.insert(0, str(ROOT / "bench" / "peers"))
from sidekiq import Sidekiq, missing_packages  # noqa: E402

HOSTS, HUNG, POSTS, SECONDS = 100, 5, 100, 60
KINDS = [(processes, client) for processes in (1, 2) for client in ("http", "net")]


def rival_rate(farm, folder, processes, client):
    """Deliveries a second of 100 posts at once to 100 fast hosts."""
    farm.reset()
    with Sidekiq(farm, folder, processes, client, free_port(), HOSTS) as rival:
        poster = rival.post(POSTS, 0)
        wanted = POSTS * HOSTS
        eventually(lambda: farm.count()["unique"] >= wanted, 120, 0.2)
        poster.wait(60)
        found = farm.stats()
    seconds = (found["last_ns"] - found["first_ns"]) / 1e9
    return found["unique"] / seconds if found["unique"] >= wanted and seconds else 0.0


def rival_latency(farm, folder, is_hung):
    farm.reset()
    farm.script(f"0-{HUNG - 1}", "black_hole" if is_hung else "fast")
    with Sidekiq(farm, folder, 1, "http", free_port(), HOSTS, followers=HOSTS) as rival:
        rival.post(SECONDS, 1).wait(SECONDS + 60)
        wanted = SECONDS * (HOSTS - HUNG)
        healthy = f"{HUNG}-{HOSTS - 1}"
        eventually(lambda: farm.stats(healthy)["unique"] >= wanted, 30, 0.5)
        found = farm.stats(healthy)
    farm.script(f"0-{HUNG - 1}", "fast")
    return latency(found, wanted)


def rival_lost(farm, folder):
    """Deliveries that a kill in the middle of 10,000 loses."""
    farm.reset()
    since = time.time_ns()  # what earlier runs have left over is not of these

    def arrived():
        return farm.stats("", since)["unique"]
    with Sidekiq(farm, folder, 1, "http", free_port(), HOSTS) as rival:
        rival.post(POSTS, 0).wait(60)
        eventually(lambda: arrived() >= POSTS * HOSTS * 0.4, 120, 0.05)
        rival.kill()
        rival.start()
        before = -1
        while (now := arrived()) != before and now < POSTS * HOSTS:
            before = now
            time.sleep(5)  # nothing has arrived for so long: the rest is lost
    return POSTS * HOSTS - arrived()


def our_latency(farm, accounts, is_hung):
    farm.reset()
    farm.script(f"0-{HUNG - 1}", "black_hole" if is_hung else "fast")
    load = Steady(accounts, 1, SECONDS).wait()
    wanted = load.posts * (HOSTS - HUNG)
    healthy = f"{HUNG}-{HOSTS - 1}"
    eventually(lambda: farm.stats(healthy, load.since)["unique"] >= wanted, 30, 0.5)
    found = farm.stats(healthy, load.since)
    farm.script(f"0-{HUNG - 1}", "fast")
    return latency(found, wanted)


def our_lost(farm, node, accounts):
    settle(farm, node, HUNG)
    farm.reset()
    since = time.time_ns()
    load = Saturated(farm, accounts)
    eventually(lambda: farm.count()["unique"] >= POSTS * HOSTS * 0.4, 120, 0.05)
    load.is_over = True
    eventually(lambda: not any(thread.is_alive() for thread in load.threads), 60)

    def lost():
        return (load.posted - len(load.failures)) * HOSTS - farm.stats("", since)["unique"]
    node.kill()
    node.start()
    eventually(lambda: lost() <= 0, 120, 0.2)
    return lost()


def row_14(bench):
    if missing := missing_packages():
        bench.table.add(14, f"did not run: apt-get install {' '.join(missing)} ruby-http", "-", "", False)
        return
    rounds = 3
    with scene(bench.programs, HOSTS) as (farm, node), workplace() as folder:
        accounts = ceiling_scene(farm, node)
        ours, theirs = [], {kind: [] for kind in KINDS}
        for number in range(rounds):
            ours.append(measured_ceiling(farm, node, accounts, 8)[0])
            for kind in KINDS:
                theirs[kind].append(rival_rate(farm, folder / f"{number}{kind}", *kind))
        best = 0
        for (processes, client), rates in theirs.items():
            rate = statistics.median(rates)
            best = max(best, rate)
            bench.table.add(14, f"Sidekiq, {processes} x 25, {client}: deliveries/s", rate, "", None)
        ratio = statistics.median(ours) / best if best else float("inf")
        bench.table.add(14, "ours, deliveries/s", statistics.median(ours), "", None)
        bench.table.add(14, "ours by the best of Sidekiq", ratio, ">= 3", ratio >= 3)
        for is_hung in (False, True):
            bench.table.add(14, f"Sidekiq healthy p99, {HUNG if is_hung else 0} of {HOSTS} hung",
                            rival_latency(farm, folder / f"latency{is_hung}", is_hung), "", None, "ms")
        without, hung = our_latency(farm, accounts, False), our_latency(farm, accounts, True)
        bench.table.add(14, f"ours, healthy p99, {HUNG} of {HOSTS} hung", hung,
                        f"within {without:.3g}", within(hung, without), "ms")
        bench.table.add(14, "Sidekiq: lost by kill -9", rival_lost(farm, folder / "lost"), "", None)
        lost = our_lost(farm, node, accounts)
        bench.table.add(14, "ours: lost by kill -9", lost, "0", lost == 0)
