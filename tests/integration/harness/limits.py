"""Deadlines: every wait in these tests ends."""

import time

import pytest

# Sanitizer builds set this (conftest.py): everything may take longer then.
scale = 1


def seconds(n):
    return n * scale


def wait_until(condition, what, timeout=10):
    """For things nobody tells us about, such as the contents of /proc."""
    deadline = time.monotonic() + seconds(timeout)
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds(timeout)} s in vain: {what}")
        time.sleep(0.02)
