"""Changes as they come: how long after its commit at the source one stands at the target.

Both databases are of one server, which says to the microsecond when the transaction was committed that wrote a row
(`pg_xact_commit_timestamp`): no clock of ours and no look of ours is in the figure.
"""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

from tests.adapters.servers import Database, PostgreSQL
from tests.bench.tables.lane import Lane
from tests.bench.tables.people import people
from tests.bench.tables.rows import COLUMNS, TABLE, opened, quoted, specification, target_of

RATE = 200
"""Changes a second, each a transaction of its own: every third is an update, the others new rows."""
EVERY = "500ms"
_WITHIN = 60.0
_SEEN = "SELECT \"RecordId\", \"DomicileAddress\", extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {table}"


def lags(folder: Path, server: PostgreSQL, seconds: int) -> list[float]:
    """Return for each row that was changed the seconds from its last commit at the source to that at the target."""
    source, target = server.fresh(), server.fresh()
    columns = ", ".join(f"{quoted(one)} text NOT NULL" for one in COLUMNS)
    source.run(f'CREATE TABLE {TABLE} ({columns}, gxsj timestamptz NOT NULL, PRIMARY KEY ("RecordId"))',
               f"CREATE INDEX ON {TABLE} (gxsj)")
    target_of(target)
    lane = Lane(folder, source, target)
    try:
        wanted = ", ".join(f'"{one}"' for one in COLUMNS)
        lane.read(EVERY, f', cursor = "gxsj", columns = [{wanted}], lag = 5')
        time.sleep(3)
        _change(source, seconds)
        return _compared(source, target)
    finally:
        lane.stop()
        for one in (source, target):
            server.drop(one)


def _change(source: Database, seconds: int) -> None:
    """Change rows at an even pace."""
    places = ", ".join(["%s"] * len(COLUMNS))
    insert = f"INSERT INTO {TABLE} VALUES ({places}, clock_timestamp())"
    update = f'UPDATE {TABLE} SET "DomicileAddress" = %s, gxsj = clock_timestamp() WHERE "RecordId" = %s'
    begun, known = time.monotonic(), list[str]()
    with opened(source) as line:
        line.autocommit = True
        for number, twin in enumerate(islice(people(specification(), COLUMNS), RATE * seconds)):
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            if number % 3 == 2:
                line.execute(update, (f"迁移后第{number}号", known.pop(0)))
            else:
                line.execute(insert, [twin[one] for one in COLUMNS])
                known.append(twin["RecordId"])


def _compared(source: Database, target: Database) -> list[float]:
    """Wait until the target is as the source, and return the lags."""
    until = time.monotonic() + _WITHIN
    while True:
        sent, came = _seen(source), _seen(target)
        if {row: said for row, (said, _) in sent.items()} == {row: said for row, (said, _) in came.items()}:
            return [came[row][1] - at for row, (_, at) in sent.items()]
        if time.monotonic() > until:
            raise SystemExit(f"{len(sent)} rows are at the source, {len(came)} at the target, not all alike")
        time.sleep(0.5)


def _seen(database: Database) -> dict[str, tuple[str, float]]:
    with opened(database) as line:
        return {row: (said, float(at)) for row, said, at in line.execute(_SEEN.format(table=TABLE))}
