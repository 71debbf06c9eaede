"""A table read from MariaDB's binary log: every kind of change and of column, killed at any row, and all that can be
wrong with it."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, text

from adapters.contract import GONE, Bookmark, Dirty, Misconfigured, Mode, Order, Unavailable
from adapters.mysql_binlog import MysqlBinlog
from adapters.rows import write_row
from tests.adapters.legacy import Node
from tests.adapters.servers import Database, MariaDB
from tests.adapters.tried import seeds

TABLE = "CREATE TABLE T_HUKOU (ID int PRIMARY KEY, XM varchar(50), ZP longtext)"
WHAT: dict[str, Any] = {"table": "T_HUKOU", "page": 7}


@dataclass
class Source:
    """A database with a table that is read from its log."""

    database: Database
    accounts: list[str] = field(default_factory=list)

    def run(self, *statements: str) -> None:
        """Run statements, each committed."""
        self.database.run(*statements)

    def set(self, name: str, value: str) -> None:
        """Set a variable of the server for whoever connects from now on."""
        self.database.server.run(f"SET GLOBAL {name} = {value}")

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Give a session in which statements commit together, at its end."""
        with self.database.engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
            yield connection

    def together(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self.session() as connection:
            for one in statements:
                connection.exec_driver_sql(one)
            connection.commit()

    def node(self, settings: Mapping[str, Any] | None = None, **what: Any) -> Node:
        """Return a node that reads the table."""
        return Node(MysqlBinlog(settings or self.database.settings), {**WHAT, **what})

    def rows(self) -> dict[Any, dict[str, Any]]:
        """Return the table as it is, by its id."""
        with self.database.engine.connect() as connection:
            return {row["ID"]: dict(row) for row in connection.execute(text("SELECT * FROM T_HUKOU")).mappings()}

    def purge(self) -> None:
        """Purge all logs but the last.

        The server silently keeps one whose transactions InnoDB has not synced yet, which it does once a second.
        """
        until = time.monotonic() + 60
        while True:
            with self.database.engine.connect() as connection:
                *older, last = (str(one[0]) for one in connection.exec_driver_sql("SHOW BINARY LOGS"))
            if not older:
                return
            assert time.monotonic() < until, f"{older} are kept"
            self.run(f"PURGE BINARY LOGS TO '{last}'")
            time.sleep(0.05)

    def account(self, *rights: str) -> dict[str, Any]:
        """Return the settings of an account that may not do everything."""
        name = f"{self.database.name}_reader"
        self.accounts.append(name)
        self.run(f"CREATE USER {name} IDENTIFIED BY 'secret'", *(f"GRANT {one} TO {name}" for one in rights))
        return {"url": self.database.url.replace("admin@", f"{name}@"), "password": "secret"}


@pytest.fixture
def source(mariadb: MariaDB) -> Iterator[Source]:
    """Give a database with the table."""
    made = Source(mariadb.fresh())
    made.run(TABLE)
    yield made
    for one in made.accounts:
        made.run(f"DROP USER {one}")
    mariadb.drop(made.database)


def replay(rows: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Return what a table is after these rows, by its id."""
    table: dict[Any, dict[str, Any]] = {}
    for row in rows:
        if row.get(GONE):
            assert set(row) == {"ID", GONE}
            table.pop(row["ID"], None)
        else:
            table[row["ID"]] = row
    return table


def gone(id: Any) -> dict[str, Any]:
    """Return how a delete is told."""
    return {"ID": id, GONE: True}


def row(id: int, xm: str | None, zp: str | None = None) -> dict[str, Any]:
    """Return a row of the table."""
    return {"ID": id, "XM": xm, "ZP": zp}


def begun(source: Source, **what: Any) -> Node:
    """Return a node that reads on from now."""
    reads = source.node(**what)
    reads.read(mode=Mode.NONE)
    return reads


def test_every_change_comes_once_in_the_order_of_commits(source: Source) -> None:
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, '张三', '照片'), (2, NULL, NULL)")
    source.run("UPDATE T_HUKOU SET XM = '㐂𠮷' WHERE ID = 1", "DELETE FROM T_HUKOU WHERE ID = 2",
               "UPDATE T_HUKOU SET ID = 3 WHERE ID = 1", "REPLACE INTO T_HUKOU VALUES (3, 'r', NULL)")
    assert reads.read() == [row(1, "张三", "照片"), row(2, None), row(1, "㐂𠮷", "照片"), gone(2), gone(1),
                            row(3, "㐂𠮷", "照片"), row(3, "r")]
    assert reads.read() == []


def test_what_was_rolled_back_is_not_told_and_a_late_commit_comes_last(source: Source) -> None:
    reads = begun(source)
    with source.session() as late:
        late.exec_driver_sql("INSERT INTO T_HUKOU VALUES (1, 'late', NULL)")
        source.together("INSERT INTO T_HUKOU VALUES (2, 'kept', NULL)", "SAVEPOINT a",
                        "INSERT INTO T_HUKOU VALUES (3, 'undone', NULL)", "ROLLBACK TO a",
                        "INSERT INTO T_HUKOU VALUES (4, 'kept', NULL)")
        source.together("INSERT INTO T_HUKOU VALUES (5, 'undone', NULL)", "ROLLBACK")
        assert reads.read() == [row(2, "kept"), row(4, "kept")]
        late.commit()
    assert reads.read() == [row(1, "late")]


@pytest.mark.parametrize("seed_", seeds(4, 12))
def test_killed_at_any_row_the_table_comes_out_the_same(source: Source, seed_: int) -> None:
    dice = Random(seed_)
    reads = source.node(page=dice.choice([1, 2, 5, 50]))
    for step in range(8):
        for _ in range(dice.randrange(4)):
            source.together(*(_change(dice, step) for _ in range(dice.randrange(1, 8))),
                            *(["SAVEPOINT s", _change(dice, step), "ROLLBACK TO s"] if dice.random() < 0.3 else []))
        if dice.random() < 0.2:
            source.run("FLUSH BINARY LOGS")
        reads.read(kill_after=dice.choice([None, *range(12)]))
    reads.read()
    reads.read()
    assert replay(reads.rows) == source.rows() and reads.read() == []


def _change(dice: Random, step: int) -> str:
    one, other = dice.randrange(30), dice.randrange(30)
    return dice.choice([
        f"INSERT INTO T_HUKOU VALUES ({one}, '{step}', REPEAT('{step}', {dice.choice([1, 3000])})) "
        f"ON DUPLICATE KEY UPDATE XM = '{step}!'",
        f"UPDATE T_HUKOU SET XM = '{step}?' WHERE ID BETWEEN {one} AND {one + 3}",
        f"UPDATE IGNORE T_HUKOU SET ID = {other} WHERE ID = {one}",
        f"DELETE FROM T_HUKOU WHERE ID = {one}", f"REPLACE INTO T_HUKOU VALUES ({one}, '{step}', NULL)",
    ])


def test_read_without_a_bookmark_the_whole_table_comes_first_over_any_kill(source: Source) -> None:
    source.run("INSERT INTO T_HUKOU SELECT seq, 'x', NULL FROM seq_1_to_60")
    reads = source.node()
    for kill in (10, 20, 30, 3):
        reads.read(kill_after=kill)
        source.run(f"DELETE FROM T_HUKOU WHERE ID = {kill}", f"INSERT INTO T_HUKOU VALUES ({kill + 100}, 'y', NULL)",
                   f"UPDATE T_HUKOU SET XM = 'z' WHERE ID = {kill + 1}")
    reads.read()
    reads.read()
    assert replay(reads.rows) == source.rows() and reads.read() == []


def test_a_whole_read_leaves_the_increments_alone(source: Source) -> None:
    source.run("INSERT INTO T_HUKOU SELECT seq, 'x', NULL FROM seq_1_to_50")
    reads = source.node()
    assert [one["ID"] for one in reads.read(mode=Mode.WHOLE, kill_after=20)] == list(range(1, 15))
    assert [one["ID"] for one in reads.read(mode=Mode.WHOLE)] == list(range(15, 51))
    assert reads.read(mode=Mode.NONE) == [] and reads.read() == []
    source.run("DELETE FROM T_HUKOU WHERE ID = 5")
    assert reads.read() == [gone(5)]


def test_the_server_ended_and_started_again_loses_nothing(source: Source, mariadb: MariaDB) -> None:
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, 'x', NULL)")
    assert reads.read() == [row(1, "x")]
    source.run("INSERT INTO T_HUKOU SELECT seq, REPEAT('y', 50), REPEAT('z', 2000) FROM seq_2_to_9999")
    said = reads.adapter.read(Order(reads.what, reads.bookmark))
    next(said)
    mariadb.stop()
    try:
        with pytest.raises(Unavailable):
            list(said)
        with pytest.raises(Unavailable):
            reads.read()
    finally:
        mariadb.start()
    source.run("DELETE FROM T_HUKOU WHERE ID = 9")
    told = reads.read()
    assert [one["ID"] for one in told] == [*range(2, 10000), 9] and told[-1] == gone(9) and reads.read() == []


def test_a_large_transaction_is_read_in_little_memory(source: Source) -> None:
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU SELECT seq, 'x', REPEAT('字', 300) FROM seq_1_to_30000")
    tracemalloc.start()
    count = sum(not isinstance(one, Bookmark) for one in reads.adapter.read(Order(reads.what, reads.bookmark)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30000 and peak < 4 << 20, peak


def test_reading_ends_at_the_first_bookmark_behind_the_limit_and_at_the_end_that_was(source: Source) -> None:
    reads = begun(source, page=1000)
    source.run(*(f"INSERT INTO T_HUKOU VALUES ({n}, 'x', NULL)" for n in range(20)))
    said = list(reads.adapter.read(Order(reads.what, reads.bookmark, limit=5)))
    assert len(said) == 6 and isinstance(said[-1], Bookmark)
    rest = reads.adapter.read(Order({**reads.what, "page": 1}, said[-1].at))
    told: list[Any] = []
    for one in rest:
        told.append(one)
        source.run(f"INSERT INTO T_HUKOU VALUES ({100 + len(told)}, 'y', NULL)")
        assert len(told) < 60, "it would never end"
    assert sum(not isinstance(one, Bookmark) for one in told) == 15


TYPES = {
    "i1": ("tinyint", "-5"), "u1": ("tinyint unsigned", "250"), "b": ("boolean", "true"), "i2": ("smallint", "-300"),
    "u2": ("smallint unsigned", "65535"), "i3": ("mediumint", "-8388608"), "u3": ("mediumint unsigned", "16777215"),
    "i4": ("int", "-2147483648"), "u4": ("int unsigned", "4294967295"), "i8": ("bigint", "-9223372036854775808"),
    "u8": ("bigint unsigned", "18446744073709551615"), "z": ("int(8) zerofill", "42"),
    "f": ("float", "1.1"), "f2": ("float", "1234567.891"), "fm": ("float(10,2)", "12345.67"), "d": ("double", "0.1"),
    "dm": ("double(12,3)", "1234.5"), "n1": ("decimal(20,4)", "-12.3400"), "n2": ("decimal(65,30)", "1e34"),
    "n3": ("decimal(5,5)", "-0.00012"), "n4": ("decimal(9,0)", "123456789"), "n5": ("decimal(10,0)", "-1"),
    "dt": ("date", "'2019-02-28'"), "d0": ("date", "'0000-00-00'"), "dz": ("date", "'2019-02-00'"),
    "t0": ("time", "'09:30:00'"), "t1": ("time(1)", "'-26:03:04.5'"), "t3": ("time(3)", "'-00:00:00.25'"),
    "t6": ("time(6)", "'838:59:58.123456'"), "t4": ("time", "'-838:59:59'"), "t7": ("time(6)", "'-01:00:00.000001'"),
    "m0": ("datetime", "'2019-02-28 09:30:00'"), "m3": ("datetime(3)", "'2019-02-28 09:30:00.250'"),
    "m6": ("datetime(6)", "'9999-12-31 23:59:59.999999'"), "mz": ("datetime", "'0000-00-00 00:00:00'"),
    "my": ("datetime(2)", "'0000-00-00 00:00:00.5'"),
    "s0": ("timestamp NULL", "'2019-02-28 09:30:00'"), "s6": ("timestamp(6) NULL", "'1988-07-01 12:00:00.5'"),
    "sz": ("timestamp NULL", "'0000-00-00 00:00:00'"), "y": ("year", "2019"), "y0": ("year", "0"),
    "bit1": ("bit(1)", "b'1'"), "bit9": ("bit(9)", "b'101010101'"), "c": ("char(5)", "'ab'"),
    "cz": ("char(200)", "'张三'"),
    "v": ("varchar(10)", "'张三 '"), "v3": ("varchar(300)", "'㐂𠮷'"), "bn": ("binary(5)", "'ab'"),
    "vb": ("varbinary(10)", "x'00ff00'"), "bl": ("blob", "x'00ff'"), "tb": ("tinyblob", "''"),
    "lt": ("longtext", "'长'"),
    "mt": ("mediumtext CHARACTER SET gbk", "'张三丰'"), "g": ("varchar(20) CHARACTER SET gbk", "'张三'"),
    "g2": ("char(20) CHARACTER SET gb2312", "'李四'"), "l1": ("varchar(20) CHARACTER SET latin1", "'José€'"),
    "l2": ("varchar(20) CHARACTER SET latin2", "'Łódź'"), "l0": ("varchar(9) CHARACTER SET latin1", "x'81'"),
    "u16": ("varchar(20) CHARACTER SET utf16", "'㐂𠮷'"), "ucs": ("varchar(20) CHARACTER SET ucs2", "'张'"),
    "u32": ("text CHARACTER SET utf32", "'𠮷'"), "u83": ("varchar(20) CHARACTER SET utf8mb3", "'张三'"),
    "uca": ("varchar(20) COLLATE uca1400_ai_ci", "'张三'"), "e": ("enum('男','女')", "'女'"), "e0": ("enum('a')", "''"),
    "eg": ("enum('男','女') CHARACTER SET gbk", "'男'"), "st": ("set('a','b','丙')", "'a,丙'"), "s_0": ("set('a')", "''"),
    "j": ("json", "'{\"b\": 1, \"a\": \"张\"}'"), "p": ("point", "PointFromText('POINT(1 2)')"), "nul": ("int", "NULL"),
    "cc": ("varchar(1000) COMPRESSED", "REPEAT('压', 300)"), "bc": ("blob COMPRESSED", "REPEAT('x', 300)"),
    "ip": ("inet6", "'::1'"), "uu": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
}


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize("zone", ["+08:00", "SYSTEM"])
def test_a_row_from_the_log_is_the_row_that_is_selected(source: Source, zone: str) -> None:
    source.set("time_zone", f"'{zone}'")
    try:
        source.run("DROP TABLE T_HUKOU", "CREATE TABLE T_HUKOU (ID int PRIMARY KEY, "
                   + ", ".join(f"{name} {TYPES[name][0]}" for name in TYPES) + ")")
        reads = begun(source)
        with source.session() as connection:
            connection.exec_driver_sql("SET sql_mode = ''")
            connection.exec_driver_sql("INSERT INTO T_HUKOU VALUES (1, " + ", ".join(
                TYPES[name][1].replace("%", "%%") for name in TYPES) + ")")
            connection.commit()
        (logged,), (selected,) = reads.read(), reads.read(mode=Mode.WHOLE)
    finally:
        source.set("time_zone", "'+08:00'")
    for name, cell in selected.items():
        assert repr(logged[name]) == repr(cell), name
    assert isinstance(write_row(logged), bytes) and (logged["g"], logged["mz"]) == ("张三", "0000-00-00 00:00:00")


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_plain_columns_are_known_from_the_log_alone(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of these is selected: the table is read after it lost its row."""
    odd = {"l2", "l0", "cc", "bc", "ip", "uu"}
    names = [name for name in TYPES if name not in odd]
    source.run("DROP TABLE T_HUKOU", "CREATE TABLE T_HUKOU (ID int PRIMARY KEY, "
               + ", ".join(f"{name} {TYPES[name][0]}" for name in names) + ")")
    reads = begun(source)
    with source.session() as connection:
        connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql(
            "INSERT INTO T_HUKOU VALUES (1, " + ", ".join(TYPES[name][1] for name in names) + ")")
        connection.commit()
    (selected,) = reads.read(mode=Mode.WHOLE)
    source.run("DELETE FROM T_HUKOU")
    logged, last = reads.read()
    assert last == gone(1)
    for name, cell in selected.items():
        assert repr(logged[name]) == repr(cell), name


def test_the_old_forms_of_times_are_read_too(source: Source) -> None:
    source.set("mysql56_temporal_format", "OFF")
    try:
        source.run("DROP TABLE T_HUKOU",
                   "CREATE TABLE T_HUKOU (ID int PRIMARY KEY, a datetime, b timestamp NULL, c time)")
    finally:
        source.set("mysql56_temporal_format", "ON")
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, '2019-02-28 09:30:01', '2019-02-28 09:30:02', '-26:03:04')")
    (selected,) = reads.read(mode=Mode.WHOLE)
    source.run("DELETE FROM T_HUKOU")
    assert repr(reads.read()) == repr([selected, gone(1)])


def test_another_reader_of_the_log_tells_the_same(source: Source) -> None:
    from pymysqlreplication import BinLogStreamReader  # type: ignore[import-untyped]
    from pymysqlreplication.row_event import (  # type: ignore[import-untyped]
        DeleteRowsEvent,
        UpdateRowsEvent,
        WriteRowsEvent,
    )

    source.run("RESET MASTER")  # the other reads a long log again and again
    reads, dice = begun(source), Random(7)
    for step in range(20):
        source.together(*(_change(dice, step) for _ in range(5)))
    server, said = source.database.server, []
    stream = BinLogStreamReader(
        {"host": "127.0.0.1", "port": server.port, "user": "admin", "passwd": server.password}, server_id=77,
        resume_stream=True, log_file=reads.bookmark["file"], log_pos=reads.bookmark["at"], is_mariadb=True,
        only_events=[DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent], only_schemas=[source.database.name])
    for event in stream:
        for one in event.rows:
            if "values" in one:
                said.append(gone(one["values"]["ID"]) if isinstance(event, DeleteRowsEvent) else one["values"])
                continue
            if one["before_values"]["ID"] != one["after_values"]["ID"]:
                said.append(gone(one["before_values"]["ID"]))
            said.append(one["after_values"])
    stream.close()
    assert reads.read() == said and len(said) > 50


def test_texts_of_an_old_charset_come_as_they_were(mariadb: MariaDB) -> None:
    made = Source(mariadb.fresh("gbk"))
    made.run(TABLE)
    reads = begun(made)
    made.run("INSERT INTO T_HUKOU VALUES (1, '张三', '丂')", "DELETE FROM T_HUKOU")
    assert reads.read() == [row(1, "张三", "丂"), gone(1)]
    mariadb.drop(made.database)


def test_columns_changed_in_the_middle_of_the_log(source: Source) -> None:
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', 'x'), (2, 'b', 'y')",
               "ALTER TABLE T_HUKOU ADD XB varchar(3) DEFAULT '男' AFTER ID",
               "INSERT INTO T_HUKOU VALUES (3, '女', 'c', 'z')", "ALTER TABLE T_HUKOU DROP ZP",
               "UPDATE T_HUKOU SET XM = 'd' WHERE ID = 1",
               "ALTER TABLE T_HUKOU ADD HJ varchar(60) AS (CONCAT(XM, '!')) VIRTUAL, MODIFY XM varchar(300)",
               "UPDATE T_HUKOU SET XM = 'e' WHERE ID = 2", "ALTER TABLE T_HUKOU CHANGE XB XBDM varchar(3)",
               "UPDATE T_HUKOU SET XBDM = '9' WHERE ID = 3", "DELETE FROM T_HUKOU WHERE ID = 2",
               "CREATE INDEX i ON T_HUKOU (XM)", "ANALYZE TABLE T_HUKOU", "OPTIMIZE TABLE T_HUKOU")
    assert replay(reads.read()) == source.rows() and reads.read() == []


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB", "FULL_NODUP"])
def test_images_that_are_not_full_are_completed_from_the_table(source: Source, image: str) -> None:
    try:
        source.set("binlog_row_image", image)
    except Exception:
        pytest.skip(f"this server knows no {image}")
    try:
        reads = begun(source)
        source.run("INSERT INTO T_HUKOU VALUES (1, 'a', 'x'), (2, 'b', 'y')",
                   "UPDATE T_HUKOU SET XM = 'c' WHERE ID = 1",
                   "UPDATE T_HUKOU SET ID = 5 WHERE ID = 2", "INSERT INTO T_HUKOU (ID) VALUES (9)")
        assert replay(reads.read()) == source.rows()
        source.run("DELETE FROM T_HUKOU WHERE ID = 5")
        assert reads.read() == [gone(5)]
        assert any("binlog_row_image" in one.en for one in reads.adapter.check())
    finally:
        source.set("binlog_row_image", "FULL")


def test_a_packed_log_is_read_too(source: Source) -> None:
    source.set("log_bin_compress", "ON")
    try:
        reads = begun(source)
        source.run("INSERT INTO T_HUKOU VALUES (1, 'a', REPEAT('张', 9000))", "UPDATE T_HUKOU SET XM = REPEAT('b', 50)",
                   "DELETE FROM T_HUKOU")
        assert reads.read() == [row(1, "a", "张" * 9000), row(1, "b" * 50, "张" * 9000), gone(1)]
        source.run(f"TRUNCATE TABLE T_HUKOU /* {'x' * 400} */")
        with pytest.raises(Misconfigured, match="emptied"):
            reads.read()
    finally:
        source.set("log_bin_compress", "OFF")


@pytest.mark.parametrize("harm", [
    "TRUNCATE TABLE T_HUKOU", "DROP TABLE T_HUKOU", "RENAME TABLE T_HUKOU TO T_OLD, T_NEW TO T_HUKOU",
    "CREATE OR REPLACE TABLE T_HUKOU (ID int PRIMARY KEY)", "ALTER TABLE T_NEW RENAME TO T_OLD, ALGORITHM=INPLACE",
])
def test_a_table_that_was_emptied_or_replaced_asks_for_a_whole_read(source: Source, harm: str) -> None:
    source.run("CREATE TABLE T_NEW LIKE T_HUKOU", "INSERT INTO T_NEW VALUES (2, 'b', NULL)")
    reads, careless = begun(source), begun(source, truncate="ignore")
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)", harm)
    if "T_OLD, ALGORITHM" in harm:
        assert reads.read() == [row(1, "a")], "another table was renamed"
        return
    source.run("CREATE TABLE IF NOT EXISTS T_HUKOU LIKE T_NEW")
    for _ in range(2):
        with pytest.raises(Misconfigured, match="whole read"):
            reads.read()
    assert [one["ID"] for one in careless.read()] == [1]
    reads.read(mode=Mode.NONE)
    assert reads.read() == []


@pytest.mark.parametrize("change", [
    "INSERT INTO T_HUKOU VALUES (1, 'a', NULL)", "INSERT INTO {}.t_hukou SELECT * FROM T_NEW", "DELETE FROM `T_HUKOU`",
    "UPDATE T_HUKOU, T_NEW SET T_HUKOU.XM = 'b'",
])
def test_a_change_told_by_its_statement_alone_asks_for_a_whole_read(source: Source, change: str) -> None:
    source.run("CREATE TABLE T_NEW LIKE T_HUKOU", "INSERT INTO T_HUKOU VALUES (7, 'b', NULL)",
               "INSERT INTO T_NEW VALUES (8, 'b', NULL)")
    reads = begun(source)
    with source.session() as connection:
        connection.exec_driver_sql("SET SESSION binlog_format = STATEMENT")
        connection.exec_driver_sql(change.replace("t_hukou", "T_HUKOU").format(source.database.name))
        connection.commit()
    with pytest.raises(Misconfigured, match="statement"):
        reads.read()


def test_what_others_do_is_passed_over_and_let_go(source: Source) -> None:
    source.run("CREATE TABLE OTHER LIKE T_HUKOU")
    reads, others = begun(source), begun(source, table="OTHER")
    source.together("INSERT INTO T_HUKOU VALUES (1, 'T_HUKOU', NULL)", "INSERT INTO OTHER VALUES (1, 'b', NULL)")
    assert reads.read() == [row(1, "T_HUKOU")] and others.read() == [row(1, "b")]
    before = reads.bookmark
    source.run("INSERT INTO OTHER SELECT seq, 'x', REPEAT('x', 500) FROM seq_2_to_5000", "TRUNCATE TABLE OTHER")
    assert reads.read() == [] and reads.bookmark != before
    with pytest.raises(Misconfigured):
        others.read()


def test_changes_through_a_foreign_key_are_not_passed_over(source: Source) -> None:
    source.run("CREATE TABLE PARENT (ID int PRIMARY KEY)", "ALTER TABLE T_HUKOU ADD PID int, "
               "ADD CONSTRAINT hk FOREIGN KEY (PID) REFERENCES PARENT (ID) ON DELETE CASCADE")
    reads = source.node()
    with pytest.raises(Misconfigured, match="hk"):
        reads.read()
    assert [one.level for one in reads.adapter.survey({**reads.what, "cascade": "ignore"})].count("fault") == 0
    assert begun(source, cascade="ignore").read() == []
    source.run("SET FOREIGN_KEY_CHECKS = 0", "DROP TABLE T_HUKOU")


def test_a_log_without_names_of_columns_is_told_with_its_cure(source: Source) -> None:
    reads = begun(source)
    source.set("binlog_row_metadata", "MINIMAL")
    try:
        source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)")
        with pytest.raises(Misconfigured, match="SET GLOBAL binlog_row_metadata = FULL"):
            reads.read()
        assert any("SET GLOBAL binlog_row_metadata" in one.en and one.level == "fault" for one in reads.adapter.check())
    finally:
        source.set("binlog_row_metadata", "FULL")


def test_a_log_that_was_purged_asks_for_a_whole_read(source: Source) -> None:
    reads = begun(source)
    source.run("FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    source.purge()
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)")
    for _ in range(2):
        with pytest.raises(Misconfigured, match="purged"):
            reads.read()
    reads.read(mode=Mode.NONE)
    assert reads.read(mode=Mode.WHOLE) == [row(1, "a")] and reads.read() == []


def test_a_log_begun_anew_is_not_read_as_the_old_one(source: Source) -> None:
    source.run("RESET MASTER")
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)")
    assert reads.read() == [row(1, "a")]
    reads.bookmarks[Mode.NEW]["made"] -= 1
    with pytest.raises(Misconfigured, match="anew"):
        reads.read()


@pytest.mark.parametrize("mark", [
    {"file": 1}, {"file": ""}, {"at": -1}, {"at": "4"}, {"at": 1 << 33}, {"made": None}, {"file": "binlog.999999"},
    {"at": 5}, {"at": 1 << 31},
])
def test_a_bookmark_that_is_none_is_told(source: Source, mark: dict[str, Any]) -> None:
    reads = begun(source)
    reads.bookmarks[Mode.NEW].update(mark)
    with pytest.raises(Misconfigured) as met:
        reads.read()
    assert "整表重读" in met.value.zh


@pytest.mark.parametrize("rights", [
    ["SELECT ON *.*"], ["SELECT ON *.*", "BINLOG MONITOR ON *.*"], ["REPLICATION SLAVE, BINLOG MONITOR ON *.*"],
])
def test_a_right_that_is_missing_is_told(source: Source, rights: list[str]) -> None:
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)")
    reads = source.node(source.account(*rights))
    for asked in (reads.read, lambda: list(reads.adapter.survey(reads.what))):
        with pytest.raises(Misconfigured) as met:
            asked()
        assert "secret" not in met.value.zh + met.value.en


def test_an_account_of_these_three_rights_is_enough(source: Source) -> None:
    reads = source.node(source.account("SELECT ON " + source.database.name + ".T_HUKOU",
                                       "REPLICATION SLAVE, BINLOG MONITOR ON *.*"))
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', NULL)")
    assert reads.read() == [row(1, "a")]
    source.run("DELETE FROM T_HUKOU")
    assert reads.read() == [gone(1)]
    assert {one.level for one in reads.adapter.survey(reads.what)} == {"good"}


def test_two_reads_at_once_do_not_cut_each_other_off(source: Source) -> None:
    source.run("CREATE TABLE OTHER LIKE T_HUKOU")
    reads, others = begun(source), begun(source, table="OTHER")
    source.run("INSERT INTO T_HUKOU SELECT seq, 'x', REPEAT('x', 500) FROM seq_1_to_5000",
               "INSERT INTO OTHER SELECT * FROM T_HUKOU")
    one, two = (each.adapter.read(Order(each.what, each.bookmark)) for each in (reads, others))
    count = sum(not isinstance(left, Bookmark) + isinstance(right, Bookmark) for left, right in zip(one, two))
    assert count >= 4999


def test_a_key_may_be_of_several_columns_and_a_table_have_none(source: Source) -> None:
    source.run("DROP TABLE T_HUKOU", "CREATE TABLE T_HUKOU (DM char(4) CHARACTER SET gbk, RQ datetime(3), XM text, "
               "PRIMARY KEY (DM, RQ))", "CREATE TABLE BARE (A int, B text)")
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES ('甲', '2019-02-28 09:30:00.5', 'a')", "DELETE FROM T_HUKOU")
    first, last = reads.read()
    assert last == {"DM": "甲", "RQ": first["RQ"], GONE: True}
    with pytest.raises(Misconfigured, match="key"):
        source.node(table="BARE").read()


def test_a_row_too_large_to_be_given_is_dirty_and_its_delete_is_told(source: Source) -> None:
    reads = begun(source)
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', REPEAT('x', 20000000))", "DELETE FROM T_HUKOU")
    first, last = reads.read()
    assert isinstance(write_row(first), Dirty) and last == gone(1)


@pytest.mark.parametrize("what", [{"table": "T_NONE"}, {"columns": ["ID", "NOPE"]}, {"key": ["NOPE"]}])
def test_what_is_not_there_is_told_by_name(source: Source, what: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured) as met:
        source.node(**what).read()
    assert str(what).rpartition("'")[0].rpartition("'")[2] in met.value.zh


def test_a_column_that_was_not_asked_for_is_not_given(source: Source) -> None:
    reads = begun(source, columns=["XM"])
    source.run("INSERT INTO T_HUKOU VALUES (1, 'a', 'b')", "DELETE FROM T_HUKOU")
    assert reads.read() == [{"XM": "a"}, gone(1)]
