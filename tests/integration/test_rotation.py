"""Files that change under a running daemon, without a signal."""

import os
import re
import signal

import pytest

from harness.backends import echo
from harness.certificates import Maker
from harness.clients import run
from harness.programs import need

WAITING = "waiting for a complete set of files"
REFUSED = "changed files refused, the running configuration stays"


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("rotation"))


@pytest.fixture
def make_server(maker, pki):
    return lambda: maker.server(pki.ca)


def replace(path, content, mode=0o600):
    """As most tools do: written beside, renamed over."""
    beside = path.with_name(path.name + ".new")
    beside.touch(mode)
    beside.write_bytes(content)
    beside.rename(path)


class Plain:
    """Two files, replaced one after the other."""

    def __init__(self, directory, server):
        self.cert = directory / "gw.pem"
        self.key = directory / "gw.key"
        self.put(server)

    def put_cert(self, server):
        replace(self.cert, server.cert.read_bytes())

    def put_key(self, server):
        replace(self.key, server.key.read_bytes())

    def put(self, server):
        self.put_cert(server)
        self.put_key(server)


class InPlace(Plain):
    """The same two files all the time."""

    def put_cert(self, server):
        self.cert.write_bytes(server.cert.read_bytes())

    def put_key(self, server):
        self.key.touch(0o600)
        self.key.write_bytes(server.key.read_bytes())


class Kubernetes:
    """A volume of a secret: all files change with one link."""

    def __init__(self, directory, server):
        self.directory = directory
        self.cert = directory / "tls.crt"
        self.key = directory / "tls.key"
        self.count = 0
        self.put(server)
        self.cert.symlink_to("..data/tls.crt")
        self.key.symlink_to("..data/tls.key")

    def put(self, server):
        self.count += 1
        now = self.directory / f"..{self.count}"
        now.mkdir()
        (now / "tls.crt").write_bytes(server.cert.read_bytes())
        (now / "tls.key").touch(0o600)
        (now / "tls.key").write_bytes(server.key.read_bytes())
        link = self.directory / "..data_tmp"
        link.symlink_to(now.name)
        link.rename(self.directory / "..data")
        before = self.directory / f"..{self.count - 1}"
        for name in ("tls.crt", "tls.key") if before.exists() else ():
            (before / name).unlink()
        if before.exists():
            before.rmdir()


class Certbot:
    """live/ has links, one for each file, into archive/."""

    def __init__(self, directory, server):
        self.archive = directory / "archive"
        self.live = directory / "live"
        self.cert = self.live / "fullchain.pem"
        self.key = self.live / "privkey.pem"
        self.count = 0
        self.archive.mkdir()
        self.live.mkdir()
        self.put(server)

    def put(self, server):
        self.count += 1
        for link, source in ((self.key, server.key),
                             (self.cert, server.cert)):
            real = self.archive / f"{link.stem}{self.count}.pem"
            real.touch(0o600)
            real.write_bytes(source.read_bytes())
            link.unlink(missing_ok=True)
            link.symlink_to(f"../archive/{real.name}")


@pytest.fixture
def start(gateway, backend, tmp_path, make_server):
    """start(STYLE): files of that style with a first certificate, and a
    daemon that serves it."""

    def make(style, process=None, **changes):
        files = style(tmp_path, make_server())
        daemon = gateway(backend(echo), process=process,
                         certfile=files.cert, keyfile=files.key, **changes)
        return daemon, files

    return make


@pytest.fixture
def served(raw_connect, pki):
    """What a client that comes now is shown."""

    def der(daemon, **options):
        client = raw_connect(daemon, pki.good, **options).handshake()
        shown = client.tls.getpeercert(True)
        client.close()
        return shown

    return der


def is_served(client, word=b"still here"):
    return client.exchange(word, len(word)) == word


def with_text(text):
    return re.compile(re.escape(text))


def hash_of(ca):
    """The name that OpenSSL looks for CA by."""
    done = run([need("openssl", "openssl"), "x509", "-in", str(ca.cert),
                "-noout", "-subject_hash"])
    return done.stdout.decode().strip() + ".0"


def descriptors(pid):
    return " ".join(os.readlink(f"/proc/{pid}/fd/{fd}")
                    for fd in os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.parametrize("style", [Plain, InPlace, Kubernetes, Certbot])
def test_new_files_are_served_to_the_next_client(start, served, connect,
                                                 make_server, style):
    daemon, files = start(style)
    old = connect(daemon)
    for count in (1, 2):
        server = make_server()
        files.put(server)
        daemon.log.wait("reloaded", 20, count=count)
        assert served(daemon) == server.der
    assert is_served(old)
    assert not daemon.log.find("reloading", cause=None)
    assert daemon.log.find("reloading", cause="files")
    assert not [line for line in daemon.log.find("reloading")
                if str(files.cert) not in line["file"]
                and str(files.key) not in line["file"]]


def test_a_key_that_comes_later_is_waited_for(start, served, make_server):
    daemon, files = start(Plain)
    old, server = served(daemon), make_server()
    files.put_cert(server)
    line = daemon.log.wait(WAITING, 20, detail=with_text("key"))
    assert (line.level, line["section"]) == ("notice", "listener gw")
    assert served(daemon) == old
    files.put_key(server)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der
    assert not daemon.log.find(REFUSED)
    assert not daemon.log.find("configuration error")
    assert len(daemon.log.find(WAITING)) == 1


@pytest.mark.parametrize("broken", [
    pytest.param(lambda pem: pem[:len(pem) // 2], id="cut"),
    pytest.param(lambda pem: b"", id="empty"),
])
def test_a_file_that_is_half_written_is_waited_for(start, served, make_server,
                                                   broken):
    daemon, files = start(InPlace)
    old, server = served(daemon), make_server()
    files.cert.write_bytes(broken(server.cert.read_bytes()))
    daemon.log.wait(WAITING, 20)
    assert served(daemon) == old
    files.put(server)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der


def test_files_that_are_gone_for_a_while_are_waited_for(start, served,
                                                        make_server):
    daemon, files = start(Plain)
    old, server = served(daemon), make_server()
    away = files.cert.parent.with_name("away")
    files.cert.parent.rename(away)
    daemon.log.wait(WAITING, 20, detail=with_text("No such file"))
    assert served(daemon) == old
    files.cert.parent.mkdir()
    files.put(server)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der


def test_what_stays_wrong_is_an_error_once(start, served):
    daemon, files = start(Plain)
    old = served(daemon)
    replace(files.cert, b"nonsense\n")
    daemon.log.wait(WAITING, 20)
    line = daemon.log.wait(REFUSED, 30, section="listener gw")
    assert line.level == "error"
    assert line["file"] == str(daemon.config) and int(line["line"]) > 0
    # Another one is said at once; the first is not said again.
    files.key.chmod(0o644)
    daemon.log.wait(REFUSED, 20, detail=with_text("accessible by others"))
    assert len(daemon.log.find(REFUSED)) == 2, daemon.log.text()
    assert len(daemon.log.find(WAITING)) == 1
    assert served(daemon) == old


def test_a_reload_by_hand_has_no_patience(start, served, make_server):
    daemon, files = start(Plain)
    server = make_server()
    files.put_cert(server)
    daemon.log.wait(WAITING, 20)
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait("not reloaded, the running configuration stays", 10)
    files.put_key(server)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der


def test_a_crl_that_lists_a_live_client_ends_it(start, connect, maker):
    ca = maker.ca("Rotating CA")
    bad, fine = (maker.make(name, ca) for name in ("bad", "fine"))
    crl = maker.crl(ca)
    daemon, _ = start(Plain, cafile=ca.cert, crlfile=crl)
    clients = [connect(daemon, holder=who) for who in (bad, fine)]
    assert all(is_served(client) for client in clients)
    replace(crl, maker.crl(ca, [bad]).read_bytes())
    line = daemon.closed(20, peer=clients[0].peer, reason="deauthorized")
    assert "revoked" in line["detail"]
    assert is_served(clients[1])


def test_a_ca_that_is_added_to_a_capath_counts(start, connect, maker, pki,
                                               tmp_path):
    ca = maker.ca("Directory CA")
    somebody = maker.make("somebody", ca)
    capath = tmp_path / "cas"
    capath.mkdir()
    replace(capath / hash_of(pki.ca), pki.ca.cert.read_bytes())
    daemon, _ = start(Plain, cafile=None, capath=capath)
    replace(capath / hash_of(ca), ca.cert.read_bytes())
    daemon.log.wait("reloaded", 20)
    assert is_served(connect(daemon, holder=somebody))
    assert is_served(connect(daemon))


def test_the_configuration_itself_is_watched(start, connect):
    daemon, _ = start(Plain)
    client = connect(daemon)
    assert is_served(client)
    daemon.config.write_text(daemon.config.read_text() +
                             "allow_cn = nobody\n")
    daemon.closed(20, peer=client.peer, reason="deauthorized")
    assert daemon.log.find("reloading")[0]["file"] == str(daemon.config)


def test_it_can_be_switched_off_and_on(start, served, make_server):
    daemon, files = start(Plain)
    text = daemon.config.read_text()
    daemon.config.write_text(text.replace(
        "[sallyport]\n", "[sallyport]\nwatch_files = no\n"))
    daemon.log.wait("reloaded", 20)
    server = make_server()
    files.put(server)
    daemon.config.write_text(text)
    # By now it would have been seen, had anybody looked: the reload is ours.
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait("reloaded", 20, count=2)
    assert served(daemon) == server.der
    assert len(daemon.log.find("reloading", cause="files")) == 1
    server = make_server()
    files.put(server)
    daemon.log.wait("reloaded", 20, count=3)
    assert served(daemon) == server.der


def test_no_means_no(start, served, make_server):
    daemon, files = start(Plain, process={"watch_files": False})
    old, server = served(daemon), make_server()
    files.put(server)
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der
    assert old != server.der
    assert not daemon.log.find("reloading", cause="files")
    assert "inotify" not in descriptors(daemon.pid)


SAME = "files read the same"


def test_files_that_a_signal_brings_in_are_not_loaded_twice(
        start, served, make_server):
    daemon, files = start(Plain, process={"log_level": "debug"})
    server = make_server()
    files.put(server)
    mark = daemon.log.mark()
    daemon.send_signal(signal.SIGHUP)
    daemon.log.wait("reloaded", 20, since=mark)
    assert served(daemon) == server.der
    daemon.log.wait(SAME, 20, since=mark)
    assert len(daemon.log.find("reloaded")) == 1


def test_touched_and_equal_files_are_no_news(start, served, make_server):
    daemon, files = start(Kubernetes, process={"log_level": "debug"})
    daemon.log.wait(SAME, 20)
    for count, change in enumerate((lambda: files.put(files),
                                    lambda: os.utime(files.key))):
        change()
        daemon.log.wait(SAME, 20, count=count + 2)
    assert not daemon.log.find("reloading")
    server = make_server()
    files.put(server)
    daemon.log.wait("reloaded", 20)
    assert served(daemon) == server.der
