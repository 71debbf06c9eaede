"""What the figures were measured on and with, and how busy others kept the machine meanwhile."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from node.crypto import libgcrypt
from node.crypto.libcrypto import find
from node.model.trouble import Trouble

PACKAGES = (
    "twisted", "cryptography", "pyopenssl", "lxml", "jsonschema-rs", "orjson", "jiter", "zstandard", "httptools",
    "sqlalchemy", "prometheus-client", "pyas2lib", "oscrypto", "asn1crypto", "pika", "django", "django-pyas2",
    "gunicorn",
)
TICK = os.sysconf("SC_CLK_TCK")


def versions() -> dict[str, str]:
    """Return the versions of everything that takes part."""
    found = {name: _version(name) for name in PACKAGES}
    return {
        "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version,
        "libcrypto": find().text, "libgcrypt": _libgcrypt(), "cryptography's OpenSSL": backend.openssl_version_text(),
        **found, "kernel": platform.release(), "machine": platform.machine(), "processors": str(os.cpu_count()),
        "processor": _processor(), "commit": _commit(),
    }


def _libgcrypt() -> str:
    try:
        return libgcrypt.find().text
    except Trouble:
        return "none"


def busy() -> tuple[float, float]:
    """Return the cpu seconds this machine has spent on anybody's work, stolen ones included, and those stolen."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    user, nice, system, _, _, hard, soft, steal = map(int, fields)
    return (user + nice + system + hard + soft + steal) / TICK, steal / TICK


class Window:
    """A stretch of time in which something is measured, and how much of the machine others had meanwhile."""

    def __init__(self) -> None:
        self._busy, self._stolen = busy()
        self._begun = time.monotonic()

    def others(self, ours: float) -> float:
        """Return the share of the machine's time that was not ours, who used so many cpu seconds, and not idle."""
        return max(0.0, busy()[0] - self._busy - ours) / self._whole()

    def stolen(self) -> float:
        """Return the share of the machine's time that its host gave to somebody else."""
        return (busy()[1] - self._stolen) / self._whole()

    def _whole(self) -> float:
        return max(1e-3, time.monotonic() - self._begun) * (os.cpu_count() or 1)


def cpu(pid: int) -> float:
    """Return the cpu seconds a process has used, user and system, all its threads."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu_of_children(pid: int) -> float:
    """Return the cpu seconds of a process's children: of those that live, and of those that it has seen end."""
    ended = sum(map(int, _stat(pid)[13:15])) / os.sysconf("SC_CLK_TCK")
    return ended + sum(cpu(child) for child in children(pid))


def children(pid: int) -> Iterator[int]:
    """Yield the processes that a process's threads started, as far as they live."""
    for found in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, found.read_text().split())
        except OSError:
            continue


def _stat(pid: int) -> list[str]:
    """Return the fields of proc(5) `stat` behind the name, with its two places before them left empty."""
    return ["", *Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "-"


def _processor() -> str:
    found = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").partition("model name")[2]
    return found.partition(":")[2].partition("\n")[0].strip()


def _commit() -> str:
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"
