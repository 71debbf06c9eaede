"""The configuration: TOML, its values, and how its keys agree."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from node.config import Misconfigured, absent, load
from tests.config.example import WHOLE
from tests.fuzz.mutate import any_of, octets, toml
from tests.fuzz.target import MARKER, Target, hidden
from tests.house.plan import ROOT


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="exnode-fuzz-")


def seeds() -> Iterator[bytes]:
    """Yield the examples and the tests' whole one, one with a secret where it must not be."""
    for name in ("department", "central"):
        yield (ROOT / "config" / f"{name}.toml").read_bytes()
    yield WHOLE.encode()
    yield WHOLE.replace('"keys/passphrase"', f'"{MARKER.decode()}"').encode()


def run(data: bytes) -> Hashable:
    """Load; every fault can be told in both languages, and none shows a value."""
    path = Path(_folder().name) / "node.toml"
    path.write_bytes(data)
    try:
        settings = load(path, {"CREDENTIALS_DIRECTORY": "/run"})
    except Misconfigured as faults:
        told = [faults.text(language) for language in ("zh", "en")]
        if MARKER in data and not _named(data):
            hidden(*told)
        return tuple(sorted({fault.rule for fault in faults.faults}))[:5]
    absent(settings, path)
    assert settings == load(path, {"CREDENTIALS_DIRECTORY": "/run"})
    return "loaded"


def _named(data: bytes) -> bool:
    """Whether the marker stands where a key does: a key is told, its value never."""
    return any(MARKER in line.partition(b"=")[0] or MARKER in line[:1] for line in data.split(b"\n"))


TARGET = Target("configuration", "TOML of a node", seeds, run, any_of(toml, toml, toml, octets), rounds=80)
