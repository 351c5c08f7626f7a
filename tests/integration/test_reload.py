"""A new generation takes over from the one before: what changes, who is told,
and that nobody notices who is not concerned."""

import os
import signal

import pytest

from conftest import listener_keys
from harness import processes
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import say
from harness.daemon import ini
from harness.limits import wait_until


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("reload"))


def lives(pid):
    return (processes.stat(pid) or ("Z",))[0] != "Z"


class House:
    """A daemon and its configuration, a piece of which can be changed."""

    def __init__(self, gateway, pki, backend, process=None, **keys):
        self.keys = {**listener_keys(pki, backend), **keys}
        self.process = {"workers": 1, "drain_timeout": "2s",
                        **(process or {})}
        self.daemon = gateway(backend, process=self.process, **keys)

    def write(self, process=None, **keys):
        self.process.update(process or {})
        self.keys.update(keys)
        self.daemon.config.write_text(ini({
            "sallyport": self.process, "listener gw": self.keys}))

    def reload(self, process=None, **keys):
        self.write(process, **keys)
        mark = self.daemon.log.mark()
        self.daemon.send_signal(signal.SIGHUP)
        return self.daemon.log.wait("reloaded", 15, since=mark)


@pytest.fixture
def house(gateway, pki, backend):
    def make(**options):
        return House(gateway, pki, backend(echo), **options)

    return make


class TestWorkers:
    def test_more_are_started(self, house, on_each_worker):
        gw = house(process={"workers": 1})
        first = gw.daemon.workers()
        assert gw.reload({"workers": 3})["workers"] == "3"
        assert gw.daemon.workers()[:1] == first
        clients = on_each_worker(gw.daemon)
        assert len(clients) == 3
        for client in clients.values():
            say(client)

    def test_fewer_leave_with_their_last_connection(self, house, connect,
                                                    on_each_worker):
        gw = house(process={"workers": 3})
        clients = on_each_worker(gw.daemon)
        stays, *leave = gw.daemon.workers()
        assert gw.reload({"workers": 1})["workers"] == "1"
        for pid in leave:
            gw.daemon.log.wait("worker leaves", 10, pid=str(pid))
        # Nobody new comes to them, who is there stays.
        for _ in range(5):
            connect(gw.daemon)
        assert {line["worker"] for line in
                gw.daemon.log.find("worker leaves")} == {"1", "2"}
        for client in clients.values():
            say(client)
        for pid in leave:
            assert lives(pid)
            clients[pid].close_notify()
            clients[pid].recv_to_end()
            gw.daemon.log.wait("worker left", 10, pid=str(pid))
            wait_until(lambda pid=pid: not lives(pid), "it has ended")
        say(clients[stays])
        assert not gw.daemon.log.find("worker died")

    def test_up_and_down_and_up(self, house, on_each_worker):
        gw = house(process={"workers": 2})
        old = on_each_worker(gw.daemon)
        gw.reload({"workers": 4})
        new = on_each_worker(gw.daemon)
        gw.reload({"workers": 1})
        gw.reload({"workers": 4})
        newest = on_each_worker(gw.daemon)
        for client in [*old.values(), *new.values(), *newest.values()]:
            say(client)
        assert len(set(new) | set(newest)) == 7

    def test_of_a_refused_generation_go_again(self, house, maker, pki):
        gw = house(process={"workers": 1})
        gw.write({"workers": 3}, keyfile=maker.server(pki.ca).key)
        gw.daemon.send_signal(signal.SIGHUP)
        gw.daemon.log.wait("not reloaded, the running configuration stays",
                           15)
        started = [int(line["pid"])
                   for line in gw.daemon.log.find("worker started")]
        wait_until(lambda: [lives(pid) for pid in started] ==
                   [True, False, False], "the new ones have ended")
        assert not gw.daemon.log.find("worker died")

    def test_that_leave_are_told_of_a_revocation(self, house, maker,
                                                 on_each_worker, connect):
        ca = maker.ca("Leaving CA")
        bad, fine = (maker.make(name, ca) for name in ("bad", "fine"))
        gw = house(process={"workers": 2}, cafile=ca.cert,
                   crlfile=maker.crl(ca))
        bads = on_each_worker(gw.daemon, holder=bad)
        fines = on_each_worker(gw.daemon, holder=fine)
        leaver = gw.daemon.workers()[1]
        gw.reload({"workers": 1})
        gw.reload(crlfile=maker.crl(ca, [bad]))
        for client in bads.values():
            assert client.stream_end() != "close_notify"
            line = gw.daemon.closed(peer=client.peer,
                                    reason="deauthorized")
            assert "revoked" in line["detail"]
        for client in fines.values():
            say(client)
        assert lives(leaver)

    def test_that_leave_are_drained_by_a_stop(self, house, on_each_worker):
        gw = house(process={"workers": 2})
        clients = on_each_worker(gw.daemon)
        gw.reload({"workers": 1, "drain_timeout": "10s"})
        gw.daemon.send_signal(signal.SIGTERM)
        gw.daemon.log.wait("stopping", 10, connections="2")
        for client in clients.values():
            say(client, b"not yet over")
        for client in clients.values():
            client.close_notify()
            client.recv_to_end()
        gw.daemon.wait_stopped()

    def test_that_leave_have_no_more_time_than_all(self, house,
                                                   on_each_worker):
        gw = house(process={"workers": 2, "drain_timeout": "100ms"})
        clients = on_each_worker(gw.daemon)
        gw.reload({"workers": 1})
        gw.daemon.send_signal(signal.SIGTERM)
        gw.daemon.wait_stopped()
        for client in clients.values():
            gw.daemon.closed(peer=client.peer, reason="drained")

    def test_that_leave_and_die_are_not_replaced(self, house,
                                                 on_each_worker):
        gw = house(process={"workers": 2})
        clients = on_each_worker(gw.daemon)
        stays, leaver = gw.daemon.workers()
        gw.reload({"workers": 1})
        os.kill(leaver, signal.SIGKILL)
        line = gw.daemon.log.wait("worker died", 10, pid=str(leaver))
        assert "respawn_ms" not in line.fields
        say(clients[stays])
        gw.reload({"workers": 1})
        assert len(gw.daemon.log.find("worker started")) == 2
