"""Servers that go away, statements that are killed, rights and tables that are gone: told what to do, nothing lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from adapters.contract import Bookmark, Misconfigured, Mode, Order, Unavailable
from adapters.sql import pages
from adapters.sql.pages import Pace
from adapters.sql_table import SqlTable
from tests.adapters.legacy import Legacy, Node, stamp
from tests.adapters.servers import Database, Server

WHAT: dict[str, Any] = {"table": "T_HUKOU", "cursor": "GXSJ", "page": 5}
SECRET = "秘密"


@pytest.fixture(params=["postgresql", "mariadb", "firebird"])
def real(request: pytest.FixtureRequest) -> Server:
    """Give every kind of server that can be stopped."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def legacy(real: Server) -> Iterator[Legacy]:
    """Give an old table of 60 rows, each with its own stamp."""
    made = Legacy(real.fresh())
    made.put((n, SECRET, stamp(3000 - 40 * n)) for n in range(60))
    yield made
    real.drop(made.database)


def broken(read: Callable[[], Any], kind: type[Exception]) -> Any:
    """Return how reading failed, which must be of this kind and tell nothing but a code."""
    with pytest.raises(kind) as met:
        read()
    why: Any = met.value
    assert why.zh and why.en
    for said in (why.zh, why.en, str(why)):
        assert SECRET not in said and "T_HUKOU" not in said, said
        assert "127.0.0.1" not in said and "password" not in said.lower() and len(said) < 100, said
    assert met.value.__suppress_context__
    return why


def begin(legacy: Legacy, settings: dict[str, Any] | None = None) -> tuple[Node, Iterator[Any]]:
    """Return a node, and a read of it that has given eight rows and one bookmark."""
    reads = Node(SqlTable(settings or legacy.database.settings), dict(WHAT))
    said = iter(reads.adapter.read(Order(reads.what)))
    rows = []
    while len(rows) < 8:
        one = next(said)
        if isinstance(one, Bookmark):
            reads.bookmarks[Mode.NEW] = one.at
            reads.rows += rows[len(reads.rows):]
        else:
            rows.append(dict(one))
    assert len(reads.rows) == 5
    return reads, said


def test_a_server_that_is_down_is_asked_again(legacy: Legacy) -> None:
    reads = Node(SqlTable(legacy.database.settings), dict(WHAT))
    legacy.database.server.stop()
    try:
        broken(reads.read, Unavailable)
        broken(lambda: list(reads.adapter.check()), Unavailable)
    finally:
        legacy.database.server.start()
    assert len(reads.read()) == 60


@pytest.mark.parametrize("leave", [None, signal.SIGKILL])
def test_a_server_that_restarts_in_the_middle_of_a_read_loses_nothing(
    legacy: Legacy, leave: signal.Signals | None
) -> None:
    reads, said = begin(legacy)
    legacy.database.server.stop(leave)
    legacy.database.server.start()
    broken(lambda: list(said), Unavailable)
    reads.read()
    assert {row["ID"] for row in reads.rows} == set(range(60)) and reads.read() == []


def test_a_wrong_password_is_a_persons_to_mend(legacy: Legacy) -> None:
    settings = {**legacy.database.settings, "password": "wr0ng"}
    broken(Node(SqlTable(settings), dict(WHAT)).read, Misconfigured)


def test_a_database_that_is_not_there_is_a_persons_to_mend(legacy: Legacy) -> None:
    url = make_url(legacy.database.url)
    settings = {**legacy.database.settings,
                "url": url.set(database=f"{url.database}_none").render_as_string()}
    broken(Node(SqlTable(settings), dict(WHAT)).read, Misconfigured)


def test_a_table_that_is_gone_between_reads_is_told_by_name(legacy: Legacy) -> None:
    reads = Node(SqlTable(legacy.database.settings), dict(WHAT))
    reads.read()
    legacy.database.run(f"DROP TABLE {legacy.named('T_HUKOU')}")
    with pytest.raises(Misconfigured, match="T_HUKOU"):
        reads.read()


def test_a_column_that_is_gone_in_the_middle_of_a_read_is_a_persons_to_mend(legacy: Legacy) -> None:
    reads, said = begin(legacy)
    legacy.database.run(f"ALTER TABLE {legacy.named('T_HUKOU')} DROP {column(legacy)}{legacy.named('XM')}")
    if legacy.database.server.kind == "firebird":  # who is connected sees the table as it was
        with suppress(Misconfigured):
            list(said)
    else:
        broken(lambda: list(said), Misconfigured)
    reads.read()
    assert {row["ID"] for row in reads.rows} == set(range(60)), "read again, the column is not asked for"


def column(legacy: Legacy) -> str:
    """Return the word before the column that an ALTER TABLE names."""
    return "" if legacy.database.server.kind == "firebird" else "COLUMN "


def test_a_column_that_comes_is_read_from_the_next_read_on(legacy: Legacy) -> None:
    reads = Node(SqlTable(legacy.database.settings), dict(WHAT))
    reads.read()
    legacy.database.run(f"ALTER TABLE {legacy.named('T_HUKOU')} ADD {legacy.named('XB')} INTEGER")
    legacy.database.run(f"UPDATE {legacy.named('T_HUKOU')} SET {legacy.named('XB')} = 1, {legacy.named('GXSJ')} = "
                        f"'{stamp()}' WHERE {legacy.named('ID')} = 3")
    (row,) = reads.read()
    assert row["ID"] == 3 and row["XB"] == 1


def as_reader(legacy: Legacy) -> dict[str, Any]:
    """Make an account that may read the table, and return the settings of an adapter that comes as it."""
    database, table = legacy.database, legacy.named("T_HUKOU")
    kind = database.server.kind
    if kind == "postgresql":
        database.run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN PASSWORD 'first-1'")
    elif kind == "mariadb":
        database.run("CREATE OR REPLACE USER reader IDENTIFIED BY 'first-1'")
    else:
        database.run("CREATE OR ALTER USER READER PASSWORD 'first-1' USING PLUGIN Srp")
    database.run(f"GRANT SELECT ON {table} TO reader")
    return {"url": make_url(database.url).set(username="reader").render_as_string(), "password": "first-1"}


def forget_reader(database: Database) -> None:
    """Take the account away."""
    if database.server.kind == "postgresql":
        database.run("DROP OWNED BY reader", "DROP ROLE reader")
    else:
        database.run("DROP USER reader" + (" USING PLUGIN Srp" if database.server.kind == "firebird" else ""))


def test_a_password_that_was_changed_is_a_persons_to_mend(legacy: Legacy) -> None:
    reads = Node(SqlTable(as_reader(legacy)), dict(WHAT))
    assert len(reads.read()) == 60
    legacy.database.run({
        "postgresql": "ALTER ROLE reader PASSWORD 'second-2'",
        "mariadb": "ALTER USER reader IDENTIFIED BY 'second-2'",
        "firebird": "ALTER USER READER PASSWORD 'second-2' USING PLUGIN Srp",
    }[legacy.database.server.kind])
    broken(reads.read, Misconfigured)
    forget_reader(legacy.database)


def test_a_right_that_was_revoked_is_a_persons_to_mend(legacy: Legacy) -> None:
    settings = as_reader(legacy)
    reads, said = begin(legacy, settings)
    legacy.database.run(f"REVOKE SELECT ON {legacy.named('T_HUKOU')} FROM reader")
    if legacy.database.server.kind == "firebird":  # who is connected keeps the right
        said.close()  # type: ignore[attr-defined]
    else:
        broken(lambda: list(said), Misconfigured)
    with pytest.raises(Misconfigured):
        reads.read()
    legacy.database.run(f"GRANT SELECT ON {legacy.named('T_HUKOU')} TO reader")
    reads.read()
    assert {row["ID"] for row in reads.rows} == set(range(60))
    forget_reader(legacy.database)


def test_a_connection_that_is_killed_loses_nothing(legacy: Legacy) -> None:
    reads, said = begin(legacy)
    database = legacy.database
    with database.engine.begin() as connection:
        if database.server.kind == "postgresql":
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        elif database.server.kind == "mariadb":
            for (id,) in connection.exec_driver_sql(
                f"SELECT id FROM information_schema.processlist WHERE db = '{database.name}'"
                " AND id <> CONNECTION_ID()"
            ).all():
                connection.exec_driver_sql(f"KILL {id}")
        else:
            connection.exec_driver_sql("DELETE FROM MON$ATTACHMENTS WHERE MON$ATTACHMENT_ID <> CURRENT_CONNECTION")
    broken(lambda: list(said), Unavailable)
    reads.read()
    assert {row["ID"] for row in reads.rows} == set(range(60))


def test_a_statement_that_takes_too_long_is_asked_again(real: Server) -> None:
    if real.kind == "firebird":
        pytest.skip("Firebird 3 limits no statement")
    legacy = Legacy(real.fresh())
    legacy.put([(1, SECRET, stamp())])
    nap = "pg_sleep(30) IS NOT NULL" if real.kind == "postgresql" else "SLEEP(30) = 0"
    reads = Node(SqlTable({**legacy.database.settings, "seconds": 1}), {**WHAT, "where": nap})
    broken(reads.read, Unavailable)


def test_a_table_that_is_locked_is_not_waited_for_long(real: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    if real.kind != "postgresql":
        pytest.skip("only PostgreSQL locks a table against reading")
    monkeypatch.setattr("adapters.sql.dialects.WAIT", 1)
    legacy = Legacy(real.fresh())
    with legacy.database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        connection.exec_driver_sql('LOCK TABLE "T_HUKOU" IN ACCESS EXCLUSIVE MODE')
        broken(Node(SqlTable(legacy.database.settings), dict(WHAT)).read, Unavailable)


def test_reading_holds_no_lock_and_no_snapshot(legacy: Legacy) -> None:
    reads, said = begin(legacy)
    legacy.database.run(f"DELETE FROM {legacy.named('T_HUKOU')} WHERE {legacy.named('ID')} = 59")
    legacy.put([(70, "新", stamp())])
    rest = [one["ID"] for one in said if not isinstance(one, Bookmark)]
    assert 59 not in rest and 70 in rest, "what was changed meanwhile is seen"
    if legacy.database.server.kind == "postgresql":
        reads, said = begin(legacy)
        with legacy.database.engine.connect() as connection:
            held = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_locks JOIN pg_class c ON c.oid = relation WHERE relname = 'T_HUKOU'"
            ).scalar_one()
            open_ = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL) AND pid <> pg_backend_pid()").scalar_one()
        assert (held, open_) == (0, 0)
        del said


def test_a_source_is_read_no_faster_than_it_may_be(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(pages, "sleep", naps.append)
    legacy = Legacy(database)
    legacy.put((n, "x", stamp(n)) for n in range(60))
    reads = Node(SqlTable({**database.settings, "pace": 50}), {**WHAT, "page": 10})
    assert len(reads.read()) == 60
    assert 5 <= len(naps) <= 7 and sum(naps) == pytest.approx(1.2, abs=0.6)
    naps.clear()
    assert len(Node(SqlTable(database.settings), {**WHAT, "page": 10}).read()) == 60 and sum(naps) == 0


@pytest.mark.parametrize(("pace", "rows", "took", "spent", "rest"), [
    (Pace(), 2000, 0.1, 0.1, 0), (Pace(1000), 2000, 0.1, 0.5, 1.5), (Pace(1000), 2000, 0.1, 3, 0),
    (Pace(None, 5), 2000, 8, 8, 8), (Pace(None, 5), 2000, 500, 500, 30), (Pace(1), 5, 1, 1, 4),
])
def test_how_long_a_source_rests(pace: Pace, rows: int, took: float, spent: float, rest: float) -> None:
    assert pace.rest(rows, took, spent) == pytest.approx(rest)
    assert pace.page(2000) == (min(2000, 5 * pace.rows) if pace.rows else 2000)
