"""What the figures were measured on and with, and how busy others kept the machine meanwhile."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from node.crypto.libcrypto import find

PACKAGES = (
    "twisted", "cryptography", "pyopenssl", "lxml", "jsonschema-rs", "orjson", "jiter", "zstandard", "httptools",
    "sqlalchemy", "prometheus-client", "pyas2lib", "oscrypto", "asn1crypto",
)
TICK = os.sysconf("SC_CLK_TCK")


def versions() -> dict[str, str]:
    """Return the versions of everything that takes part."""
    found = {name: version(name) for name in PACKAGES}
    return {
        "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version,
        "libcrypto": find().text, "cryptography's OpenSSL": backend.openssl_version_text(),
        **found, "kernel": platform.release(), "machine": platform.machine(), "processors": str(os.cpu_count()),
        "processor": _processor(), "commit": _commit(),
    }


def busy() -> float:
    """Return the cpu seconds this machine has spent on anybody's work, stolen ones included."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, hard, soft, steal = map(int, fields)
    return (user + nice + system + hard + soft + steal) / TICK


def _processor() -> str:
    found = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").partition("model name")[2]
    return found.partition(":")[2].partition("\n")[0].strip()


def _commit() -> str:
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"
