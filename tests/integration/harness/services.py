"""Real plaintext services from Debian, and one small mail server."""

import os
import socket
import subprocess
import time

import pytest

from .limits import seconds
from .programs import free_port, need


class Service:
    """A program that listens where we told it to."""

    def __init__(self, command, family, address, **popen):
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **popen)
        self.name = command[0]
        self.family, self.where = family, address

    def is_up(self):
        """Waits until it accepts; False when it has ended instead."""
        deadline = time.monotonic() + seconds(15)
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket(self.family) as probe:
                if probe.connect_ex(self.where) == 0:
                    return True
            time.sleep(0.02)
        return False

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.stdout.close()
        self.process.wait()


NGINX = """\
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
	access_log off;
	sendfile on;
	client_max_body_size 0;
	keepalive_requests 100000;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{
		listen 127.0.0.1:{port};
		root {dir}/www;
		location /hello {{ return 200 "hello from nginx\\n"; }}
		location /up/ {{ dav_methods PUT; }}
	}}
}}
"""


class Nginx:
    """Serves www/ and takes PUT below /up/."""

    def __init__(self, directory):
        program = need("nginx", "nginx")
        self.directory = directory
        self.www = directory / "www"
        (self.www / "up").mkdir(parents=True)
        user = "user root;" if os.geteuid() == 0 else ""
        for _ in range(5):
            self.port = free_port()
            config = directory / "nginx.conf"
            config.write_text(NGINX.format(dir=directory, port=self.port,
                                           user=user))
            self.service = Service(
                [program, "-p", str(directory), "-c", str(config),
                 "-e", str(directory / "error.log")],
                socket.AF_INET, ("127.0.0.1", self.port))
            if self.service.is_up():
                return
            self.service.stop()
        log = directory / "error.log"
        pytest.fail("nginx does not start: " +
                    (log.read_text() if log.exists() else ""))

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.service.stop()


class Redis:
    """On a unix socket, in a directory that workers can enter."""

    def __init__(self, directory):
        self.path = directory / "redis.sock"
        self.service = Service(
            [need("redis-server", "redis-server"), "--port", "0",
             "--unixsocket", str(self.path), "--unixsocketperm", "777",
             "--save", "", "--appendonly", "no", "--dir", str(directory),
             "--daemonize", "no"],
            socket.AF_UNIX, str(self.path))
        if not self.service.is_up():
            output = self.service.process.stdout.read1().decode()
            self.service.stop()
            pytest.fail("redis-server does not start: " + output)

    @property
    def address(self):
        return f"unix:{self.path}"

    def stop(self):
        self.service.stop()


class MailServer:
    """Enough of SMTP (RFC 5321) for smtplib to deliver: a handler for
    Backend. It speaks first, and waits for everything else."""

    def __init__(self):
        self.mails = []

    def __call__(self, peer):
        file = peer.sock.makefile("rb")
        peer.send(b"220 mail.example ESMTP\r\n")
        for line in file:
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                peer.send(b"250-mail.example\r\n250 SIZE 10000000\r\n")
            elif verb == b"DATA":
                peer.send(b"354 go ahead\r\n")
                self.mails.append(self.read_mail(file))
                peer.send(b"250 taken\r\n")
            elif verb == b"QUIT":
                peer.send(b"221 bye\r\n")
                break
            else:
                peer.send(b"250 ok\r\n")
        peer.finish()

    @staticmethod
    def read_mail(file):
        mail = bytearray()
        for line in file:
            if line == b".\r\n":
                break
            mail += line[1:] if line.startswith(b"..") else line
        return bytes(mail)
