"""Real programs that speak the PROXY protocol: haproxy on either side of the
daemon, and nginx behind it."""

import os
import re
import socket

import pytest

from .clients import run
from .programs import free_port, need
from .services import Service

HAPROXY = """\
global
    maxconn 200
    nbthread 1
defaults
    timeout connect 10s
    timeout client 60s
    timeout server 60s
"""

# haproxy answers by itself, with what it knows of its client.
HAPROXY_BEHIND = HAPROXY + """\
frontend behind
    mode http
    bind "fd@${{LISTENING}}" accept-proxy
    http-request return status 200 content-type text/plain lf-string \
"{answer}"
"""

HAPROXY_IN_FRONT = HAPROXY + """\
listen front
    mode tcp
    {request}
    bind "fd@${{LISTENING}}"
    server sallyport 127.0.0.1:{port} {options}
"""

# 2.9 and later give any TLV away.
ANSWER = {"src": "%[src]", "src_port": "%[src_port]", "dst": "%[dst]",
          "dst_port": "%[dst_port]", "authority": "%[fc_pp_authority]",
          "unique_id": "%[fc_pp_unique_id]"}
ANSWER_2_9 = {"alpn": "%[fc_pp_tlv(0x01)]", "uri_san": "%[fc_pp_tlv(0xE0)]",
              "ssl": "%[fc_pp_tlv(0x20),hex]"}


def version_of(program, *arguments):
    """(2, 6)"""
    done = run([program, *arguments])
    text = (done.stdout + done.stderr).decode()
    found = re.search(r"(?:version |nginx/)(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in found.groups())


class HaProxy:
    """Gets a socket that listens already, so that nobody has to wait for it
    and no port is taken twice."""

    def __init__(self, directory, config):
        self.program = need("haproxy", "haproxy")
        path = directory / "haproxy.cfg"
        path.write_text(config)
        self.listening = socket.socket()
        self.listening.bind(("127.0.0.1", 0))
        self.listening.listen(64)
        os.set_inheritable(self.listening.fileno(), True)
        self.service = Service(
            [self.program, "-db", "-f", str(path)], socket.AF_INET,
            self.where, pass_fds=[self.listening.fileno()],
            env={**os.environ, "LISTENING": str(self.listening.fileno())})

    @property
    def where(self):
        return self.listening.getsockname()

    @property
    def address(self):
        return f"127.0.0.1:{self.where[1]}"

    def stop(self):
        self.listening.close()
        self.service.stop()


def haproxy_answers():
    program = need("haproxy", "haproxy")
    if version_of(program, "-v") >= (2, 9):
        return {**ANSWER, **ANSWER_2_9}
    return ANSWER


def haproxy_behind(directory):
    answer = " ".join(f"{key}=[{value}]"
                      for key, value in haproxy_answers().items())
    return HaProxy(directory, HAPROXY_BEHIND.format(answer=answer))


def haproxy_in_front(directory, port, options, request=""):
    return HaProxy(directory, HAPROXY_IN_FRONT.format(
        port=port, options=options, request=request))


NGINX = """\
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{
		listen 127.0.0.1:{port} proxy_protocol;
		location / {{ default_type text/plain; return 200 "{answer}"; }}
	}}
}}
"""
NGINX_ANSWER = {"addr": "$proxy_protocol_addr",
                "port": "$proxy_protocol_port",
                "server_addr": "$proxy_protocol_server_addr",
                "server_port": "$proxy_protocol_server_port"}
# 1.23.2 and later.
NGINX_ANSWER_TLVS = {"alpn": "$proxy_protocol_tlv_alpn",
                     "authority": "$proxy_protocol_tlv_authority",
                     "unique_id": "$proxy_protocol_tlv_unique_id",
                     "verify": "$proxy_protocol_tlv_ssl_verify",
                     "ssl_version": "$proxy_protocol_tlv_ssl_version",
                     "ssl_cn": "$proxy_protocol_tlv_ssl_cn",
                     "uri_san": "$proxy_protocol_tlv_0xE0"}


class NginxBehind:
    """Tells what it was told."""

    def __init__(self, directory):
        program = need("nginx", "nginx")
        self.knows_tlvs = version_of(program, "-v") >= (1, 23, 2)
        keys = dict(NGINX_ANSWER)
        if self.knows_tlvs:
            keys.update(NGINX_ANSWER_TLVS)
        answer = " ".join(f"{key}=[{value}]" for key, value in keys.items())
        user = "user root;" if os.geteuid() == 0 else ""
        for _ in range(5):
            self.port = free_port()
            config = directory / "nginx.conf"
            config.write_text(NGINX.format(dir=directory, port=self.port,
                                           user=user, answer=answer))
            self.service = Service(
                [program, "-p", str(directory), "-c", str(config),
                 "-e", str(directory / "error.log")],
                socket.AF_INET, ("127.0.0.1", self.port))
            if self.service.is_up():
                return
            self.service.stop()
        pytest.fail("nginx does not start: " +
                    (directory / "error.log").read_text())

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.service.stop()


def told(text):
    """{"src": "127.0.0.1", ...} out of an answer."""
    return dict(re.findall(r"(\w+)=\[(.*?)\](?= |$)", text))
