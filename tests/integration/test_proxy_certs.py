"""Proxy certificates (RFC 3820), which clients make for themselves."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness import proxy_protocol as pp
from harness.backends import echo
from harness.certificates import Maker
from harness.clients import Alert, tls_context


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("proxies"))


def client(pki, raw_connect, daemon, holder, version):
    return raw_connect(daemon,
                       context=tls_context(pki, holder, version)).handshake()


@pytest.fixture
def refused(backend, gateway, raw_connect, pki, version):
    """refused(holder, **listener keys): the line about it."""

    def knock(holder, **keys):
        service = backend(echo)
        daemon = gateway(service, **keys)
        with pytest.raises(Alert):
            one = client(pki, raw_connect, daemon, holder, version)
            one.send(b"hello")
            one.recv()
        assert not service.was_dialled()
        return daemon.refused(listener="gw")

    return knock


def test_nobody_takes_them_unasked(refused, pki, maker):
    refused(maker.proxy(pki.good, "root"))


def test_no_name_of_theirs_is_told(backend, gateway, raw_connect, pki, maker,
                                   version):
    """Not even one that stands alone: its maker may have had none."""
    nameless = pki.issue("nameless", subject=x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corp")]))
    service = backend()
    daemon = gateway(service, verify_flags="allow_proxy_certs",
                     proxy_protocol="v2")
    for holder in (nameless, pki.good):
        one = client(pki, raw_connect, daemon, maker.proxy(holder, "root"),
                     version)
        peer = service.accept()
        header = pp.read_header(peer)
        assert header.ssl.verify == 0
        assert pp.SSL_CN not in header.ssl.tlvs
        one.close_notify()
        peer.close()
        one.recv_to_end()
        line = daemon.closed(peer=one.peer)
        assert line["subject"].startswith("CN=root,")


def test_who_was_revoked_does_not_come_back_with_one(refused, pki, maker):
    gone = pki.issue("gone")
    line = refused(maker.proxy(gone, "root"), crl_check="chain",
                   verify_flags="allow_proxy_certs",
                   crlfile=maker.crl(pki.ca, [gone]))
    assert line["reason"] == "client_certificate_revoked"
    assert 'subject "CN=gone"' in line["detail"]


@pytest.mark.parametrize("who", ["server_only", "without_eku"])
def test_who_is_no_client_cannot_make_one(refused, pki, maker, who):
    line = refused(maker.proxy(getattr(pki, who), "root"),
                   verify_flags="allow_proxy_certs")
    assert line["reason"] == "client_certificate_purpose"
    assert "depth 1" in line["detail"]
