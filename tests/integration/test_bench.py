"""The bench: that each scenario still works, in miniature, and that it takes
nothing for a result that is none. Speed is not looked at here."""

import argparse
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.limits import seconds, wait_until
from harness.programs import ROOT, need_root, sallyport

BENCH = ROOT / "bench"
sys.path.insert(0, str(BENCH))

from conductor import goals, proxies, report, results, suite  # noqa: E402

MAGIC = b"benchord"


def program(name):
    path = Path(sallyport()).parent / "bench" / name
    if not path.is_file():
        pytest.fail(f"{path} is missing: make bench-build")
    return str(path)


def block(upload, download):
    """What an upload, and its download, begin with."""
    return MAGIC + struct.pack(">QQ", upload, download)


def bench_run(directory, *options):
    """bench/run with next to no work, its results in DIRECTORY."""
    program("load")
    temporary = directory / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [str(BENCH / "run"), "--build", str(Path(sallyport()).parent),
         "--peers", "--rounds", "1", "--scale", "0.002", "--no-install",
         "--output", str(directory / "results.json"), *options],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=seconds(120), check=False)
    assert running_in(temporary) == [], "processes are left"
    assert list(temporary.iterdir()) == []
    return done


def running_in(temporary):
    """PIDs of processes that were told to keep their files there."""
    return [path.parent.name for path in Path("/proc").glob("[0-9]*/environ")
            if f"TMPDIR={temporary}" in environment(path)]


def environment(path):
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # it has ended, or is not ours


@pytest.fixture(scope="module")
def miniature(tmp_path_factory):
    """Results of all scenarios."""
    need_root("to see the memory of confined workers")
    directory = tmp_path_factory.mktemp("bench")
    done = bench_run(directory, "--sallyport", sallyport())
    assert done.returncode == 0, done.stdout
    return json.loads((directory / "results.json").read_text())


def listed():
    done = subprocess.run([str(BENCH / "run"), "--list"],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()


def test_every_scenario_gives_numbers(miniature):
    assert miniature["failures"] == []
    assert list(miniature["results"]) == listed()
    for key, table in miniature["results"].items():
        (numbers,) = table["sallyport"]
        # Memory of so few connections is less than what else moves it.
        wrong = {name: value for name, value in numbers.items()
                 if value <= 0 and not name.endswith("bytes")}
        assert not wrong, key


def test_what_was_started_ends_with_it(tmp_path):
    """Killed amid the work, by a signal that it can see."""
    with subprocess.Popen(
            [str(BENCH / "run"), "--build", str(Path(sallyport()).parent),
             "--sallyport", sallyport(), "--peers", "--no-install",
             "--scenario", "full", "--rounds", "100", "--output",
             str(tmp_path / "results.json")],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_until(lambda: list(tmp_path.glob("bench-*/*-sallyport")),
                   "a daemon is started")
        run.terminate()
        assert run.wait(seconds(20)) == 128 + signal.SIGTERM
    assert running_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_results_are_saved_one_by_one(monkeypatch, tmp_path):
    """A run that is cut off has not been for nothing."""
    args = argparse.Namespace(scenario=["full", "full-rsa"], quick=False,
                              scale=1, rounds=1)
    output = tmp_path / "results.json"
    saved = []

    def save():
        suite.save(output, it, {}, 0)
        saved.append(list(json.loads(output.read_text())["results"]))

    monkeypatch.setattr(suite.measure, "one_run",
                        lambda *_: {"cpu_us": 1, "rate": 1})
    it = suite.Suite(None, args, [proxies.Sallyport], [], [0], save)
    it.run()
    assert saved == [["full"], ["full", "full-rsa"]]
    assert list(tmp_path.iterdir()) == [output]


def test_a_daemon_that_does_not_run_fails_the_run(tmp_path):
    done = bench_run(tmp_path, "--sallyport", "/bin/false", "--scenario",
                     "full")
    assert done.returncode == 1
    assert "FAILED: full: sallyport" in done.stdout


def test_a_report_can_be_made(miniature, tmp_path):
    output = tmp_path / "performance.md"
    report.write([miniature], BENCH / "why.md", output)
    text = output.read_text()
    for key, _ in re.findall(r"\((performance-(\w+)[\w-]*\.svg)\)", text):
        assert (tmp_path / key).read_text().startswith("<svg ")
    assert "Only 0.002 of the full work" in text


def rounds(*cpu):
    return [{"cpu_us": value} for value in cpu]


def a_run(**tables):
    return {"date": "2026-01-01", "seconds": 60, "rounds": 3, "scale": 1,
            "machine": {"cpu": "CPU", "cpus": 2, "memory_gib": 4,
                        "kernel": "6.1", "system": "Debian",
                        "openssl": "OpenSSL", "libevent": "2.1"},
            "versions": {"sallyport": "1", "haproxy": "2", "nginx": "3"},
            "failures": [], "results": tables}


def test_ratios_are_taken_within_a_round():
    table = results.Table({"sallyport": rounds(50, 100, 200),
                           "haproxy": rounds(100, 200, 400)})
    ratio = table.ratio("haproxy", "cpu_us")
    assert (ratio.median, ratio.low, ratio.high) == (0.5, 0.5, 0.5)


def test_the_best_peer_is_the_measure():
    (verdict,) = goals.judge({"full": {"sallyport": rounds(80, 80, 80),
                                       "haproxy": rounds(160, 160, 160),
                                       "nginx": rounds(100, 100, 100)}})
    assert (verdict.peer, verdict.ratio.median) == ("nginx", 0.8)
    assert verdict.is_met


def test_tuned_peers_count_in_their_own_row_only():
    verdicts = list(goals.judge({
        "down-1": {"sallyport": rounds(70), "haproxy": rounds(100),
                   "haproxy-tuned": rounds(70)}}))
    assert [(v.peer, v.is_met) for v in verdicts] == [
        ("haproxy", True), ("haproxy-tuned", False)]


def test_a_missed_goal_is_told_with_its_reason(tmp_path):
    why = tmp_path / "why.md"
    why.write_text("About.\n\n## full\n\nThe profile says so.\n")
    run = a_run(full={"sallyport": rounds(99), "nginx": rounds(100)},
                resumed={"sallyport": rounds(99), "nginx": rounds(100)})
    output = tmp_path / "performance.md"
    assert report.write([run], why, output) == ["resumed"]
    text = output.read_text()
    assert "**missed by 16%**" in text
    assert "The profile says so." in text
    assert "Not explained yet." in text


def test_several_runs_make_one_report(tmp_path):
    """What was measured twice has the rounds of both, but for a proxy that
    failed in one."""
    nobody = tmp_path / "why.md"
    first = a_run(full={"sallyport": rounds(60), "nginx": rounds(100),
                        "hitch": rounds(10)},
                  resumed={"sallyport": rounds(10), "nginx": rounds(100)})
    second = a_run(full={"sallyport": rounds(80, 80), "nginx": rounds(100, 100),
                         "hitch": []})
    output = tmp_path / "performance.md"
    assert report.write([first, second], nobody, output) == []
    text = output.read_text()
    assert "\nfull, resumed: measured on 2026-01-01" in text
    assert "\nfull: measured on 2026-01-01" in text
    assert text.count("### Full handshake") == 1
    assert "| 80.00 | nginx | 100.00 | 0.80 (0.60..0.80) |" in text


class Liar:
    """A TLS server that answers one order with ANSWER(upload, download)."""

    def __init__(self, pki, answer):
        self.answer = answer
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki.server.cert, pki.server.key)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        raw, _ = self.listening.accept()
        with self.context.wrap_socket(raw, server_side=True) as client:
            head = client.recv(64)
            client.sendall(self.answer(*struct.unpack(">QQ", head[8:24])))
            try:
                client.settimeout(5)
                client.recv(64)
            except OSError:
                pass

    def close(self):
        self.listening.close()
        self.thread.join(seconds(10))


def load(port, *options):
    return subprocess.run(
        [program("load"), "--port", str(port), "--connections", "1",
         "--concurrency", "1", "--warm-up", "0", "--limit", "10", *options],
        input="go\nend\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=seconds(20), check=False)


def padded(upload, download, length=None):
    return block(upload, download).ljust(length or download, b"x")


@pytest.mark.parametrize("answer, complaint", [
    (lambda u, d: padded(u, d, d + 1), "more bytes than were ordered"),
    (lambda u, d: padded(u - 1, d), "not the download that was ordered"),
    (lambda u, d: padded(u, d + 1, d), "not the download that was ordered"),
    (lambda u, d: b"x" * d, "not the download that was ordered"),
], ids=["one more", "upload short", "other length", "anything"])
def test_the_load_refuses_what_was_not_ordered(pki, answer, complaint):
    server = Liar(pki, answer)
    try:
        done = load(server.port)
        assert done.returncode == 1
        assert complaint in done.stderr
    finally:
        server.close()


def test_the_load_accepts_what_was_ordered(pki):
    server = Liar(pki, padded)
    try:
        done = load(server.port)
        assert done.returncode == 0, done.stderr
        did = json.loads(done.stdout.splitlines()[1])
        assert (did["sent"], did["received"], did["exchanges"]) == (64, 64, 1)
    finally:
        server.close()


def test_the_load_fails_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    done = load(port)
    assert done.returncode == 1
    assert "refused" in done.stderr


@pytest.fixture
def backend():
    """The bench's own, and its port."""
    process = subprocess.Popen([program("backend"), "1"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, bufsize=1)
    yield process, int(process.stdout.readline())
    process.stdin.close()
    assert process.wait(seconds(10)) == 0
    process.stdout.close()


def count(process):
    process.stdin.write("count\n")
    return json.loads(process.stdout.readline())


def converse(port, upload):
    """Sends UPLOAD, says the end, and returns all that comes back."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(upload)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := client.recv(4096):
            answer += chunk
        return answer


def test_the_backend_obeys_orders(backend):
    process, port = backend
    answer = converse(port, padded(5000, 3000, 5000))
    assert answer[:24] == block(5000, 3000)
    assert len(answer) == 3000
    did = count(process)
    assert (did["received"], did["sent"], did["cut"]) == (5000, 3000, 0)


@pytest.mark.parametrize("upload", [
    padded(100, 100, 99), padded(100, 100, 101), b"x" * 100, block(5, 5)[:9]],
    ids=["one less", "one more", "no order", "half a head"])
def test_the_backend_counts_what_is_no_order(backend, upload):
    process, port = backend
    try:
        assert converse(port, upload) == b""
    except ConnectionResetError:
        pass  # it left bytes unread
    assert count(process)["cut"] == 1
