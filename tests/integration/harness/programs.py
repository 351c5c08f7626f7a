"""Finds the programs from outside that the tests need."""

import os
import shutil
import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def sallyport():
    """Path of the daemon under test."""
    named = os.environ.get("SALLYPORT")
    if named:
        return str(Path(named).resolve())
    places = [os.environ.get("BUILDDIR"), os.getcwd(), str(ROOT)]
    for place in places:
        if place and (Path(place) / "sallyport").is_file():
            return str((Path(place) / "sallyport").resolve())
    pytest.exit("no sallyport binary: build it first, or say where it is "
                "with SALLYPORT=FILE or BUILDDIR=DIRECTORY", returncode=2)


def need(program, package):
    """Path of PROGRAM. Its absence is a failure: a test that is skipped
    everywhere proves nothing."""
    path = shutil.which(program, path=os.environ.get("PATH", "") +
                        ":/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        pytest.fail(f"{program} is not installed: apt-get install {package}")
    return path


def need_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"this host has no IPv6 loopback: {error}")


def need_root(why):
    if os.geteuid() != 0:
        pytest.skip(f"needs root: {why}")


def free_port():
    """A port for programs that cannot be told to take any. Somebody else may
    take it before they do: callers try again."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
