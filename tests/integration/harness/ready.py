"""What a socket is ready for. Not select(): a long run has descriptors beyond
those that it can look at."""

import select


def ready(sock, *, to_send=False, timeout=0):
    """(bytes or an end can be read, bytes can be sent), within TIMEOUT
    seconds; sending is looked at only if asked for."""
    poll = select.poll()
    poll.register(sock, select.POLLIN | (select.POLLOUT if to_send else 0))
    found = dict(poll.poll(timeout * 1000)).get(sock.fileno(), 0)
    broken = found & (select.POLLERR | select.POLLHUP)
    return (bool(found & select.POLLIN or broken),
            bool(found & select.POLLOUT or broken and to_send))


def is_readable(sock):
    """Has anything come, be it an end?"""
    return ready(sock)[0]
