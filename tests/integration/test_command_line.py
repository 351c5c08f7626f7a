"""The command line: what it takes, what it answers, how it exits."""

import re
import subprocess

import pytest

from harness.daemon import environment
from harness.limits import seconds
from harness.programs import sallyport


@pytest.fixture
def run():
    def call(*arguments):
        return subprocess.run(
            [sallyport(), *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(), timeout=seconds(20), check=False)
    return call


def test_version_names_itself_and_its_libraries(run):
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "sallyport 0.1.0"
    assert re.search(r"OpenSSL 3\.\d", done.stdout)
    for library in ("libevent", "inih", "systemd", "seccomp"):
        assert library in done.stdout
    assert done.stderr == ""


def test_help_shows_every_way_to_call_it(run):
    done = run("--help")
    assert done.returncode == 0
    for word in ("-c", "check", "--strict", "--json", "--print", "--listener",
                 "authorize", "--server-name", "--cert", "--chain",
                 "--version", "--help"):
        assert word in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [
    ["--nonsense"], ["-x"], ["nonsense"], ["-c"], ["check", "-c"],
    ["check", "--nonsense", "-c", "x"], ["-c", "x", "y"], ["--strict"],
    ["check", "-c", "x", "y"], ["--json"], ["--print"], ["--listener", "x"],
    ["check", "--listener"], ["check", "--json", "--print"],
    ["authorize"], ["authorize", "--listener", "x"],
    ["authorize", "--cert", "x"], ["--cert", "x"], ["check", "--cert", "x"],
    ["check", "--chain", "x"], ["check", "--server-name", "x"],
    ["authorize", "--listener", "x", "--cert", "x", "x"],
    ["authorize", "--listener", "x", "--cert", "x", "--strict"],
    ["authorize", "--listener", "x", "--cert", "x", "--server-name", ""],
    ["authorize", "--listener", "x", "--cert", "x", *["--chain=x"] * 17]],
    ids=" ".join)
def test_wrong_usage_exits_with_2(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr


def test_a_missing_file_is_no_wrong_usage(run):
    done = run("-c", "/nonexistent/sallyport.ini")
    assert done.returncode == 1
    assert "/nonexistent/sallyport.ini" in done.stderr
    assert "No such file or directory" in done.stderr


def test_a_full_stdout_is_noticed():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sallyport(), "--version"], stdout=full,
                              stderr=subprocess.PIPE, timeout=seconds(20),
                              check=False)
    assert done.returncode != 0
