"""How the program starts, refuses to start, tells how it is, and ends."""

import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
import requests

from node import Node, binary, clean_environment, eventually


def run(*arguments, **environment):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60,
                          env=clean_environment(**environment))


def write(folder, text):
    file = folder / "trunkline.toml"
    file.write_text(text)
    return str(file)


# --- configuration ---------------------------------------------------------------------------------

WRONG = [
    ('[server]\ndomain = "a.example"\nlistn = "127.0.0.1:1"\n', 3,
     "server.listn: unknown setting; did you mean server.listen?"),
    ('[server]\ndomain = "a.example"\nlisten = 80\n', 3, "server.listen: must be a text"),
    ('[server]\ndomain = "a.example"\n[storage]\nreaders = 0\n', 4,
     "storage.readers: 0 is out of range"),
    ('[server]\ndomain = "a.example"\ndomain = "b.example"\n', 3, ""),
    ('[server\n', 1, ""),
    ('[server]\ndomain = "A.example"\n', 2, "server.domain: must be a lower-case host name"),
    ('[server]\ndomain = "a.example"\n[admin]\nlisten = "0.0.0.0:3001"\n', 4,
     "admin.listen: is no loopback address"),
    ('[server]\ndomain = "a.example"\nlisten = "0.0.0.0:3000"\n[test]\nenabled = true\n', 5,
     "test.enabled: is refused unless"),
]


@pytest.mark.parametrize("text, line, words", WRONG)
def test_a_wrong_configuration_stops_the_start_with_its_line(tmp_path, text, line, words):
    file = write(tmp_path, text)
    for command in (["run"], ["run", "--check-config"], ["run", "--print-config"]):
        done = run(*command, "--config", file)
        assert done.returncode == 78
        assert done.stderr.startswith(f"{file}:{line}: {words}"), done.stderr
        assert done.stdout == ""


def test_a_missing_file_says_what_to_do(tmp_path):
    done = run("run", "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 78
    assert "none.toml" in done.stderr and "trunkline init" in done.stderr


def test_check_config_starts_nothing(tmp_path):
    file = write(tmp_path, f'[server]\ndomain = "a.example"\n[storage]\nfolder = "{tmp_path}/d"\n')
    assert run("run", "--check-config", "--config", file).returncode == 0
    assert not (tmp_path / "d").exists()


def test_print_config_shows_values_and_sources_but_no_secret(tmp_path):
    url = tmp_path / "url"
    url.write_text("postgresql://me:geheim@localhost/x")
    file = write(tmp_path, '[server]\ndomain = "a.example"\n'
                           f'[storage]\npostgres_url_file = "{url}"\n')
    done = run("run", "--print-config", "--config", file, "--storage.batch_max", "7",
               TRUNKLINE_STORAGE_READERS="9")
    assert done.returncode == 0
    assert f'domain = "a.example" # {file}:2\n' in done.stdout
    assert "readers = 9 # environment TRUNKLINE_STORAGE_READERS\n" in done.stdout
    assert "batch_max = 7 # flag --storage.batch_max\n" in done.stdout
    assert "open = false # default\n" in done.stdout
    assert "geheim" not in done.stdout


def test_usage_errors_exit_64():
    for arguments in ([], ["fly"], ["run", "--fly"], ["init"], ["token", "create"],
                      ["token", "create", "--scope", "all"], ["account", "create"]):
        assert run(*arguments).returncode == 64, arguments
    assert run("version").stdout.startswith("trunkline ")
    assert run("--help").returncode == 0


# --- init ------------------------------------------------------------------------------------------

def test_init_makes_everything_once_and_privately(tmp_path):
    folder = tmp_path / "data"
    done = run("init", "--domain", "a.example", "--folder", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert told["account"] == "admin@a.example"
    assert told["url"] == "https://a.example"
    assert len(told["password"]) == 43
    for name in ("secret.key", "trunkline.db", "trunkline.toml"):
        mode = stat.S_IMODE((folder / name).stat().st_mode)
        assert mode == 0o600, f"{name}: {mode:o}"
    assert (folder / "secret.key").stat().st_size == 32
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    again = run("init", "--domain", "b.example", "--folder", str(folder))
    assert again.returncode == 65
    assert "left as it is" in again.stderr
    assert before == {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_failed_init_can_be_repeated(tmp_path):
    folder = tmp_path / "data"
    assert run("init", "--domain", "Wrong.Example", "--folder", str(folder)).returncode == 78
    assert run("init", "--domain", "a.example", "--folder", str(folder)).returncode == 0


# --- the folder ------------------------------------------------------------------------------------

def test_a_second_process_exits_75_and_names_the_first():
    with Node() as node:
        second = run("run", "--config", str(node.config_file))
        assert second.returncode == 75
        assert str(node.pid) in second.stderr
        assert second.stdout == ""
        assert node.admin("GET", "/admin/v1/version").status_code == 200


def test_the_lock_ends_with_the_process():
    with Node() as node:
        node.kill()
        node.start()


def test_a_key_that_others_can_read_is_refused():
    with Node() as node:
        node.stop()
        (node.data / "secret.key").chmod(0o644)
        done = run("run", "--config", str(node.config_file))
        assert done.returncode == 78
        assert "chmod 600" in done.stderr


def test_a_port_in_use_is_named():
    with Node() as node:
        with Node(settings={"server.listen": node.web_url.split("//")[1]}, start=False) as second:
            done = run("run", "--config", str(second.config_file))
            assert done.returncode == 69
            assert node.web_url.split(":")[-1] in done.stderr


# --- what it prints --------------------------------------------------------------------------------

def test_stdout_is_three_lines_and_then_nothing():
    with Node() as node:
        assert node.ready_line == "trunkline " + run("version").stdout.split()[1] + " ready"
        assert node.web_url.startswith("http://127.0.0.1:")
        assert node.admin_url.startswith("http://127.0.0.1:")
        requests.get(node.web_url + "/health", timeout=10)
        stdout = node.process.stdout
        os.kill(node.pid, signal.SIGTERM)
        assert stdout.read() == b""


def test_logs_are_json_lines_without_secrets():
    with Node() as node:
        account = node.create_account("alice")
        secrets = [account.password, account.token, node.admin_token("read"),
                   node.admin_token("operate")]
        requests.post(node.web_url + "/oauth/token", data={"password": "geheim-1"}, timeout=10)
        requests.get(node.web_url + "/?access_token=geheim-2", timeout=10)
        node.stop()
        lines = node.log().splitlines()
        assert {"node_ready", "node_draining", "node_stopped"} <= {
            json.loads(line)["event"] for line in lines}
        for line in lines:
            assert {"at", "level", "event"} <= json.loads(line).keys()
        for secret in secrets + ["geheim-1", "geheim-2"]:
            assert secret not in node.log()


def test_a_reader_of_the_log_that_stands_still_blocks_nothing():
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(write_end, True)
    with Node(start=False) as node:
        node.process = subprocess.Popen(node.command("run", "--config", str(node.config_file)),
                                        stdout=subprocess.PIPE, stderr=write_end,
                                        env=clean_environment())
        node.wait_ready()
        assert eventually(lambda: node.metrics()["trunkline_log_lines_dropped_total"] >= 1)
        node.stop()
    os.close(read_end)
    os.close(write_end)


# --- systemd ---------------------------------------------------------------------------------------

def test_systemd_hears_ready_watchdog_and_stopping(tmp_path):
    path = str(tmp_path / "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    listener.settimeout(30)
    heard = []

    def hear_until(wanted):
        while not any(line.startswith(wanted) for line in heard):
            heard.extend(listener.recv(4096).decode().splitlines())

    with Node(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}) as node:
        hear_until("READY=1")
        heard.clear()
        began = time.monotonic()
        for _ in range(3):
            hear_until("WATCHDOG=1")
            heard.clear()
        assert time.monotonic() - began < 10
        stopper = threading.Thread(target=node.stop)
        stopper.start()
        hear_until("STOPPING=1")
        stopper.join()
        assert any(line.startswith("STATUS=") for line in heard)
    listener.close()


def test_the_watchdog_of_another_process_is_not_ours(tmp_path):
    path = str(tmp_path / "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    listener.settimeout(1)
    with Node(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000",
                           "WATCHDOG_PID": "1"}) as node:
        heard = []
        try:
            while True:
                heard.append(listener.recv(4096).decode())
        except socket.timeout:
            pass
        assert any("READY=1" in text for text in heard)
        assert not any("WATCHDOG" in text for text in heard)
        node.stop()
    listener.close()


# --- bounds ----------------------------------------------------------------------------------------

def test_threads_are_bounded():
    with Node() as node:
        most = 12 + 2 * os.cpu_count()
        threads = [threading.Thread(target=lambda: [
            requests.get(node.web_url + "/health", timeout=30) for _ in range(20)])
            for _ in range(20)]
        for thread in threads:
            thread.start()
        highest = max(int(node.metrics()["trunkline_process_threads"]) for _ in range(5))
        for thread in threads:
            thread.join()
        assert highest <= most


# --- the end: F28, F29 -----------------------------------------------------------------------------

def posting(node, account, answers, stop):
    """Posts until told to stop; notes what came back, or why nothing did."""
    session = requests.Session()
    number = 0
    while not stop.is_set():
        number += 1
        try:
            answer = session.post(node.web_url + "/api/v1/statuses", headers=account.headers,
                                  json={"status": f"{account.name} {number}"}, timeout=30)
            answers.append((number, answer.status_code, answer.text))
        except requests.RequestException as problem:
            answers.append((number, None, str(problem)))
            time.sleep(0.01)


def under_load(node, accounts, end):
    stop = threading.Event()
    answers = {account.name: [] for account in accounts}
    for account in accounts:
        assert account.token
    threads = [threading.Thread(target=posting, args=(node, account, answers[account.name], stop))
               for account in accounts]
    for thread in threads:
        thread.start()
    eventually(lambda: all(len(found) >= 5 for found in answers.values()))
    end()
    stop.set()
    for thread in threads:
        thread.join()
    return answers


def assert_kept(node, accounts, answers):
    """Every post that was answered 200 is there, once."""
    for account in accounts:
        kept = [json.loads(text)["id"] for _, status, text in answers[account.name]
                if status == 200]
        assert kept, answers[account.name]
        for id in kept:
            assert node.get(f"/api/v1/statuses/{id}", account).status_code == 200
    refused = {status for found in answers.values() for _, status, _ in found}
    assert refused <= {200, 503, None}


@pytest.mark.parametrize("signals", [1, 2])
def test_F28_F29_sigterm_under_load_loses_nothing(storage, signals):
    with Node(postgres=storage) as node:
        accounts = [node.create_account(f"poster{number}") for number in range(3)]
        took = []

        def end():
            began = time.monotonic()
            os.kill(node.pid, signal.SIGTERM)
            if signals == 2:
                os.kill(node.pid, signal.SIGTERM)
            port = int(node.web_url.split(":")[-1])
            assert eventually(lambda: not accepts(port), seconds=1.0), "still accepting after 1 s"
            assert node.process.wait(40) == 0
            took.append(time.monotonic() - began)
            node.process.stdout.close()

        answers = under_load(node, accounts, end)
        assert took[0] < 30
        node.process = None
        node.start()
        assert_kept(node, accounts, answers)


def test_F29_sigterm_then_kill_loses_nothing(storage):
    with Node(postgres=storage) as node:
        accounts = [node.create_account(f"poster{number}") for number in range(3)]

        def end():
            os.kill(node.pid, signal.SIGTERM)
            time.sleep(0.02)
            node.kill()

        answers = under_load(node, accounts, end)
        node.start()
        assert_kept(node, accounts, answers)


def accepts(port):
    """Whether a new connection gets an answer other than a refusal."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_a_drained_node_starts_again_where_it_was():
    with Node() as node:
        account = node.create_account("alice")
        node.restart()
        shown = node.admin("GET", f"/admin/v1/accounts/{account.id}")
        assert shown.json()["name"] == "alice"
