"""What a service manager keeps while nobody of us lives."""

import os
import signal
import socket
import stat

import pytest

from conftest import listener_keys
from harness import processes
from harness.backends import echo
from harness.clients import refuses_connections, say, tls_context
from harness.limits import wait_until
from harness.manager import ServiceManager


@pytest.fixture(autouse=True)
def with_systemd(version_text):
    if "libsystemd no" in version_text:
        pytest.skip("built without libsystemd")


@pytest.fixture
def manager(open_dir):
    manager = ServiceManager(open_dir)
    yield manager
    manager.close()


@pytest.fixture
def service(backend, start_daemon, pki, manager):
    """service(LISTEN, ...): the daemon as the manager starts it, again and
    again. PROCESS and changes are those of gateway()."""
    behind = backend(echo)

    def start(listen, process=None, inherit=(), **changes):
        sections = {"sallyport": {"workers": 2, "drain_timeout": "2s",
                                  **(process or {})}}
        if listen:
            sections["listener gw"] = listener_keys(
                pki, behind, listen=listen, **changes)
        mark = manager.mark()
        daemon = start_daemon(sections, **manager.inherit(*inherit))
        manager.wait_state("READY", mark)  # behind all that is stored
        return daemon

    return start


def crash(daemon):
    """kill -9 of the supervisor. All others are to end, too."""
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    daemon.stopped = True
    wait_until(lambda: not processes.in_session(daemon.pid),
               "no process is left", timeout=5)


def pair_of(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


class TestStore:
    def test_has_the_listening_sockets_and_the_ticket_secret(
            self, service, manager, reserve):
        addresses = [reserve(), reserve("127.0.0.2")]
        service(addresses)
        assert sorted(manager.sockets()) == \
            sorted(pair_of(address) for address in addresses)
        assert manager.names().count("ticket-secret") == 1

    def test_is_empty_with_fdstore_off(self, service, manager, reserve):
        service(reserve(), process={"fdstore": "off"})
        assert manager.names() == []

    def test_has_no_socket_that_systemd_opened(self, service, manager,
                                               connect):
        with socket.socket() as activated:
            activated.bind(("127.0.0.1", 0))
            activated.listen()
            daemon = service("systemd:web",
                             inherit=[("web", activated.fileno())])
            say(connect(daemon, address=activated.getsockname()))
        assert manager.names() == ["ticket-secret"]

    def test_is_told_of_listeners_that_come_and_go(
            self, service, manager, reserve):
        first, second = reserve(), reserve()
        daemon = service(first)
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(first, f"{first} {second}"))
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded")
        manager.wait(lambda m: len(m.sockets()) == 2)
        daemon.config.write_text(text.replace(first, second))
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded", count=2)
        manager.wait(lambda m: m.sockets() == [pair_of(second)])
        refuses_connections(pair_of(first))

    def test_empties_when_a_reload_turns_it_off(self, service, manager,
                                                reserve):
        daemon = service(reserve())
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(
            "[sallyport]", "[sallyport]\nfdstore = off"))
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded")
        manager.wait(lambda m: m.names() == [])


class TestCrash:
    def test_of_the_supervisor_ends_all_at_once(self, service, reserve,
                                                connect):
        daemon = service(reserve())
        client = connect(daemon)
        say(client)
        crash(daemon)
        with pytest.raises((ConnectionError, AssertionError)):
            say(client)

    @pytest.mark.limit(120)
    def test_of_the_supervisor_refuses_nobody(self, service, manager,
                                              reserve, load):
        address = reserve()
        daemon = service(address)
        clients = load(pair_of(address))
        for _ in range(3):
            clients.wait_served(20)
            crash(daemon)
            daemon = service(address)
            assert daemon.log.find("restored", sockets=1, sessions="yes")
        clients.wait_served(20)
        clients.end()
        assert clients.refused == []
        # Each crash costs no more than what was open when a worker ended;
        # workers end one after the other.
        assert len(clients.broken) <= 3 * 2 * len(clients.threads)

    def test_leaves_waiting_clients_to_the_next_process(
            self, service, reserve, raw_connect, pki):
        address = reserve()
        daemon = service(address)
        crash(daemon)
        waiting = [raw_connect(daemon, pki.good, address=pair_of(address))
                   for _ in range(50)]
        for client in waiting:
            client.start_handshake()
        service(address)
        for client in waiting:
            client.handshake()
            say(client)

    def test_of_a_worker_costs_nobody_who_waits(self, service, reserve,
                                                raw_connect, connect, pki):
        daemon = service(reserve(), process={"workers": 1})
        say(connect(daemon))
        worker, = daemon.workers()
        os.kill(worker, signal.SIGSTOP)
        wait_until(lambda: processes.stat(worker)[0] == "T",
                   "the worker stands still")
        waiting = [raw_connect(daemon, pki.good) for _ in range(50)]
        for client in waiting:
            client.start_handshake()
        os.kill(worker, signal.SIGKILL)
        for client in waiting:
            client.handshake()
            say(client)

    @pytest.mark.limit(120)
    def test_of_workers_under_load_refuses_nobody(self, service, reserve,
                                                  load):
        address = reserve()
        daemon = service(address)
        clients = load(pair_of(address))
        for n in range(3):
            clients.wait_served(20)
            os.kill(daemon.workers()[n % 2], signal.SIGKILL)
            daemon.log.wait("worker died", count=n + 1)
        clients.wait_served(20)
        clients.end()
        assert clients.refused == []
        assert len(clients.broken) <= 3 * len(clients.threads)


class TestRestart:
    @pytest.mark.limit(120)
    def test_loses_nobody(self, service, reserve, load):
        address = reserve()
        daemon = service(address)
        clients = load(pair_of(address))
        for _ in range(3):
            clients.wait_served(20)
            daemon.stop()
            daemon = service(address)
        clients.wait_served(20)
        clients.end()
        assert clients.refused == []
        assert clients.broken == []

    def test_stores_nothing_twice(self, service, manager, reserve):
        address = reserve()
        service(address).stop()
        names = manager.names()
        mark = manager.mark()
        daemon = service(address)
        manager.wait_state("READY", mark)
        assert manager.names() == names
        assert not any("FDSTORE" in state or "FDSTOREREMOVE" in state
                       for state in manager.states[mark:])
        daemon.stop()

    @pytest.mark.parametrize("how", ["crash", "stop"])
    def test_keeps_sessions(self, service, reserve, connect, pki, version,
                            how):
        address = reserve()
        daemon = service(address)
        context = tls_context(pki, pki.good, version)
        first = connect(daemon, context=context)
        say(first)
        session = first.tls.session
        first.close()
        if how == "crash":
            crash(daemon)
        else:
            daemon.stop()
        daemon = service(address)
        again = connect(daemon, context=context, session=session)
        say(again)
        assert again.tls.session_reused

    def test_without_a_store_keeps_none(self, service, manager, reserve,
                                        connect, pki):
        address = reserve()
        daemon = service(address)
        context = tls_context(pki, pki.good)
        first = connect(daemon, context=context)
        say(first)
        daemon.stop()
        manager.forget()
        daemon = service(address)
        again = connect(daemon, context=context, session=first.tls.session)
        say(again)
        assert not again.tls.session_reused

    def test_opens_another_address_in_place_of_the_stored_one(
            self, service, manager, reserve, connect):
        """The manager holds the old socket: as long as it does nobody can
        bind [::] beside it."""
        address = reserve("0.0.0.0")
        service(address).stop()
        dual = f"*:{pair_of(address)[1]}"
        daemon = service(dual)
        say(connect(daemon, address=("127.0.0.1", pair_of(address)[1])))
        say(connect(daemon, address=("::1", pair_of(address)[1])))
        assert [sock[0] for sock in manager.sockets()] == ["::"]

    def test_takes_no_socket_that_is_not_ours(self, service, manager,
                                              reserve, connect):
        address = reserve()
        with socket.socket() as forged:
            forged.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            forged.bind(("127.0.0.1", 0))
            forged.listen()
            daemon = service(address, inherit=[
                ("sallyport-listen-1", forged.fileno()),
                ("ticket-secret", forged.fileno())])
        say(connect(daemon))
        assert daemon.log.find("the service manager kept a ticket secret "
                               "that is none")
        assert not daemon.log.find("restored")

    def test_leaks_no_descriptor(self, service, reserve):
        address = reserve()
        service(address).stop()
        daemon = service(address)
        before = daemon.descriptors()[daemon.pid]
        for _ in range(3):
            daemon.stop()
            daemon = service(address)
            # One more is the socket of a message on its way.
            wait_until(lambda: daemon.descriptors()[daemon.pid] <= before + 1,
                       f"there are not more than {before} descriptors")


class TestUnixSocket:
    @pytest.fixture
    def listen(self, open_dir):
        return f"unix:{open_dir}/gw.sock"

    @pytest.fixture
    def path(self, listen):
        return listen.removeprefix("unix:")

    @pytest.mark.parametrize("how", ["crash", "stop"])
    def test_keeps_its_file_over_a_restart(self, service, listen, path,
                                           connect, raw_connect, pki, how):
        daemon = service(listen)
        before = os.stat(path)
        crash(daemon) if how == "crash" else daemon.stop()
        waiting = raw_connect(daemon, pki.good, address=path)
        waiting.start_handshake()
        daemon = service(listen)
        waiting.handshake()
        say(waiting)
        say(connect(daemon, address=path))
        assert os.stat(path).st_ino == before.st_ino

    def test_keeps_its_file_when_stopped_in_a_reload(self, service, listen,
                                                     path, raw_connect, pki):
        daemon = service(listen)
        before = os.stat(path)
        worker = daemon.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            daemon.send_signal(signal.SIGHUP)
            daemon.log.wait("reloading")
            daemon.send_signal(signal.SIGTERM)
            daemon.log.wait("stopping")
        finally:
            os.kill(worker, signal.SIGCONT)
        daemon.wait_stopped()
        waiting = raw_connect(daemon, pki.good, address=path)
        waiting.start_handshake()
        service(listen)
        waiting.handshake()
        say(waiting)
        assert os.stat(path).st_ino == before.st_ino

    def test_is_made_anew_when_the_manager_has_forgotten_it(
            self, service, manager, listen, path, connect):
        service(listen).stop()
        manager.forget()
        assert stat.S_ISSOCK(os.stat(path).st_mode)
        daemon = service(listen)
        assert not daemon.log.find("restored")
        say(connect(daemon, address=path))

    def test_is_made_anew_when_its_file_is_gone(
            self, service, listen, path, connect):
        service(listen).stop()
        os.unlink(path)
        daemon = service(listen)
        say(connect(daemon, address=path))

    def test_removes_its_file_without_a_store(self, service, listen, path):
        service(listen, process={"fdstore": "off"}).stop()
        assert not os.path.exists(path)
