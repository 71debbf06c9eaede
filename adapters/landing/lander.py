"""Batches landed in a database: each in one transaction with the ledger beside its target.

Rule 1: the target's own row of the ledger is locked first; then the parcel is asked for, then the lane's token.
Rule 2: a parcel that was landed gets the answer it got, whoever asks; of a late process nothing is written.
Rule 3: a table is described anew each minute, and when something is refused: what an old description refuses, or a
        statement that an old one made, is tried again with the new one.
Rule 4: a commit that is refused has landed nothing; whether a commit that broke off has, the ledger tells next time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Engine, exc

from adapters import sql
from adapters.contract import Batch, Fate, Finding, Misconfigured, Result, Unavailable
from adapters.landing.copying import Copying, can_copy
from adapters.landing.described import Table, describe
from adapters.landing.engine import open_writing
from adapters.landing.errors import Blame, blame, code_of, told
from adapters.landing.family import family_of
from adapters.landing.filling import Refused
from adapters.landing.landing import Landing, Undone
from adapters.landing.ledger import Ledger, salt_of
from adapters.landing.overtime import TRIES, Isolation, Late, is_overtime
from adapters.landing.paths import MOST, paths
from adapters.landing.plan import Plan, read_plan
from adapters.landing.survey import look
from adapters.landing.tables import LedgerTables
from adapters.landing.taking import Taking
from adapters.landing.target import Target

AGE = 60.0
"""Seconds for which a table's description is good."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a target: its table, its ledger, which fields have come, and when all that was looked up."""

    table: Table
    tables: LedgerTables
    salt: bytes
    paths: list[str]
    at: float


class Altered(Exception):
    """The table is no more what it was described as."""


class Lander:
    """Lands batches in the tables of one database."""

    def __init__(
        self, url: str, password: str | None, seconds: int, zone: str, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep where the database is; connect to nothing yet."""
        self._open = partial(open_writing, url, password, seconds)
        self._zone, self._now, self._seconds = zone, now, seconds
        self._late = Late()
        self._engines: dict[str, Engine] = {}
        self._seen: dict[str, Seen] = {}

    def close(self) -> None:
        """Let go of the connections."""
        for one in self._engines.values():
            one.dispose()

    def survey(self, what: Mapping[str, object]) -> Sequence[Finding]:
        """Return what was found about a target; nothing is changed."""
        plan = read_plan(what, self._zone)
        with self._connected(plan) as connection:
            return list(look(connection, plan))

    def apply(self, batch: Batch) -> list[Result]:
        """Land a batch; return a result for each record, once they are safe."""
        plan = read_plan(batch.what, self._zone)
        known = {leaf: Refused(*why) for leaf, why in self._late.guilty.get(batch.parcel, {}).items()}
        slowly = False
        with self._connected(plan) as connection:
            while True:
                try:
                    results = self._land(connection, plan, batch, known, slowly)
                    self._late.forget(batch.parcel)
                    return results
                except Altered:
                    self._forget(connection, plan)
                except Undone as met:
                    connection.rollback()
                    if slowly:
                        known |= dict.fromkeys(met.leaves, met.why)
                    slowly = True

    @contextmanager
    def _connected(self, plan: Plan) -> Iterator[Connection]:
        engine = self._engines.get(plan.zone)
        if engine is None:
            engine = self._engines[plan.zone] = self._open(plan.zone)
        try:
            with engine.connect() as connection:
                yield connection
        except exc.NoSuchTableError:
            raise Misconfigured(f"没有表{plan.table}", f"there is no table {plan.table}") from None
        except exc.DBAPIError as why:
            if blame(why, family_of(engine.dialect)) is not Blame.ROW:
                raise told(why, family_of(engine.dialect)) from None
            code = code_of(why)  # of the ledger itself: another has made the same row in this moment
            raise Unavailable(f"台账正被另一进程使用（{code}）", f"another process is at the ledger ({code})") from None
        except exc.TimeoutError:
            raise Unavailable("没有空闲的连接", "no connection is free") from None

    # --- what is known of a target --------------------------------------------------------------------------------

    def _look(self, connection: Connection, plan: Plan, resource: str) -> tuple[Seen, bool]:
        """Return what is known of a target, and whether it was looked up just now."""
        name = json.dumps([plan.table, plan.schema, plan.ledger, plan.zone, resource])
        seen = self._seen.get(name)
        if seen is not None and self._now() - seen.at < AGE:
            return seen, False
        table = describe(connection, plan)
        connection.rollback()
        if seen is not None and seen.table.signature != table.signature:
            self._forget(connection, plan)
        tables = LedgerTables(plan.ledger, plan.schema)
        tables.make(connection)
        salt = salt_of(connection, tables)
        known = Ledger(connection, tables, salt, table.full_name, resource).known_paths()
        connection.rollback()
        seen = self._seen[name] = Seen(table, tables, salt, known, self._now())
        return seen, True

    def _forget(self, connection: Connection, plan: Plan) -> None:
        connection.rollback()
        self._seen.clear()
        if can_copy(connection):
            Copying.forget(connection)

    # --- one batch ------------------------------------------------------------------------------------------------

    def _land(
        self, connection: Connection, plan: Plan, batch: Batch, known: Mapping[int, Refused], slowly: bool
    ) -> list[Result]:
        seen, fresh = self._look(connection, plan, batch.resource)
        try:
            results = self._within(connection, plan, batch, seen, known, slowly)
            if not fresh and any(one.fate is Fate.REFUSED for one in results):
                if describe(connection, plan).signature != seen.table.signature:
                    raise Altered
        except exc.DBAPIError as why:
            if fresh or blame(why, family_of(connection.dialect)) is not Blame.PERSON:
                raise
            raise Altered from None
        _commit(connection)
        return results

    def _within(
        self, connection: Connection, plan: Plan, batch: Batch, seen: Seen, known: Mapping[int, Refused], slowly: bool
    ) -> list[Result]:
        """Do everything but the commit."""
        came = seen.paths if plan.columns is not None or plan.fields else _grown(seen.paths, batch)
        target = Target(seen.table, plan, plan.fields or came)
        taking = Taking(connection, target)
        ledger = Ledger(connection, seen.tables, seen.salt, seen.table.full_name, batch.resource)
        taking.prepare(connection)
        ledger.prepare()
        home = ledger.enter("")
        lane = ledger.enter(batch.lane)
        kept = ledger.results(lane, batch.parcel)
        ledger.fence(lane, batch.token, kept is None)
        if kept is not None:
            return kept
        if ledger.paths(home) != seen.paths:
            raise Altered
        if came != seen.paths:
            ledger.know(home, came)
            self._seen.clear()
        at = sql.clock(connection, plan.zone) if target.uses_words else datetime.min
        results = self._landed(Landing(connection, target, taking, ledger), batch, at, known, slowly)
        ledger.keep(lane, batch.parcel, results)
        return results

    def _landed(
        self, landing: Landing, batch: Batch, at: datetime, known: Mapping[int, Refused], slowly: bool
    ) -> list[Result]:
        """Land the records; a batch that ran out of time again and again is taken apart by its rows."""
        connection, late = landing.connection, self._late
        if late.tries.get(batch.parcel, 0) >= TRIES and Isolation.can(connection):
            landing.isolation = Isolation(connection, self._seconds, self._now)
        try:
            return landing.land(batch, at, known, slowly)
        except exc.DBAPIError as why:
            if is_overtime(why):
                late.note(batch.parcel)
                if landing.written:
                    late.guilty.setdefault(batch.parcel, {}).update(landing.guilty())
            raise
        finally:
            if landing.isolation is not None:
                landing.isolation.end(failed=True)


def _grown(before: list[str], batch: Batch) -> list[str]:
    """Return the paths of fields that came before, and those that this batch brings."""
    known, shapes, grown = set(before), set(), list(before)
    for record in batch.records:
        shape = tuple(record.fields)
        if shape in shapes and not {dict, list} & set(map(type, record.fields.values())):
            continue
        shapes.add(shape)
        for path in paths(record.fields):
            if path not in known and len(known) < MOST:
                known.add(path)
                grown.append(path)
    return grown


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except exc.DBAPIError as why:
        if blame(why, family_of(connection.dialect)) is not Blame.ROW:
            raise
        code = code_of(why)
        raise Misconfigured(
            f"提交时被延迟检查的约束拒绝（{code}），请改为立即检查",
            f"the commit was refused by a constraint that is checked only then ({code}); have it checked at once",
        ) from None
