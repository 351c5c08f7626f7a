"""Fixtures of the integration tests; the parts are in harness/."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # the source tree may be read-only

from harness import limits, processes  # noqa: E402
from harness.backends import Backend  # noqa: E402
from harness.clients import TlsClient, say, tls_context  # noqa: E402
from harness.daemon import Check, Daemon, ini, run_check  # noqa: E402
from harness.limits import wait_until  # noqa: E402
from harness.load import Load  # noqa: E402
from harness.pki import Pki  # noqa: E402
from harness.programs import sallyport  # noqa: E402
from harness.services import Nginx, Redis  # noqa: E402

TEST_LIMIT = 60


def pytest_configure():
    if is_sanitizer_build():
        limits.scale = 4


def is_sanitizer_build():
    return b"__asan_init" in Path(sallyport()).read_bytes()


class TestTookTooLong(BaseException):
    """Not an Exception: no test may catch it by mistake."""


def limited(item):
    """Ends one phase of a test that hangs. (python3-pytest comes without a
    timeout plugin.)"""
    marker = item.get_closest_marker("limit")
    limit = limits.seconds(marker.args[0] if marker else TEST_LIMIT)

    def give_up(_number, _frame):
        raise TestTookTooLong(f"over {limit} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, limit)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    yield from limited(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Shows the daemon's log and configuration beside a failure."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for daemon in getattr(item, "daemons", []):
        report.sections.append(("sallyport.ini", daemon.config_text))
        report.sections.append(("sallyport's log", daemon.log.text(200)))


@pytest.fixture(scope="session")
def sanitized():
    return is_sanitizer_build()


@pytest.fixture(scope="session")
def version_text():
    return subprocess.run([sallyport(), "--version"], check=True,
                          stdout=subprocess.PIPE, timeout=20).stdout.decode()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def open_dir():
    """A directory that everybody may enter: the daemon's workers, too,
    reach a unix socket in it."""
    path = Path(tempfile.mkdtemp(prefix="sallyport-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def start_daemon(request, tmp_path_factory):
    """start_daemon(CONFIG TEXT or SECTIONS, ready=True, **for Daemon)"""
    daemons = request.node.daemons = []

    def start(config, ready=True, **options):
        text = config if isinstance(config, str) else ini(config)
        daemon = Daemon(tmp_path_factory.mktemp("daemon"), text, **options)
        daemon.config_text = text
        daemons.append(daemon)
        if ready:
            daemon.wait_ready()
        return daemon

    yield start
    failures = []
    for daemon in daemons:
        try:
            daemon.stop()
        except AssertionError as failure:
            failures.append(str(failure))
        finally:
            daemon.kill()
    assert not failures, "\n".join(failures)


@pytest.fixture
def backend(start_daemon):
    """backend() listens on 127.0.0.1; the arguments are Backend's."""
    backends = []

    def make(*args, **kwargs):
        backends.append(Backend(*args, **kwargs))
        return backends[-1]

    yield make
    for one in backends:
        one.close()


def listener_keys(pki, backend, **changes):
    """A mutual-TLS listener on a port of the kernel's choice."""
    keys = {
        "listen": "127.0.0.1:0",
        "certfile": pki.server.cert,
        "keyfile": pki.server.key,
        "cafile": pki.ca.cert,
        "backend": getattr(backend, "address", backend),
    }
    keys.update(changes)
    return keys


@pytest.fixture
def gateway(start_daemon, pki):
    """gateway(BACKEND, process={[sallyport] keys}, **listener keys): a
    daemon with one listener, "gw"."""

    def start(backend, process=None, daemon=None, **changes):
        sections = {
            "sallyport": {"workers": 1, "drain_timeout": "2s",
                          **(process or {})},
            "listener gw": listener_keys(pki, backend, **changes),
        }
        return start_daemon(sections, **(daemon or {}))

    return start


@pytest.fixture
def raw_connect(start_daemon, pki):
    """raw_connect(DAEMON, holder=..., version=...): a TlsClient before its
    handshake."""
    clients = []

    def connect(daemon, holder=None, version=None, listener="gw",
                address=None, context=None, **options):
        context = context or tls_context(pki, holder, version)
        clients.append(TlsClient(address or daemon.address(listener),
                                 context, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def connect(raw_connect, pki):
    """connect(DAEMON, ...): a TlsClient after its handshake, with the good
    client's certificate unless told otherwise."""

    def shake(daemon, holder=pki.good, **options):
        return raw_connect(daemon, holder, **options).handshake()

    return shake


@pytest.fixture
def on_each_worker(connect):
    """on_each_worker(DAEMON): {pid: a connection that this worker serves}.
    While it opens one worker's, the others are stopped."""

    def open_all(daemon, **options):
        clients = {}
        for worker in daemon.workers():
            others = [pid for pid in daemon.workers() if pid != worker]
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            for pid in others:
                wait_until(lambda pid=pid: processes.stat(pid)[0] == "T",
                           "a worker stands still")
            try:
                clients[worker] = connect(daemon, **options)
                say(clients[worker])
            finally:
                for pid in others:
                    os.kill(pid, signal.SIGCONT)
        return clients

    return open_all


@pytest.fixture
def reserve():
    """reserve(): an address on a port that nobody else gets. The daemon may
    listen there, for the socket that holds it does not."""
    held = []

    def make(host="127.0.0.1", family=socket.AF_INET):
        sock = socket.socket(family)
        held.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, 0))
        return f"[{host}]:{sock.getsockname()[1]}" if ":" in host else \
            f"{host}:{sock.getsockname()[1]}"

    yield make
    for sock in held:
        sock.close()


@pytest.fixture
def load(pki):
    """load(ADDRESS): a Load with the good client's certificate."""
    loads = []

    def start(address, **options):
        loads.append(Load(address, tls_context(pki, pki.good), **options))
        return loads[-1]

    yield start
    for one in loads:
        one.end()


@pytest.fixture
def pair(backend, connect, gateway):
    """pair(): a daemon, a client and the backend's end of the same
    connection. Arguments are those of gateway(); VERSION is the client's."""

    def make(version=None, **changes):
        service = backend()
        daemon = gateway(service, **changes)
        client = connect(daemon, version=version)
        return daemon, client, service.accept()

    return make


@pytest.fixture
def check(tmp_path):
    """check(TEXT or bytes, *ARGUMENTS): the findings of `sallyport check`,
    each without the file's name in front."""

    def run(text, *args, **options):
        config = tmp_path / "sallyport.ini"
        config.write_bytes(text if isinstance(text, bytes)
                           else text.encode())
        return Check(config, run_check(config, *args, **options))

    return run


@pytest.fixture
def nginx(tmp_path_factory):
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.stop()


@pytest.fixture
def redis(open_dir):
    server = Redis(open_dir)
    yield server
    server.stop()


@pytest.fixture(params=["TLSv1.2", "TLSv1.3"])
def version(request):
    """Both protocols: they differ in alerts, tickets and ends."""
    return {"TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}[request.param]
