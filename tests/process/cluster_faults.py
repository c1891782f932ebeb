"""What a test asserts of a cluster that had a fault, and how it says it."""

import dataclasses
import os
import signal
import time
import uuid

import requests

from cluster import over_socket
from node import eventually

TAKEOVER_SECONDS = 12
SHED_SECONDS = 5
REJOIN_SECONDS = 15
LEASE_SECONDS = 6
BETWEEN_FAULTS = 10  # acknowledged
REPEATED_PER_FAULT = 6  # delivered twice: what had been sent within a second of it


@dataclasses.dataclass
class Strike:
    node: str
    moment: float
    acknowledged: int  # since the one before
    in_flight: int  # requests to the node that waited for their answer


class Strikes:
    """The faults of a test, each in the middle of a burst of posts."""

    def __init__(self, load):
        self.load, self.all = load, []

    def at(self, node, act):
        """Does `act`, and returns when."""
        moment = self.load.strike(node, act)
        self.note(node, moment, self.load.in_flight(node.name, moment))
        return moment

    def note(self, node, moment, in_flight):
        since = self.all[-1].moment if self.all else 0.0
        acknowledged = sum(deed.acknowledged <= moment for deed in self.load.acknowledged(since))
        self.all.append(Strike(node.name, moment, acknowledged, in_flight))

    def in_words(self):
        """Also sees to it that each of them met something."""
        assert self.all and all(each.acknowledged and each.in_flight for each in self.all), self.all
        return (f"acknowledged before {in_words(each.acknowledged for each in self.all)} and in"
                f" flight at it {in_words(each.in_flight for each in self.all)}")


def assert_kept(load, repeated_max):
    """Ends the load; nothing is lost, doubled, missing or in the wrong order. Returns the words."""
    assert eventually(lambda: load.acknowledged_of("post", "note", "edit"), 60), \
        "too little is done"
    load.finish()
    verdict = load.verdict()
    assert verdict.posts and verdict.notes and verdict.changes, verdict
    assert not verdict.lost, verdict.lost[:5]
    assert not verdict.doubled, verdict.doubled[:5]
    assert not verdict.undelivered, verdict.undelivered[:5]
    assert not verdict.out_of_order, verdict.out_of_order[:5]
    assert not verdict.foreign, verdict.foreign
    assert verdict.repeated <= repeated_max, (verdict.repeated, repeated_max)
    return (f"{verdict.posts} posts, {verdict.changes} edits and deletes and {verdict.notes} from"
            f" outside acknowledged, 0 lost, 0 doubled, 0 written by who did not own,"
            f" {verdict.repeated} delivered twice")


def in_words(numbers):
    return ", ".join(f"{number:.1f}" if isinstance(number, float) else str(number)
                     for number in numbers)


def kill_at_once(*nodes):
    for node in nodes:
        os.kill(node.pid, signal.SIGKILL)
    for node in nodes:
        node.kill()


def refuses(node, author):
    """A post is answered 503 at once."""
    try:
        answer = node.post("/api/v1/statuses", author, timeout=1,
                           json={"status": str(uuid.uuid4())})
    except requests.RequestException:
        return False
    return answer.status_code == 503


def assert_alone(node, cluster):
    """A node that is cut off still answers, with what it knew, and knows that it may be wrong."""
    others = {each.name for each in cluster.others(node)}
    for path in ("/admin/v1/nodes", "/admin/v1/cluster"):
        assert eventually(
            lambda path=path: set(over_socket(node, path)[1]["missing_nodes"]) == others,
            SHED_SECONDS), over_socket(node, path)
        status, shown = over_socket(node, path)
        assert status == 200 and shown["complete"] is False, shown
        assert {each["name"] for each in shown["nodes"]} == others | {node.name}, shown


def watch_cut_off(load, owner, moment, mend, seconds=0.0, takeover=TAKEOVER_SECONDS):
    """The node that served has been cut off from PostgreSQL, and clients reach it still: it sheds,
    another takes over, and once `mend` was called, not before `seconds`, it stands by.

    Returns how long it all took."""
    starts, cluster = len(owner.said("stands by")), load.cluster
    sheds = eventually(lambda: refuses(owner, load.authors[0]) and time.monotonic() - moment,
                       2 * SHED_SECONDS)
    told = eventually(lambda: owner.probe("/readyz").status_code == 503, SHED_SECONDS) \
        and owner.probe("/readyz").text
    assert_alone(owner, cluster)
    gap = load.served_again(moment, 2 * takeover)
    others = cluster.others(owner)
    assert any(each.serves() for each in others), [each.told[-1:] for each in others]
    time.sleep(max(0.0, moment + seconds - time.monotonic()))
    after = {attempt.status for attempt in
             load.tries(moment + SHED_SECONDS, time.monotonic(), owner.name)}
    mend()
    mended = time.monotonic()
    assert eventually(lambda: len(owner.said("stands by")) > starts, REJOIN_SECONDS), \
        (owner.told, owner.log()[-2000:])
    rejoined = owner.said("stands by")[-1] - mended
    load.wait_for(BETWEEN_FAULTS)
    assert sheds and sheds <= SHED_SECONDS, sheds
    assert told and ("lease" in told or "database" in told), told
    assert 503 in after and after <= {503, None}, after
    assert gap <= takeover, gap
    return (f"shed after {sheds:.1f} s, stood by {rejoined:.1f} s after it was mended; served again"
            f" after {gap:.1f} s")
