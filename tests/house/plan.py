"""The plan of the house as data: floors, purity, packages by room, and what is too long (DESIGN §5)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "node"

FLOORS = (
    "model",
    "ports",
    "validate envelope crypto spool ledger catalogue warehouse",
    "exchange",
    "store",
    "workers wire hosts",
    "observe",
    "intake deliver console",
    "config",
    "service",
    "cli",
    "__main__",
)
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms.split()}
OWN = {"node", "adapters", "xsd", "config", "systemd"}
PURE = set("model ports validate envelope exchange spool ledger catalogue warehouse".split())

# Concrete classes are named in service/ (and in the tools of cli/) only; the other rooms ask a port.
CLOSED = {
    "store": set("store service cli".split()),
    "crypto": set("crypto wire service cli".split()),
}

# What no pure room imports: a reactor, a database, a socket, a thread, a clock or chance.
IMPURE = set(
    "twisted sqlalchemy sqlite3 socket ssl select selectors asyncio threading concurrent multiprocessing subprocess "
    "signal time random secrets uuid tempfile os shutil sched queue".split()
)
IMPURE_CALLS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
ON_DISK = {"pathlib", "io", "glob"}
READS_DISK = {"validate"}  # it reads published specifications, and nothing else

# Which room may import which package; a package that is not here has no reason written down yet.
PACKAGES = {
    "OpenSSL": "crypto",
    "asn1crypto": "crypto",
    "attr": "wire",
    "click": "cli",
    "cryptography": "crypto",
    "cryptography.hazmat.asn1": "crypto envelope",
    "ctypes": "crypto",
    "gmssl": "crypto",
    "httptools": "wire",
    "jiter": "validate",
    "jsonschema_rs": "validate",
    "lxml": "validate",
    "orjson": "validate envelope wire store intake deliver observe cli service exchange",
    "prometheus_client": "observe",
    "pydantic": "config",
    "pydantic_core": "config",
    "rich": "cli",
    "sqlalchemy": "store",
    "sqlite3": "store cli",  # the demonstration makes an old database
    "twisted": "workers wire hosts observe intake deliver console service cli",
    "xmlschema": "validate",
    "zope": "workers wire hosts observe intake deliver console service",
    "zstandard": "envelope store",
}

FILE_LINES, FUNCTION_LINES = 400, 50
LONG_TABLES = {"node/model/codes.py"}  # one row per code; it grows with the product and has no logic
BAD_NAMES = ("util", "utils", "manager", "helper", "helpers", "handler", "base", "common", "misc")


@dataclass(frozen=True)
class Module:
    """One parsed source file; `room` is the folder or file below node/, or `adapters`, or empty for node/__init__."""

    path: Path
    room: str
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path as a message shows it."""
        return str(self.path.relative_to(ROOT))

    def at(self, where: ast.AST, what: str) -> str:
        """Return `path:line: what`."""
        return f"{self.name}:{getattr(where, 'lineno', 1)}: {what}"

    def imports(self) -> Iterator[tuple[ast.AST, str]]:
        """Yield each imported module with its full dotted name, `from x import y` as `x.y`."""
        for spot in ast.walk(self.tree):
            if isinstance(spot, ast.Import):
                yield from ((spot, alias.name) for alias in spot.names)
            elif isinstance(spot, ast.ImportFrom):
                package = list(self.path.relative_to(ROOT).with_suffix("").parts)
                start = ".".join(package[: len(package) - spot.level]) if spot.level else ""
                whole = ".".join(part for part in (start, spot.module or "") if part)
                yield from ((spot, f"{whole}.{alias.name}") for alias in spot.names)


def _room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] != "node":
        return parts[0]
    return "" if parts[1] == "__init__" else parts[1]


def read(path: Path, room: str | None = None) -> Module:
    """Return the module of a source file."""
    text = path.read_text(encoding="utf-8")
    return Module(path, _room(path) if room is None else room, text, ast.parse(text, str(path)))


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of node/ and adapters/."""
    return tuple(read(path) for top in ("node", "adapters") for path in sorted((ROOT / top).rglob("*.py")))
