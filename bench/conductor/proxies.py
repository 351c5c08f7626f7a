"""The proxies, each set up for its best speed at equal security: same
certificate and clients, two tickets, no access log, nothing but TLS in front
and TCP behind."""

import os
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import processes
from .keys import name_of
from .ports import free_ports
from .programs import BenchError, pinned

PATHS = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
DESCRIPTORS = resource.getrlimit(resource.RLIMIT_NOFILE)[1]

# Read by every OpenSSL; the only knob for tickets that all of them share.
ONE_TICKET = """openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = settings
[settings]
NumTickets = 1
"""


@dataclass
class Setup:
    """What a scenario wants of a proxy."""

    server: object  # keys.Identity
    ca_file: Path = None  # of clients; None: they need no certificate
    workers: int = 1
    tickets: int = 2
    listeners: int = 1
    names: list = field(default_factory=list)  # keys.Identity of each name
    reloads: bool = False  # will be told to reload
    # Processes that share nothing, each with its own port, where one cannot
    # have enough descriptors or workers.
    instances: int = 1


class Proxy:
    """One proxy that runs. Subclasses write its configuration and say how it
    is started; each starts in a directory of its own."""

    name = None
    package = None
    program = None
    # Processes that share one port: each with its own descriptors.
    has_workers = True
    loads_names = True  # certificates of server names, at start and reload
    reload_signal = signal.SIGHUP

    def __init__(self, directory, setup, backend_port, cpus):
        self.directory = Path(directory)
        self.directory.mkdir()
        self.setup = setup
        self.backend_port = backend_port
        self.ports = setup.listeners * setup.instances
        self.port = free_ports(self.ports)
        self.running = []
        self.errors = open(self.directory / "stderr", "wb")
        began = time.monotonic()
        try:
            for i in range(setup.instances):
                self._start(i, cpus)
            self._await_ready()
            self._stay_on(cpus)
        except BaseException:
            self.stop()
            raise
        self.start_s = time.monotonic() - began

    @classmethod
    def path(cls):
        return shutil.which(cls.program, path=PATHS)

    @classmethod
    def version(cls):
        raise NotImplementedError

    def command(self, number, config):
        raise NotImplementedError

    def config(self, ports):
        raise NotImplementedError

    def _start(self, number, cpus):
        first = self.port + number * self.setup.listeners
        config = self.directory / f"{self.name}{number}.conf"
        config.write_text(self.config(
            range(first, first + self.setup.listeners)))
        env = dict(os.environ, PATH=PATHS)
        env.pop("NOTIFY_SOCKET", None)
        if self.setup.tickets == 1:
            openssl = self.directory / "openssl.cnf"
            openssl.write_text(ONE_TICKET)
            env["OPENSSL_CONF"] = str(openssl)
        self.running.append(subprocess.Popen(
            self.command(number, config), stdin=subprocess.DEVNULL,
            stdout=self.errors, stderr=self.errors, cwd=self.directory,
            env=env, start_new_session=True, preexec_fn=pinned(cpus)))

    def _await_ready(self):
        """Until it shows a certificate: that it lets one connect says little,
        as some listen long before they can serve."""
        deadline = time.monotonic() + 120
        name = name_of(len(self.setup.names) - 1) if self.setup.names else None
        for port in (self.port, self.port + self.ports - 1):
            while shown_certificate(port, name) is None:
                self._must_run()
                if time.monotonic() > deadline:
                    raise BenchError(f"{self.name}: did not start")
                time.sleep(0.005)

    def _stay_on(self, cpus):
        """Hitch puts each worker on a CPU of its own choice, from 0 on."""
        for pid in processes.tree(self.pids):
            if not os.sched_getaffinity(pid) <= set(cpus):
                os.sched_setaffinity(pid, cpus)

    def _must_run(self):
        for process in self.running:
            if process.poll() is not None:
                text = (self.directory / "stderr").read_text()
                raise BenchError(f"{self.name}: ended: {text[-500:]}")

    @property
    def pids(self):
        return [process.pid for process in self.running]

    def cpu_ns(self):
        return processes.cpu_ns(self.pids)

    def reload(self):
        for process in self.running:
            process.send_signal(self.reload_signal)

    def stop(self):
        """Ends it and whatever it has started."""
        self.errors.close()
        every = processes.tree(self.pids)
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                pass
        for pid in every:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for process in self.running:
            process.wait()


def shown_certificate(port, name):
    """What the proxy shows now to who asks for NAME (or for none), as DER;
    None if it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as raw:
            with context.wrap_socket(raw, server_hostname=name) as tls:
                return tls.getpeercert(binary_form=True)
    except OSError:
        return None


def version_of(command):
    """The first thing in what COMMAND says that looks like a version."""
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    found = re.search(r"\b\d+\.\d+[\w.+~-]*", done.stdout)
    return found.group() if found else "unknown"


class Sallyport(Proxy):
    name = program = "sallyport"
    binary = None  # said on the command line

    @classmethod
    def path(cls):
        return cls.binary

    @classmethod
    def version(cls):
        return version_of([cls.binary, "--version"])

    def command(self, number, config):
        return [self.binary, "-c", str(config)]

    def config(self, ports):
        setup = self.setup
        lines = ["[sallyport]", f"workers = {setup.workers}",
                 "access_log = no", "drain_timeout = 1s", "[defaults]",
                 f"certfile = {setup.server.cert}",
                 f"keyfile = {setup.server.key}",
                 f"num_tickets = {setup.tickets}",
                 f"backend = 127.0.0.1:{self.backend_port}"]
        if setup.ca_file:
            lines.append(f"cafile = {setup.ca_file}")
        for port in ports:
            lines += [f"[listener l{port}]", f"listen = 127.0.0.1:{port}"]
            if setup.ca_file:
                lines.append("authorize = any")
        for i, identity in enumerate(setup.names):
            lines += [f"[server_name n{i}]", f"listener = l{ports[0]}",
                      f"server_name = {name_of(i)}",
                      f"certfile = {identity.cert}",
                      f"keyfile = {identity.key}"]
        return "\n".join(lines) + "\n"


class Haproxy(Proxy):
    name = program = package = "haproxy"
    has_workers = False  # threads, which share the descriptors
    reload_signal = signal.SIGUSR2
    tuning = ()

    @classmethod
    def version(cls):
        return version_of([cls.path(), "-v"])

    def command(self, number, config):
        # The master is only there to reload.
        mode = ["-W", "-db"] if self.setup.reloads else ["-db"]
        return [self.path(), *mode, "-f", str(config)]

    def config(self, ports):
        setup = self.setup
        crt = f"crt {setup.server.both}"
        if setup.names:
            names = self.directory / "crt-list"
            names.write_text("".join(f"{identity.both}\n"
                                     for identity in setup.names))
            crt += f" crt-list {names}"
        if setup.ca_file:
            crt += f" ca-file {setup.ca_file} verify required"
        room = (DESCRIPTORS - len(ports) * setup.workers - 500) // 2
        lines = ["global", f"\tmaxconn {room}", f"\tnbthread {setup.workers}",
                 "\tssl-default-bind-options ssl-min-ver TLSv1.2",
                 *(f"\t{line}" for line in self.tuning),
                 "defaults", "\tmode tcp", f"\tmaxconn {room}",
                 "\ttimeout connect 5s", "\ttimeout client 1h",
                 "\ttimeout server 1h"]
        for port in ports:
            lines += [f"listen l{port}",
                      f"\tbind 127.0.0.1:{port} backlog 4096 ssl {crt}",
                      f"\tserver s 127.0.0.1:{self.backend_port}"]
        return "\n".join(lines) + "\n"


class Nginx(Proxy):
    name = program = "nginx"
    package = "libnginx-mod-stream"
    loads_names = False  # but reads them at every handshake
    tuning = ()

    @classmethod
    def version(cls):
        return version_of([cls.path(), "-v"])

    def command(self, number, config):
        return [self.path(), "-p", str(self.directory), "-c", str(config),
                "-e", "stderr"]

    def config(self, ports):
        setup = self.setup
        cert, key = setup.server.cert, setup.server.key
        if setup.names:  # the only way it has: read at every handshake
            cert = setup.names[0].cert.parent / "$ssl_server_name.crt"
            key = setup.names[0].key.parent / "$ssl_server_name.key"
        lines = []
        if os.geteuid() == 0:
            lines.append("user root;" if setup.names
                         else "user nobody nogroup;")
        lines += [
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;",
            "daemon off;", f"worker_processes {setup.workers};",
            f"worker_rlimit_nofile {DESCRIPTORS};", "error_log stderr error;",
            f"pid {self.directory}/nginx.pid;",
            "events {", "\tuse epoll;", "\tmulti_accept on;",
            f"\tworker_connections {DESCRIPTORS - len(ports) - 100};", "}",
            "stream {", f"\tssl_certificate {cert};",
            f"\tssl_certificate_key {key};",
            "\tssl_protocols TLSv1.2 TLSv1.3;", "\tssl_session_tickets on;",
            "\tproxy_timeout 1h;", *(f"\t{line};" for line in self.tuning)]
        if setup.ca_file:
            lines += [f"\tssl_client_certificate {setup.ca_file};",
                      "\tssl_verify_client on;"]
        # With several workers: else one of them takes nearly everything.
        shared = " reuseport" if setup.workers > 1 else ""
        for port in ports:
            lines.append(f"\tserver {{ listen 127.0.0.1:{port} ssl "
                         f"backlog=4096{shared}; proxy_pass "
                         f"127.0.0.1:{self.backend_port}; }}")
        return "\n".join(lines) + "\n}\n"


class Hitch(Proxy):
    name = program = package = "hitch"

    @classmethod
    def version(cls):
        return version_of([cls.path(), "--version"])

    def command(self, number, config):
        return [self.path(), f"--config={config}"]

    def config(self, ports):
        setup = self.setup
        lines = [f'backend = "[127.0.0.1]:{self.backend_port}"',
                 f"workers = {setup.workers}", "backlog = 4096",
                 "daemon = off", "log-level = 0", "syslog = off", 'ocsp-dir = ""',
                 "tls-protos = TLSv1.2 TLSv1.3"]
        if os.geteuid() == 0:
            lines += ['user = "nobody"', 'group = "nogroup"']
        # The last one is for who asks for no name, or an unknown one.
        lines += [f'pem-file = "{identity.both}"' for identity in setup.names]
        lines.append(f'pem-file = "{setup.server.both}"')
        if setup.ca_file:
            lines += ["client-verify = required",
                      f'client-verify-ca = "{setup.ca_file}"']
        for port in ports:
            lines += ["frontend = {", '\thost = "127.0.0.1"',
                      f'\tport = "{port}"', "}"]
        return "\n".join(lines) + "\n"


class Stunnel(Proxy):
    name = "stunnel"
    program = package = "stunnel4"
    has_workers = False  # a thread for each connection

    @classmethod
    def version(cls):
        return version_of([cls.path(), "-version"])

    def command(self, number, config):
        return [self.path(), str(config)]

    def config(self, ports):
        setup = self.setup
        lines = ["foreground = quiet", "debug = 0", "syslog = no", "pid =",
                 "sslVersionMin = TLSv1.2", f"cert = {setup.server.cert}",
                 f"key = {setup.server.key}", "socket = l:TCP_NODELAY=1",
                 "socket = r:TCP_NODELAY=1"]
        for port in ports:
            lines += [f"[l{port}]", f"accept = 127.0.0.1:{port}"]
            lines += self._service()
        for i, identity in enumerate(setup.names):
            lines += [f"[n{i}]", f"sni = l{ports[0]}:{name_of(i)}",
                      f"cert = {identity.cert}", f"key = {identity.key}"]
            lines += self._service()
        return "\n".join(lines) + "\n"

    def _service(self):
        lines = [f"connect = 127.0.0.1:{self.backend_port}"]
        if self.setup.ca_file:
            lines += [f"CAfile = {self.setup.ca_file}", "verifyChain = yes"]
        return lines


class HaproxyTuned(Haproxy):
    name = "haproxy-tuned"
    tuning = ("tune.bufsize 131072",)


class NginxTuned(Nginx):
    name = "nginx-tuned"
    tuning = ("proxy_buffer_size 128k",)


PEERS = [Haproxy, Nginx, Hitch, Stunnel]
TUNED = [HaproxyTuned, NginxTuned]
