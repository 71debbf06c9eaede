"""What a record holds stands in real columns as it was, or is refused; statements of other databases compile."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import types
from sqlalchemy.dialects import mssql, oracle
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.url import make_url
from sqlalchemy.schema import CreateTable

from adapters.contract import Result
from adapters.landing.cells import Unfit
from adapters.landing.kinds import fit_for
from adapters.landing.statements import Statements
from adapters.landing.tables import LedgerTables
from adapters.landing.writing import TwoSteps, writer
from adapters.sql import dialects
from tests.adapters.landings import batch, fates, lander, record, rows
from tests.adapters.servers import Database, MariaDB, PostgreSQL

CHINA = timezone(timedelta(hours=8))
STAMP = mssql.DATETIME2(precision=3)  # type: ignore[no-untyped-call]

COLUMNS = {
    "sqlite": "DT DATE, SJ DATETIME, SF BOOLEAN, ZS SMALLINT, DS BIGINT, JE NUMERIC(18,2), FD DOUBLE, NR TEXT, ZP BLOB",
    "postgresql": "DT DATE, SJ TIMESTAMP(3), SF BOOLEAN, ZS SMALLINT, DS BIGINT, JE NUMERIC(18,2), FD DOUBLE PRECISION,"
                  " NR TEXT, ZP BYTEA",
    "mariadb": "DT DATE, SJ DATETIME(3), SF BOOLEAN, ZS SMALLINT, DS BIGINT, JE DECIMAL(18,2), FD DOUBLE, NR TEXT,"
               " ZP BLOB",
    "firebird": "DT DATE, SJ TIMESTAMP, SF BOOLEAN, ZS SMALLINT, DS BIGINT, JE NUMERIC(18,2), FD DOUBLE PRECISION,"
                " NR BLOB SUB_TYPE TEXT, ZP BLOB",
}
NAMES = ("DT", "SJ", "SF", "ZS", "DS", "JE", "FD", "NR", "ZP")
GOOD = {
    "DT": ["20190228", "2019-02-28", "2019-02-28T00:00:00+08:00"],
    "SJ": ["2019-02-28T09:30:00.125", "2019-02-28T01:30:00.125Z", "2019-02-28T09:30:00.125+08:00"],
    "SF": ["true", "1", "true"], "ZS": ["-32768", "-32768.0", "-32768"], "DS": ["9007199254740993"] * 3,
    "JE": ["-1234567890.12", "-1234567890.120", "-1234567890.12"], "FD": ["0.1", "0.10", "0.1"],
    "NR": ["张三㐂𠮷" * 3000] * 3, "ZP": ["00ff7f80"] * 3,
}
STAND = [date(2019, 2, 28), datetime(2019, 2, 28, 9, 30, 0, 125_000), True, -32768, 9007199254740993,
         Decimal("-1234567890.12"), 0.1, "张三㐂𠮷" * 3000, b"\0\xff\x7f\x80"]
BAD = {
    "DT": ["20190230", "2019-02-28T09:30:00", "x"], "SJ": ["2019-02-28T25:00:00", "", "09:30"], "SF": ["ja", "2.5", ""],
    "ZS": ["32768", "1.5", "x"], "DS": ["9223372036854775808", "", "1e3"],
    "JE": ["12345678901234567.00", "0.001", "NaN"],
    "FD": ["0.12345678901234567890", "x", "inf"], "ZP": ["0g", "0", "00 ff"],
}
WIDE = ("sqlite", "32768")
"""SQLite's whole numbers have 64 bits, whatever they are called."""


@pytest.fixture
def what(database: Database) -> dict[str, Any]:
    """Give a table of every kind of column."""
    database.run(f"CREATE TABLE LX (ID VARCHAR(9) NOT NULL PRIMARY KEY, {COLUMNS[database.server.kind]})")
    return {"table": "LX", "columns": {"ID": "IdNumber", **{name: name for name in NAMES}}}


def plain(value: Any, like: Any) -> Any:
    """Return a value as its column means it: SQLite keeps dates as text, and numbers as floats."""
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(like, datetime | date) and isinstance(value, str):
        return type(like).fromisoformat(value)
    if isinstance(like, Decimal):
        return Decimal(str(value))
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("many", [3, 30])
def test_what_a_record_holds_stands_as_it_was(database: Database, what: dict[str, Any], many: int) -> None:
    lands = lander(database)
    shapes: list[dict[str, Any]] = [{name: said[n % 3] for name, said in GOOD.items()} for n in range(many)]
    told = lands.apply(batch([record(f"{n:02}", n + 1, **shape) for n, shape in enumerate(shapes)], what))
    assert fates(told) == ["a"] * many, told[0]
    stands = rows(database, f"SELECT {', '.join(NAMES)} FROM LX")
    assert [[plain(one, like) for one, like in zip(row, STAND)] for row in stands] == [STAND] * many
    assert fates(lands.apply(batch([record(f"{n:02}", 100 + n) for n in range(many)], what))) == ["a"] * many
    assert rows(database, f"SELECT {', '.join(NAMES)} FROM LX") == [(None,) * len(NAMES)] * many
    lands.close()


def test_what_does_not_fit_is_told_by_its_field(database: Database, what: dict[str, Any]) -> None:
    lands = lander(database)
    wrong = [(name, said) for name, each in BAD.items() for said in each if (database.server.kind, said) != WIDE]
    each: list[dict[str, Any]] = [{name: said} for name, said in wrong]
    told: list[Result] = lands.apply(batch([record(f"{n}", n + 1, **one) for n, one in enumerate(each)], what))
    off = [(wrong[n], one.fate.value) for n, one in enumerate(told) if one.field != wrong[n][0]]
    assert off == [] and rows(database, "SELECT ID FROM LX") == []
    lands.close()


def test_offsets_are_kept_where_the_column_keeps_them(postgresql: PostgreSQL, mariadb: MariaDB) -> None:
    for server, kind in ((postgresql, "TIMESTAMPTZ"), (mariadb, "TIMESTAMP NULL")):
        database = server.fresh()
        database.run(f"CREATE TABLE SQ (ID VARCHAR(9) NOT NULL PRIMARY KEY, SJ {kind})")
        lands = lander(database)
        what = {"table": "SQ", "columns": {"ID": "IdNumber", "SJ": "When"}, "zone": "+09:00"}
        lands.apply(batch([
            record("1", 1, When="2019-02-28T09:30:00"), record("2", 2, When="2019-02-28T08:30:00+08:00")], what))
        first, second = (when for when, in rows(database, "SELECT SJ FROM SQ"))
        assert first == second and first.replace(tzinfo=None) == datetime(2019, 2, 28, 8, 30), "China's clock reads it"
        lands.close()
        server.drop(database)


def test_types_of_postgresql_that_we_do_not_know_are_judged_by_it(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run("CREATE TYPE xb AS ENUM ('男', '女')",
                 "CREATE TABLE QT (ID VARCHAR(9) PRIMARY KEY, A UUID, B xb, C JSONB, D INET, E TEXT[], F CHAR(3))")
    lands = lander(database)
    what = {"table": "QT", "columns": {"ID": "IdNumber", **{name: name for name in "ABCDEF"}}}
    good: dict[str, Any] = {
        "A": "c4b1e8f0-0000-4000-8000-000000000001", "B": "女", "C": {"x": ["张"]}, "D": "10.0.0.5", "E": "{a,b}",
        "F": "x"}
    for many in (1, 30):
        told = lands.apply(batch([record(f"{many}-{n}", many + n, **good) for n in range(many)], what))
        assert fates(told) == ["a"] * many, told[0]
    bad: list[dict[str, Any]] = [{"A": "x"}, {"B": "x"}, {"D": "x"}, {"E": "x"}, {"F": "abcd"}]
    assert fates(lands.apply(batch([record(f"b{n}", 100 + n, **one) for n, one in enumerate(bad)], what))) == ["r"] * 5
    assert rows(database, "SELECT B, C, E FROM QT WHERE ID = '30-1'") == [("女", {"x": ["张"]}, ["a", "b"])]
    lands.close()
    postgresql.drop(database)


@pytest.mark.parametrize(("kind", "dialect", "good", "bad"), [
    (mssql.BIT(), "mssql", "true", "2"), (mssql.TINYINT(), "mssql", "255", "-1"),
    (types.Integer(), "oracle", "9" * 30, "1.5"), (types.REAL(), "mssql", "0.5", "0.12345678"),
    (oracle.DATE(), "oracle", "2019-02-28T09:30:00", "2019-02-28T09:30:00.5"),
    (types.FLOAT(53), "mssql", "0.123456789", "0.12345678901234567"), (types.NUMERIC(5), "mssql", "12345", "1.5"),
    (STAMP, "mssql", "2019-02-28T09:30:00.125", "2019-02-28T09:30:00.1255"),
    (types.VARCHAR(2), "dm", "张三", "张三丰"), (types.NullType(), "oracle", "anything", "\udcff"),
])
def test_columns_of_databases_that_do_not_run_here(kind: Any, dialect: str, good: str, bad: str) -> None:
    fit = fit_for(kind, dialect, CHINA)
    fit(good)
    with pytest.raises(Unfit):
        fit(bad)


def test_characters_that_sql_server_would_replace_in_silence_are_refused() -> None:
    with pytest.raises(Unfit):
        fit_for(types.VARCHAR(9), "mssql", CHINA, "gbk")("㐂")
    assert fit_for(types.NVARCHAR(9), "mssql", CHINA, None)("㐂") == "㐂"


URLS = ("oracle+oracledb://h/d", "mssql+pymssql://h/d", "dm+dmPython://h/d", "opengauss+psycopg2://h/d",
        "kingbase+ksycopg2://h/d", "sqlite://", "mysql+pymysql://h/d", "firebird+firebird://h/d")


@pytest.mark.parametrize("url", URLS)
def test_statements_and_tables_compile_for_every_database(url: str) -> None:
    assert dialects.WAIT
    dialect: Dialect = make_url(url).get_dialect()()
    said = Statements(dialect, "RK", "dbo", ("XM", "ZJHM", "order"), ("ZJHM",))
    assert "order" not in said.insert().replace('"order"', "").replace("`order`", "").replace("[order]", ""), "quoted"
    update, insert = said.update(), said.insert()
    named = dialect.paramstyle not in ("qmark", "format", "pyformat")
    place = {"qmark": "?", "format": "%s", "pyformat": "%s"}.get(dialect.paramstyle, ":")
    assert insert.count(place) == 3 and update.count(place) == 3 and (not named or ":3" in update)
    assert "WHERE" in said.delete() and "WHERE" in update
    assert isinstance(writer(said, False), TwoSteps) or dialect.name.startswith("firebird")
    for table in LedgerTables("exn", "dbo").metadata.sorted_tables:
        assert "PRIMARY KEY" in str(CreateTable(table).compile(dialect=dialect))
