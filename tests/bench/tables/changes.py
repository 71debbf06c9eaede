"""Changes as they come: how long after its commit at the source one stands at the target.

Both databases are of one server, which says to the microsecond when the transaction was committed that wrote a row
(`pg_xact_commit_timestamp`): no clock of ours and no look of ours is in the figure.  A trigger of the target notes each
state of a row when it comes first: neighbours of what came late are given again, and written again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
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
_STATES = "SELECT {row}, {said}, extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM {table}"
_NOTE = (
    "CREATE TABLE states (row text, said text, PRIMARY KEY (row, said))",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    ' INSERT INTO states VALUES (NEW."RecordId", NEW."DomicileAddress") ON CONFLICT DO NOTHING; RETURN NULL; END $$',
    f"CREATE TRIGGER note AFTER INSERT OR UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION note()",
)


def lags(folder: Path, server: PostgreSQL, seconds: int) -> list[float]:
    """Return for each row that was changed the seconds from its last commit at the source to that at the target."""
    source, target = server.fresh(), server.fresh()
    columns = ", ".join(f"{quoted(one)} text NOT NULL" for one in COLUMNS)
    source.run(f'CREATE TABLE {TABLE} ({columns}, gxsj timestamptz NOT NULL, PRIMARY KEY ("RecordId"))',
               f"CREATE INDEX ON {TABLE} (gxsj)")
    target_of(target)
    target.run(*_NOTE)
    twins = list(islice(people(specification(), COLUMNS), RATE * (seconds + 1)))
    lane = Lane(folder, source, target)
    try:
        wanted = ", ".join(f'"{one}"' for one in COLUMNS)
        lane.read(EVERY, f', cursor = "gxsj", columns = [{wanted}], lag = 5')
        _change(source, twins[:RATE])
        before = _compared(source, target)  # the adapters are there, the lane is open
        _change(source, twins[RATE:])
        return [lag for row, lag in _compared(source, target).items() if row not in before]
    finally:
        lane.stop()
        for one in (source, target):
            server.drop(one)


def _change(source: Database, twins: Sequence[dict[str, str]]) -> None:
    """Change rows at an even pace."""
    places = ", ".join(["%s"] * len(COLUMNS))
    insert = f"INSERT INTO {TABLE} VALUES ({places}, clock_timestamp())"
    update = f'UPDATE {TABLE} SET "DomicileAddress" = %s, gxsj = clock_timestamp() WHERE "RecordId" = %s'
    begun, known = time.monotonic(), list[str]()
    with opened(source) as line:
        line.autocommit = True
        for number, twin in enumerate(twins):
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            if number % 3 == 2:
                line.execute(update, (f"迁移后第{number}号", known.pop(0)))
            else:
                line.execute(insert, [twin[one] for one in COLUMNS])
                known.append(twin["RecordId"])


def _compared(source: Database, target: Database) -> dict[str, float]:
    """Wait until the target is as the source, and return each row's lag."""
    until = time.monotonic() + _WITHIN
    while True:
        sent = _states(source, row='"RecordId"', said='"DomicileAddress"', table=TABLE)
        came = _states(target, row="row", said="said", table="states")
        if sent.keys() <= came.keys():
            return {row: came[row, said] - at for (row, said), at in sent.items()}
        if time.monotonic() > until:
            raise SystemExit(f"{len(sent.keys() - came.keys())} of {len(sent)} rows did not arrive")
        time.sleep(0.5)


def _states(database: Database, **names: str) -> dict[tuple[str, str], float]:
    """Return when each state of a row was committed."""
    with opened(database) as line:
        return {(row, said): float(at) for row, said, at in line.execute(_STATES.format(**names))}
