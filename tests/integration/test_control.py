"""The admin socket: sallyport reload, sallyport status, and who else talks to
it."""

import json
import os
import socket
import stat

import pytest

from harness.backends import background, echo
from harness.clients import run, say
from harness.limits import seconds, wait_until
from harness.programs import need, need_root


@pytest.fixture
def daemon(gateway, backend):
    return gateway(backend(echo), process={"workers": 2})


def dial(daemon):
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(seconds(15))
    sock.connect(str(daemon.admin_socket))
    return sock


def read_all(sock):
    data = b""
    while piece := sock.recv(4096):
        data += piece
    return data.decode()


def talk(daemon, request):
    with dial(daemon) as sock:
        sock.sendall(request)
        return read_all(sock)


class TestReload:
    def test_says_that_it_is_done(self, daemon):
        done = daemon.ask("reload")
        assert done.returncode == 0
        assert done.stdout == ""
        assert done.stderr == \
            "sallyport: no errors, no warnings; configuration loaded\n"
        # When it returns the new generation runs.
        assert daemon.log.find("reloaded", generation="2")

    def test_says_what_is_wrong(self, daemon):
        text = daemon.config.read_text()
        daemon.config.write_text(text + "\nnonsense = 1\nbackend = x\n")
        done = daemon.ask("reload")
        lines = text.count("\n")
        assert done.returncode == 1
        assert done.stderr.startswith(
            f'{daemon.config}:{lines + 2}: [listener gw] unknown key '
            '"nonsense"')
        assert done.stderr.endswith(
            "; the running configuration stays\n")
        assert daemon.status()["generation"] == 1

    def test_finds_the_daemon_through_a_broken_file(self, gateway, backend,
                                                    open_dir):
        path = open_dir / "elsewhere.sock"
        daemon = gateway(backend(), process={"admin_socket": path})
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        daemon.config.write_text(
            daemon.config.read_text() + "[listener\nrubbish\n")
        done = daemon.ask("reload")
        assert done.returncode == 1
        assert "section header has no closing" in done.stderr

    def test_finds_the_daemon_without_the_file(self, daemon):
        daemon.config.unlink()
        done = daemon.ask("reload")
        assert done.returncode == 1
        assert "cannot read the configuration" in done.stderr
        done = daemon.ask("reload", "--socket", str(daemon.admin_socket))
        assert "cannot read the configuration" in done.stderr

    def test_says_that_nobody_answers(self, daemon):
        daemon.stop()
        done = daemon.ask("reload")
        assert done.returncode == 1
        assert f"no daemon answers at {daemon.admin_socket}: " \
            "No such file" in done.stderr

    def test_of_no_socket_says_so(self, gateway, backend):
        daemon = gateway(backend(), process={"admin_socket": "none"})
        assert not daemon.admin_socket.exists()
        done = daemon.ask("reload")
        assert done.returncode == 1
        assert "admin_socket = none" in done.stderr

    def test_by_many_at_once_is_answered_to_each(self, daemon):
        callers = [background(daemon.ask, "reload") for _ in range(12)]
        done = [caller.join(60) for caller in callers]
        assert [one.returncode for one in done] == [0] * 12
        # Each got the result of one that began after its question, and many
        # questions shared one.
        assert 1 < daemon.status()["generation"] <= 13

    def test_that_is_not_waited_for_happens(self, daemon):
        for _ in range(20):
            with dial(daemon) as sock:
                sock.sendall(b"reload\n")
        daemon.log.wait("reloaded", 20)
        assert daemon.ask("reload").returncode == 0

    def test_wants_no_other_options(self, daemon):
        for args in (["--strict"], ["--listener", "gw"], ["--json"]):
            done = daemon.ask("reload", *args)
            assert done.returncode == 2
            assert f"{args[0]} goes with" in done.stderr


class TestStatus:
    def test_counts(self, daemon, connect):
        clients = [connect(daemon) for _ in range(3)]
        for client in clients:
            say(client)
        status = daemon.status()
        assert status["pid"] == daemon.pid
        assert status["state"] == "serving"
        assert status["generation"] == 1
        assert status["workers"] == 2
        assert status["leaving_workers"] == 0
        assert status["connections"] == 3
        host, port = daemon.address()
        assert status["listeners"] == [
            {"name": "gw", "address": f"{host}:{port}"}]

    def test_reads_well(self, daemon):
        done = daemon.ask("status")
        assert done.returncode == 0
        assert done.stderr == ""
        assert f"pid: {daemon.pid}\nstate: serving\ngeneration: 1\n" \
            "workers: 2\nleaving workers: 0\nconnections: 0\n" \
            "listener gw: 127.0.0.1:" in done.stdout

    def test_while_draining_counts_what_is_left(self, gateway, backend,
                                                connect):
        daemon = gateway(backend(echo), process={"drain_timeout": "30s"})
        client = connect(daemon)
        say(client)
        daemon.send_signal(15)
        daemon.log.wait("stopping", 10)
        status = daemon.status()
        assert status["state"] == "draining"
        assert status["connections"] == 1
        assert status["listeners"] == []
        client.close_notify()
        client.recv_to_end()
        daemon.wait_stopped()
        assert not daemon.admin_socket.exists()


class TestSocket:
    def test_is_for_its_owner_alone(self, daemon):
        mode = os.stat(daemon.admin_socket).st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600

    def test_refuses_other_users(self, daemon, open_dir):
        """Were the file's mode wrong, the peer's uid would still count."""
        need_root("only root can become somebody else")
        setpriv = need("setpriv", "util-linux")
        moved = open_dir / "admin.sock"
        daemon.admin_socket.rename(moved)
        moved.chmod(0o666)
        program = ("import socket, sys\n"
                   "s = socket.socket(socket.AF_UNIX)\n"
                   "s.connect(sys.argv[1])\n"
                   "s.sendall(b'status\\n')\n"
                   "print(s.recv(100))\n")
        done = run([setpriv, "--reuid=65534", "--clear-groups",
                    "/usr/bin/python3", "-c", program, str(moved)])
        assert done.stdout in (b"b''\n", b""), done.stderr
        wait_until(lambda: "admin socket: refused uid 65534" in
                   daemon.log.text(), "it was refused")

    @pytest.mark.parametrize("request_line, answer", [
        (b"nonsense\n", "sallyport: unknown request\nfailed\n"),
        (b"\n", "sallyport: unknown request\nfailed\n"),
        (b"status\0\n", "state: serving"),
        (b"x" * 64, "sallyport: request too long\nfailed\n"),
        (b"status\r\n", "state: serving"),
    ])
    def test_bears_with_nonsense(self, daemon, request_line, answer):
        assert answer in talk(daemon, request_line)
        assert daemon.status()["state"] == "serving"

    def test_can_be_asked_in_pieces(self, daemon):
        with dial(daemon) as sock:
            for byte in b"status\n":
                sock.sendall(bytes([byte]))
            assert read_all(sock).endswith("\nok\n")

    def test_waits_for_an_answer_after_the_end_of_the_question(self, daemon):
        with dial(daemon) as sock:
            sock.sendall(b"reload\n")
            sock.shutdown(socket.SHUT_WR)
            assert read_all(sock).endswith("configuration loaded\nok\n")

    def test_has_room_for_a_few_and_a_queue_for_the_rest(self, daemon):
        idle = [dial(daemon) for _ in range(20)]
        for sock in idle[:10]:
            sock.close()
        assert daemon.status()["state"] == "serving"
        for sock in idle[10:]:
            sock.close()

    @pytest.mark.limit(90)
    def test_gives_up_on_who_says_nothing(self, daemon):
        with dial(daemon) as sock:
            sock.settimeout(seconds(30))
            assert sock.recv(1) == b""

    def test_of_a_daemon_that_died_is_replaced(self, gateway, backend,
                                               open_dir):
        path = open_dir / "admin.sock"
        daemon = gateway(backend(), process={"admin_socket": path})
        daemon.kill()
        assert path.exists()
        again = gateway(backend(), process={"admin_socket": path})
        assert again.status()["pid"] == again.pid

    def test_of_a_daemon_that_lives_is_an_error(self, gateway, backend,
                                                open_dir):
        path = open_dir / "admin.sock"
        first = gateway(backend(), process={"admin_socket": path})
        second = gateway(backend(), process={"admin_socket": path},
                         daemon={"ready": False})
        second.wait_stopped(status=1)
        assert f"{second.config}:4: [sallyport] admin_socket: " in \
            second.log.text()
        assert "Address already in use" in second.log.text()
        assert first.status()["pid"] == first.pid

    def test_is_never_made_of_a_file(self, gateway, backend, open_dir):
        path = open_dir / "admin.sock"
        path.write_text("precious")
        daemon = gateway(backend(), process={"admin_socket": path},
                         daemon={"ready": False})
        daemon.wait_stopped(status=1)
        assert "the file is not a socket" in daemon.log.text()
        assert path.read_text() == "precious"

    def test_without_a_directory_is_a_notice(self, gateway, backend,
                                             tmp_path, connect):
        daemon = gateway(backend(echo), daemon={
            "env": {"RUNTIME_DIRECTORY": str(tmp_path / "no" / "such")}})
        line = [line for line in daemon.log.text().splitlines()
                if "no admin socket" in line]
        assert len(line) == 1 and " notice " in line[0]
        say(connect(daemon))

    def test_stays_where_it_is_until_a_start(self, daemon, open_dir):
        text = daemon.config.read_text()
        daemon.config.write_text(text.replace(
            "[sallyport]", f"[sallyport]\nadmin_socket = {open_dir}/new"))
        done = daemon.ask("reload", "--socket", str(daemon.admin_socket))
        assert done.returncode == 0
        assert f"{daemon.config}:2: warning: [sallyport] a change of " \
            "admin_socket takes effect at the next start" in done.stderr
        assert json.loads(daemon.ask(
            "status", "--json", "--socket",
            str(daemon.admin_socket)).stdout)["generation"] == 2
