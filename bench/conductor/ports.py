"""Ports for proxies that cannot be told to take any."""

import random
import socket

# Below where the kernel takes ports for outgoing connections (usually from
# 32768 on), or one of thousands of those could sit on ours.
FIRST, LAST = 10000, 32000


def _is_free(port):
    with socket.socket() as probe:
        # As proxies do: ends of past connections are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count):
    """The first of COUNT ports in a row that are free now."""
    start = random.randint(FIRST, LAST - count)
    run = 0
    for port in [*range(start, LAST), *range(FIRST, start)]:
        run = run + 1 if port != FIRST and _is_free(port) else 0
        if run == count:
            return port - count + 1
    raise OSError("no free ports")
