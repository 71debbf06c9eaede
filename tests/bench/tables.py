"""A table of one PostgreSQL into a table of another: through the exchange, and by pgloader.

Everything is on: rows are judged at the department and again at the centre, signed, encrypted, durable at both ends and
in both databases, receipted.  The department's adapter reads the table whole; the centre's lands it.  The clock of the
exchange runs from the reload that brings the adapter to the last row in the target; pgloader's is its own.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

import xsd
from node.cli.demo.site import Plan, lay_out
from node.crypto.openssl import OpenSslCrypto
from node.validate import Specification, Specifications
from tests.adapters.servers import Database, PostgreSQL
from tests.bench.figures import Figure, of
from tests.bench.memory import resident
from tests.bench.pair import CENTRE, DEPARTMENT, Node
from tests.bench.people import people

SPECIFICATION, RESOURCE = "population-basic/1.0", "population"
COLUMNS = (
    "RecordId", "Operation", "EventTime", "PersonName", "IdTypeCode", "IdNumber", "SexCode", "EthnicityCode",
    "BirthDate", "DomicileRegionCode", "DomicileAddress", "PersonStatusCode",
)
PLAN = Plan(CENTRE, [DEPARTMENT], {RESOURCE: SPECIFICATION}, {RESOURCE: [DEPARTMENT]}, {})
WITHIN = 3600.0
_TOTAL = re.compile(r"Total import time\s+\S*\s*(\d+)\s+\S+ \S+\s+([0-9.hms]+)")


class Durable(PostgreSQL):
    """PostgreSQL as one would run it: it syncs what it commits."""

    def command(self) -> Sequence[str]:
        """Return what starts it."""
        return [*(one for one in super().command() if not one.startswith("--fsync")), "--fsync=on",
                "--shared_buffers=256MB", "--max_wal_size=4GB"]


@dataclass(slots=True)
class Tables:
    """Rows a second of each round, rows unlike after the last, and the most that a child process held (octets)."""

    rows: int
    exchange: list[float] = field(default_factory=list)
    pgloader: list[float] = field(default_factory=list)
    unlike: int = 0
    children: int = 0


def tables(folder: Path, rows: int, rounds: int) -> Tables:
    """Return what was measured; `folder` is a new one for the nodes."""
    found, server = Tables(rows), Durable()
    try:
        server.start()
        source = server.fresh()
        _fill(source, rows)
        for number in range(rounds):
            target = server.fresh()
            found.exchange.append(rows / _exchange(folder / f"round-{number}", source, target, found))
            found.unlike += _unlike(source, target, server)
            server.drop(target)
            target = server.fresh()
            found.pgloader.append(_pgloader(folder, source, target))
            server.drop(target)
    finally:
        server.remove()
    return found


def report(found: Tables | None) -> Iterator[Figure]:
    """Yield the figures."""
    if found is None:
        return
    ratios = [ours / theirs for ours, theirs in zip(found.exchange, found.pgloader)]
    yield of("table to table, PostgreSQL, over pgloader", ratios, "×", "≥ 1.0", "表到表，PostgreSQL，对pgloader")
    yield of("table to table, PostgreSQL", found.exchange, "rows/s", None, "表到表，PostgreSQL", rows=found.rows)
    yield of("pgloader, its own clock", found.pgloader, "rows/s", None, "pgloader，其自报时间")
    yield Figure("rows unlike in the target", found.unlike, "rows", "≤ 0", zh="目标表中不同的行")
    yield Figure("memory of an adapter's process, most", found.children / 2**20, "MiB", "≤ 120", zh="适配器进程内存，最大")


def _fill(database: Database, rows: int) -> None:
    spec = _specification()
    with _open(database) as line:
        line.execute(f"CREATE TABLE t_rk ({', '.join(f'{_quoted(one)} text NOT NULL' for one in COLUMNS)})")
        with line.cursor().copy("COPY t_rk FROM STDIN") as copy:
            for twin in islice(people(spec, COLUMNS), rows):
                copy.write_row([twin[one] for one in COLUMNS])
        line.execute('ALTER TABLE t_rk ADD PRIMARY KEY ("RecordId")')
        line.commit()
        line.autocommit = True
        line.execute("VACUUM ANALYZE t_rk")


def _exchange(folder: Path, source: Database, target: Database, found: Tables) -> float:
    """Return the seconds until every row stands in the target."""
    columns = ", ".join(f"{_quoted(one)} text" for one in COLUMNS)
    target.run(f'CREATE TABLE t_rk ({columns}, PRIMARY KEY ("IdNumber"))')
    site = lay_out(folder, PLAN)
    _configure(site.seats[CENTRE].folder, "writes", target, '[[adapter.write]]\nresource = "population"\n')
    nodes = [Node(site.seats[node]) for node in (CENTRE, DEPARTMENT)]
    try:
        for node in nodes:
            node.wait_ready()
        _configure(site.seats[DEPARTMENT].folder, "reads", source,
                   '[[adapter.read]]\nresource = "population"\nevery = "1h"\nrows = 1000000\ntime = "1h"\n')
        begun = time.monotonic()
        nodes[1].process.send_signal(signal.SIGHUP)
        with _open(target) as line:
            line.autocommit = True
            while _count(line) < found.rows:
                found.children = max([found.children, *(resident(pid) for pid in _children(nodes))])
                if time.monotonic() - begun > WITHIN:
                    raise SystemExit("not every row arrived")
                time.sleep(0.2)
        return time.monotonic() - begun
    finally:
        for node in nodes:
            node.stop()


def _configure(folder: Path, name: str, database: Database, part: str) -> None:
    secret = folder / "db.password"
    secret.write_text(database.password or "")
    secret.chmod(0o600)
    (folder / "conf.d").mkdir(exist_ok=True)
    (folder / "conf.d" / "adapter.toml").write_text(
        f'[[adapter]]\nname = "{name}"\nkind = "sql_table"\nsettings = {{ url = "{database.url}" }}\n'
        f'secrets = {{ password = "./db.password" }}\n{part}what = {{ table = "t_rk" }}\n', encoding="utf-8")


def _children(nodes: Sequence[Node]) -> Iterator[int]:
    for node in nodes:
        for found in Path(f"/proc/{node.process.pid}/task").glob("*/children"):
            try:
                yield from map(int, found.read_text().split())
            except OSError:
                continue


def _pgloader(folder: Path, source: Database, target: Database) -> float:
    """Return the rows a second that pgloader says it has loaded."""
    command = folder / "table.load"
    urls = [make_url(one.url).set(drivername="postgresql", password=one.password) for one in (source, target)]
    said = [url.render_as_string(hide_password=False) for url in urls]
    command.write_text(f"LOAD DATABASE FROM {said[0]} INTO {said[1]} WITH quote identifiers;\n")
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


def _seconds(text: str) -> float:
    parts = dict(zip("hms", (0.0, 0.0, 0.0)))
    parts |= {unit: float(number) for number, unit in re.findall(r"([0-9.]+)([hms])", text)}
    return parts["h"] * 3600 + parts["m"] * 60 + parts["s"]


def _unlike(source: Database, target: Database, server: PostgreSQL) -> int:
    """Return how many rows stand in one of the two tables and not in the other."""
    names = ", ".join(map(_quoted, COLUMNS))
    with _open(source) as one, _open(target) as other:
        both = [set(line.execute(f"SELECT {names} FROM t_rk").fetchall()) for line in (one, other)]
    return len(both[0] ^ both[1])


def _count(line: psycopg.Connection[tuple[int]]) -> int:
    found = line.execute("SELECT count(*) FROM t_rk").fetchone()
    assert found is not None
    return found[0]


def _open(database: Database) -> psycopg.Connection[tuple[int]]:
    url = make_url(database.url)
    return psycopg.connect(
        host=url.host, port=url.port, user=url.username, password=database.password, dbname=url.database)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _specification() -> Specification:
    found = Specifications.load(xsd.FOLDER, OpenSslCrypto().sm3).get(SPECIFICATION)
    assert found is not None
    return found
