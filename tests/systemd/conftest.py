"""Fixtures of the tests that run where systemd is PID 1, as root, in a Debian
that is there for nothing else (scripts/test-systemd). Whatever they wait for
has a deadline."""

import shutil
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True  # the source tree is read-only
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from harness.backends import Backend, echo  # noqa: E402
from harness.clients import TlsClient, tls_context  # noqa: E402
from harness.daemon import ini  # noqa: E402
from harness.pki import Pki  # noqa: E402
from installed import CONFIG  # noqa: E402
from unit import Unit, run  # noqa: E402

ADDRESS = ("127.0.0.1", 443)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Shows the journal beside a failure."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for unit in getattr(item, "units", []):
        report.sections.append((f"journal of {unit.name}", unit.text()))


@pytest.fixture(scope="session")
def pki():
    """In /etc: a service has a /tmp of its own. Keys are root's alone."""
    directory = CONFIG / "pki"
    directory.mkdir(mode=0o755, parents=True)
    yield Pki(directory)
    shutil.rmtree(directory)


@pytest.fixture
def backend():
    backends = []

    def make(handler=echo):
        backends.append(Backend(handler))
        return backends[-1]

    yield make
    for one in backends:
        one.close()


@pytest.fixture
def unit(request):
    """unit(NAME): a Unit that is stopped after the test."""
    request.node.units = []

    def make(name="sallyport.service"):
        request.node.units.append(Unit(name))
        return request.node.units[-1]

    yield make
    for one in request.node.units:
        one.forget()


@pytest.fixture
def configure(pki, backend):
    """configure(FILE, process={[sallyport] keys}, **keys of the listener
    "gw"): writes FILE.ini. The key comes as a credential."""
    written = []

    def write(name="sallyport", process=None, **changes):
        if "backend" not in changes:
            changes["backend"] = backend().address
        path = CONFIG / f"{name}.ini"
        written.append(path)
        path.write_text(ini({
            "sallyport": {"workers": 2, "drain_timeout": "20s",
                          **(process or {})},
            "listener gw": {
                "listen": f"{ADDRESS[0]}:{ADDRESS[1]}",
                "certfile": pki.server.cert,
                "keyfile": "credential:server.key",
                "cafile": pki.ca.cert, **changes}}))
        return path

    yield write
    for path in written:
        path.unlink(missing_ok=True)


def credential(holder):
    """A drop-in that hands over HOLDER's key."""
    return f"[Service]\nLoadCredential=server.key:{holder.key}\n"


@pytest.fixture
def service(unit, configure, pki):
    """service(...): sallyport.service, started with one listener "gw". The
    arguments are configure()'s."""

    def start(drop_in="", **changes):
        configure(**changes)
        one = unit()
        one.drop_in(credential(pki.server) + drop_in)
        one.start()
        return one

    return start


@pytest.fixture
def group_key(pki):
    """group_key(HOLDER): its key in a file, the same each time, that members
    of group_key.group may read."""
    group = "tlskeys"
    assert run("groupadd", "--system", group).returncode == 0
    path = pki.directory / "group.key"

    def make(holder):
        fresh = path.with_suffix(".new")
        shutil.copyfile(holder.key, fresh)
        fresh.chmod(0o640)
        shutil.chown(fresh, "root", group)
        return fresh.rename(path)

    make.group = group
    yield make
    path.unlink(missing_ok=True)
    run("groupdel", group)


@pytest.fixture
def connect(pki):
    """connect(ADDRESS, version=..., context=..., **for TlsClient): one
    after its handshake."""
    clients = []

    def shake(address=ADDRESS, version=None, context=None, **options):
        context = context or tls_context(pki, pki.good, version)
        client = TlsClient(address, context, **options)
        clients.append(client)
        return client.handshake()

    yield shake
    for client in clients:
        client.close()


@pytest.fixture
def is_served(connect):
    """is_served(ADDRESS): may a client have a word echoed?"""

    def ask(address=ADDRESS):
        client = connect(address)
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"
        client.close()
        return True

    return ask
