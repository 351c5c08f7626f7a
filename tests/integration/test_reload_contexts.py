"""What a reload does not change it does not build anew, and what it does
change is never served from what was there before."""

import shutil

import pytest

from conftest import listener_keys
from harness.backends import echo
from harness.certificates import Maker
from harness.client_hello import say_hello
from harness.clients import say, tls_context
from harness.daemon import ini

NAMES = ("api", "shop", "mail")


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return Maker(tmp_path_factory.mktemp("contexts"))


class Town:
    """A daemon with one listener and a server name for each of NAMES, whose
    files are its own and can be renewed in place."""

    def __init__(self, start_daemon, pki, maker, backend, directory):
        self.directory = directory
        self.maker, self.pki = maker, pki
        self.sections = {
            "sallyport": {"workers": 1, "drain_timeout": "2s",
                          "watch_files": "no", "log_level": "debug"},
            "defaults": {},
            "listener gw": listener_keys(pki, backend(echo))}
        for name in NAMES:
            self.add(name)
        self.daemon = start_daemon(self.sections)
        self.expect(4, 0)

    def add(self, name, **keys):
        self.sections[f"server_name {name}"] = {
            "listener": "gw", "server_name": f"{name}.example.com",
            "certfile": self.directory / f"{name}.crt",
            "keyfile": self.directory / f"{name}.key", **keys}
        self.renew(name)

    def renew(self, name, **changes):
        server = self.maker.server(self.pki.ca, **changes)
        for path, suffix in ((server.cert, "crt"), (server.key, "key")):
            shutil.copy(path, self.directory / f"{name}.{suffix}")
        self.certificates = {**getattr(self, "certificates", {}),
                             name: server.der}

    def expect(self, contexts, reused, since=0):
        self.daemon.log.wait("TLS contexts", since=since,
                             contexts=str(contexts), reused=str(reused))

    def reload(self, contexts, reused):
        """And so many contexts there are, so many of them from before."""
        self.daemon.config.write_text(ini(self.sections))
        mark = self.daemon.log.mark()
        findings = self.daemon.reload()
        self.expect(contexts, reused, mark)
        return findings

    def shows(self, name):
        answer, _ = say_hello(self.daemon.address(),
                              f"{name}.example.com".encode())
        return answer.certificate == self.certificates[name]


@pytest.fixture
def town(start_daemon, pki, maker, backend, tmp_path):
    return Town(start_daemon, pki, maker, backend, tmp_path)


class TestWhatGoesOn:
    def test_is_what_did_not_change(self, town, connect):
        old = connect(town.daemon)
        for _ in range(3):
            town.reload(4, 4)
            say(old)
            assert all(town.shows(name) for name in NAMES)
        say(connect(town.daemon))

    def test_is_served_by_the_new_generation(self, town, raw_connect, pki,
                                             backend):
        other = backend()
        context = tls_context(pki, pki.good)
        context.check_hostname = False
        name = {"context": context, "server_name": "api.example.com"}
        old = raw_connect(town.daemon, **name).handshake()
        say(old)
        town.sections["listener gw"]["backend"] = other.address
        town.reload(4, 4)
        new = raw_connect(town.daemon, **name).handshake()
        peer = other.accept()
        peer.send(b"the other")
        assert new.recv_exactly(9) == b"the other"
        say(old)

    def test_outlives_a_reload_that_failed(self, town):
        town.sections["server_name bad"] = {
            "listener": "gw", "server_name": "bad.example.com",
            "certfile": "nowhere.pem", "keyfile": "nowhere.key"}
        town.daemon.config.write_text(ini(town.sections))
        assert town.daemon.ask("reload").returncode != 0
        (town.directory / "shop.crt").write_text("nothing")
        del town.sections["server_name bad"]
        town.daemon.config.write_text(ini(town.sections))
        assert town.daemon.ask("reload").returncode != 0
        assert town.shows("api")
        town.renew("shop")
        town.reload(4, 3)
        assert all(town.shows(name) for name in NAMES)

    def test_outlives_the_sections_beside_it(self, town):
        del town.sections["server_name shop"]
        town.reload(3, 3)
        town.add("shop")
        town.reload(4, 3)
        assert all(town.shows(name) for name in NAMES)

    def test_is_a_listener_that_loses_its_names(self, town):
        for name in NAMES:
            del town.sections[f"server_name {name}"]
        town.reload(1, 1)
        town.reload(1, 1)
        town.add("api")
        town.reload(2, 1)
        assert town.shows("api")


class TestWhatIsTheSame:
    """Listeners that say the same of TLS have one context's memory."""

    @pytest.fixture
    def street(self, start_daemon, pki, backend):
        keys = listener_keys(pki, backend(echo))
        return start_daemon({
            "sallyport": {"workers": 1, "log_level": "debug",
                          "watch_files": "no"},
            "listener one": keys, "listener two": keys, "listener three": keys,
            "listener four": {**keys, "num_tickets": 1}})

    def test_is_shared(self, street):
        street.log.wait("TLS contexts", contexts="4", shared="2", reused="0")
        mark = street.log.mark()
        street.reload()
        street.log.wait("TLS contexts", since=mark, contexts="4", shared="2",
                        reused="2")

    def test_is_served_by_each(self, street, connect):
        for name in ("one", "two", "three", "four"):
            say(connect(street, listener=name))

    def test_does_not_share_sessions(self, street, raw_connect, pki):
        context = tls_context(pki, pki.good)

        def visit(name, session=None):
            client = raw_connect(street, listener=name, context=context,
                                 session=session).handshake()
            say(client)
            return client.tls.session_reused, client.tls.session

        _, session = visit("one")
        assert visit("one", session)[0]
        _, session = visit("one")
        assert not visit("two", session)[0]
        _, session = visit("three")
        assert visit("three", session)[0]
        _, session = visit("three")
        assert not visit("one", session)[0]


class TestWhatIsMadeAnew:
    def test_is_one_with_another_certificate_in_its_file(self, town):
        town.renew("shop")
        assert not town.shows("shop")
        town.reload(4, 3)
        assert all(town.shows(name) for name in NAMES)

    def test_is_one_with_another_value_of_its_own(self, town):
        town.sections["server_name mail"]["num_tickets"] = 1
        town.reload(4, 3)

    def test_is_all_that_inherit_another_value(self, town):
        town.sections["listener gw"]["minimum_version"] = "TLSv1.3"
        town.reload(4, 0)
        town.sections["defaults"]["session_timeout"] = "5m"
        town.reload(4, 0)
        town.reload(4, 4)

    def test_is_all_of_a_ca_whose_crl_changed(self, town, maker, raw_connect):
        ca = maker.ca("Revoking CA")
        bad = maker.make("bad", ca)
        crl = town.directory / "ca.crl"
        shutil.copy(maker.crl(ca), crl)
        town.sections["listener gw"].update(cafile=ca.cert, crlfile=crl)
        town.reload(4, 0)
        town.reload(4, 4)
        context = tls_context(town.pki, bad)
        context.check_hostname = False
        name = {"context": context, "server_name": "api.example.com"}
        client = raw_connect(town.daemon, **name).handshake()
        say(client)
        shutil.copy(maker.crl(ca, [bad]), crl)
        town.reload(4, 0)
        town.daemon.closed(peer=client.peer)
        client = raw_connect(town.daemon, **name)
        client.be_refused()
        town.daemon.refused(peer=client.peer,
                            reason="client_certificate_revoked")

    def test_is_one_about_which_there_is_something_to_say(self, town):
        town.renew("shop", days=(-1, 3))
        assert "expires soon" in town.reload(4, 3)
        assert "expires soon" in town.reload(4, 3)
        town.renew("shop")
        assert "expires soon" not in town.reload(4, 3)
        town.reload(4, 4)
