"""The process that reads stays small, however large the table and its cells are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from node.model.frames import FrameKind, write_frame
from tests.adapters.servers import Database, PostgreSQL
from tests.adapters.tried import further

MOST = 120 << 10
"""KiB of memory that the process may have had at once."""


def read(database: Database, what: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Have a process of the adapter read a table; return its answer and the most KiB it had."""
    give, take = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "adapters.child", "sql_table", str(give)], pass_fds=[give], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    os.write(take, json.dumps(database.settings).encode())
    os.close(take)
    os.close(give)
    call = {"do": "read", "what": what, "mode": "whole"}
    process.stdin.write(write_frame(FrameKind.CALL, json.dumps(call).encode()))
    process.stdin.flush()
    tail = b""
    while b'"more"' not in tail[-60:]:
        found = os.read(process.stdout.fileno(), 1 << 20)
        assert found, tail[-300:]
        tail = (tail + found)[-300:]
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        (peak,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
    process.stdin.close()
    process.stdout.close()
    process.wait(10)
    answer: dict[str, Any] = json.loads(tail[tail.rindex(b'{"rows"'):])
    return answer, peak


@pytest.fixture
def database(postgresql: PostgreSQL) -> Any:
    """Give an empty database of PostgreSQL."""
    made = postgresql.fresh()
    yield made
    postgresql.drop(made)


@pytest.mark.parametrize("many", [50_000, *further(300_000)])
def test_very_many_wide_rows(database: Database, many: int) -> None:
    columns = ", ".join(f"c{n} varchar(200)" for n in range(30))
    cells = ", ".join(f"repeat('宽{n}', 12) || n" for n in range(30))
    database.run(f"CREATE UNLOGGED TABLE t (id bigint primary key, {columns})",
                 f"INSERT INTO t SELECT n, {cells} FROM generate_series(1, {many}) n")
    answer, peak = read(database, {"table": "t"})
    assert answer == {"rows": many, "dirty": 0, "more": False} and peak < MOST, peak


def test_photographs_and_cells_of_ten_megabytes(database: Database) -> None:
    database.run(
        "CREATE TABLE t (id bigint primary key, zp bytea, bz text)",
        "INSERT INTO t SELECT n, convert_to(repeat('照', 80000), 'UTF8'), 'x' FROM generate_series(1, 300) n",
        "UPDATE t SET bz = repeat('长', 10 * 1024 * 1024 / 3) WHERE id IN (7, 8, 9, 200)")
    answer, peak = read(database, {"table": "t"})
    assert answer == {"rows": 296, "dirty": 4, "more": False}
    assert peak < MOST, peak
