"""A new generation takes over from the one before: what changes, who is told,
and that nobody notices who is not concerned."""

import os
import signal
import socket

import pytest

from conftest import listener_keys
from harness import processes
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import Alert, refuses_connections, say
from harness.daemon import ini
from harness.limits import wait_until
from harness.programs import need_root


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("reload"))


def is_turned_away(client):
    """Sooner or later: it may have come in under the rules before."""
    try:
        client.handshake()
        return client.stream_end() != "close_notify"
    except (Alert, OSError):
        return True


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


class TestListeners:
    def test_come_and_go(self, house, connect, pki, backend, tmp_path):
        gw = house()
        client = connect(gw.daemon)
        say(client)
        two = ini({"sallyport": gw.process, "listener gw": gw.keys,
                   "listener second": gw.keys})
        one = gw.daemon.config.read_text()
        gw.daemon.config.write_text(two)
        mark = gw.daemon.log.mark()
        gw.daemon.reload()
        address = gw.daemon.log.wait("listening", since=mark,
                                     listener="second")["address"]
        host, port = address.rsplit(":", 1)
        newcomer = connect(gw.daemon, address=(host, int(port)))
        say(newcomer)
        assert [line["name"] for line in gw.daemon.status()["listeners"]] \
            == ["gw", "second"]
        gw.daemon.config.write_text(one)
        gw.daemon.reload()
        refuses_connections((host, int(port)))
        # Who came in by it stays, and so does everybody else.
        say(newcomer)
        say(client)
        say(connect(gw.daemon))

    def test_change_their_address(self, house, connect):
        gw = house()
        client = connect(gw.daemon)
        say(client)
        old = gw.daemon.address()
        mark = gw.daemon.log.mark()
        gw.reload(listen="127.0.0.2:0")
        host, port = gw.daemon.log.find("listening", since=mark)[0][
            "address"].rsplit(":", 1)
        assert host == "127.0.0.2"
        say(connect(gw.daemon, address=(host, int(port))))
        refuses_connections(old)
        say(client)

    @pytest.mark.parametrize("workers", [1, 2])
    def test_that_go_serve_who_waits(self, house, raw_connect, pki, workers):
        """In the queue of a socket that nobody would ask any more."""
        gw = house(process={"workers": workers})
        clients = []
        for pid in gw.daemon.workers():
            os.kill(pid, signal.SIGSTOP)
        try:
            for _ in range(40):
                clients.append(raw_connect(gw.daemon, pki.good))
                clients[-1].start_handshake()
            gw.write(listen="127.0.0.2:0")
            gw.daemon.send_signal(signal.SIGHUP)
            gw.daemon.log.wait("reloading")
        finally:
            for pid in gw.daemon.workers():
                os.kill(pid, signal.SIGCONT)
        gw.daemon.log.wait("reloaded")
        for client in clients:
            client.handshake()
            say(client)
        refuses_connections(gw.daemon.address())

    def test_that_go_put_who_waits_under_the_new_rules(self, house, pki,
                                                       raw_connect):
        gw = house(process={"workers": 1}, allow_cn="good")
        worker, = gw.daemon.workers()
        os.kill(worker, signal.SIGSTOP)
        try:
            clients = [raw_connect(gw.daemon, pki.good) for _ in range(10)]
            for client in clients:
                client.start_handshake()
            gw.write(listen="127.0.0.2:0", allow_cn="somebody else")
            gw.daemon.send_signal(signal.SIGHUP)
            gw.daemon.log.wait("reloading")
        finally:
            os.kill(worker, signal.SIGCONT)
        gw.daemon.log.wait("reloaded")
        for client in clients:
            assert is_turned_away(client)

    def test_keep_their_socket(self, house, connect):
        gw = house()
        before = gw.daemon.status()["listeners"]
        gw.reload(idle_timeout="2h")
        assert gw.daemon.status()["listeners"] == before

    def test_on_ports_of_the_kernels_choice_are_not_mixed_up(self, house):
        gw = house(listen=["127.0.0.1:0", "127.0.0.1:0"])
        two = ini({"sallyport": gw.process, "listener gw": gw.keys,
                   "listener second": gw.keys})
        gw.daemon.config.write_text(two)
        gw.daemon.reload()
        before = gw.daemon.status()["listeners"]
        assert len({one["address"] for one in before}) == 4
        gw.daemon.reload()
        assert gw.daemon.status()["listeners"] == before

    def test_on_unix_sockets_leave_no_file(self, house, open_dir, connect):
        kept, gone = open_dir / "kept", open_dir / "gone"
        gw = house(listen=[f"unix:{kept}", f"unix:{gone}"])
        inode = kept.stat().st_ino
        gw.reload(listen=[f"unix:{kept}"])
        assert not gone.exists()
        assert kept.stat().st_ino == inode
        say(connect(gw.daemon, address=str(kept)))

    def test_on_unix_sockets_without_a_file_get_a_new_one(
            self, house, open_dir, connect):
        path = open_dir / "gw.sock"
        gw = house(listen=f"unix:{path}")
        client = connect(gw.daemon)
        path.unlink()
        gw.reload(idle_timeout="2h")
        say(connect(gw.daemon, address=str(path)))
        inode = path.stat().st_ino
        gw.reload(idle_timeout="3h")
        assert path.stat().st_ino == inode
        say(client)

    def test_on_unix_sockets_remove_nobody_elses_file(self, house, open_dir):
        path = open_dir / "gw.sock"
        gw = house(listen=[f"unix:{path}", "127.0.0.1:0"])
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
            other.listen()
            gw.reload(listen="127.0.0.1:0")
            assert path.exists()

    def test_on_unix_sockets_of_a_refused_generation_leave_none(
            self, house, open_dir, maker, pki):
        kept, new = open_dir / "kept", open_dir / "new"
        gw = house(listen=f"unix:{kept}")
        gw.write(listen=[f"unix:{kept}", f"unix:{new}"],
                 keyfile=maker.server(pki.ca).key)
        assert gw.daemon.ask("reload").returncode == 1
        assert kept.exists()
        assert not new.exists()


class TestSettings:
    def test_of_the_certificate_change(self, house, connect, maker, pki):
        gw = house()
        old = connect(gw.daemon)
        server = maker.server(pki.ca)
        gw.reload(certfile=server.cert, keyfile=server.key)
        new = connect(gw.daemon)
        serials = [client.tls.getpeercert()["serialNumber"]
                   for client in (old, new)]
        assert int(serials[1], 16) == server.certificate.serial_number
        assert serials[0] != serials[1]
        say(old)

    def test_of_the_backend_change(self, house, connect, backend):
        gw = house()
        old = connect(gw.daemon)
        say(old)
        other = backend()
        gw.reload(backend=other.address)
        new = connect(gw.daemon)
        peer = other.accept()
        peer.send(b"the other")
        assert new.recv_exactly(9) == b"the other"
        say(old)

    def test_of_the_backend_may_be_a_name_that_is_new(self, house, connect,
                                                      backend):
        """Its address comes while the workers build what it is for."""
        gw = house(process={"workers": 2})
        other = backend()
        gw.reload(backend=f"localhost:{other.port}",
                  allow_remote_plaintext=True)
        new = connect(gw.daemon)
        other.accept().send(b"the other")
        assert new.recv_exactly(9) == b"the other"

    def test_of_backends_forget_names_that_nobody_has(self, house):
        gw = house()
        gw.reload(backend="gone.invalid:80", allow_remote_plaintext=True)
        gw.reload(backend="stays.invalid:80")
        said = "backend name does not resolve"
        gw.daemon.log.wait(said, backend="stays.invalid")
        before = len(gw.daemon.log.find(said, backend="gone.invalid"))
        # A new resolver is asked for all of them.
        resolver, = set(processes.children(gw.daemon.pid)) - set(
            gw.daemon.workers())
        os.kill(resolver, signal.SIGKILL)
        gw.daemon.log.wait(said, backend="stays.invalid", count=2)
        assert len(gw.daemon.log.find(said, backend="gone.invalid")) == before

    def test_of_the_log_change(self, house, connect):
        gw = house()
        gw.write({"log_level": "error"})
        gw.daemon.reload()
        mark = gw.daemon.log.mark()
        client = connect(gw.daemon)
        say(client)
        client.close()
        gw.write({"log_level": "info"})
        gw.daemon.reload()
        assert not gw.daemon.log.find("closed", since=mark)
        client = connect(gw.daemon)
        client.close()
        gw.daemon.closed(peer=client.peer)

    def test_of_the_limit_of_connections_change(self, house, connect,
                                                raw_connect, pki):
        gw = house(process={"max_connections": 1})
        first = connect(gw.daemon)
        say(first)
        second = raw_connect(gw.daemon, pki.good)
        second.start_handshake()
        second.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            second.handshake()
        gw.reload({"max_connections": 2})
        second.sock.settimeout(10)
        second.handshake()
        say(second)

    def test_of_the_drain_timeout_change(self, house, connect):
        gw = house(process={"drain_timeout": "1h"})
        client = connect(gw.daemon)
        say(client)
        gw.reload({"drain_timeout": "100ms"})
        gw.daemon.send_signal(signal.SIGTERM)
        gw.daemon.wait_stopped()
        gw.daemon.closed(peer=client.peer, reason="drained")

    def test_that_wait_for_a_start_are_named(self, house, connect):
        gw = house()
        gw.write({"sandbox": "off"})
        warning = gw.daemon.reload()
        assert f"{gw.daemon.config}:4: warning: [sallyport] a change of " \
            "sandbox takes effect" in warning
        line = gw.daemon.log.find("configuration warning")[0]
        assert line.level == "warn"
        assert line["file"] == str(gw.daemon.config)
        assert line["line"] == "4"
        assert line["section"] == "sallyport"
        # Once: what runs now says so.
        assert "warning" not in gw.daemon.reload().replace("no warnings", "")


def taken_port():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


class TestRefusal:
    """Whatever is wrong: the caller hears it with its place, the log has it,
    and what runs goes on."""

    def refuse(self, gw, connect, text, errors=None):
        before = gw.daemon.status()
        client = connect(gw.daemon)
        say(client)
        mark = gw.daemon.log.mark()
        done = gw.daemon.ask("reload")
        assert done.returncode == 1
        assert done.stdout == ""
        assert text in done.stderr
        assert done.stderr.endswith("; the running configuration stays\n")
        end = gw.daemon.log.wait(
            "not reloaded, the running configuration stays", 10, since=mark)
        assert end.level == "error"
        assert end["generation"] == str(before["generation"])
        lines = gw.daemon.log.find("configuration error", since=mark)
        assert len(lines) == int(end["errors"])
        if errors is not None:
            assert len(lines) == errors
        assert any(line["detail"] in done.stderr.replace("\n    ", "\n")
                   for line in lines)
        assert gw.daemon.status() == {
            **before, "connections": before["connections"] + 1}
        say(client)
        say(connect(gw.daemon))

    def test_of_syntax(self, house, connect):
        gw = house()
        gw.daemon.config.write_text("[listener gw\nlisten = x\n")
        self.refuse(gw, connect, f"{gw.daemon.config}:1: ")

    def test_of_all_that_is_wrong(self, house, connect):
        gw = house()
        gw.write({"workers": "many", "log_level": "loud"},
                 listen="127.0.0.1:99999", backend="/nowhere")
        self.refuse(gw, connect, f"{gw.daemon.config}:2: [sallyport] ", 4)

    @pytest.mark.parametrize("key", ["certfile", "keyfile", "cafile",
                                     "crlfile"])
    def test_of_a_missing_file(self, house, connect, key):
        gw = house(process={"workers": 2})
        gw.write(**{key: "/no/such/file"})
        self.refuse(gw, connect, "/no/such/file", 1)

    def test_of_a_key_that_does_not_match(self, house, connect, maker, pki):
        gw = house(process={"workers": 3})
        gw.write(keyfile=maker.server(pki.ca).key)
        # All three found it; it is said once.
        self.refuse(gw, connect, "does not match certfile", 1)

    def test_of_a_file_that_is_no_certificate(self, house, connect,
                                              tmp_path):
        rubbish = tmp_path / "rubbish.pem"
        rubbish.write_text("rubbish")
        gw = house()
        gw.write(cafile=rubbish)
        self.refuse(gw, connect, str(rubbish))

    def test_of_a_port_in_use(self, house, connect):
        gw = house()
        with taken_port() as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            gw.write(listen=[gw.keys["listen"], address])
            self.refuse(gw, connect, f"cannot listen on {address}: "
                        "Address already in use", 1)

    @pytest.mark.parametrize("key", ["user", "group"])
    def test_of_somebody_unknown(self, house, connect, key):
        need_root("only root can become somebody else")
        gw = house()
        gw.write({key: "no-such-one"})
        self.refuse(gw, connect, f"{gw.daemon.config}:4: [sallyport] {key}: "
                    f'there is no {key} "no-such-one"', 1)

    def test_by_a_signal_is_in_the_log(self, house, connect, maker, pki):
        gw = house(process={"workers": 2})
        client = connect(gw.daemon)
        gw.write(keyfile=maker.server(pki.ca).key)
        gw.daemon.send_signal(signal.SIGHUP)
        gw.daemon.log.wait("not reloaded, the running configuration stays",
                           10, errors="1", warnings="0", generation="1")
        line, = gw.daemon.log.find("configuration error")
        assert line["file"] == str(gw.daemon.config)
        assert line["section"] == "listener gw"
        number = gw.daemon.config.read_text().splitlines().index(
            f"keyfile = {gw.keys['keyfile']}") + 1
        assert line["line"] == str(number)
        assert "does not match certfile" in line["detail"]
        assert gw.daemon.log.foreign() == []
        say(client)

    def test_is_over_when_it_is_mended(self, house, connect):
        gw = house()
        good = gw.daemon.config.read_text()
        gw.daemon.config.write_text("nonsense")
        self.refuse(gw, connect, "key before the first section header")
        gw.daemon.config.write_text(good)
        gw.daemon.reload()
        say(connect(gw.daemon))
