"""systemctl reload: waits for the result, and tells it."""

import os

import pytest

from conftest import ADDRESS, credential
from harness.clients import TLS1_2, Alert
from harness.pki import SERVER_AUTH, san
from installed import CONFIG


@pytest.fixture
def served_serial(connect):
    """served_serial(ADDRESS): of the certificate that the server shows."""

    def ask(address=ADDRESS):
        client = connect(address)
        serial = client.tls.getpeercert()["serialNumber"]
        client.close()
        return serial.lower()

    return ask


def server(pki):
    return pki.issue("localhost", eku=[SERVER_AUTH],
                     names=san("localhost", "127.0.0.1"))


@pytest.fixture
def shared(service, group_key, pki):
    """A service whose key belongs to a group: credentials stay what they
    were until a restart."""
    drop_in = f"SupplementaryGroups={group_key.group}\n"
    return service(drop_in=drop_in, keyfile=group_key(pki.server))


def test_a_reload_has_happened_when_it_returns(shared, configure, group_key,
                                               pki, served_serial):
    before = shared.main_pid, shared.children("worker")
    new = server(pki)
    configure(certfile=new.cert, keyfile=group_key(new))
    assert shared.reload() == 0
    assert served_serial() == new.serial
    assert (shared.main_pid, shared.children("worker")) == before
    assert shared.show("ActiveState") == "active"
    assert shared.wait_journal("reloaded", SALLYPORT_GENERATION="2")


def test_a_key_is_replaced_in_place(shared, group_key, configure, pki,
                                    served_serial):
    new = server(pki)
    key = group_key(pki.server)
    certificate = pki.directory / "in-place.pem"
    certificate.write_bytes(pki.server.cert.read_bytes())
    configure(certfile=certificate, keyfile=key)
    assert shared.reload() == 0
    certificate.write_bytes(new.cert.read_bytes())
    assert group_key(new) == key
    assert shared.reload() == 0
    assert served_serial() == new.serial


@pytest.mark.parametrize("change, words", [
    ({"minimum_verson": "TLSv1.3"}, 'did you mean "minimum_version"?'),
    ({"certfile": "/nonexistent.pem"}, "No such file or directory"),
    ({"listen": "203.0.113.1:443"}, "203.0.113.1"),
])
def test_a_reload_that_cannot_be_fails_and_changes_nothing(
        service, configure, connect, pki, served_serial, change, words):
    unit = service()
    before = unit.pids()
    client = connect()
    path = configure(**change)

    assert unit.reload() != 0
    assert unit.wait_journal(f"{path}:")
    assert unit.wait_journal(words)
    assert unit.show("ActiveState") == "active"
    assert unit.pids() == before
    assert served_serial() == pki.server.serial
    client.send(b"still here")
    assert client.recv_exactly(10) == b"still here"

    configure(minimum_version="TLSv1.3")
    assert unit.reload() == 0
    with pytest.raises(Alert):
        connect(version=TLS1_2)


def test_a_reload_keeps_connections_and_opens_low_ports(
        service, configure, connect, is_served):
    unit = service()
    client = connect()
    configure(listen=["127.0.0.1:443", "127.0.0.1:444"])
    assert unit.reload() == 0
    assert is_served(("127.0.0.1", 444))
    client.send(b"still here")
    assert client.recv_exactly(10) == b"still here"


def test_a_reload_reaches_its_own_instance_only(unit, configure, pki):
    units = {}
    for name, port in (("a", 441), ("b", 442)):
        configure(name, listen=f"127.0.0.1:{port}")
        units[name] = unit(f"sallyport@{name}.service")
        units[name].drop_in(credential(pki.server))
        units[name].start()
    (CONFIG / "b.ini").write_text("nonsense\n")
    assert units["a"].reload() == 0
    assert units["b"].reload() != 0
    assert units["a"].wait_journal("reloaded", SALLYPORT_GENERATION="2")
    assert not units["b"].journal("reloaded", SALLYPORT_GENERATION="2")


def test_the_status_tells_the_generation(service):
    unit = service()
    assert "generation 1" in unit.show("StatusText")
    assert unit.reload() == 0
    assert "generation 2" in unit.show("StatusText")


def test_whoever_is_not_root_cannot_reload(service):
    """What reloads go through is for root and the service alone."""
    service()
    sockets = [entry for entry in os.scandir("/run/sallyport")
               if not entry.is_dir()]
    assert sockets
    for entry in sockets:
        assert entry.stat().st_mode & 0o007 == 0
