"""What is measured of tables, round by round, and what is told of it.

The clock of the exchange runs from the reload that brings the adapter to the last row in the target; those of the
others are their own, and leave out their start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.servers import Database, MariaDB, PostgreSQL
from tests.bench.figures import Figure, of
from tests.bench.machine import cpu, cpu_of_children
from tests.bench.tables import peers
from tests.bench.tables.changes import RATE, lags
from tests.bench.tables.lane import Lane
from tests.bench.tables.rows import TABLE, Durable, fill, opened, target_of, unlike

WITHIN = 3600.0
SECONDS = 30
"""How long changes are made."""


@dataclass(slots=True)
class Tables:
    """Rows a second of each round, rows unlike in all, the most that a child held (octets), lags (seconds), cpu."""

    rows: int
    exchange: list[float] = field(default_factory=list)
    pgloader: list[float] = field(default_factory=list)
    dlt: list[float] = field(default_factory=list)
    from_mariadb: list[float] = field(default_factory=list)
    pgloader_from_mariadb: list[float] = field(default_factory=list)
    unlike: int = 0
    children: int = 0
    lags: list[float] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)
    """Cpu seconds a row of each round between two PostgreSQL databases, by process."""


def tables(folder: Path, rows: int, rounds: int) -> Tables:
    """Return what was measured; `folder` is a new one for the nodes."""
    found, server, other = Tables(rows), Durable(), MariaDB()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        server.start()
        found.lags = sorted(lags(folder / "changes", server, SECONDS))
        source = server.fresh()
        fill(source, rows)
        for number in range(rounds):
            _round(folder / f"round-{number}", server, source, found)
        server.drop(source)
        other.start()
        source = other.fresh()
        fill(source, rows)
        for number in range(rounds):
            _round_from_mariadb(folder / f"mariadb-{number}", server, source, found)
    finally:
        server.remove()
        other.remove()
    return found


def _round(folder: Path, server: PostgreSQL, source: Database, found: Tables) -> None:
    found.exchange.append(_exchanged(folder, server, source, found, found.cpu))
    for rates, peer in ((found.pgloader, peers.pgloader), (found.dlt, _dlt(found.rows))):
        target = server.fresh()
        rates.append(peer(folder, source, target))
        server.drop(target)


def _round_from_mariadb(folder: Path, server: PostgreSQL, source: Database, found: Tables) -> None:
    found.from_mariadb.append(_exchanged(folder, server, source, found))
    target = server.fresh()
    found.pgloader_from_mariadb.append(peers.pgloader(folder, source, target))
    server.drop(target)


def _dlt(rows: int) -> peers.Copying:
    return lambda folder, source, target: peers.dlt(folder, rows, source, target)


def _exchanged(
    folder: Path, server: PostgreSQL, source: Database, found: Tables, spent: list[dict[str, float]] | None = None
) -> float:
    """Return the rows a second of the exchange; `spent` is told the cpu seconds of a row."""
    target = server.fresh()
    target_of(target)
    lane = Lane(folder, source, target)
    try:
        begun, before = time.monotonic(), _cpu(lane, server)
        lane.read("1h")
        with opened(target) as line:
            line.autocommit = True
            while line.execute(f"SELECT count(*) FROM {TABLE}").fetchone() != (found.rows,):
                lane.look()
                if time.monotonic() - begun > WITHIN:
                    raise SystemExit("not every row arrived")
                time.sleep(0.2)
        taken = time.monotonic() - begun
        if spent is not None:
            spent.append({name: (now - before[name]) / found.rows for name, now in _cpu(lane, server).items()})
    finally:
        lane.stop()
    found.children = max(found.children, lane.children)
    found.unlike += unlike(source, target)
    server.drop(target)
    return found.rows / taken


def _cpu(lane: Lane, server: PostgreSQL) -> dict[str, float]:
    return lane.cpu() | {"PostgreSQL, both ends": cpu(server.pid) + cpu_of_children(server.pid)}


def report(found: Tables | None) -> Iterator[Figure]:
    """Yield the figures."""
    if found is None:
        return
    yield _over("table to table, PostgreSQL, over pgloader", found.exchange, found.pgloader, "≥ 1.0",
                "表到表，PostgreSQL，对pgloader")
    yield _over("table to table, PostgreSQL, over dlt (pyarrow)", found.exchange, found.dlt, "≥ 2",
                "表到表，PostgreSQL，对dlt（pyarrow）")
    yield _over("table to table, from MariaDB, over pgloader", found.from_mariadb, found.pgloader_from_mariadb,
                "≥ 0.7", "表到表，自MariaDB，对pgloader")
    rates = (
        ("table to table, PostgreSQL", found.exchange, "表到表，PostgreSQL"),
        ("table to table, from MariaDB", found.from_mariadb, "表到表，自MariaDB"),
        ("pgloader, its own clock", found.pgloader, "pgloader，其自报时间"),
        ("pgloader from MariaDB, its own clock", found.pgloader_from_mariadb, "pgloader自MariaDB，其自报时间"),
        ("dlt (pyarrow), its own clock", found.dlt, "dlt（pyarrow），其自报时间"),
    )
    for name, values, zh in rates:
        yield of(name, values, "rows/s", None, zh, rows=found.rows)
    yield from _bound(found)
    yield Figure("rows unlike in the target", found.unlike, "rows", "≤ 0", zh="目标表中不同的行")
    yield Figure("memory of an adapter's process, most", found.children / 2**20, "MiB", "≤ 120", zh="适配器进程内存，最大")
    for name, share, goal in (("p50", 0.5, None), ("p99", 0.99, "≤ 2")):
        at = found.lags[min(len(found.lags) - 1, int(share * len(found.lags)))]
        yield Figure(f"commit to commit, {RATE} changes a second, {name}", at, "s", goal,
                     zh=f"提交到提交，每秒{RATE}次变更，{name}")


def _bound(found: Tables) -> Iterator[Figure]:
    """Yield what a row costs each process, and how near the rate is to what that allows the cores of this machine."""
    for name in found.cpu[0]:
        yield of(f"table to table, cpu of a row: {name}", [one[name] * 1e6 for one in found.cpu], "µs", None,
                 f"表到表，每行处理器时间：{_ZH[name]}")
    cores = os.cpu_count() or 1
    shares = [rate * sum(one.values()) / cores for rate, one in zip(found.exchange, found.cpu)]
    yield of("table to table, rate ÷ what that cpu time allows", shares, "×", None, "表到表，速率÷处理器时间所允许的速率")


_ZH = {"department": "部门节点", "its adapter": "部门适配器", "centre": "中心节点", "its adapter at the target": "中心适配器",
       "PostgreSQL, both ends": "PostgreSQL（两端）"}


def _over(name: str, ours: Sequence[float], theirs: Sequence[float], goal: str, zh: str) -> Figure:
    return of(name, [one / other for one, other in zip(ours, theirs)], "×", goal, zh)
