"""Sockets that systemd opens, found by their names."""

import pytest

from conftest import ADDRESS, credential
from installed import EXAMPLE_SOCKET, UNITS
from load import Load
from unit import RUNTIME_UNITS, systemctl


@pytest.fixture
def socket_unit():
    """socket_unit(NAME, TEXT) starts it."""
    started = []

    def start(name, text):
        RUNTIME_UNITS.mkdir(parents=True, exist_ok=True)
        (RUNTIME_UNITS / name).write_text(text)
        started.append(name)
        systemctl("daemon-reload")
        systemctl("start", name)

    yield start
    for name in started:
        systemctl("stop", name)
        (RUNTIME_UNITS / name).unlink()
    systemctl("daemon-reload")


def named_socket(name, port):
    return (f"[Socket]\nListenStream=127.0.0.1:{port}\n"
            f"FileDescriptorName={name}\nService=sallyport.service\n")


def test_the_example_starts_the_service_with_the_first_client(
        unit, configure, pki, socket_unit, is_served):
    configure(listen="systemd:https")
    service = unit()
    service.drop_in(credential(pki.server))
    socket_unit("sallyport.socket", EXAMPLE_SOCKET.read_text())
    assert service.show("ActiveState") == "inactive"
    assert is_served(("127.0.0.1", 443))
    assert service.show("ActiveState") == "active"


def test_listeners_get_the_sockets_of_their_names(
        unit, configure, pki, backend, socket_unit, connect):
    first, second = backend(), backend()
    path = configure(listen="systemd:one", backend=first.address)
    path.write_text(path.read_text() + f"""
[listener other]
listen = systemd:two
certfile = {pki.server.cert}
keyfile = credential:server.key
cafile = {pki.ca.cert}
backend = {second.address}
""")
    service = unit()
    service.drop_in(credential(pki.server) +
                    "[Unit]\nRequires=first.socket second.socket\n"
                    "After=first.socket second.socket\n")
    # The order of the descriptors is not that of the configuration.
    socket_unit("second.socket", named_socket("two", 8402))
    socket_unit("first.socket", named_socket("one", 8401))
    connect(("127.0.0.1", 8402))
    connect(("127.0.0.1", 8401))
    for listener, port in (("gw", 8401), ("other", 8402)):
        entry = service.wait_journal("listening",
                                     SALLYPORT_LISTENER=listener)
        assert entry["SALLYPORT_ADDRESS"] == f"127.0.0.1:{port}"


def test_no_client_notices_a_restart(unit, configure, pki, socket_unit):
    """They wait in the queue of the socket, which systemd keeps open."""
    configure(listen="systemd:https")
    service = unit()
    service.drop_in(credential(pki.server))
    socket_unit("sallyport.socket", EXAMPLE_SOCKET.read_text())
    with Load(pki, ADDRESS) as load:
        for _ in range(3):
            before = service.main_pid
            service.restart()
            assert service.main_pid != before
            load.wait_served(20)
    assert load.failures == []


def test_the_example_is_not_installed_as_a_unit():
    """Its address is the administrator's to choose."""
    assert list(UNITS.glob("sallyport*.service"))
    assert not list(UNITS.glob("sallyport*.socket"))
