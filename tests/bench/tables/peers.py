"""Others that copy a table: pgloader, and dlt with its pyarrow backend; neither checks, signs, queues or receipts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from sqlalchemy.engine import make_url

from tests.adapters.servers import Database, MariaDB
from tests.bench.tables.rows import TABLE

DLT = Path(sys.prefix) / "peers" / "bin" / "python"
"""A Python that has dlt, whose packages are none of ours."""
Copying = Callable[[Path, Database, Database], float]
"""Copies a table in a folder of its own; returns rows a second."""
_TOTAL = re.compile(r"Total import time\s+\S*\s*(\d+)\s+\S+ \S+\s+([0-9.hms]+)")


def pgloader(folder: Path, source: Database, target: Database) -> float:
    """Return the rows a second that pgloader says it has loaded."""
    command = folder / "table.load"
    command.write_text(f"LOAD DATABASE FROM {_url(source)} INTO {_url(target)} WITH quote identifiers;\n")
    command.chmod(0o600)
    try:
        told = subprocess.run(
            ["pgloader", str(command)], capture_output=True, check=True, text=True, cwd=folder).stdout
    finally:
        command.unlink()
    total = _TOTAL.search(told)
    if total is None:
        raise SystemExit(f"pgloader says something new:\n{told[-2000:]}")
    return int(total[1]) / _seconds(total[2])


def dlt(folder: Path, rows: int, source: Database, target: Database) -> float:
    """Return the rows a second of dlt, by its own clock."""
    told = json.dumps({"source": _url(source), "target": _url(target), "table": TABLE})
    script = Path(__file__).with_name("dlt_copy.py")
    done = subprocess.run(
        [str(DLT), "-P", str(script), mkdtemp(dir=folder)], input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"dlt failed:\n{done.stderr[-2000:]}")
    return rows / float(done.stdout.splitlines()[-1])


def _url(database: Database) -> str:
    """Return a URL as both write it, password included."""
    kind = "mysql" if isinstance(database.server, MariaDB) else "postgresql"
    url = make_url(database.url).set(drivername=kind, password=database.password, query={})
    return url.render_as_string(hide_password=False)


def _seconds(text: str) -> float:
    parts = dict(zip("hms", (0.0, 0.0, 0.0)))
    parts |= {unit: float(number) for number, unit in re.findall(r"([0-9.]+)([hms])", text)}
    return parts["h"] * 3600 + parts["m"] * 60 + parts["s"]
