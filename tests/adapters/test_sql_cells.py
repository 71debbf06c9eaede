"""Every type of column a server has is handed on, in one form; what cannot be read dirties its own row alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.contract import Dirty, Mode, Order
from adapters.rows import write_row
from adapters.sql.pages import Pages
from adapters.sql_table import SqlTable
from tests.adapters.legacy import Legacy, Node, stamp
from tests.adapters.servers import Database, Firebird, MariaDB, PostgreSQL, SQLite

RARE = "㐂𠮷\x01'\"\\"
QUOTED = "'" + RARE.replace("'", "''") + "'"


@pytest.fixture
def database(source: Database) -> Database:
    """Give every kind of database that can be read."""
    return source


def lines(database: Database, table: str, **what: Any) -> list[Any]:
    """Read a whole table as the adapter's process writes it."""
    adapter = SqlTable({**database.settings, **what.pop("settings", {})})
    found: list[Any] = []
    for one in adapter.read(Order({"table": table, **what}, None, Mode.WHOLE)):
        if isinstance(one, Dirty):
            found.append(one)
        elif isinstance(one, dict):
            line = write_row(one)
            found.append(json.loads(line, parse_float=str) if isinstance(line, bytes) else (line, adapter.named()))
    adapter.close()
    return found


POSTGRESQL = {
    "smallint": ("7", 7), "bigint": ("9223372036854775807", 9223372036854775807), "numeric": ("1.20", "1.20"),
    "numeric(30,10)": ("12345678901234567890.0123456789", "12345678901234567890.0123456789"), "real": ("0.1", "0.1"),
    "double precision": ("1e-7", "1e-7"), "boolean": ("true", True), "date": ("'2019-02-28'", "2019-02-28"),
    "date ": ("'infinity'", "infinity"), "date  ": ("'0044-03-15 BC'", "0044-03-15 BC"),
    "timestamp": ("'2019-02-28 09:30:00.5'", "2019-02-28T09:30:00.500000"), "timestamp ": ("'-infinity'", "-infinity"),
    "timestamptz": ("'2019-02-28 09:30:00+08'", "2019-02-28T09:30:00+08:00"),
    "timestamptz ": ("'1900-01-01 00:00:00+08:05:43'", "1900-01-01T00:00:00+08:05:43"),
    "time": ("'09:30'", "09:30:00"), "timetz": ("'09:30+08'", "09:30:00+08:00"),
    "interval": ("'1 day 02:03:04'", "1 day 02:03:04"),
    "uuid": ("'00000000-0000-0000-0000-000000000005'", "00000000-0000-0000-0000-000000000005"),
    "json": ("'{\"a\": 1.10}'", '{"a": 1.10}'), "jsonb": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "integer[]": ("'{1,2,NULL}'", "{1,2,NULL}"), "text[]": ("'{\"a,b\",\"二\"}'", '{"a,b",二}'),
    "bytea": ("'\\x00ff'", "00ff"), "bit(3)": ("B'101'", "101"), "inet": ("'10.0.0.1/8'", "10.0.0.1/8"),
    "int4range": ("'[1,5)'", "[1,5)"), "xml": ("'<a>二</a>'", "<a>二</a>"), "char(4)": ("'二'", "二   "),
    "money": ("'1234.50'", "$1,234.50"), "point": ("'(1,2)'", "(1,2)"), "text": (QUOTED, RARE),
    "oid": ("5", 5), "tsvector": ("'a b'", "'a' 'b'"), "macaddr": ("'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
}
MARIADB = {
    "TINYINT": ("7", 7), "TINYINT(1)": ("1", 1), "BIGINT UNSIGNED": ("18446744073709551615", 18446744073709551615),
    "DECIMAL(30,10)": ("12345678901234567890.0123456789", "12345678901234567890.0123456789"), "FLOAT": ("0.1", "0.1"),
    "DOUBLE": ("1e-7", "1e-7"), "DATE": ("'2019-02-28'", "2019-02-28"), "DATE ": ("'0000-00-00'", "0000-00-00"),
    "DATE  ": ("'2019-02-00'", "2019-02-00"), "DATETIME": ("'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
    "DATETIME(6)": ("'2019-02-28 09:30:00.5'", "2019-02-28T09:30:00.500000"),
    "TIMESTAMP": ("'2019-02-28 09:30:00'", "2019-02-28T09:30:00"), "TIME": ("'-838:59:59'", "-838:59:59"),
    "TIME(3)": ("'09:30:00.5'", "09:30:00.500"), "YEAR": ("2019", 2019), "BIT(3)": ("b'101'", "05"),
    "CHAR(4)": ("'二'", "二"),
    "VARCHAR(20)": (QUOTED.replace("\\", "\\\\"), RARE),
    "LONGTEXT": ("'二'", "二"), "VARBINARY(4)": ("x'00ff'", "00ff"), "LONGBLOB": ("x'00ff'", "00ff"),
    "BINARY(2)": ("x'00ff'", "00ff"), "ENUM('男','女')": ("'女'", "女"), "SET('a','b')": ("'a,b'", "a,b"),
    "JSON": ("'{\"a\": 1.10}'", '{"a": 1.10}'),
    "UUID": ("'00000000-0000-0000-0000-000000000005'", "00000000-0000-0000-0000-000000000005"),
    "INET6": ("'::1'", "::1"), "VARCHAR(20) CHARACTER SET gbk": ("'张三'", "张三"),
}
FIREBIRD = {
    "SMALLINT": ("7", 7), "BIGINT": ("9223372036854775807", 9223372036854775807), "NUMERIC(18,4)": ("1.2", "1.2000"),
    "DECIMAL(9,2)": ("-0.05", "-0.05"), "FLOAT": ("0.5", "0.5"), "DOUBLE PRECISION": ("1e-7", "1e-7"),
    "DATE": ("'2019-02-28'", "2019-02-28"), "TIME": ("'09:30:00.5'", "09:30:00.500000"),
    "TIMESTAMP": ("'2019-02-28 09:30:00'", "2019-02-28T09:30:00"), "BOOLEAN": ("TRUE", True),
    "CHAR(4)": ("'二'", "二   "), "VARCHAR(20)": (QUOTED, RARE),
    "BLOB SUB_TYPE TEXT": ("'二'", "二"), "BLOB SUB_TYPE BINARY": ("x'00FF'", "00ff"),
    "VARCHAR(4) CHARACTER SET OCTETS": ("x'00FF'", "00ff"),
}
SQLITE = {
    "INTEGER": ("9223372036854775807", 9223372036854775807), "REAL": ("1e-7", "1e-7"),
    "TEXT": (QUOTED, RARE),
    "BLOB": ("x'00ff'", "00ff"), "NUMERIC": ("'无'", "无"), "DATE": ("'2019-02-28'", "2019-02-28"), "": ("1", 1),
    "TIMESTAMP": ("0", 0),
}


def every(database: Database, types: dict[str, tuple[Any, ...]], quote: str = '"') -> None:
    """Make a table with a column of each type, a row with a value in each and one with none, and read it."""
    names = [f"C{n}" for n in range(len(types))]
    columns = ", ".join(f"{quote}{name}{quote} {kind.strip()} {'NULL' if database.server.kind == 'mariadb' else ''}"
                        for name, kind in zip(names, types))
    table, first = f"{quote}T_ALL{quote}", f"{quote}ID{quote}"
    database.run(
        f"CREATE TABLE {table} ({first} INTEGER NOT NULL PRIMARY KEY, {columns})",
        f"INSERT INTO {table} VALUES (1, {', '.join(one[0] for one in types.values())})",
        f"INSERT INTO {table} ({first}) VALUES (2)")
    full, none = lines(database, "T_ALL")
    told = dict(zip(types, (full[name] for name in names)))
    assert told == {kind: one[1] for kind, one in types.items()}
    assert none == {"ID": 2, **dict.fromkeys(names)}


def test_every_type_of_postgresql(postgresql: PostgreSQL) -> None:
    every(postgresql.fresh(), POSTGRESQL)


def test_every_type_of_mariadb(mariadb: MariaDB) -> None:
    mariadb.run("SET GLOBAL sql_mode = ''")
    every(mariadb.fresh(), MARIADB, "`")


def test_every_type_of_firebird(firebird: Firebird) -> None:
    every(firebird.fresh(), FIREBIRD)


def test_every_type_of_sqlite(sqlite: SQLite) -> None:
    every(sqlite.fresh(), SQLITE)


def test_zero_dates_are_stamps_that_hide_nothing(mariadb: MariaDB) -> None:
    mariadb.run("SET GLOBAL sql_mode = ''")
    legacy = Legacy(mariadb.fresh())
    legacy.put((n, "零", "0000-00-00 00:00:00") for n in range(20))
    reads = Node(SqlTable(legacy.database.settings), {"table": "T_HUKOU", "cursor": "GXSJ", "page": 3})
    assert len(reads.read()) == 20 and reads.read() == []
    legacy.put([(50, "零", "0000-00-00 00:00:00"), (51, "新", stamp(10)), (52, "将来", "2999-01-01 00:00:00")])
    assert sorted(row["ID"] for row in reads.read()) == [50, 51, 52] and reads.read() == []
    legacy.put([(53, "新", stamp(5))])
    assert [row["ID"] for row in reads.read()] == [53]


def test_infinite_stamps_hide_nothing(postgresql: PostgreSQL) -> None:
    legacy = Legacy(postgresql.fresh())
    legacy.put([(1, "始", "-infinity"), (2, "终", "infinity"), (3, "前", "0044-03-15 BC")])
    reads = Node(SqlTable(legacy.database.settings), {"table": "T_HUKOU", "cursor": "GXSJ", "page": 2})
    assert sorted(row["ID"] for row in reads.read()) == [1, 2, 3] and reads.read() == []
    legacy.put([(4, "新", stamp(5)), (5, "终", "infinity")])
    assert sorted(row["ID"] for row in reads.read()) == [4, 5] and reads.read() == []


def test_a_gbk_database_gives_its_texts(mariadb: MariaDB, firebird: Firebird) -> None:
    for server, charset in ((mariadb, "gbk"), (firebird, "GBK")):
        legacy = Legacy(server.fresh(charset))
        legacy.put([(1, "张三", stamp())])
        assert lines(legacy.database, "T_HUKOU")[0]["XM"] == "张三"
        server.drop(legacy.database)


def test_octets_of_no_charset_dirty_their_row_alone(firebird: Firebird, sqlite: SQLite) -> None:
    for database in (firebird.fresh("NONE"), sqlite.fresh()):
        octets = database.server.kind == "firebird"
        database.run("CREATE TABLE T (ID INTEGER NOT NULL PRIMARY KEY, XM VARCHAR(20), BZ VARCHAR(20))")
        bad = "CAST(x'D5C5C8FD' AS VARCHAR(20) CHARACTER SET NONE)" if octets else "CAST(x'D5C5C8FD' AS TEXT)"
        for n in range(20):
            database.run(f"INSERT INTO T VALUES ({n}, 'ok', {bad if n in (7, 19) else chr(39) + 'x' + chr(39)})")
        found = lines(database, "T", page=6)
        good = [one["ID"] for one in found if isinstance(one, dict)]
        assert good == [n for n in range(20) if n not in (7, 19)]
        dirty = [one if isinstance(one, Dirty) else one[0] for one in found if not isinstance(one, dict)]
        assert [one.field for one in dirty] == ["BZ", "BZ"]
        names = [one.row if isinstance(one, Dirty) else one[1] for one in found if not isinstance(one, dict)]
        assert names == ["7", "19"]
    gbk = firebird_gbk(firebird)
    assert lines(gbk, "T")[0]["XM"] == "张三", "the url may name the charset"


def firebird_gbk(firebird: Firebird) -> Database:
    """Return a database of Firebird that keeps octets of GBK and does not say so, with a URL that does."""
    database = firebird.fresh("NONE")
    database.run("CREATE TABLE T (ID INTEGER NOT NULL PRIMARY KEY, XM VARCHAR(20))",
                 "INSERT INTO T VALUES (1, CAST(x'D5C5C8FD' AS VARCHAR(20) CHARACTER SET NONE))")
    database.url = database.url.replace("charset=UTF8", "charset=GBK")
    return database


def test_a_view_that_fails_for_one_row_gives_the_others(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(
        "CREATE TABLE t (id int primary key, rq text)",
        "INSERT INTO t SELECT n, '20190228' FROM generate_series(1, 20) n",
        "UPDATE t SET rq = '99999999' WHERE id = 7", "CREATE VIEW v AS SELECT id, rq::date AS rq FROM t")
    found = lines(database, "v", key=["id"], page=5)
    assert [one["id"] for one in found if isinstance(one, dict)] == [n for n in range(1, 21) if n != 7]
    (dirty,) = [one for one in found if isinstance(one, Dirty)]
    assert (dirty.field, dirty.row) == ("rq", None), "the key of a view is not declared"


def test_a_cell_too_long_dirties_its_row_by_name(database: Database) -> None:
    kind = {"mariadb": "LONGTEXT", "firebird": "BLOB SUB_TYPE TEXT"}.get(database.server.kind, "TEXT")
    legacy = Legacy(database)
    legacy.make("T_ZP", "ID INTEGER NOT NULL PRIMARY KEY", f"ZP {kind}", f"BZ {kind}")
    legacy.add("T_ZP", [(n, "x" * (10 << 20) if n == 5 else "y" * 700_000 if n == 6 else "z", "b") for n in range(10)])
    found = lines(database, "T_ZP")
    assert [one["ID"] for one in found if isinstance(one, dict)] == [n for n in range(10) if n != 5]
    (dirty,) = [one for one in found if isinstance(one, Dirty)]
    assert (dirty.row, dirty.field) == ("5", "ZP")


@pytest.mark.parametrize(("key", "name"), [
    ((7,), "7"), (("A-7 ", 3), "A-7,3"), (("张三",), None), (("11010519491231002X",), None), (("13800138000",), None),
    ((13800138000,), None), (("130503670401001",), None), ((None,), None), ((b"x",), None), (("x" * 64,), None),
    (("line\nbreak",), None),
])
def test_a_row_is_named_by_its_key_unless_that_may_be_a_person(key: tuple[Any, ...], name: str | None) -> None:
    pages = Pages.__new__(Pages)
    pages.key = pages.declared = [f"K{n}" for n in range(len(key))]
    assert pages.name([*pages.key, "XM"], (*key, "张三")) == name
    pages.declared = []
    assert pages.name([*pages.key, "XM"], (*key, "张三")) is None
