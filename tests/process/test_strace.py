"""P2: no byte of a 200 leaves before the fdatasync that covers what it promises."""

import concurrent.futures
import re
import subprocess

from node import Node

POSTS = 40
CLIENTS = 8
CALL = re.compile(r"^(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$")


class Event:
    """One line of strace, with calls that were interrupted put together at their end."""

    def __init__(self, name, begin, end, text):
        self.name, self.begin, self.end, self.text = name, begin, end, text


def read_trace(file):
    open_calls, events = {}, []
    with open(file, encoding="latin-1") as lines:
        for number, line in enumerate(lines):
            match = CALL.match(line)
            if not match:
                continue
            thread, resumed, started, rest = match.groups()
            if started and "<unfinished" in rest:
                open_calls[thread] = (number, rest)
            elif resumed:
                begin, head = open_calls.pop(thread, (number, ""))
                events.append(Event(resumed, begin, number, head + rest))
            elif started:
                events.append(Event(started, number, number, rest))
    return events


def test_P2_the_answer_leaves_after_the_sync(tmp_path):
    trace = tmp_path / "trace"
    with Node(environment={"ASAN_OPTIONS": "detect_leaks=0"}) as node:
        alice = node.create_account("alice")
        alice.token
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "5000", "-o", str(trace), "-e",
             "trace=pwrite64,pwritev,write,writev,fdatasync,fsync,sendmsg,sendto", "-p",
             str(node.pid)], stderr=subprocess.PIPE, text=True)
        assert "attached" in tracer.stderr.readline()
        texts = [f"marker-{number:04d}-end" for number in range(POSTS)]

        def post(text):
            answer = node.post("/api/v1/statuses", alice, json={"status": text})
            assert answer.status_code == 200, answer.text

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(post, texts))
        tracer.terminate()
        tracer.wait(30)
        tracer.stderr.close()
    events = read_trace(trace)
    syncs = [event for event in events
             if event.name in ("fdatasync", "fsync") and "-wal" in event.text]
    assert syncs, "no sync of the write-ahead log was seen"
    for text in texts:
        writes = [event for event in events if event.name.startswith("pwrite")
                  and "-wal" in event.text and text in event.text]
        answers = [event for event in events if event.name in ("sendmsg", "sendto", "write", "writev")
                   and "HTTP/1.1 200" in event.text and text in event.text]
        assert writes and len(answers) == 1, (text, len(writes), len(answers))
        covering = [sync for sync in syncs
                    if sync.begin > writes[0].end and sync.end < answers[0].begin]
        assert covering, f"{text}: answered in line {answers[0].begin} before its sync"
    print(f"P2: {POSTS} answers, each after its sync; {len(syncs)} syncs of the write-ahead log")
