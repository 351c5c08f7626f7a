"""Another binary takes the place of the one that serves (SIGUSR2)."""

import os
import signal
import socket
from pathlib import Path

import pytest

from conftest import listener_keys
from harness import processes
from harness.backends import echo
from harness.clients import refuses_connections, run, say, tls_context
from harness.limits import wait_until
from harness.manager import ServiceManager
from harness.programs import need, sallyport


class Binary:
    """A copy of the program, at a path of its own."""

    def __init__(self, path):
        self.path = path
        self.replace()

    def replace(self, *changes):
        """By another file, with some of its bytes changed: (old, new)."""
        image = Path(sallyport()).read_bytes()
        for old, new in changes:
            assert len(old) == len(new) and old in image
            image = image.replace(old, new)
        self.write(image)

    def write(self, image):
        """By a file with just these bytes."""
        young = self.path.with_suffix(".new")
        young.write_bytes(image)
        young.chmod(0o755)
        os.rename(young, self.path)

    def inode(self):
        return os.stat(self.path).st_ino


def image_of(pid):
    return os.stat(f"/proc/{pid}/exe").st_ino


@pytest.fixture
def binary(open_dir):
    return Binary(open_dir / "sallyport")


@pytest.fixture
def door(backend, gateway, binary):
    """door(...): a daemon that was started from BINARY, before an echo."""

    def make(process=None, **changes):
        return gateway(backend(echo), process={"workers": 2,
                                               **(process or {})},
                       daemon={"program": str(binary.path)}, **changes)

    return make


def upgrade(daemon, count=1):
    daemon.send_signal(signal.SIGUSR2)
    return daemon.log.wait("upgraded", count=count, timeout=20)


def refusal(daemon):
    """The line of an upgrade that came to nothing."""
    mark = daemon.log.mark()
    daemon.send_signal(signal.SIGUSR2)
    return daemon.log.wait("not upgraded, the old binary goes on", 20, mark)


def edit(daemon, old, new):
    text = daemon.config.read_text()
    assert old in text
    daemon.config.write_text(text.replace(old, new))


def is_gone(pid):
    return processes.stat(pid) is None


class TestUpgrade:
    def test_runs_the_new_binary_in_the_same_process(self, door, binary,
                                                     connect):
        daemon = door()
        say(connect(daemon))
        binary.replace((b"0.1.0", b"0.1.1"))
        line = upgrade(daemon)
        assert line.pid == daemon.pid
        assert (line["from"], line["to"]) == ("0.1.0", "0.1.1")
        assert image_of(daemon.pid) == binary.inode()
        for worker in daemon.workers():
            assert image_of(worker) == binary.inode()
        say(connect(daemon))
        with open(f"/proc/{daemon.pid}/comm", encoding="ascii") as comm:
            assert comm.read() == "sallyport\n"
        daemon.stop()
        assert daemon.log.find("stopped")

    def test_leaves_connections_to_the_old_workers(self, door, binary,
                                                   on_each_worker):
        daemon = door()
        clients = on_each_worker(daemon)
        before = binary.inode()
        binary.replace()
        upgrade(daemon)
        daemon.log.wait("worker leaves", count=2)
        for pid, client in clients.items():
            say(client)
            assert image_of(pid) != binary.inode()
            client.close_notify()
            client.recv_to_end()
            daemon.log.wait("worker left", pid=pid)
            wait_until(lambda pid=pid: is_gone(pid), "the old worker ends")
        assert before != binary.inode()

    @pytest.mark.limit(120)
    def test_loses_nobody(self, door, binary, load, connect):
        daemon = door()
        old = connect(daemon)
        clients = load(daemon.address())
        for n in range(3):
            clients.wait_served(20)
            binary.replace()
            upgrade(daemon, n + 1)
            say(old)
        clients.wait_served(20)
        clients.end()
        assert clients.refused == []
        assert clients.broken == []
        say(old)

    def test_keeps_sessions(self, door, binary, connect, pki, version):
        daemon = door()
        context = tls_context(pki, pki.good, version)
        first = connect(daemon, context=context)
        say(first)
        binary.replace()
        upgrade(daemon)
        again = connect(daemon, context=context, session=first.tls.session)
        say(again)
        assert again.tls.session_reused

    def test_reads_the_configuration_anew(self, door, binary, connect):
        daemon = door()
        edit(daemon, "workers = 2", "workers = 3")
        upgrade(daemon)
        assert len(daemon.workers()) == 3
        say(connect(daemon))

    def test_can_be_reloaded_and_stopped_as_before(self, door, connect,
                                                   on_each_worker):
        daemon = door()
        old = on_each_worker(daemon)
        upgrade(daemon)
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded", count=2)
        for client in old.values():
            say(client)
        new = connect(daemon)
        say(new)
        daemon.stop()
        for client in [*old.values(), new]:
            client.recv_to_end()

    def test_puts_old_connections_under_the_new_rules(self, door, connect):
        daemon = door(allow_cn="good")
        client = connect(daemon)
        say(client)
        edit(daemon, "allow_cn = good", "allow_cn = somebody else")
        upgrade(daemon)
        client.recv_to_end()
        assert daemon.closed(reason="deauthorized")

    @pytest.mark.limit(120)
    def test_leaks_nothing_over_ten_times(self, door, binary, connect):
        daemon = door()
        upgrade(daemon)

        def old_ones_left():
            return sorted(processes.children(daemon.pid)) == \
                sorted(daemon.workers())
        wait_until(old_ones_left, "the first old workers are gone")
        before = daemon.descriptors()
        for n in range(10):
            binary.replace()
            upgrade(daemon, n + 2)
            wait_until(old_ones_left, "the old workers are gone")
        # The supervisor says that it is done a moment before it watches files.
        most = [n + 1 for n in sorted(before.values())]
        wait_until(lambda: all(
            now <= then for now, then in
            zip(sorted(daemon.descriptors().values()), most, strict=True)),
            f"descriptors are as before: {before}")
        say(connect(daemon))

    def test_asked_for_twice_is_done_once_and_again(self, door, connect):
        daemon = door()
        for _ in range(5):
            daemon.send_signal(signal.SIGUSR2)
        daemon.log.wait("upgraded")
        say(connect(daemon))
        daemon.stop()

    def test_keeps_the_admin_socket(self, door, binary):
        daemon = door()
        before = os.stat(daemon.admin_socket).st_ino
        binary.replace()
        upgrade(daemon)
        assert os.stat(daemon.admin_socket).st_ino == before
        done = run([str(binary.path), "status", "--socket",
                    str(daemon.admin_socket)])
        assert done.returncode == 0
        assert b"state: serving" in done.stdout
        daemon.stop()
        assert not os.path.exists(daemon.admin_socket)

    def test_keeps_unix_sockets_and_inherited_ones(
            self, backend, start_daemon, pki, binary, open_dir, connect):
        path = str(open_dir / "gw.sock")
        manager = ServiceManager(open_dir)
        try:
            with socket.socket() as activated:
                activated.bind(("127.0.0.1", 0))
                activated.listen()
                daemon = start_daemon(
                    {"sallyport": {"workers": 1, "drain_timeout": "2s"},
                     "listener gw": listener_keys(
                         pki, backend(echo),
                         listen=["systemd:web", f"unix:{path}"])},
                    program=str(binary.path),
                    **manager.inherit(("web", activated.fileno())))
                manager.wait_state("READY")  # behind all that is stored
                names = manager.names()
                for n in range(2):
                    upgrade(daemon, n + 1)
                    say(connect(daemon, address=activated.getsockname()))
                    say(connect(daemon, address=path))
                assert manager.names() == names
                daemon.send_signal(signal.SIGHUP)
                daemon.log.wait("reloaded", count=3)
                daemon.stop()
        finally:
            manager.close()

    @pytest.mark.parametrize("request_line", [b"status\n", b"reload\n"])
    def test_hangs_up_on_nobody_who_asks(self, door, request_line):
        daemon = door()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(20)
            caller.connect(str(daemon.admin_socket))
            caller.sendall(request_line[:3])
            daemon.send_signal(signal.SIGUSR2)
            # Right before the end all signals wait.
            wait_until(lambda: int(processes.status(daemon.pid)["SigBlk"], 16),
                       "the other binary has answered")
            caller.sendall(request_line[3:])
            with caller.makefile() as answer:
                assert answer.read().splitlines()[-1] == "ok"
        daemon.log.wait("upgraded")

    def test_waits_for_no_silent_caller(self, door):
        daemon = door()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(20)
            caller.connect(str(daemon.admin_socket))
            upgrade(daemon)
            assert caller.recv(1) == b""
        assert daemon.status()["state"] == "serving"

    def test_survives_the_death_of_an_old_worker(self, door, binary,
                                                 connect, on_each_worker):
        daemon = door()
        clients = on_each_worker(daemon)
        victim, other = daemon.workers()
        upgrade(daemon)
        os.kill(victim, signal.SIGKILL)
        daemon.log.wait("worker died", pid=victim)
        say(clients[other])
        say(connect(daemon))

    @pytest.mark.parametrize("attempt", range(3))
    def test_hears_of_a_death_between_the_two_images(
            self, door, on_each_worker, attempt):
        """Its connections are gone: nobody may wait for them at the end."""
        daemon = door(process={"drain_timeout": "10s"})
        clients = on_each_worker(daemon)
        victim, other = daemon.workers()
        daemon.send_signal(signal.SIGUSR2)
        daemon.log.wait("upgrading")
        os.kill(victim, signal.SIGKILL)
        daemon.log.wait("worker died", pid=victim)
        daemon.log.wait("upgraded")
        say(clients[other])
        clients[other].close_notify()
        daemon.stop(timeout=5)

    @pytest.mark.parametrize("attempt", range(3))
    def test_is_not_refused_for_a_worker_that_leaves_just_then(
            self, door, connect, attempt):
        daemon = door()
        for n in range(4):
            upgrade(daemon, n + 1)
        say(connect(daemon))
        assert not daemon.log.find("not upgraded, the old binary goes on")


class TestPuttingOff:
    """A worker that has ended, but not to the supervisor's knowledge, cannot be
    handed over."""

    def test_waits_for_the_end_of_a_worker(self, door, connect):
        daemon = door()
        with processes.dead_in_secret(daemon.workers()[0]) as victim:
            daemon.send_signal(signal.SIGUSR2)
            daemon.log.wait("upgrade put off")
            assert not daemon.log.find("worker died")
        daemon.log.wait("worker died", pid=victim)
        daemon.log.wait("upgraded")
        assert len(daemon.log.find("upgrade put off")) == 1
        say(connect(daemon))

    def test_has_an_end(self, door, binary, connect):
        daemon = door()
        before = binary.inode()
        binary.replace()
        with processes.dead_in_secret(daemon.workers()[0]):
            assert "worker 0" in refusal(daemon)["detail"]
            say(connect(daemon))
            assert image_of(daemon.pid) == before
        daemon.log.wait("worker died")
        upgrade(daemon)
        say(connect(daemon))

    def test_goes_on_while_reloads_come(self, door):
        daemon = door()
        with processes.dead_in_secret(daemon.workers()[0]):
            daemon.send_signal(signal.SIGUSR2)
            daemon.log.wait("upgrade put off")
            daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("upgraded")

    def test_does_not_keep_from_stopping(self, door):
        daemon = door(process={"drain_timeout": "100ms"})
        with processes.dead_in_secret(daemon.workers()[0]):
            daemon.send_signal(signal.SIGUSR2)
            daemon.log.wait("upgrade put off")
            daemon.send_signal(signal.SIGTERM)
            daemon.log.wait("stopping")
        daemon.wait_stopped()
        assert not daemon.log.find("upgraded")


class TestStop:
    def test_right_after_the_question_is_a_stop(self, door):
        daemon = door()
        daemon.send_signal(signal.SIGUSR2)
        daemon.stop()

    @pytest.mark.parametrize("attempt", range(5))
    def test_at_any_moment_of_it_is_a_stop(self, door, connect, attempt):
        """Signals between the two images wait for the next one."""
        daemon = door(process={"drain_timeout": "200ms"})
        client = connect(daemon)
        daemon.send_signal(signal.SIGUSR2)
        if attempt > 0:
            daemon.log.wait("upgrading")
        daemon.stop()
        assert daemon.log.find("stopping")
        client.recv_to_end()

    def test_drains_old_and_new_workers(self, door, connect):
        daemon = door()
        old = connect(daemon)
        say(old)
        upgrade(daemon)
        new = connect(daemon)
        say(new)
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait("stopping")
        refuses_connections(daemon.address())
        for client in (old, new):
            say(client)
            client.close_notify()
            client.recv_to_end()
        daemon.wait_stopped()


class TestRefusal:
    @pytest.fixture
    def running(self, door, connect):
        """running(): a daemon, and a check that nothing has happened to
        it."""

        def start():
            daemon = door()
            client = connect(daemon)
            say(client)
            workers = daemon.workers()
            image = image_of(daemon.pid)

            def is_untouched():
                say(client)
                say(connect(daemon))
                assert daemon.workers() == workers
                assert image_of(daemon.pid) == image
                assert not daemon.log.find("upgraded")
            return daemon, is_untouched

        return start

    def test_of_a_file_that_is_not_there(self, running, binary):
        daemon, is_untouched = running()
        os.unlink(binary.path)
        assert "No such file" in refusal(daemon)["detail"]
        is_untouched()
        binary.replace()
        upgrade(daemon)

    def test_of_a_file_that_cannot_be_executed(self, running, binary):
        daemon, is_untouched = running()
        binary.replace()
        binary.path.chmod(0o644)
        assert "Permission denied" in refusal(daemon)["detail"]
        is_untouched()

    def test_of_what_is_no_program(self, running, binary):
        daemon, is_untouched = running()
        binary.write(b"\x7fELF, and then nothing")
        assert "cannot be executed" in refusal(daemon)["detail"]
        is_untouched()

    def test_of_another_program(self, running, binary):
        daemon, is_untouched = running()
        with open(need("true", "coreutils"), "rb") as other:
            binary.write(other.read())
        assert "without an answer" in refusal(daemon)["detail"]
        is_untouched()

    def test_of_a_binary_with_another_handover(self, running, binary):
        daemon, is_untouched = running()
        binary.replace((b"sallyport handover 2", b"sallyport handover 9"))
        assert "another format" in refusal(daemon)["detail"]
        is_untouched()

    def test_of_a_binary_that_refuses_the_configuration(self, running):
        daemon, is_untouched = running()
        edit(daemon, "[sallyport]", "[sallyport]\nwrokers = 2")
        detail = refusal(daemon)["detail"]
        assert detail.startswith(f"{daemon.config}:2: ")
        assert "wrokers" in detail
        is_untouched()

    def test_leaks_nothing(self, running, binary):
        daemon, is_untouched = running()
        os.unlink(binary.path)
        refusal(daemon)
        before = daemon.descriptors()[daemon.pid]
        for _ in range(5):
            refusal(daemon)
        binary.replace((b"sallyport handover 2", b"sallyport handover 9"))
        for _ in range(5):
            refusal(daemon)
        wait_until(lambda: daemon.descriptors()[daemon.pid] == before,
                   "descriptors are as before")
        is_untouched()


class TestNewWorkersThatFail:
    """/proc/self/exe is what workers are made from; a directory is not."""

    BREAK = (b"/proc/self/exe", b"/proc/self/cwd")

    def test_leave_the_old_ones_in_place(self, door, binary, connect,
                                         on_each_worker):
        daemon = door()
        clients = on_each_worker(daemon)
        binary.replace(self.BREAK)
        daemon.send_signal(signal.SIGUSR2)
        daemon.log.wait("no worker of the new binary comes up, the old ones "
                        "go on", 30)
        for client in clients.values():
            say(client)
        for _ in range(10):
            say(connect(daemon))
        # And a good binary takes over from there.
        binary.replace()
        upgrade(daemon)
        for client in clients.values():
            say(client)
        say(connect(daemon))

    def test_leave_the_resolver_its_settings(self, gateway, backend, binary,
                                             connect):
        """One that comes again is as the settings say that run, not as those
        that were refused."""
        port = backend(echo).address.rsplit(":", 1)[1]
        daemon = gateway(f"localhost:{port}", allow_remote_plaintext=True,
                         daemon={"program": str(binary.path)})
        say(connect(daemon))
        binary.replace(self.BREAK)
        daemon.send_signal(signal.SIGUSR2)
        daemon.log.wait("no worker of the new binary comes up, the old ones "
                        "go on", 30)
        daemon.log.wait(f"resolver died, wait status {127 << 8}", count=3)
        binary.replace()
        upgrade(daemon)
        say(connect(daemon))

    def test_leave_the_resolver_its_names(self, gateway, backend, binary):
        """Those that run are not the first that the new binary loads."""
        address = backend(echo).address
        name = f"localhost:{address.rsplit(':', 1)[1]}"
        daemon = gateway(name, allow_remote_plaintext=True,
                         daemon={"program": str(binary.path)})
        edit(daemon, name, address)
        binary.replace(self.BREAK)
        daemon.send_signal(signal.SIGUSR2)
        daemon.log.wait("no worker of the new binary comes up, the old ones "
                        "go on", 30)
        mark = daemon.log.mark()
        daemon.log.wait(f"resolver died, wait status {127 << 8}", since=mark)


class TestAnotherProtocol:
    """Workers that cannot be told of a new generation."""

    OTHER = (b"sallyport messages 1", b"sallyport messages 2")

    def test_lets_connections_live_while_nothing_changes(
            self, door, binary, connect, load):
        daemon = door()
        client = connect(daemon)
        say(client)
        clients = load(daemon.address())
        clients.wait_served(10)
        binary.replace(self.OTHER)
        upgrade(daemon)
        clients.wait_served(10)
        clients.end()
        assert clients.refused == []
        assert clients.broken == []
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded", count=2)
        say(client)

    def test_drains_them_when_something_does(self, door, binary, connect):
        daemon = door(process={"drain_timeout": "300ms"})
        client = connect(daemon)
        say(client)
        binary.replace(self.OTHER)
        upgrade(daemon)
        say(client)
        edit(daemon, "[listener gw]", "[listener gw]\nallow_cn = somebody")
        daemon.send_signal(signal.SIGHUP)
        client.recv_to_end()
        assert daemon.closed(reason="drained")

    def test_is_not_forgotten_by_the_next_upgrade(self, door, binary,
                                                  connect):
        """Which both binaries that take part in speak, but not the worker."""
        daemon = door(process={"drain_timeout": "300ms"})
        client = connect(daemon)
        say(client)
        binary.replace(self.OTHER)
        upgrade(daemon)
        upgrade(daemon, 2)
        say(client)
        edit(daemon, "[listener gw]", "[listener gw]\nallow_cn = somebody")
        daemon.send_signal(signal.SIGHUP)
        client.recv_to_end()
        assert daemon.closed(reason="drained")

    def test_lets_one_that_drains_go_over_a_failed_upgrade(
            self, door, binary, connect):
        daemon = door(process={"workers": 1, "drain_timeout": "3s"})
        client = connect(daemon)
        say(client)
        victim, = daemon.workers()
        binary.replace(self.OTHER)
        upgrade(daemon)
        edit(daemon, "[listener gw]", "[listener gw]\nallow_cn = somebody")
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait("reloaded", count=2)
        binary.replace(self.OTHER, TestNewWorkersThatFail.BREAK)
        daemon.send_signal(signal.SIGUSR2)
        client.recv_to_end()
        daemon.log.wait("no worker of the new binary comes up, the old ones "
                        "go on", 30)
        wait_until(lambda: is_gone(victim), "it has ended")
        assert not daemon.log.find("worker died", pid=victim)

    def test_drains_them_when_the_upgrade_changes_something(
            self, door, binary, connect):
        daemon = door(process={"drain_timeout": "300ms"})
        client = connect(daemon)
        say(client)
        binary.replace(self.OTHER)
        edit(daemon, "[listener gw]", "[listener gw]\nallow_cn = somebody")
        upgrade(daemon)
        client.recv_to_end()
        assert daemon.closed(reason="drained")
