"""Start, stop, drain, crash: the life of the daemon's processes."""

import grp
import os
import pwd
import signal
import socket
import subprocess

import pytest

from harness import processes
from harness.backends import RESET, echo
from harness.clients import (CLOSE_NOTIFY, TRUNCATED, refuses_connections,
                             say)
from harness.clients import RESET as TLS_RESET
from harness.daemon import environment, ini, run_check
from harness.limits import seconds, wait_until
from harness.programs import free_port, need, need_root, sallyport

CUT = (TRUNCATED, TLS_RESET)


class TestStart:
    def test_tells_when_it_is_ready(self, backend, gateway):
        daemon = gateway(backend(), process={"workers": 2})
        assert daemon.wait_ready().fields == {
            "listeners": "1", "workers": "2", "generation": "1"}
        assert daemon.wait_ready().process == "supervisor"
        assert daemon.wait_ready().pid == daemon.pid

    def test_names_each_listening_address(self, backend, gateway):
        daemon = gateway(backend(), listen=["127.0.0.1:0", "127.0.0.2:0"])
        lines = daemon.log.find("listening", listener="gw")
        assert [line["address"].split(":")[0] for line in lines] == \
            ["127.0.0.1", "127.0.0.2"]
        assert all(line.level == "notice" for line in lines)

    def test_has_as_many_workers_as_told(self, backend, gateway):
        daemon = gateway(backend(), process={"workers": 3})
        assert len(set(daemon.workers())) == 3
        assert set(daemon.workers()) <= set(processes.children(daemon.pid))

    def test_makes_one_worker_for_each_cpu_by_default(self, backend,
                                                      gateway):
        daemon = gateway(backend(), process={"workers": None})
        cpus = len(os.sched_getaffinity(0))
        assert daemon.wait_ready()["workers"] == str(cpus)

    def test_on_a_port_in_use_fails_with_its_name(self, backend, gateway):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            daemon = gateway(backend(), listen=address,
                             daemon={"ready": False})
            daemon.wait_stopped(status=1)
        assert address in daemon.log.text()
        assert "Address already in use" in daemon.log.text()

    def test_with_a_broken_configuration_prints_the_findings(self,
                                                             start_daemon):
        daemon = start_daemon("[listener gw]\nlistn = 127.0.0.1:0\n",
                              ready=False)
        daemon.wait_stopped(status=1)
        text = daemon.log.text()
        assert f'{daemon.config}:2: [listener gw] unknown key "listn"; ' \
            'did you mean "listen"?' in text
        assert text.endswith("configuration not loaded")

    def test_prints_what_check_prints(self, start_daemon, tmp_path):
        daemon = start_daemon("[listener gw]\nlistn = 127.0.0.1:0\n",
                              ready=False)
        daemon.wait_stopped(status=1)
        checked = run_check(daemon.config)
        assert daemon.log.text() == checked.stderr.decode().rstrip("\n")

    def test_on_a_fixed_port_works_again_right_after_a_stop(
            self, backend, gateway, connect):
        """Connections in TIME_WAIT must not hold the port."""
        listen = f"127.0.0.1:{free_port()}"
        service = backend(echo)
        for _ in range(2):
            daemon = gateway(service, listen=listen)
            say(connect(daemon))
            daemon.stop()

    def test_goes_on_when_nobody_reads_its_log_any_more(
            self, backend, pki, connect, tmp_path):
        service = backend(echo)
        address = ("127.0.0.1", free_port())
        config = tmp_path / "sallyport.ini"
        config.write_text(ini({"sallyport": {"workers": 1}, "listener gw": {
            "listen": "%s:%d" % address, "certfile": pki.server.cert,
            "keyfile": pki.server.key, "cafile": pki.ca.cert,
            "backend": service.address}}))
        reader, writer = os.pipe()
        with subprocess.Popen([sallyport(), "-c", config], stderr=writer,
                              stdin=subprocess.DEVNULL,
                              env=environment()) as process:
            try:
                os.close(writer)
                text = b""
                while b" ready " not in text:
                    text += os.read(reader, 4096)
                os.close(reader)
                for _ in range(3):
                    client = connect(None, address=address)
                    say(client)
                    client.close_notify()
                    assert client.stream_end() == CLOSE_NOTIFY
                process.terminate()
                assert process.wait(seconds(10)) == 0
            finally:
                process.kill()

    def test_without_standard_descriptors_writes_its_log_nowhere(
            self, backend, pki, connect, tmp_path):
        """The first that are opened have their numbers, and must not get
        their bytes."""
        service = backend(echo)
        address = ("127.0.0.1", free_port())
        config = tmp_path / "sallyport.ini"
        config.write_text(ini({"sallyport": {"workers": 1}, "listener gw": {
            "listen": "%s:%d" % address, "certfile": pki.server.cert,
            "keyfile": pki.server.key, "cafile": pki.ca.cert,
            "backend": service.address}}))

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(address) == 0

        closed = 'exec "$0" -c "$1" 0<&- 1>&- 2>&-'
        with subprocess.Popen(["sh", "-c", closed, sallyport(), config],
                              env=environment()) as process:
            try:
                wait_until(listens, "it listens")
                client = connect(None, address=address)
                say(client)
                for pid in [process.pid, *processes.children(process.pid)]:
                    files = processes.descriptors(pid)
                    assert [files[fd] for fd in (0, 1, 2)] == \
                        ["/dev/null"] * 3
                client.close()
                process.terminate()
                assert process.wait(seconds(10)) == 0
            finally:
                process.kill()

    def test_replaces_the_socket_file_of_a_dead_one(self, backend, gateway,
                                                    connect, open_dir):
        listen = f"unix:{open_dir}/gw.sock"
        service = backend(echo)
        first = gateway(service, listen=listen)
        first.kill()
        say(connect(gateway(service, listen=listen)))

    def test_does_not_steal_the_socket_file_of_a_live_one(
            self, backend, gateway, connect, open_dir):
        listen = f"unix:{open_dir}/gw.sock"
        service = backend(echo)
        first = gateway(service, listen=listen)
        second = gateway(service, listen=listen, daemon={"ready": False})
        second.wait_stopped(status=1)
        assert listen in second.log.text()
        say(connect(first))


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_with_status_0(self, backend, gateway, number):
        daemon = gateway(backend(), process={"workers": 2})
        daemon.stop(number, timeout=5)
        assert daemon.log.find("stopping", signal=number.name)
        assert daemon.log.find("stopped")
        assert not daemon.log.find("worker died")

    def test_in_the_middle_of_a_start_is_no_failure(self, backend, gateway):
        daemon = gateway(backend(), daemon={"ready": False})
        daemon.log.wait("worker started")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_stopped(timeout=5)
        assert daemon.log.find("stopped")
        assert daemon.log.foreign() == []

    def test_closes_no_connection_that_ends_in_time(self, backend, gateway,
                                                    connect):
        daemon = gateway(backend(echo), process={"drain_timeout": "30s"})
        client = connect(daemon)
        say(client)
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait("stopping", signal="SIGTERM")
        refuses_connections(daemon.address())
        say(client, b"still served")
        client.close_notify()
        assert client.stream_end() == CLOSE_NOTIFY
        daemon.wait_stopped(timeout=5)
        assert daemon.closed(peer=client.peer)["reason"] == "done"

    def test_closes_what_is_left_after_the_drain_timeout(
            self, backend, gateway, connect):
        service = backend()
        daemon = gateway(service, process={"drain_timeout": "500ms"})
        client = connect(daemon)
        peer = service.accept()
        peer.send(b"x")
        client.recv_exactly(1)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_stopped(timeout=8)
        daemon.closed(peer=client.peer, reason="drained")
        assert client.stream_end() in CUT
        assert peer.end() == RESET

    def test_a_second_signal_stops_at_once(self, backend, gateway, connect):
        service = backend()
        daemon = gateway(service, process={"drain_timeout": "1h"})
        client = connect(daemon)
        peer = service.accept()
        peer.send(b"x")
        client.recv_exactly(1)
        daemon.send_signal(signal.SIGTERM)
        daemon.log.wait("stopping", signal="SIGTERM")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_stopped(timeout=5)
        daemon.closed(peer=client.peer, reason="stopped")
        assert client.stream_end() in CUT
        assert peer.end() == RESET

    def test_without_drain_timeout_is_at_once(self, backend, gateway,
                                              connect):
        daemon = gateway(backend(echo), process={"drain_timeout": "0"})
        client = connect(daemon)
        say(client)
        daemon.stop(timeout=5)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_by_a_signal_to_all_processes_drains_as_well(
            self, backend, gateway, connect, number):
        """Ctrl-C on a terminal and KillMode=control-group of systemd reach
        the workers, too."""
        daemon = gateway(backend(echo), process={"workers": 2,
                                                 "drain_timeout": "30s"})
        client = connect(daemon)
        say(client)
        os.killpg(daemon.pid, number)
        daemon.log.wait("stopping", signal=number.name)
        say(client, b"still served")
        client.close_notify()
        assert client.stream_end() == CLOSE_NOTIFY
        daemon.wait_stopped(timeout=5)
        daemon.closed(peer=client.peer, reason="done")
        assert not daemon.log.find("worker died")

    def test_ends_handshakes_that_hang(self, backend, gateway, raw_connect,
                                       pki):
        daemon = gateway(backend(), process={"drain_timeout": "500ms"})
        client = raw_connect(daemon, pki.good)
        client.start_handshake()
        client.fill()
        daemon.stop(timeout=8)

    def test_removes_its_unix_socket(self, backend, gateway, open_dir):
        path = open_dir / "gw.sock"
        daemon = gateway(backend(), listen=f"unix:{path}")
        assert path.is_socket()
        daemon.stop()
        assert not path.exists()

    def test_leaves_nothing_when_the_supervisor_is_killed(
            self, backend, gateway, connect):
        daemon = gateway(backend(echo), process={"workers": 2})
        say(connect(daemon))
        os.kill(daemon.pid, signal.SIGKILL)
        daemon.process.wait()
        wait_until(lambda: not processes.in_session(daemon.pid),
                   "the workers have followed their supervisor")
        daemon.kill()


class TestCrash:
    def test_a_killed_worker_is_replaced(self, backend, gateway, connect):
        daemon = gateway(backend(echo))
        worker = daemon.workers()[0]
        mark = daemon.log.mark()
        os.kill(worker, signal.SIGKILL)
        died = daemon.log.wait("worker died", pid=worker, worker=0)
        assert died["status"] == "killed by signal 9"
        assert died.level == "error"
        assert died.process == "supervisor"
        again = daemon.log.wait("worker started", since=mark, worker=0)
        assert int(again["pid"]) != worker
        say(connect(daemon))

    def test_a_killed_worker_takes_only_its_own_connections(
            self, backend, gateway, on_each_worker):
        daemon = gateway(backend(echo), process={"workers": 2})
        clients = on_each_worker(daemon)
        victim, survivor = daemon.workers()
        os.kill(victim, signal.SIGKILL)
        daemon.log.wait("worker died", pid=victim)
        assert clients[victim].stream_end() in CUT
        say(clients[survivor], b"did not notice")
        daemon.log.wait("worker started", count=3)
        say(clients[survivor], b"nor now")

    @pytest.mark.parametrize("who", ["worker", "supervisor"])
    def test_is_no_clean_end_for_the_backend(self, pair, who):
        """The kernel closes what a killed process had open: the backend
        must not take half of a request for the whole."""
        daemon, client, peer = pair()
        client.send(b"half of a request")
        assert peer.recv_exactly(17) == b"half of a request"
        os.kill(daemon.workers()[0] if who == "worker" else daemon.pid,
                signal.SIGKILL)
        assert peer.end() == RESET
        assert client.stream_end() in CUT
        daemon.kill()

    def test_a_crashing_worker_is_reported_by_its_signal(self, backend,
                                                         gateway):
        daemon = gateway(backend())
        os.kill(daemon.workers()[0], signal.SIGABRT)
        daemon.log.wait("worker died", status="killed by signal 6",
                        worker=0)

    def test_service_outlives_crash_after_crash(self, backend, gateway,
                                                connect):
        daemon = gateway(backend(echo), process={"workers": 2})
        for n in range(1, 4):
            os.kill(daemon.workers()[0], signal.SIGKILL)
            daemon.log.wait("worker died", count=n)
            daemon.log.wait("worker started", count=2 + n, timeout=20)
        say(connect(daemon))
        assert not processes.zombies(daemon.pid)

    def test_a_stop_while_a_worker_is_away_ends_well(self, backend,
                                                     gateway):
        daemon = gateway(backend(), process={"workers": 2})
        os.kill(daemon.workers()[0], signal.SIGKILL)
        daemon.stop(timeout=8)

    def test_a_crash_leaks_no_descriptor_of_the_supervisor(self, backend,
                                                           gateway):
        daemon = gateway(backend())
        # Its files are watched right after it is ready.
        wait_until(lambda: "anon_inode:inotify" in
                   processes.descriptors(daemon.pid).values(),
                   "the files are watched")
        before = len(processes.descriptors(daemon.pid))
        os.kill(daemon.workers()[0], signal.SIGKILL)
        daemon.log.wait("worker started", count=2)
        wait_until(lambda: len(processes.descriptors(daemon.pid)) == before,
                   "the supervisor has as many descriptors as before")


class TestRights:
    """What a worker may do: nothing but talk."""

    @pytest.fixture
    def workers(self, backend, gateway):
        def start(**process):
            daemon = gateway(backend(), process={"workers": 2, **process})
            return daemon, [processes.status(pid)
                            for pid in daemon.workers()]
        return start

    def test_workers_have_no_capability_and_cannot_gain_any(self, workers):
        for status in workers()[1]:
            for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                assert int(status[kind], 16) == 0, kind
            assert status["NoNewPrivs"] == "1"

    def test_workers_are_filtered_by_seccomp(self, workers, sanitized,
                                             version_text):
        if sanitized:
            pytest.skip("a sanitizer build has no seccomp filter")
        if "seccomp no" in version_text.replace(":", ""):
            pytest.skip("built without libseccomp")
        for status in workers()[1]:
            assert status["Seccomp"] == "2"

    def test_workers_run_as_nobody_when_started_as_root(self, workers):
        need_root("only root can become somebody else")
        nobody = pwd.getpwnam("nobody")
        for status in workers()[1]:
            assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
            assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
            assert "0" not in status["Groups"].split()

    def test_workers_run_as_the_user_and_group_named(self, workers):
        need_root("only root can become somebody else")
        for status in workers(user="daemon", group="nogroup")[1]:
            assert set(status["Uid"].split()) == {
                str(pwd.getpwnam("daemon").pw_uid)}
            assert set(status["Gid"].split()) == {
                str(grp.getgrnam("nogroup").gr_gid)}

    def test_an_unknown_user_is_an_error_at_start(self, backend, gateway):
        need_root("only root can become somebody else")
        daemon = gateway(backend(), process={"user": "no-such-user"},
                         daemon={"ready": False})
        daemon.wait_stopped(status=1)
        assert "no-such-user" in daemon.log.text()

    def test_workers_hold_no_file_open(self, workers):
        daemon, _ = workers()
        for pid in daemon.workers():
            for number, what in processes.descriptors(pid).items():
                if number > 2:
                    assert what.startswith(("socket:", "pipe:",
                                            "anon_inode:", "/memfd:")) \
                        or what == "/dev/null", f"{number} is {what}"

    def test_workers_cannot_be_read_by_others_of_their_user(self, workers,
                                                            sanitized):
        """Not dumpable: /proc/PID belongs to root then."""
        need_root("only root can become somebody else")
        if sanitized:
            pytest.skip("LeakSanitizer has to read its own process")
        daemon, _ = workers()
        for pid in daemon.workers():
            owner = os.stat(f"/proc/{pid}/maps").st_uid
            assert owner == 0

    def test_it_serves_without_a_sandbox_too(self, backend, gateway,
                                             connect):
        daemon = gateway(backend(echo), process={"sandbox": "off"})
        say(connect(daemon))
        assert processes.status(daemon.workers()[0])["Seccomp"] == "0"

    def test_no_process_is_a_zombie(self, workers):
        daemon, _ = workers()
        assert not processes.zombies(daemon.pid)


class TestDescriptors:
    def test_do_not_leak_over_hundreds_of_connections(
            self, backend, gateway, connect, raw_connect, pki):
        daemon = gateway(backend(echo), process={"workers": 2})
        warm = connect(daemon)
        say(warm)
        warm.close()
        daemon.closed()
        before = daemon.descriptors()

        for n in range(100):
            good = connect(daemon)
            good.send(b"x")
            cut = connect(daemon)
            cut.send(b"x")
            cut.reset()
            bad = raw_connect(daemon, pki.stranger)
            bad.start_handshake()
            bad.fill()
            bad.close()
            probe = socket.create_connection(daemon.address(), 10)
            if n % 2:
                probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
            probe.close()
            if n % 3:
                good.close_notify()
                good.recv_to_end()
            good.close()
        wait_until(lambda: no_more_than(before, daemon.descriptors()),
                   f"descriptors are as before: {before}", timeout=15)

    def test_do_not_leak_when_backends_fail(self, gateway, connect):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            daemon = gateway("127.0.0.1:%d" % nobody.getsockname()[1])

            def fail():
                client = connect(daemon)
                client.recv_to_end()
                client.close()
                daemon.closed(peer=client.peer, reason="backend_failed")
            fail()
            before = daemon.descriptors()
            for _ in range(50):
                fail()
            wait_until(lambda: no_more_than(before, daemon.descriptors()),
                       f"descriptors are as before: {before}")

    def test_that_run_out_make_clients_wait_and_hurt_nobody(
            self, backend, gateway, connect, raw_connect, pki):
        daemon = gateway(
            backend(echo),
            daemon={"wrapper": [need("prlimit", "util-linux"),
                                "--nofile=64:64"]})
        served, waiting = [], []
        while len(waiting) < 6:
            client = raw_connect(daemon, pki.good)
            client.start_handshake()
            client.sock.settimeout(0.5)
            try:
                if not waiting:
                    client.handshake()
                    served.append(client)
                    assert len(served) < 64, "the limit does nothing"
                    continue
            except TimeoutError:
                pass
            waiting.append(client)
        assert len(served) >= 8

        for client in served:
            client.sock.settimeout(10)
            say(client, b"not disturbed")
        for client in served[:7]:
            client.close_notify()
            client.recv_to_end()
            client.close()
        for client in waiting:
            client.sock.settimeout(10)
            client.handshake()
            say(client, b"at last")

    def test_too_few_for_max_connections_are_warned_of(
            self, backend, gateway):
        limit = {"wrapper": [need("prlimit", "util-linux"), "--nofile=64:64"]}
        daemon = gateway(backend(), daemon=limit,
                         process={"max_connections": 1000})
        line = daemon.log.wait("the limit on open files leaves room for few "
                               "connections")
        assert line.level == "warn"
        assert (line["max_connections"], line["open_files"]) == ("1000", "64")
        assert int(line["connections"]) < 32

    def test_max_connections_makes_further_clients_wait(
            self, backend, gateway, connect, raw_connect, pki):
        daemon = gateway(backend(echo), process={"max_connections": 3})
        served = [connect(daemon) for _ in range(3)]
        waiting = raw_connect(daemon, pki.good)
        waiting.start_handshake()
        waiting.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            waiting.handshake()
        served[0].close_notify()
        served[0].recv_to_end()
        served[0].close()
        waiting.sock.settimeout(10)
        waiting.handshake()
        say(waiting)
        say(served[1])


def no_more_than(before, now):
    """Has no process more descriptors than it had before? Fewer are fine:
    then something was about to be closed."""
    return now.keys() == before.keys() and \
        all(now[pid] <= before[pid] for pid in now)
