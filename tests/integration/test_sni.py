"""Which server name gets which certificate, clients, versions, protocols and
backend."""

import pytest

from harness.backends import echo
from harness.certificates import Maker
from harness.client_hello import say_hello, server_names
from harness.clients import TLS1_2, TLS1_3, Alert, tls_context

UNKNOWN_NAME = "unrecognized_name"


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("sni"))


@pytest.fixture(scope="module")
def certificates(maker, pki):
    """One for each server name, so that the certificate tells who answers."""
    return {name: maker.server(pki.ca)
            for name in ("default", "api", "wild", "deep", "upper", "other")}


@pytest.fixture
def names(backend, start_daemon, pki, certificates):
    """names(NAME={keys}, ..., listener={keys}): a daemon with listener "gw"
    and a [server_name NAME] for each; their server_name is NAME.example.com
    unless told otherwise."""

    def make(listener=(), **overlays):
        service = backend(echo)
        own = certificates["default"]
        sections = {
            "sallyport": {"workers": 1, "drain_timeout": "2s"},
            "listener gw": {
                "listen": "127.0.0.1:0", "certfile": own.cert,
                "keyfile": own.key, "backend": service.address,
                **dict(listener)}}
        for name, keys in overlays.items():
            theirs = certificates.get(name, own)
            sections[f"server_name {name}"] = {
                "listener": "gw", "server_name": f"{name}.example.com",
                "certfile": theirs.cert, "keyfile": theirs.key, **keys}
        return start_daemon(sections)

    return make


@pytest.fixture
def answers(certificates):
    """answers(DAEMON, NAME): which certificate answers, or which alert. NAME:
    text, bytes, None for none at all."""

    def ask(daemon, name, listener="gw"):
        if isinstance(name, str):
            name = name.encode()
        answer, _ = say_hello(daemon.address(listener), name)
        if answer.alert is not None:
            return answer.alert
        return next(who for who, one in certificates.items()
                    if one.der == answer.certificate)

    return ask


def careless(pki, holder=None, version=None):
    """A client's context that takes any name, so that it may ask for any."""
    context = tls_context(pki, holder, version)
    context.check_hostname = False
    return context


def say_something(client):
    client.send(b"hello")
    assert client.recv_exactly(5) == b"hello"


def refusal(client):
    with pytest.raises(Alert) as alert:
        client.handshake()
        client.send(b"hello")
        client.recv()
    return str(alert.value)


class TestWhichName:
    def test_an_exact_name_has_its_own_certificate(self, names, answers):
        daemon = names(api={})
        assert answers(daemon, "api.example.com") == "api"
        assert answers(daemon, "www.example.com") == "default"

    def test_names_may_stand_side_by_side(self, names, answers):
        daemon = names(api={"server_name": "a.example b.example *.c.example"})
        assert answers(daemon, "a.example") == "api"
        assert answers(daemon, "b.example") == "api"
        assert answers(daemon, "x.c.example") == "api"
        assert answers(daemon, "c.example") == "default"

    def test_exact_goes_before_wildcard(self, names, answers):
        daemon = names(wild={"server_name": "*.example.com"}, api={})
        assert answers(daemon, "api.example.com") == "api"
        assert answers(daemon, "www.example.com") == "wild"

    def test_the_order_in_the_file_does_not_count(self, names, answers):
        daemon = names(api={}, wild={"server_name": "*.example.com"})
        assert answers(daemon, "api.example.com") == "api"
        assert answers(daemon, "www.example.com") == "wild"

    def test_a_wildcard_is_exactly_one_label(self, names, answers):
        daemon = names(wild={"server_name": "*.example.com"})
        assert answers(daemon, "a.b.example.com") == "default"
        assert answers(daemon, "example.com") == "default"
        assert answers(daemon, ".example.com") == "default"

    def test_the_longer_wildcard_is_another_name(self, names, answers):
        daemon = names(wild={"server_name": "*.example.com"},
                       deep={"server_name": "*.api.example.com"})
        assert answers(daemon, "x.api.example.com") == "deep"
        assert answers(daemon, "api.example.com") == "wild"

    @pytest.mark.parametrize("asked", [
        "API.EXAMPLE.COM", "Api.Example.Com", "api.example.com.",
        "API.example.COM."])
    def test_letter_case_and_one_trailing_dot_do_not_count(
            self, names, answers, asked):
        daemon = names(api={})
        assert answers(daemon, asked) == "api"

    def test_letter_case_does_not_count_in_the_file_either(self, names,
                                                           answers):
        daemon = names(upper={"server_name": "UPPER.Example.COM"},
                       wild={"server_name": "*.WILD.example"})
        assert answers(daemon, "upper.example.com") == "upper"
        assert answers(daemon, "a.wild.EXAMPLE") == "wild"

    @pytest.mark.parametrize("asked", [
        b"api.example.com..", b"..", b".", b"*.example.com",
        b"*", b"api.example.co", b"api.example.comm", b" api.example.com",
        b"api.example.com ", b"api example.com", b"api.example.com\n",
        b"\xc3\xa4pi.example.com", b"\xff\xfe\xfd", b"\x01",
        b"api.example.com\xff", b"[::1]", b"127.0.0.1", b"a" * 255,
        b"%s%n%x", b"\x1b[2J", b'"\\"'],
        ids=repr)
    def test_odd_names_are_nobodys(self, names, answers, asked):
        daemon = names(api={}, other={"server_name": "*.other.example"})
        assert answers(daemon, asked) == "default"
        assert answers(daemon, "api.example.com") == "api"
        daemon.stop()  # vets each line of its log

    @pytest.mark.parametrize("content", [
        bytearray(server_names(b"")),
        bytearray(server_names(b"api.example.com\0")),
        bytearray(server_names(b"\0")),
        bytearray(server_names(b"a" * 256)),
        bytearray(server_names(b"a" * 5000)),
        bytearray(server_names(b"api.example.com", b"www.example.com")),
        bytearray(b"\0\0"), bytearray(b""), bytearray(b"\0\1\0"),
        bytearray(b"\xff\xff"), bytearray(b"\0\5\0\0\x20api"),
        bytearray(server_names(b"api.example.com") + b"rest"),
        bytearray(b"\0\x04\1\0\1x")],
        ids=lambda it: bytes(it[:24]).hex())
    def test_a_malformed_extension_ends_only_its_own_handshake(
            self, names, certificates, answers, content):
        """Whether it is ignored or refused is OpenSSL's affair; but it never
        opens api's door, and does not hurt."""
        daemon = names(api={})
        answer, _ = say_hello(daemon.address(), content)
        assert answer.certificate != certificates["api"].der
        assert answers(daemon, "api.example.com") == "api"
        daemon.stop()

    def test_one_name_among_very_many_is_found(self, names, answers):
        many = [f"host-{n}.many.example" for n in range(1000)]
        daemon = names(api={}, other={"server_name": many})
        assert answers(daemon, "host-0.many.example") == "other"
        assert answers(daemon, "host-999.many.example") == "other"
        assert answers(daemon, "host-1000.many.example") == "default"
        assert answers(daemon, "api.example.com") == "api"

    def test_names_belong_to_their_listener(self, backend, start_daemon,
                                            certificates, answers):
        service = backend(echo)

        def keys(who, **more):
            return {"certfile": certificates[who].cert,
                    "keyfile": certificates[who].key, **more}

        common = {"listen": "127.0.0.1:0", "backend": service.address}
        daemon = start_daemon({
            "sallyport": {"workers": 1},
            "listener one": keys("default", **common),
            "listener two": keys("other", **common),
            "server_name api": keys("api", listener="one",
                                    server_name="api.example.com"),
            "server_name wild": keys("wild", listener="two",
                                     server_name="*.example.com")})
        assert answers(daemon, "api.example.com", "one") == "api"
        assert answers(daemon, "www.example.com", "one") == "default"
        assert answers(daemon, "api.example.com", "two") == "wild"
        assert answers(daemon, "example.com", "two") == "other"


class TestMismatch:
    def test_by_default_the_listener_itself_answers(self, names, answers):
        daemon = names(api={})
        assert answers(daemon, "unknown.example") == "default"
        assert answers(daemon, None) == "default"

    @pytest.mark.parametrize("asked", [
        b"unknown.example", b"api.example.com.evil", b"\xff", None],
        ids=repr)
    def test_reject_refuses_with_unrecognized_name(self, names, asked):
        daemon = names(listener={"sni_mismatch": "reject"}, api={})
        answer, peer = say_hello(daemon.address(), asked)
        assert answer.alert == UNKNOWN_NAME
        line = daemon.refused(peer=peer, listener="gw")
        assert line["reason"] == UNKNOWN_NAME

    def test_reject_refuses_an_empty_name(self, names):
        daemon = names(listener={"sni_mismatch": "reject"}, api={})
        answer, peer = say_hello(daemon.address(), b"")
        assert answer.alert in (UNKNOWN_NAME, "decode_error")
        daemon.refused(peer=peer, listener="gw")

    def test_reject_lets_known_names_in(self, names, answers):
        daemon = names(listener={"sni_mismatch": "reject"}, api={},
                       wild={"server_name": "*.wild.example"})
        assert answers(daemon, "api.example.com") == "api"
        assert answers(daemon, "x.wild.example") == "wild"

    def test_a_listener_without_certificate_rejects(self, names, answers):
        daemon = names(listener={"certfile": None, "keyfile": None}, api={})
        assert answers(daemon, "api.example.com") == "api"
        assert answers(daemon, "unknown.example") == UNKNOWN_NAME
        assert answers(daemon, None) == UNKNOWN_NAME

    def test_a_python_client_is_told_in_both_versions(self, names, pki,
                                                      raw_connect, version):
        daemon = names(listener={"sni_mismatch": "reject"}, api={})
        client = raw_connect(daemon, context=careless(pki, version=version),
                             server_name="unknown.example")
        assert refusal(client) == UNKNOWN_NAME
        line = daemon.refused(peer=client.peer)
        assert line["reason"] == UNKNOWN_NAME

    def test_an_address_is_not_sent_as_a_name(self, names, pki, raw_connect):
        """Python sends none for an address, as RFC 6066 wants it."""
        daemon = names(listener={"sni_mismatch": "reject"}, api={})
        client = raw_connect(daemon, context=careless(pki),
                             server_name="127.0.0.1")
        assert refusal(client) == UNKNOWN_NAME


class TestWhatANameMayHave:
    @pytest.fixture
    def client(self, raw_connect, pki):
        """client(DAEMON, NAME, ...): before its handshake."""
        def connect(daemon, name, holder=None, version=None):
            return raw_connect(daemon, server_name=f"{name}.example.com",
                               context=careless(pki, holder, version))
        return connect

    def test_its_own_verify_mode(self, names, client, pki, version):
        daemon = names(api={"cafile": pki.ca.cert})
        say_something(client(daemon, "www", version=version).handshake())
        say_something(client(daemon, "api", holder=pki.good,
                             version=version).handshake())
        refused = client(daemon, "api", version=version)
        assert refusal(refused) in ("certificate_required",
                                    "handshake_failure")
        daemon.refused(peer=refused.peer,
                       reason="client_certificate_required")

    def test_a_name_may_be_laxer_than_its_listener(self, names, client, pki,
                                                   version):
        daemon = names(listener={"cafile": pki.ca.cert},
                       api={"verify_mode": "optional"})
        say_something(client(daemon, "api", version=version).handshake())
        assert refusal(client(daemon, "www", version=version)) in (
            "certificate_required", "handshake_failure")

    def test_its_own_ca(self, names, client, pki, version):
        daemon = names(listener={"cafile": pki.ca.cert},
                       api={"cafile": pki.other_ca.cert})

        def of(name, holder):
            return client(daemon, name, holder=holder, version=version)

        say_something(of("www", pki.good).handshake())
        say_something(of("api", pki.stranger).handshake())
        assert refusal(of("api", pki.good)) == "unknown_ca"
        assert refusal(of("www", pki.stranger)) == "unknown_ca"

    def test_the_ca_of_its_listener_when_it_has_none(self, names, client,
                                                     pki):
        daemon = names(listener={"cafile": pki.ca.cert}, api={})
        say_something(client(daemon, "api", holder=pki.good).handshake())
        assert refusal(client(daemon, "api", holder=pki.stranger)) == \
            "unknown_ca"

    def test_its_own_lowest_version(self, names, client):
        daemon = names(api={"minimum_version": "TLSv1.3"})
        assert refusal(client(daemon, "api", version=TLS1_2)) == \
            "protocol_version"
        client(daemon, "api", version=TLS1_3).handshake()
        client(daemon, "www", version=TLS1_2).handshake()

    def test_its_own_highest_version(self, names, client):
        daemon = names(api={"maximum_version": "TLSv1.2"})
        assert refusal(client(daemon, "api", version=TLS1_3)) == \
            "protocol_version"
        assert client(daemon, "api").handshake().tls.version() == "TLSv1.2"
        assert client(daemon, "www").handshake().tls.version() == "TLSv1.3"

    def test_a_wider_range_of_versions_than_its_listener(self, names, client):
        daemon = names(listener={"minimum_version": "TLSv1.3"},
                       api={"minimum_version": "TLSv1.2"})
        client(daemon, "api", version=TLS1_2).handshake()
        assert refusal(client(daemon, "www", version=TLS1_2)) == \
            "protocol_version"

    def test_its_own_ciphers(self, names, client):
        chacha = "ECDHE-ECDSA-CHACHA20-POLY1305"
        daemon = names(api={"ciphers": chacha,
                            "ciphersuites": "TLS_CHACHA20_POLY1305_SHA256"})
        for version, cipher in ((TLS1_2, chacha),
                                (TLS1_3, "TLS_CHACHA20_POLY1305_SHA256")):
            api = client(daemon, "api", version=version).handshake()
            assert api.tls.cipher()[0] == cipher
            www = client(daemon, "www", version=version).handshake()
            assert www.tls.cipher()[0] != cipher

    def test_its_own_alpn_protocols(self, names, raw_connect, pki, version):
        daemon = names(listener={"alpn_protocols": "http/1.1"},
                       api={"alpn_protocols": "h2"})

        def ask(name, *protocols):
            context = careless(pki, version=version)
            context.set_alpn_protocols(list(protocols))
            return raw_connect(daemon, context=context,
                               server_name=f"{name}.example.com")

        api = ask("api", "http/1.1", "h2").handshake()
        assert api.tls.selected_alpn_protocol() == "h2"
        www = ask("www", "http/1.1", "h2").handshake()
        assert www.tls.selected_alpn_protocol() == "http/1.1"
        assert refusal(ask("api", "http/1.1")) == "no_application_protocol"

    def test_its_own_backend(self, names, backend, client):
        def shout(peer):
            peer.send(b"I am api")
            peer.finish()
        daemon = names(api={"backend": backend(shout).address})
        assert client(daemon, "api").handshake().recv_exactly(8) == \
            b"I am api"
        say_something(client(daemon, "www").handshake())

    def test_its_own_options(self, names, raw_connect, pki):
        """Options of the listener must not linger in the connection."""
        daemon = names(api={"options": "-cipher_server_preference"})
        wanted = "ECDHE-ECDSA-AES128-GCM-SHA256"
        other = "ECDHE-ECDSA-AES256-GCM-SHA384"
        for name, expected in (("api", wanted), ("www", other)):
            context = careless(pki, version=TLS1_2)
            context.set_ciphers(f"{wanted}:{other}")
            hello = raw_connect(daemon, context=context,
                                server_name=f"{name}.example.com")
            assert hello.handshake().tls.cipher()[0] == expected

    def test_the_log_names_it(self, names, client, version):
        daemon = names(api={})
        for name in ("api", "www"):
            one = client(daemon, name, version=version).handshake()
            say_something(one)
            one.close_notify()
            one.recv_to_end()
            line = daemon.closed(peer=one.peer)
            assert line["server_name"] == f"{name}.example.com"

    def test_the_log_names_it_for_a_refusal_too(self, names, client, pki):
        daemon = names(api={"cafile": pki.ca.cert})
        one = client(daemon, "api", holder=pki.stranger)
        assert refusal(one) == "unknown_ca"
        line = daemon.refused(peer=one.peer)
        assert line["server_name"] == "api.example.com"
