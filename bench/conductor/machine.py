"""What the numbers were measured on and with; no names of hosts or people."""

import os
import platform
import re
import ssl
import subprocess
from pathlib import Path


def _cpu_model():
    found = re.search(r"^model name\s*:\s*(.+)$",
                      Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def _release():
    found = re.search(r'^PRETTY_NAME="(.+)"$',
                      Path("/etc/os-release").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def _package(name):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return done.stdout or "unknown"


def describe():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": _cpu_model(), "cpus": os.cpu_count(),
            "memory_gib": round(memory / 2 ** 30),
            "kernel": platform.release().split("-")[0],
            "system": _release(), "openssl": ssl.OPENSSL_VERSION,
            "libevent": _package("libevent-core-2.1-7")}
