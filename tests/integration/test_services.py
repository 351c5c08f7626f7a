"""Real services behind the daemon, real clients in front of it."""

import hashlib
import re
import smtplib
import socket
import ssl

import pytest

from harness.backends import FIN, background
from harness.clients import curl, gnutls_cli, run, s_client, tls_context
from harness.limits import seconds
from harness.programs import need
from harness.services import MailServer

MB = 1 << 20


def make_file(path, megabytes):
    """Writes a file whose every MB is different; returns its SHA-256."""
    sha256 = hashlib.sha256()
    with open(path, "wb") as file:
        for number in range(megabytes):
            block = hashlib.sha512(str(number).encode()).digest() * (MB // 64)
            sha256.update(block)
            file.write(block)
    return sha256.hexdigest()


def file_digest(path):
    sha256 = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(MB):
            sha256.update(block)
    return sha256.hexdigest()


@pytest.fixture
def web(nginx, gateway):
    """A daemon in front of nginx."""
    return gateway(nginx, process={"workers": 2})


def url(daemon, path):
    return f"https://localhost:{daemon.port()}{path}"


class TestNginx:
    @pytest.mark.parametrize("flag, name", [("--tlsv1.3", "TLSv1.3"),
                                            ("--tls-max 1.2", "TLSv1.2")])
    def test_answers_curl_with_a_certificate(self, web, pki, flag, name):
        done = curl(pki, url(web, "/hello"), *flag.split(),
                    holder=pki.good)
        assert (done.returncode, done.stdout) == (0, b"hello from nginx\n"), \
            done.stderr
        line = web.closed(reason="done", tls=name)
        assert "CN=good" in line["subject"]
        assert line["server_name"] == "localhost"

    def test_does_not_hear_of_curl_without_a_certificate(self, web, pki):
        done = curl(pki, url(web, "/hello"))
        assert done.returncode in (35, 56), done.stderr
        assert b"certificate required" in done.stderr
        assert done.stdout == b""
        web.refused(reason="client_certificate_required")
        assert not web.log.find("closed")

    def test_does_not_hear_of_curl_with_a_wrong_certificate(self, web, pki):
        done = curl(pki, url(web, "/hello"), holder=pki.stranger)
        assert done.returncode in (35, 56), done.stderr
        assert b"unknown ca" in done.stderr
        web.refused(reason="client_certificate_untrusted")

    @pytest.mark.limit(120)
    def test_sends_200_megabytes_whole(self, web, nginx, pki, tmp_path):
        sent = make_file(nginx.www / "large", 200)
        done = curl(pki, url(web, "/large"), "--output",
                    str(tmp_path / "got"), holder=pki.good)
        assert done.returncode == 0, done.stderr
        assert file_digest(tmp_path / "got") == sent
        line = web.closed(reason="done")
        assert int(line["down"]) > 200 * MB

    @pytest.mark.limit(120)
    def test_takes_200_megabytes_whole(self, web, nginx, pki, tmp_path):
        sent = make_file(tmp_path / "large", 200)
        done = curl(pki, url(web, "/up/large"), "--upload-file",
                    str(tmp_path / "large"), holder=pki.good)
        assert done.returncode == 0, done.stderr
        assert file_digest(nginx.www / "up" / "large") == sent
        line = web.closed(reason="done")
        assert int(line["up"]) > 200 * MB

    def test_keeps_a_connection_alive(self, web, pki):
        hello = url(web, "/hello")
        done = curl(pki, hello, *[hello] * 49, "--write-out",
                    "%{num_connects}\n", holder=pki.good)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.decode().splitlines()
        assert lines.count("hello from nginx") == 50
        assert sum(int(n) for n in lines if n.isdigit()) == 1
        web.closed(reason="done")
        web.stop()
        assert len(web.log.find("closed")) == 1

    def test_serves_many_curls_at_once(self, web, nginx, pki, tmp_path):
        sent = make_file(nginx.www / "medium", 4)
        fetches = [background(
            curl, pki, url(web, "/medium"), "--output",
            str(tmp_path / str(n)), "--cert", str(pki.good.cert), "--key",
            str(pki.good.key)) for n in range(12)]
        for number, fetch in enumerate(fetches):
            done = fetch.join(60)
            assert done.returncode == 0, done.stderr
            assert file_digest(tmp_path / str(number)) == sent

    def test_answers_pipelined_requests_in_order(self, web, connect):
        client = connect(web)
        request = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
        last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        client.send(request * 99 + last)
        data, end = client.recv_to_end()
        assert data.count(b"hello from nginx\n") == 100
        assert end == "close_notify"


class TestRedis:
    @pytest.fixture
    def cache(self, redis, gateway):
        return gateway(redis, process={"workers": 2})

    @staticmethod
    def tls_arguments(daemon, pki, holder):
        arguments = ["--tls", "--cacert", str(pki.ca.cert), "-h",
                     "localhost", "-p", str(daemon.port())]
        if holder is not None:
            arguments += ["--cert", str(holder.cert), "--key",
                          str(holder.key)]
        return arguments

    def cli(self, daemon, pki, *words, holder=None, given=b""):
        return run([need("redis-cli", "redis-tools"),
                    *self.tls_arguments(daemon, pki, holder), *words], given)

    def test_answers_redis_cli(self, cache, pki):
        for words, answer in ((("PING",), b"PONG\n"),
                              (("SET", "key", "value"), b"OK\n"),
                              (("GET", "key"), b"value\n")):
            done = self.cli(cache, pki, *words, holder=pki.good)
            assert done.stdout == answer, done.stderr
        assert "CN=good" in cache.closed()["subject"]

    def test_does_not_hear_of_a_client_without_certificate(self, cache, pki):
        done = self.cli(cache, pki, "PING")
        assert b"PONG" not in done.stdout
        cache.refused(reason="client_certificate_required")

    def test_stores_a_large_value_whole(self, cache, pki):
        value = hashlib.sha512(b"x").hexdigest().encode() * 80_000
        done = self.cli(cache, pki, "-x", "SET", "large", holder=pki.good,
                        given=value)
        assert done.stdout == b"OK\n", done.stderr
        done = self.cli(cache, pki, "GET", "large", holder=pki.good)
        assert done.stdout == value + b"\n"

    def test_takes_pipelined_load(self, cache, pki):
        done = run([need("redis-benchmark", "redis-tools"),
                    *self.tls_arguments(cache, pki, pki.good), "-q", "-n",
                    "40000", "-c", "20", "-P", "16", "-d", "200", "-t",
                    "set,get"], timeout=50)
        assert done.returncode == 0, done.stderr
        assert re.search(rb"SET: [\d.]+ requests", done.stdout)
        assert re.search(rb"GET: [\d.]+ requests", done.stdout)
        assert b"rror" not in done.stdout + done.stderr

    def test_pushes_messages_to_a_subscriber(self, cache, pki, connect):
        subscriber = connect(cache)
        subscriber.send(b"SUBSCRIBE news\r\n")
        answer = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
        assert subscriber.recv_exactly(len(answer)) == answer
        done = self.cli(cache, pki, "PUBLISH", "news", "hello",
                        holder=pki.good)
        assert done.stdout == b"1\n", done.stderr
        message = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"
        assert subscriber.recv_exactly(len(message)) == message


class TestMail:
    """A protocol in which the server speaks first."""

    @pytest.fixture
    def server(self):
        return MailServer()

    @pytest.fixture
    def mail(self, server, backend, gateway):
        return gateway(backend(server))

    @pytest.mark.parametrize("size", [100, 3_000_000])
    def test_is_delivered(self, mail, server, pki, size):
        text = b"Subject: test\r\n\r\n" + \
            b"0123456789" * 7 * (size // 70) + b"\r\n"
        text = b"\r\n".join(text[i:i + 900] for i in
                            range(0, len(text), 900)) + b"\r\n"
        with smtplib.SMTP_SSL("localhost", mail.port(),
                              context=tls_context(pki, pki.good),
                              timeout=seconds(20)) as client:
            client.sendmail("a@a.example", ["b@b.example"], text)
        expected = b"\r\n".join(text.splitlines()) + b"\r\n"
        assert server.mails == [expected]
        mail.closed(reason=re.compile("done|client_cut"))

    def test_greeting_reaches_openssl(self, mail, pki):
        done = s_client(pki, mail.address(), "-quiet", "-ign_eof",
                        holder=pki.good, given=b"EHLO me\r\nQUIT\r\n")
        assert done.stdout.startswith(b"220 mail.example ESMTP\r\n250-")
        assert done.stdout.endswith(b"221 bye\r\n")

    def test_greeting_reaches_gnutls(self, mail, pki):
        done = gnutls_cli(pki, mail.address(), holder=pki.good,
                          given=b"EHLO me\r\nQUIT\r\n")
        assert done.returncode == 0, done.stdout + done.stderr
        assert b"220 mail.example ESMTP" in done.stdout
        assert b"221 bye" in done.stdout


class TestClients:
    def test_gnutls_cli_half_closes_and_gets_the_answer(self, backend,
                                                        gateway, pki):
        """At the end of its input it sends close_notify and waits."""
        service = backend()
        daemon = gateway(service)
        client = background(lambda: gnutls_cli(
            pki, daemon.address(), holder=pki.good, given=b"question\n"))
        peer = service.accept()
        question, end = peer.recv_to_end()
        assert (question, end) == (b"question\n", FIN)
        peer.send(b"the answer\n")
        peer.close()
        done = client.join()
        assert b"the answer" in done.stdout
        daemon.closed(reason="done")

    def test_gnutls_cli_without_certificate_is_told(self, backend, gateway,
                                                    pki):
        daemon = gateway(backend())
        done = gnutls_cli(pki, daemon.address(), given=b"question\n")
        assert done.returncode != 0
        assert b"Certificate is required" in done.stdout + done.stderr
        daemon.refused(reason="client_certificate_required")

    def test_gnutls_cli_with_a_wrong_certificate_is_told(
            self, backend, gateway, pki):
        daemon = gateway(backend())
        done = gnutls_cli(pki, daemon.address(), holder=pki.expired,
                          given=b"question\n")
        assert done.returncode != 0
        assert b"expired" in done.stdout + done.stderr
        daemon.refused(reason="client_certificate_expired")

    def test_pythons_ssl_sees_a_clean_end(self, backend, gateway, pki,
                                          version):
        service = backend()
        daemon = gateway(service)
        context = tls_context(pki, pki.good, version)
        with socket.create_connection(daemon.address(), seconds(10)) as raw:
            with context.wrap_socket(raw, server_hostname="localhost",
                                     suppress_ragged_eofs=False) as client:
                peer = service.accept()
                peer.send(b"whole")
                peer.finish()
                assert client.recv(100) == b"whole"
                assert client.recv(100) == b""

    def test_pythons_ssl_sees_a_truncated_end(self, backend, gateway, pki,
                                              version):
        service = backend()
        daemon = gateway(service)
        context = tls_context(pki, pki.good, version)
        with socket.create_connection(daemon.address(), seconds(10)) as raw:
            with context.wrap_socket(raw, server_hostname="localhost",
                                     suppress_ragged_eofs=False) as client:
                peer = service.accept()
                peer.send(b"half")
                assert client.recv(100) == b"half"
                peer.reset()
                with pytest.raises((ssl.SSLError, ConnectionResetError)):
                    client.recv(100)

    def test_openssl_s_client_ends_in_order(self, backend, gateway, pki):
        service = backend()
        daemon = gateway(service)
        client = background(lambda: s_client(
            pki, daemon.address(), "-quiet", "-ign_eof", holder=pki.good,
            given=b"question\n"))
        peer = service.accept()
        assert peer.recv_exactly(9) == b"question\n"
        peer.send(b"the answer\n")
        peer.close()
        assert client.join().stdout == b"the answer\n"
        daemon.closed(reason=re.compile("done|client_cut"))
