"""What backends are told of who came, and what we believe of a proxy in
front."""

import socket
import ssl

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from conftest import listener_keys
from harness import proxies
from harness import proxy_protocol as pp
from harness.backends import FIN, echo
from harness.certificates import Maker
from harness.clients import TLS1_3, Alert, s_client, tls_context
from harness.limits import seconds, wait_until
from harness.pki import SERVER_AUTH, san
from harness.programs import need_ipv6

ALL_TLVS = ("ssl cn cipher sig_alg key_alg group sig_scheme cert alpn "
            "authority unique_id crc32c uri_san")
SOURCE, DESTINATION = ("192.0.2.77", 4711), ("198.51.100.9", 443)
SOURCE6, DESTINATION6 = ("2001:db8::77", 4711), ("2001:db8::9", 443)


def in_log(end):
    host, port = end
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def leave(client):
    client.close_notify()
    client.recv_to_end()
    client.close()


@pytest.fixture
def told(backend, gateway, raw_connect, pki):
    """told(listener keys): (daemon, client, what the backend was told). The
    header is there before the client has said anything."""

    def make(holder="good", version=None, server_name="localhost",
             alpn=None, **keys):
        service = backend()
        daemon = gateway(service, **keys)
        if isinstance(holder, str):
            holder = getattr(pki, holder)
        context = tls_context(pki, holder, version)
        context.check_hostname = server_name == "localhost"
        if alpn:
            context.set_alpn_protocols(alpn)
        client = raw_connect(daemon, context=context,
                             server_name=server_name).handshake()
        peer = service.accept()
        header = pp.read_header(peer)
        # Nothing but the client's own bytes may follow.
        client.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.send(b"bye")
        assert client.recv_exactly(3) == b"bye"
        client.close_notify()
        assert peer.end() == FIN
        peer.close()
        client.recv_to_end()
        return daemon, client, header

    return make


class TestAddresses:
    @pytest.mark.parametrize("number", [1, 2])
    def test_the_backend_learns_both_ends(self, told, version, number):
        daemon, client, header = told(proxy_protocol=f"v{number}",
                                      version=version)
        assert header.version == number
        assert not header.is_local
        assert header.family == pp.TCP4
        assert in_log(header.source) == client.peer
        assert header.destination == daemon.address()

    @pytest.mark.parametrize("number", [1, 2])
    def test_of_ipv6_too(self, told, number):
        need_ipv6()
        daemon, client, header = told(proxy_protocol=f"v{number}",
                                      listen="[::1]:0")
        assert header.family == pp.TCP6
        assert in_log(header.source) == client.peer
        assert header.destination == daemon.address()

    @pytest.mark.parametrize("number", [1, 2])
    def test_ipv4_on_a_dual_stack_socket_is_ipv4(self, backend, gateway,
                                                 connect, number):
        need_ipv6()
        service = backend()
        daemon = gateway(service, listen="*:0", proxy_protocol=f"v{number}")
        client = connect(daemon, address=("127.0.0.1", daemon.port()))
        header = pp.read_header(service.accept())
        assert header.family == pp.TCP4
        assert in_log(header.source) == client.peer
        assert header.destination == ("127.0.0.1", daemon.port())

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_client_on_a_unix_socket_has_none(self, told, open_dir,
                                                number):
        _, _, header = told(proxy_protocol=f"v{number}",
                            listen=f"unix:{open_dir}/in.sock")
        assert not header.is_local
        assert header.family == pp.UNSPEC
        assert header.source is None
        if number == 2:
            assert header.text(pp.AUTHORITY) == "localhost"
            assert header.ssl.text(pp.SSL_CN) == "good"

    def test_a_backend_on_a_unix_socket_is_told_too(self, backend, gateway,
                                                    connect, open_dir):
        service = backend(path=open_dir / "backend.sock")
        client = connect(gateway(service, proxy_protocol="v2"))
        header = pp.read_header(service.accept())
        assert in_log(header.source) == client.peer

    def test_the_header_does_not_count_as_traffic(self, told):
        daemon, client, _ = told(proxy_protocol="v2", proxy_tlvs=ALL_TLVS)
        line = daemon.closed(peer=client.peer, reason="done")
        assert (line["up"], line["down"]) == ("5", "3")

    def test_bytes_that_came_with_the_handshake_follow_it(
            self, backend, gateway, raw_connect, pki, version):
        service = backend()
        daemon = gateway(service, proxy_protocol="v2")
        client = raw_connect(daemon, pki.good, version)
        client.handshake(at_once=b"early bird")
        peer = service.accept()
        pp.read_header(peer)
        assert peer.recv_exactly(10) == b"early bird"

    def test_without_the_key_nothing_is_said(self, pair):
        _, client, peer = pair()
        client.send(b"x")
        assert peer.recv_exactly(1) == b"x"

    def test_a_server_name_may_have_its_own(self, backend, start_daemon,
                                            raw_connect, pki):
        service = backend()
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener gw": listener_keys(pki, service,
                                         proxy_protocol="v1"),
            "server_name api": {
                "listener": "gw", "server_name": "api.example.com",
                "proxy_protocol": "v2", "proxy_tlvs": "authority"}})
        context = tls_context(pki, pki.good)
        context.check_hostname = False
        for name, number in (("api.example.com", 2), ("localhost", 1)):
            raw_connect(daemon, context=context,
                        server_name=name).handshake()
            header = pp.read_header(service.accept())
            assert header.version == number
            if number == 2:
                assert header.tlvs == {pp.AUTHORITY: [name.encode()]}


class TestTlvs:
    def test_the_default_is_ssl_cn_alpn_authority(self, told, version):
        _, client, header = told(proxy_protocol="v2", version=version,
                                 alpn_protocols="h2", alpn=["h2"])
        assert set(header.tlvs) == {pp.SSL, pp.ALPN, pp.AUTHORITY}
        assert set(header.ssl.tlvs) == {pp.SSL_VERSION, pp.SSL_CN}
        assert header.value(pp.ALPN) == b"h2"
        assert header.text(pp.AUTHORITY) == "localhost"
        assert header.ssl.text(pp.SSL_VERSION) == client.tls.version()
        assert header.ssl.text(pp.SSL_CN) == "good"

    def test_all_of_them(self, told, version, pki):
        daemon, client, header = told(
            proxy_protocol="v2", proxy_tlvs=ALL_TLVS, version=version,
            groups="P-256", alpn_protocols="http/1.1 h2", alpn=["h2"])
        assert set(header.tlvs) == {
            pp.SSL, pp.ALPN, pp.AUTHORITY, pp.UNIQUE_ID, pp.CRC32C,
            pp.URI_SAN}
        assert header.value(pp.ALPN) == b"h2"
        assert header.texts(pp.URI_SAN) == ["spiffe://corp.example/good"]
        line = daemon.closed(peer=client.peer)
        assert header.text(pp.UNIQUE_ID) == line["conn"]

        about = header.ssl
        assert about.client == (pp.CLIENT_SSL | pp.CLIENT_CERT_CONN |
                                pp.CLIENT_CERT_SESS)
        assert about.verify == 0
        assert about.text(pp.SSL_VERSION) == line["tls"]
        assert about.text(pp.SSL_CN) == "good"
        assert about.text(pp.SSL_CIPHER) == client.tls.cipher()[0]
        assert about.text(pp.SSL_SIG_ALG) == "ecdsa-with-SHA256"
        assert about.text(pp.SSL_KEY_ALG) == "EC256"
        assert about.text(pp.SSL_GROUP) == "secp256r1"
        assert about.text(pp.SSL_SIG_SCHEME) == "ecdsa_secp256r1_sha256"
        assert about.tlvs[pp.SSL_CERT] == [pki.good.der]

    @pytest.mark.parametrize("word, outer, inner", [
        ("ssl", {pp.SSL}, set()),
        ("cn", {pp.SSL}, {pp.SSL_CN}),
        ("cipher", {pp.SSL}, {pp.SSL_CIPHER}),
        ("sig_alg", {pp.SSL}, {pp.SSL_SIG_ALG}),
        ("key_alg", {pp.SSL}, {pp.SSL_KEY_ALG}),
        ("group", {pp.SSL}, {pp.SSL_GROUP}),
        ("sig_scheme", {pp.SSL}, {pp.SSL_SIG_SCHEME}),
        ("cert", {pp.SSL}, {pp.SSL_CERT}),
        ("alpn", {pp.ALPN}, None),
        ("authority", {pp.AUTHORITY}, None),
        ("unique_id", {pp.UNIQUE_ID}, None),
        ("crc32c", {pp.CRC32C}, None),
        ("uri_san", {pp.URI_SAN}, None)])
    def test_nothing_is_told_that_was_not_asked_for(self, told, word, outer,
                                                    inner):
        _, _, header = told(proxy_protocol="v2", proxy_tlvs=word,
                            alpn_protocols="h2", alpn=["h2"])
        assert set(header.tlvs) == outer
        if inner is not None:
            assert set(header.ssl.tlvs) == inner | {pp.SSL_VERSION}

    def test_every_connection_has_an_id_of_its_own(self, backend, gateway,
                                                   connect):
        service = backend()
        daemon = gateway(service, proxy_protocol="v2",
                         proxy_tlvs="unique_id", process={"workers": 2})
        ids = set()
        for _ in range(10):
            client = connect(daemon)
            peer = service.accept()
            ids.add(pp.read_header(peer).text(pp.UNIQUE_ID))
            peer.close()
            client.recv_to_end()
            client.close()
        daemon.log.wait("closed", count=10)
        assert ids == {line["conn"] for line in daemon.log.find("closed")}
        assert len(ids) == 10

    def test_rsa_is_named_with_its_size(self, told, pki, tmp_path):
        server = Maker(tmp_path).make("localhost", pki.ca, key="rsa2048",
                                      eku=[SERVER_AUTH], names=["localhost"])
        _, _, header = told(proxy_protocol="v2", version=TLS1_3,
                            proxy_tlvs="key_alg sig_scheme",
                            certfile=server.cert, keyfile=server.key)
        assert header.ssl.text(pp.SSL_KEY_ALG) == "RSA2048"
        assert header.ssl.text(pp.SSL_SIG_SCHEME) == "rsa_pss_rsae_sha256"

    def test_a_client_without_certificate_has_no_name(self, told, version):
        _, _, header = told(holder=None, proxy_protocol="v2",
                            proxy_tlvs=ALL_TLVS, verify_mode="optional",
                            version=version)
        assert header.ssl.client == pp.CLIENT_SSL
        # "zero if the client presented a certificate and it was
        # successfully verified, and non-zero otherwise"
        assert header.ssl.verify != 0
        assert not {pp.SSL_CN, pp.SSL_CERT} & set(header.ssl.tlvs)
        assert pp.URI_SAN not in header.tlvs

    def test_nor_has_one_that_nobody_asks(self, told, version):
        _, _, header = told(proxy_protocol="v2", proxy_tlvs=ALL_TLVS,
                            cafile=None, version=version)
        assert header.ssl.client == pp.CLIENT_SSL
        assert header.ssl.verify != 0
        assert not {pp.SSL_CN, pp.SSL_CERT} & set(header.ssl.tlvs)
        assert pp.URI_SAN not in header.tlvs

    def test_an_optional_certificate_is_told(self, told, pki):
        _, _, header = told(proxy_protocol="v2", proxy_tlvs="cn cert",
                            verify_mode="optional")
        assert header.ssl.verify == 0
        assert header.ssl.text(pp.SSL_CN) == "good"
        assert header.ssl.tlvs[pp.SSL_CERT] == [pki.good.der]

    def test_without_a_server_name_there_is_no_authority(self, told):
        _, _, header = told(proxy_protocol="v2", server_name="127.0.0.1")
        assert pp.AUTHORITY not in header.tlvs

    def test_without_alpn_there_is_no_alpn(self, told):
        _, _, header = told(proxy_protocol="v2", proxy_tlvs="alpn",
                            alpn_protocols="h2")
        assert header.tlvs == {}

    def test_a_resumed_connection_is_told_like_the_first(
            self, backend, gateway, raw_connect, pki, version):
        service = backend()
        daemon = gateway(service, proxy_protocol="v2", proxy_tlvs=ALL_TLVS)
        context = tls_context(pki, pki.good, version)
        headers, session = [], None
        for _ in range(2):
            client = raw_connect(daemon, context=context,
                                 session=session).handshake()
            peer = service.accept()
            headers.append(pp.read_header(peer))
            peer.send(b"x")
            client.recv_exactly(1)
            session = client.tls.session
            resumed = client.tls.session_reused
            client.close_notify()
            peer.close()
            client.recv_to_end()
        assert resumed
        full, again = headers
        assert full.ssl.client == (pp.CLIENT_SSL | pp.CLIENT_CERT_CONN |
                                   pp.CLIENT_CERT_SESS)
        assert again.ssl.client == pp.CLIENT_SSL | pp.CLIENT_CERT_SESS
        assert again.ssl.verify == 0
        for kind in (pp.SSL_CN, pp.SSL_CERT, pp.SSL_VERSION):
            assert again.ssl.tlvs[kind] == full.ssl.tlvs[kind]
        assert again.texts(pp.URI_SAN) == full.texts(pp.URI_SAN)
        assert again.text(pp.UNIQUE_ID) != full.text(pp.UNIQUE_ID)

    @pytest.mark.parametrize("names", [("one", "two"), ("good\0evil",)],
                             ids=["several", "with NUL"])
    def test_an_ambiguous_common_name_is_not_told(self, told, pki, names):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)
                             for name in names])
        holder = pki.issue("ambiguous", subject=subject)
        _, _, header = told(holder=holder, proxy_protocol="v2",
                            proxy_tlvs="cn cert")
        assert header.ssl.verify == 0
        assert pp.SSL_CN not in header.ssl.tlvs
        assert header.ssl.tlvs[pp.SSL_CERT] == [holder.der]

    def test_a_certificate_of_many_names_is_told_as_far_as_it_fits(
            self, told, pki, version):
        """The rest, addresses first of all, is there anyway."""
        holder = pki.issue("many", names=san(
            *(f"host-{n}.a-rather-long-domain.example"
              for n in range(1000))))
        daemon, client, header = told(
            holder=holder, proxy_protocol="v2", proxy_tlvs=ALL_TLVS,
            version=version)
        assert header.size <= 16384
        assert in_log(header.source) == client.peer
        assert header.ssl.text(pp.SSL_CN) == "many"
        assert pp.SSL_CERT not in header.ssl.tlvs
        assert pp.CRC32C in header.tlvs

    def test_of_too_many_uris_none_is_told(self, told, pki):
        """Half a list would lie."""
        holder = pki.issue("many", names=san(
            *(f"urn://a-rather-long-domain.example/{n}"
              for n in range(1000))))
        _, _, header = told(holder=holder, proxy_protocol="v2",
                            proxy_tlvs=ALL_TLVS)
        assert pp.URI_SAN not in header.tlvs
        assert header.ssl.text(pp.SSL_CN) == "many"

    def test_several_uris_are_told_in_their_order(self, told, pki):
        uris = [f"urn://corp.example/{n}" for n in (3, 1, 2)]
        holder = pki.issue("uris", names=san(*uris))
        _, _, header = told(holder=holder, proxy_protocol="v2",
                            proxy_tlvs="uri_san crc32c")
        assert header.texts(pp.URI_SAN) == uris


def get(client):
    """What the service behind answers to a GET, as {key: value}."""
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    answer, _ = client.recv_to_end()
    assert b" 200 " in answer.splitlines()[0], answer
    return proxies.told(answer.partition(b"\r\n\r\n")[2].decode())


class TestRealConsumers:
    @pytest.fixture
    def haproxy(self, tmp_path):
        program = proxies.haproxy_behind(tmp_path)
        yield program
        program.stop()

    @pytest.fixture
    def nginx(self, tmp_path):
        program = proxies.NginxBehind(tmp_path)
        yield program
        program.stop()

    @pytest.mark.parametrize("keys", [
        {"proxy_protocol": "v1"}, {"proxy_protocol": "v2"},
        {"proxy_protocol": "v2", "proxy_tlvs": ALL_TLVS}],
        ids=["v1", "v2", "v2 with everything"])
    def test_haproxy_takes_it(self, haproxy, gateway, connect, version,
                              keys):
        """It checks CRC32C where there is one."""
        daemon = gateway(haproxy, **keys)
        client = connect(daemon, version=version)
        answer = get(client)
        assert (answer["src"], answer["src_port"]) == \
            tuple(client.peer.split(":"))
        assert (answer["dst"], int(answer["dst_port"])) == daemon.address()
        if keys["proxy_protocol"] == "v2":
            assert answer["authority"] == "localhost"
        leave(client)
        line = daemon.closed(peer=client.peer)
        if "proxy_tlvs" in keys:
            assert answer["unique_id"] == line["conn"]
        if "uri_san" in answer and "proxy_tlvs" in keys:
            assert answer["uri_san"] == "spiffe://corp.example/good"

    @pytest.mark.parametrize("keys", [
        {"proxy_protocol": "v1"}, {"proxy_protocol": "v2"},
        {"proxy_protocol": "v2", "proxy_tlvs": ALL_TLVS}],
        ids=["v1", "v2", "v2 with everything"])
    def test_nginx_takes_it(self, nginx, gateway, connect, version, keys):
        daemon = gateway(nginx, **keys)
        client = connect(daemon, version=version)
        answer = get(client)
        assert (answer["addr"], answer["port"]) == \
            tuple(client.peer.split(":"))
        assert (answer["server_addr"], int(answer["server_port"])) == \
            daemon.address()
        if nginx.knows_tlvs and keys["proxy_protocol"] == "v2":
            assert answer["authority"] == "localhost"
            assert answer["verify"] == "0"
            assert answer["ssl_version"] == client.tls.version()
            assert answer["ssl_cn"] == "good"
        if nginx.knows_tlvs and "proxy_tlvs" in keys:
            assert answer["uri_san"] == "spiffe://corp.example/good"

    def test_openssl_through_all_of_it(self, haproxy, gateway, pki):
        daemon = gateway(haproxy, proxy_protocol="v2", proxy_tlvs=ALL_TLVS)
        done = s_client(pki, daemon.address(), "-ign_eof", "-servername",
                        "localhost", holder=pki.good,
                        given=b"GET / HTTP/1.0\r\n\r\n")
        assert b"authority=[localhost]" in done.stdout


@pytest.fixture
def believing(backend, gateway):
    """believing(**listener keys): (daemon, backend); it takes headers from
    the loopback, and hands them on."""

    def make(**changes):
        service = backend()
        keys = {"accept_proxy_protocol": True,
                "trusted_proxies": "127.0.0.1", "proxy_protocol": "v2",
                "proxy_tlvs": "authority crc32c", **changes}
        return gateway(service, **keys), service

    return make


def client_hello(client):
    """CLIENT's first flight, unsent."""
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.do_handshake()
    return client.outgoing.read()


def tcp_rest(sock):
    """All that comes up to the end, of whichever kind."""
    data = b""
    while True:
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece


class TestBelieving:
    @pytest.mark.parametrize("encode, source, destination", [
        (pp.v1, SOURCE, DESTINATION), (pp.v1, SOURCE6, DESTINATION6),
        (pp.v2, SOURCE, DESTINATION), (pp.v2, SOURCE6, DESTINATION6),
        (pp.v2_with_sum, SOURCE, DESTINATION)],
        ids=["v1-ipv4", "v1-ipv6", "v2-ipv4", "v2-ipv6", "v2-crc32c"])
    def test_the_real_client_is_in_the_log_and_told_on(
            self, believing, raw_connect, pki, version, encode, source,
            destination):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good, version)
        client.sock.sendall(encode(source, destination))
        client.handshake()
        peer = service.accept()
        header = pp.read_header(peer)
        assert (header.source, header.destination) == (source, destination)
        client.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.close()
        leave(client)
        line = daemon.closed(peer=in_log(source))
        assert "CN=good" in line["subject"]
        assert line["up"] == "5"

    def test_and_in_the_line_of_a_refusal(self, believing, raw_connect, pki,
                                          version):
        daemon, service = believing()
        client = raw_connect(daemon, pki.stranger, version)
        client.sock.sendall(pp.v2(SOURCE, DESTINATION))
        client.be_refused()
        line = daemon.refused(peer=in_log(SOURCE))
        assert line["reason"] == "client_certificate_untrusted"
        assert not service.was_dialled()

    def test_and_in_the_line_of_who_was_denied(self, believing, raw_connect,
                                               pki, version):
        daemon, service = believing(allow_cn="somebody")
        client = raw_connect(daemon, pki.good, version)
        client.sock.sendall(pp.v1(SOURCE, DESTINATION))
        client.be_refused()
        line = daemon.log.wait("denied", peer=in_log(SOURCE))
        assert "CN=good" in line["subject"]
        assert not service.was_dialled()

    def test_a_proxy_on_a_unix_socket_was_let_in_by_its_mode(
            self, believing, raw_connect, pki, open_dir):
        daemon, service = believing(listen=f"unix:{open_dir}/in.sock",
                                    trusted_proxies="192.0.2.1")
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(SOURCE, DESTINATION))
        client.handshake()
        header = pp.read_header(service.accept())
        assert (header.source, header.destination) == (SOURCE, DESTINATION)

    @pytest.mark.parametrize("encode", [pp.v1, pp.v2], ids=["v1", "v2"])
    def test_header_and_client_hello_may_come_in_one_segment(
            self, believing, raw_connect, pki, version, encode):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good, version)
        client.sock.sendall(encode(SOURCE, DESTINATION) +
                            client_hello(client))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    @pytest.mark.parametrize("encode", [pp.v1, pp.v2_with_sum],
                             ids=["v1", "v2"])
    def test_a_header_may_come_byte_by_byte(self, believing, raw_connect,
                                            pki, encode):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        trickle(client, encode(SOURCE, DESTINATION))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    @pytest.mark.parametrize("encode", [pp.v1, pp.v2], ids=["v1", "v2"])
    def test_and_so_may_header_and_client_hello(self, believing,
                                                raw_connect, pki, encode):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        trickle(client, encode(SOURCE, DESTINATION) + client_hello(client))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    def test_a_header_of_4096_bytes_is_taken(self, believing, raw_connect,
                                             pki):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        filling = pp.tlv(pp.NOOP, b"x" * (4096 - 16 - 12 - 3))
        header = pp.v2(SOURCE, DESTINATION, filling)
        assert len(header) == 4096
        client.sock.sendall(header + client_hello(client))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    def test_tlvs_of_the_proxy_are_not_told_on(self, believing, raw_connect,
                                               pki):
        """Who vouches for them?"""
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(
            SOURCE, DESTINATION, pp.tlv(pp.AUTHORITY, b"evil.example") +
            pp.tlv(pp.UNIQUE_ID, b"evil") + pp.tlv(pp.URI_SAN, b"x://y")))
        client.handshake()
        header = pp.read_header(service.accept())
        assert header.text(pp.AUTHORITY) == "localhost"
        assert set(header.tlvs) == {pp.AUTHORITY, pp.CRC32C}

    @pytest.mark.parametrize("header", [
        pp.v2(command=pp.LOCAL),
        pp.v2(command=pp.LOCAL, tlvs=pp.tlv(pp.NOOP, b"check")),
        pp.v2(SOURCE, DESTINATION, command=pp.LOCAL),
        pp.v2(family=pp.UNIX_STREAM, command=pp.LOCAL,
              addresses=bytes(216)),
        pp.v2(family=pp.UNSPEC),
        pp.v2(family=pp.UNIX_STREAM, addresses=bytes(216)),
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN 192.0.2.77 198.51.100.9 4711 443\r\n"],
        ids=["LOCAL", "LOCAL with TLV", "LOCAL with addresses",
             "LOCAL of unix", "UNSPEC", "unix", "v1 UNKNOWN",
             "v1 UNKNOWN with rest"])
    def test_without_an_address_the_connections_own_stand(
            self, believing, raw_connect, pki, header):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(header)
        client.handshake()
        peer = service.accept()
        told_on = pp.read_header(peer)
        assert in_log(told_on.source) == client.peer
        assert told_on.destination == daemon.address()
        assert not told_on.is_local
        peer.close()
        leave(client)
        daemon.closed(peer=client.peer)

    def test_the_proxy_may_be_in_a_cidr_of_several(self, believing,
                                                   raw_connect, pki):
        daemon, service = believing(
            trusted_proxies="10.0.0.0/8 2001:db8::/32 127.0.0.0/30")
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v1(SOURCE, DESTINATION))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    def test_an_ipv4_proxy_on_a_dual_stack_socket_is_known(
            self, believing, raw_connect, pki):
        need_ipv6()
        daemon, service = believing(listen="*:0")
        client = raw_connect(daemon, pki.good,
                             address=("127.0.0.1", daemon.port()))
        client.sock.sendall(pp.v2(SOURCE, DESTINATION))
        client.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    def test_a_header_does_not_make_its_client_a_proxy(
            self, believing, raw_connect, pki):
        """Who claims to be of trusted_proxies is a client all the same: a
        second header is not one."""
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(("127.0.0.1", 1), DESTINATION) +
                            pp.v2(SOURCE, DESTINATION))
        assert pp.SIGNATURE not in tcp_rest(client.sock)
        line = daemon.refused(peer="127.0.0.1:1")
        assert line["reason"] == "not_tls"
        assert not service.was_dialled()

    def test_other_listeners_go_on_without(self, backend, start_daemon,
                                           raw_connect, pki):
        service = backend(echo)
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener front": listener_keys(
                pki, service, accept_proxy_protocol=True,
                trusted_proxies="127.0.0.1"),
            "listener gw": listener_keys(pki, service)})
        client = raw_connect(daemon, pki.good).handshake()
        client.send(b"hello")
        assert client.recv_exactly(5) == b"hello"
        other = raw_connect(daemon, pki.good)
        other.sock.sendall(pp.v2(SOURCE, DESTINATION))
        tcp_rest(other.sock)
        daemon.refused(peer=other.peer, listener="gw", reason="not_tls")


def trickle(client, data):
    client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(data)):
        client.sock.sendall(data[at:at + 1])


class TestNotBelieving:
    @pytest.fixture
    def dropped(self, believing, raw_connect, pki):
        """dropped(BYTES): sends them, and returns the log's line. Nobody
        says a word of TLS, and the backend hears nothing."""

        def send(data, hello=True, **keys):
            daemon, service = believing(**keys)
            client = raw_connect(daemon, pki.good)
            try:
                client.sock.sendall(
                    data + (client_hello(client) if hello else b""))
            except (BrokenPipeError, ConnectionResetError):
                pass
            assert tcp_rest(client.sock) == b""
            line = daemon.refused(peer=client.peer, listener="gw")
            assert line["reason"] == "proxy_header"
            assert line["detail"]
            assert line.get("tls") is None
            assert len(daemon.log.find("refused")) == 1
            assert not daemon.log.find("closed")
            assert not service.was_dialled()
            return line

        return send

    def test_an_untrusted_source_is_dropped_with_its_real_address(
            self, dropped):
        line = dropped(pp.v2(SOURCE, DESTINATION),
                       trusted_proxies="10.0.0.0/8 127.0.0.2 ::1")
        assert "trusted_proxies" in line["detail"]

    def test_an_untrusted_source_is_dropped_without_a_header_too(
            self, dropped):
        line = dropped(b"", trusted_proxies="10.0.0.0/8")
        assert "trusted_proxies" in line["detail"]

    def test_a_client_hello_is_no_header(self, dropped):
        assert "no PROXY" in dropped(b"")["detail"]

    def test_nor_is_a_request_of_http(self, dropped):
        line = dropped(b"GET / HTTP/1.0\r\n\r\n", hello=False)
        assert "no PROXY" in line["detail"]

    @pytest.mark.parametrize("line", [
        b"PROXY TCP4 192.0.2.77 198.51.100.9 4711\r\n",
        b"PROXY TCP4 192.0.2.77 198.51.100.9 4711 443 1\r\n",
        b"PROXY TCP4 192.0.2.77 198.51.100.9 4711 65536\r\n",
        b"PROXY TCP4 192.0.2.77 198.51.100.9 04711 443\r\n",
        b"PROXY TCP4 192.0.2.77 198.51.100.9 -1 443\r\n",
        b"PROXY TCP4 192.0.2.777 198.51.100.9 4711 443\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 4711 443\r\n",
        b"PROXY TCP6 192.0.2.77 198.51.100.9 4711 443\r\n",
        b"PROXY TCP4  192.0.2.77 198.51.100.9 4711 443\r\n",
        b"PROXY TCP4 192.0.2.77\0 198.51.100.9 4711 443\r\n",
        b"PROXY TCP4 localhost 198.51.100.9 4711 443\r\n",
        b"PROXY UDP4 192.0.2.77 198.51.100.9 4711 443\r\n",
        b"PROXY TCP4 192.0.2.77 198.51.100.9 4711 443\n",
        b"proxy TCP4 192.0.2.77 198.51.100.9 4711 443\r\n",
        b"PROXY\r\n", b"PROXY \r\n",
        b"PROXY UNKNOWNS\r\n"], ids=repr)
    def test_a_malformed_line_is_dropped(self, dropped, line):
        dropped(line)

    @pytest.mark.parametrize("header", [
        pp.v2(SOURCE, DESTINATION).replace(b"QUIT", b"QUIP"),
        pp.v2(SOURCE, DESTINATION, command=0x11),
        pp.v2(SOURCE, DESTINATION, command=0x22),
        pp.v2(SOURCE, DESTINATION, command=0x31),
        pp.v2(SOURCE, DESTINATION, family=0x41),
        pp.v2(SOURCE, DESTINATION, family=0x13),
        pp.v2(SOURCE, DESTINATION, family=pp.TCP6),
        pp.v2(SOURCE, DESTINATION, size=11),
        pp.v2(family=pp.TCP4),
        pp.v2(SOURCE, DESTINATION, b"\x04"),
        pp.v2(SOURCE, DESTINATION, b"\x04\0\x05abc"),
        pp.v2(SOURCE, DESTINATION, pp.tlv(pp.SSL, b"\1\0")),
        pp.v2(SOURCE, DESTINATION, pp.tlv(pp.SSL, bytes(5) + b"\x21\0\5x")),
        pp.v2(SOURCE, DESTINATION, pp.tlv(pp.CRC32C, b"\0\0")),
        pp.v2_with_sum(SOURCE, DESTINATION, wrong_by=1)],
        ids=["signature", "version 1", "command 2", "version 3", "family",
             "transport", "IPv4 as IPv6", "too short", "no addresses",
             "TLV of one byte", "TLV beyond the end", "short SSL",
             "TLV in SSL beyond its end", "short CRC32C", "wrong CRC32C"])
    def test_a_malformed_header_is_dropped(self, dropped, header):
        dropped(header)

    @pytest.mark.parametrize("size", [4097 - 16, 65535])
    def test_an_oversized_header_is_dropped_at_once(self, dropped, size):
        """By what it says of itself: nobody waits for the rest."""
        line = dropped(pp.v2(SOURCE, DESTINATION, size=size), hello=False)
        assert "4096" in line["detail"]

    def test_an_oversized_local_header_is_dropped_too(self, dropped):
        dropped(pp.v2(command=pp.LOCAL, size=65535), hello=False)

    @pytest.mark.parametrize("line", [
        b"PROXY UNKNOWN " + b"x" * 200, b"PROXY TCP4 " + b"1" * 100,
        b"PROXY " + b" " * 5000], ids=lambda it: repr(it[:16]))
    def test_a_line_without_end_is_dropped(self, dropped, line):
        assert "107" in dropped(line, hello=False)["detail"]

    def test_the_reason_of_one_does_not_hurt_another(self, believing,
                                                     raw_connect, pki):
        daemon, service = believing()
        for _ in range(5):
            bad = raw_connect(daemon, pki.good)
            bad.sock.sendall(b"nonsense")
            assert tcp_rest(bad.sock) == b""
            good = raw_connect(daemon, pki.good)
            good.sock.sendall(pp.v2(SOURCE, DESTINATION))
            good.handshake()
            assert pp.read_header(service.accept()).source == SOURCE


class TestSlowProxies:
    @pytest.mark.parametrize("start", [
        pp.v2(SOURCE, DESTINATION)[:-1], pp.v2(SOURCE, DESTINATION)[:5],
        b"PROXY TCP4 192.0.2.77", b"P"], ids=repr)
    def test_a_header_that_never_ends_meets_handshake_timeout(
            self, believing, raw_connect, pki, start):
        daemon, service = believing(handshake_timeout="300ms")
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(start)
        assert tcp_rest(client.sock) == b""
        daemon.refused(peer=client.peer, reason="handshake_timeout")
        assert not service.was_dialled()

    def test_so_does_a_handshake_that_never_ends(self, believing,
                                                 raw_connect, pki):
        daemon, _ = believing(handshake_timeout="300ms")
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(SOURCE, DESTINATION) +
                            client_hello(client)[:60])
        assert tcp_rest(client.sock) == b""
        daemon.refused(peer=in_log(SOURCE), reason="handshake_timeout")

    def test_a_client_that_says_nothing_behind_its_header_was_a_probe(
            self, believing, raw_connect, pki):
        daemon, _ = believing(handshake_timeout="300ms",
                              process={"log_probes": True})
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(SOURCE, DESTINATION))
        assert tcp_rest(client.sock) == b""
        daemon.refused(peer=in_log(SOURCE), reason="probe")

    def test_time_spent_on_the_header_is_not_given_twice(
            self, believing, raw_connect, pki):
        """The deadline runs from accept(): a header at the last moment
        leaves no time for the rest."""
        daemon, _ = believing(handshake_timeout="2s")
        client = raw_connect(daemon, pki.good)
        header = pp.v2(SOURCE, DESTINATION)
        client.sock.sendall(header[:-1])
        client.sock.settimeout(1.6)
        with pytest.raises(socket.timeout):
            client.sock.recv(1)
        client.sock.settimeout(seconds(15))
        client.sock.sendall(header[-1:] + client_hello(client)[:60])
        assert tcp_rest(client.sock) == b""
        line = daemon.refused(peer=in_log(SOURCE),
                              reason="handshake_timeout")
        assert 1900 <= int(line["ms"]) < 3500  # not 1.6 s + 2 s

    def test_a_proxy_that_leaves_within_its_header_hurts_nobody(
            self, believing, raw_connect, pki):
        daemon, service = believing()
        client = raw_connect(daemon, pki.good)
        client.sock.sendall(pp.v2(SOURCE, DESTINATION)[:-1])
        client.vanish()
        assert tcp_rest(client.sock) == b""
        daemon.refused(peer=client.peer)
        again = raw_connect(daemon, pki.good)
        again.sock.sendall(pp.v2(SOURCE, DESTINATION))
        again.handshake()
        assert pp.read_header(service.accept()).source == SOURCE

    def test_nothing_is_kept_of_headers_that_never_end(
            self, believing, raw_connect, pki):
        daemon, _ = believing(handshake_timeout="300ms")
        before = sum(daemon.descriptors().values())
        for _ in range(30):
            client = raw_connect(daemon, pki.good)
            client.sock.sendall(b"PROXY TCP4 ")
        daemon.log.wait("refused", count=30, reason="handshake_timeout")
        # A few more or less are the daemon's own affair.
        wait_until(lambda: sum(daemon.descriptors().values()) < before + 5,
                   "descriptors are back to their number")


class TestRealProxies:
    @pytest.fixture
    def in_front(self, tmp_path):
        running = []

        def start(*args, **kwargs):
            running.append(proxies.haproxy_in_front(tmp_path, *args,
                                                    **kwargs))
            return running[-1]

        yield start
        for one in running:
            one.stop()

    @pytest.mark.parametrize("options", [
        "send-proxy", "send-proxy-v2",
        "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority"],
        ids=["v1", "v2", "v2 with TLVs"])
    def test_haproxy_in_front_tells_us_the_client(
            self, believing, in_front, raw_connect, pki, version, options):
        daemon, service = believing()
        front = in_front(daemon.port(), options,
                         "unique-id-format %{+X}o%ci:%cp")
        client = raw_connect(daemon, pki.good, version,
                             address=front.where).handshake()
        peer = service.accept()
        header = pp.read_header(peer)
        assert in_log(header.source) == client.peer
        assert header.destination == front.where
        client.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.close()
        leave(client)
        daemon.closed(peer=client.peer)

    def test_haproxy_that_is_not_trusted_gets_nowhere(
            self, believing, in_front, raw_connect, pki):
        daemon, service = believing(trusted_proxies="192.0.2.1")
        front = in_front(daemon.port(), "send-proxy-v2")
        client = raw_connect(daemon, pki.good, address=front.where)
        with pytest.raises((Alert, ConnectionError, ssl.SSLError)):
            client.handshake()
        line = daemon.refused(reason="proxy_header")
        assert line["peer"] != client.peer
        assert not service.was_dialled()

    def test_haproxys_health_checks_are_no_clients(self, believing,
                                                   in_front):
        """LOCAL, then the end: nothing to tell anybody about."""
        daemon, service = believing(process={"log_probes": True})
        in_front(daemon.port(), "send-proxy-v2 check inter 50ms")
        daemon.log.wait("refused", count=3)
        assert all(line["reason"] == "probe"
                   for line in daemon.log.find("refused"))
        assert not service.was_dialled()

    def test_from_haproxy_to_nginx_through_us(self, gateway, in_front,
                                              raw_connect, pki, tmp_path):
        (tmp_path / "behind").mkdir()
        nginx = proxies.NginxBehind(tmp_path / "behind")
        try:
            daemon = gateway(nginx, accept_proxy_protocol=True,
                             trusted_proxies="127.0.0.1",
                             proxy_protocol="v2")
            front = in_front(daemon.port(), "send-proxy-v2")
            client = raw_connect(daemon, pki.good,
                                 address=front.where).handshake()
            answer = get(client)
            assert f"{answer['addr']}:{answer['port']}" == client.peer
            assert int(answer["server_port"]) == front.where[1]
        finally:
            nginx.stop()
