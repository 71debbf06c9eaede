"""A table read from PostgreSQL's log: every kind of change, killed at any row, and all that can be wrong with it."""

from __future__ import annotations

import signal
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, text

from adapters.contract import GONE, Bookmark, Dirty, Misconfigured, Mode, Order, Unavailable
from adapters.postgres_logical import PostgresLogical
from adapters.rows import write_row
from tests.adapters.legacy import Node
from tests.adapters.servers import Database, PostgreSQL
from tests.adapters.tried import seeds

WHAT: dict[str, Any] = {"table": "t_hukou", "publication": "exnode", "slot": "exnode", "page": 7}
TABLE = "CREATE TABLE t_hukou (id int PRIMARY KEY, xm text, zp text)"
PUBLISH = "CREATE PUBLICATION exnode FOR TABLE t_hukou"


@dataclass
class Source:
    """A database with a table that is read from its log."""

    database: Database
    slots: list[str] = field(default_factory=list)

    def run(self, *statements: str) -> None:
        """Run statements, each committed."""
        self.database.run(*statements)

    def together(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with self.database.engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
            for one in statements:
                connection.exec_driver_sql(one)

    @contextmanager
    def late(self) -> Iterator[Connection]:
        """Give a transaction that has written row 1 and has not ended."""
        with self.database.engine.execution_options(isolation_level="READ COMMITTED").connect() as connection:
            connection.exec_driver_sql("INSERT INTO t_hukou VALUES (1, 'late')")
            yield connection

    def one(self, statement: str) -> Any:
        """Return the one value that a query has."""
        with self.database.engine.connect() as connection:
            return connection.exec_driver_sql(statement).scalar_one()

    def slot(self, name: str = "exnode") -> str:
        """Make a slot; names are the server's, so each database has its own."""
        made = f"{self.database.name}_{name}"
        self.run(f"SELECT pg_create_logical_replication_slot('{made}', 'pgoutput')")
        self.slots.append(made)
        return made

    def forget(self, slot: str) -> None:
        """Drop a slot."""
        self.run(f"SELECT pg_drop_replication_slot('{slot}')")
        self.slots.remove(slot)

    def node(self, settings: Mapping[str, Any] | None = None, **what: Any) -> Node:
        """Return a node that reads the table."""
        slot = f"{self.database.name}_exnode"
        return Node(PostgresLogical(settings or self.database.settings), {**WHAT, "slot": slot, **what})

    def rows(self, table: str = "t_hukou") -> dict[Any, dict[str, Any]]:
        """Return the table as it is, by its id."""
        with self.database.engine.connect() as connection:
            return {row["id"]: dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()}


@pytest.fixture
def bare(postgresql: PostgreSQL) -> Iterator[Source]:
    """Give a database with nothing in it."""
    made = Source(postgresql.fresh())
    yield made
    for one in [*made.slots]:
        made.forget(one)
    postgresql.drop(made.database)


@pytest.fixture
def source(bare: Source) -> Source:
    """Give a database whose table is published, with a slot."""
    bare.run(TABLE, PUBLISH)
    bare.slot()
    return bare


def replay(rows: list[dict[str, Any]], into: dict[Any, dict[str, Any]] | None = None) -> dict[Any, dict[str, Any]]:
    """Return what a table is after these rows, by its id."""
    table = {} if into is None else into
    for row in rows:
        if row.get(GONE):
            assert set(row) == {"id", GONE}
            table.pop(row["id"], None)
        else:
            table[row["id"]] = row
    return table


def gone(id: Any) -> dict[str, Any]:
    """Return how a delete is told."""
    return {"id": id, GONE: True}


def row(id: int, xm: str | None, zp: str | None = None) -> dict[str, Any]:
    """Return a row of the table."""
    return {"id": id, "xm": xm, "zp": zp}


def test_every_change_comes_once_in_the_order_of_commits(source: Source) -> None:
    reads = source.node()
    assert reads.read() == []
    source.run("INSERT INTO t_hukou VALUES (1, '张三', '照片'), (2, NULL, NULL)")
    source.run("UPDATE t_hukou SET xm = '㐂𠮷' WHERE id = 1", "DELETE FROM t_hukou WHERE id = 2",
               "UPDATE t_hukou SET id = 3 WHERE id = 1")
    assert reads.read() == [row(1, "张三", "照片"), row(2, None), row(1, "㐂𠮷", "照片"), gone(2), gone(1),
                            row(3, "㐂𠮷", "照片")]
    assert reads.read() == []


def test_what_was_rolled_back_is_not_told_and_a_late_commit_comes_last(source: Source) -> None:
    reads = source.node()
    reads.read()
    with source.late() as late:
        source.together("INSERT INTO t_hukou VALUES (2, 'kept')", "SAVEPOINT a",
                        "INSERT INTO t_hukou VALUES (3, 'undone')", "ROLLBACK TO a",
                        "INSERT INTO t_hukou VALUES (4, 'kept')")
        with pytest.raises(Exception, match="zero"):
            source.together("INSERT INTO t_hukou VALUES (5, 'undone')", "SELECT 1 / 0")
        assert reads.read() == [row(2, "kept"), row(4, "kept")]
        late.commit()
    assert reads.read() == [row(1, "late")]


@pytest.mark.parametrize("seed_", seeds(4, 12))
def test_killed_at_any_row_the_table_comes_out_the_same(source: Source, seed_: int) -> None:
    dice = Random(seed_)
    source.run("ALTER TABLE t_hukou ALTER zp SET STORAGE EXTERNAL")
    if dice.random() < 0.3:
        source.run("ALTER TABLE t_hukou REPLICA IDENTITY FULL")
    reads = source.node(page=dice.choice([1, 2, 5, 50]))
    for step in range(8):
        for _ in range(dice.randrange(4)):
            source.together(*(_change(dice, step) for _ in range(dice.randrange(1, 8))),
                            *(["SAVEPOINT s", _change(dice, step), "ROLLBACK TO s"] if dice.random() < 0.3 else []))
        reads.read(kill_after=dice.choice([None, *range(12)]))
    reads.read()
    assert replay(reads.rows) == source.rows() and reads.read() == []


def _change(dice: Random, step: int) -> str:
    one, other = dice.randrange(30), dice.randrange(30)
    return dice.choice([
        f"INSERT INTO t_hukou VALUES ({one}, '{step}', repeat('{step}', {dice.choice([1, 3000])})) "
        f"ON CONFLICT (id) DO UPDATE SET xm = '{step}!'",
        f"UPDATE t_hukou SET xm = '{step}?' WHERE id BETWEEN {one} AND {one + 3}",
        f"UPDATE t_hukou SET id = {other} WHERE id = {one} AND NOT EXISTS (SELECT FROM t_hukou WHERE id = {other})",
        f"DELETE FROM t_hukou WHERE id = {one}",
    ])


def test_read_without_a_bookmark_the_whole_table_comes_first_over_any_kill(source: Source) -> None:
    source.run("INSERT INTO t_hukou SELECT n, 'x' FROM generate_series(1, 60) AS n")
    reads = source.node()
    for kill in (10, 20, 30, 3):
        reads.read(kill_after=kill)
        source.run(f"DELETE FROM t_hukou WHERE id = {kill}", f"INSERT INTO t_hukou VALUES ({kill + 100}, 'y')",
                   f"UPDATE t_hukou SET xm = 'z' WHERE id = {kill + 1}")
    reads.read()
    reads.read()
    assert replay(reads.rows) == source.rows() and reads.read() == []


def test_a_whole_read_leaves_the_increments_alone(source: Source) -> None:
    source.run("INSERT INTO t_hukou SELECT n, 'x' FROM generate_series(1, 50) AS n")
    reads = source.node()
    assert [one["id"] for one in reads.read(mode=Mode.WHOLE, kill_after=20)] == list(range(1, 15))
    assert [one["id"] for one in reads.read(mode=Mode.WHOLE)] == list(range(15, 51))
    assert reads.read(mode=Mode.NONE) == [] and reads.read() == []
    source.run("DELETE FROM t_hukou WHERE id = 5")
    assert reads.read() == [gone(5)]


def test_what_is_being_written_when_the_place_is_taken_is_not_missed(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres_logical._PATIENCE", 0.3)
    reads = source.node()
    with source.late() as late:
        before = reads.read(mode=Mode.NONE)
        slot = source.one("SELECT confirmed_flush_lsn::text FROM pg_replication_slots "
                          f"WHERE slot_name = '{reads.what['slot']}'")
        assert before == [] and reads.bookmark["lsn"] == slot, "the slot's own place, for a writer did not end"
        late.commit()
    assert reads.read() == [row(1, "late")]


def test_the_slot_moves_on_only_up_to_what_was_kept(source: Source) -> None:
    reads, at = source.node(page=1), "SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '{}'"
    reads.read()
    begun = source.one(at.format(reads.what["slot"]))
    source.run("INSERT INTO t_hukou VALUES (1, 'a')", "INSERT INTO t_hukou VALUES (2, 'b')")
    first = reads.read(kill_after=2)
    assert first == [row(1, "a")] and source.one(at.format(reads.what["slot"])) >= begun
    kept = reads.bookmark["lsn"]
    assert reads.read() == [row(2, "b")] and source.one(at.format(reads.what["slot"])) == kept


def test_the_server_killed_gives_nothing_twice_and_loses_nothing(source: Source, postgresql: PostgreSQL) -> None:
    reads = source.node()
    for step in range(3):
        source.run(f"INSERT INTO t_hukou VALUES ({step}, 'x')")
        assert reads.read() == [row(step, "x")]
    reads.read()
    said = reads.adapter.read(Order(reads.what, reads.bookmark))
    source.run("INSERT INTO t_hukou VALUES (7, 'y')")
    assert next(said) == row(7, "y")
    postgresql.stop(signal.SIGQUIT)
    try:
        with pytest.raises(Unavailable):
            list(said)
        with pytest.raises(Unavailable):
            reads.read()
    finally:
        postgresql.start()
    assert reads.read() == [row(7, "y")] and reads.read() == []


def test_a_large_transaction_is_read_in_little_memory(source: Source) -> None:
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou SELECT n, repeat('字', 300) FROM generate_series(1, 30000) AS n")
    tracemalloc.start()
    count = sum(not isinstance(one, Bookmark) for one in reads.adapter.read(Order(reads.what, reads.bookmark)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 30000 and peak < 4 << 20, peak


def test_more_than_the_server_decodes_at_first_comes_all(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.postgres_logical.DECODED", 10)
    reads = source.node()
    reads.read()
    source.run(*(f"INSERT INTO t_hukou VALUES ({n}, 'x')" for n in range(100)))
    assert [one["id"] for one in reads.read()] == list(range(100)) and reads.read() == []


def test_reading_ends_at_the_first_bookmark_behind_the_limit(source: Source) -> None:
    reads = source.node(page=1000)
    reads.read()
    source.run(*(f"INSERT INTO t_hukou VALUES ({n}, 'x')" for n in range(20)))
    said = list(reads.adapter.read(Order(reads.what, reads.bookmark, limit=5)))
    assert len(said) == 6 and isinstance(said[-1], Bookmark)
    assert len(list(reads.adapter.read(Order(reads.what, said[-1].at)))) == 16


@pytest.mark.parametrize("full", [False, True])
def test_a_large_value_left_as_it_was_is_in_the_row(source: Source, full: bool) -> None:
    source.run("ALTER TABLE t_hukou ALTER zp SET STORAGE EXTERNAL",
               *(["ALTER TABLE t_hukou REPLICA IDENTITY FULL"] if full else []))
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a', repeat('x', 9000))", "UPDATE t_hukou SET xm = 'b'",
               "UPDATE t_hukou SET id = 2", "UPDATE t_hukou SET xm = 'c'")
    table = replay(reads.read())
    assert table == source.rows() and len(table[2]["zp"]) == 9000
    source.run("UPDATE t_hukou SET xm = 'd'", "DELETE FROM t_hukou")
    assert reads.read()[-1] == gone(2), "gone before the log was read"


def test_a_row_too_large_to_be_given_is_dirty_and_its_delete_is_told(source: Source) -> None:
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a', repeat('x', 9000000))", "DELETE FROM t_hukou",
               "INSERT INTO t_hukou VALUES (2, 'b', repeat('x', 9000000))")
    first, second = reads.read()
    assert first == gone(1) and isinstance(write_row(second), Dirty)


def test_a_key_behind_what_was_kept_of_a_message_is_no_loss_in_silence(source: Source) -> None:
    source.run("DROP TABLE t_hukou", "CREATE TABLE t_hukou (zp text, id int PRIMARY KEY)",
               "ALTER TABLE t_hukou REPLICA IDENTITY FULL", "ALTER PUBLICATION exnode ADD TABLE t_hukou")
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (repeat('x', 9000000), 1)", "DELETE FROM t_hukou")
    with pytest.raises(Misconfigured, match="whole read"):
        reads.read()


def test_a_table_that_was_emptied_asks_for_a_whole_read(source: Source) -> None:
    reads, careless = source.node(), source.node(truncate="ignore", slot=source.slot("other"))
    reads.read(), careless.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a')", "TRUNCATE t_hukou", "INSERT INTO t_hukou VALUES (2, 'b')")
    with pytest.raises(Misconfigured, match="TRUNCATE"):
        reads.read()
    assert careless.read() == [row(1, "a"), row(2, "b")]
    reads.read(mode=Mode.NONE)
    assert reads.read(mode=Mode.WHOLE) == [row(2, "b")] and reads.read() == []


def test_columns_changed_in_the_middle_of_the_log(source: Source) -> None:
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a', 'x'), (2, 'b', 'y')", "ALTER TABLE t_hukou ADD xb text DEFAULT '男'",
               "INSERT INTO t_hukou VALUES (3, 'c', 'z', '女')", "ALTER TABLE t_hukou DROP zp",
               "UPDATE t_hukou SET xm = 'd' WHERE id = 1",
               "ALTER TABLE t_hukou ADD sum text GENERATED ALWAYS AS (xm) STORED",
               "ALTER TABLE t_hukou ALTER id TYPE bigint", "UPDATE t_hukou SET xm = 'e' WHERE id = 2",
               "ALTER TABLE t_hukou RENAME xb TO xbdm", "UPDATE t_hukou SET xbdm = '9' WHERE id = 3",
               "DELETE FROM t_hukou WHERE id = 2")
    assert replay(reads.read()) == source.rows() and reads.read() == []


TYPES = {
    "b": ("boolean", "true"), "i2": ("smallint", "-5"), "i8": ("bigint", "9223372036854775807"),
    "n": ("numeric(20,4)", "12.3400"), "nn": ("numeric", "'NaN'"), "f": ("double precision", "0.1"),
    "r": ("real", "1.1"), "c": ("char(5)", "'ab'"), "v": ("varchar(10)", "'张三'"), "d": ("date", "'2019-02-28'"),
    "di": ("date", "'infinity'"), "bc": ("date", "'0044-03-15 BC'"), "t": ("time", "'09:30:00.5'"),
    "ts": ("timestamp", "'2019-02-28 09:30:00.25'"), "tz": ("timestamptz", "'2019-02-28 09:30:00+00'"),
    "by": ("bytea", "'\\x00ff'"), "j": ("json", "'{\"a\": 1}'"), "jb": ("jsonb", "'{\"a\":[1,2]}'"),
    "u": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"), "a": ("int[]", "'{1,2}'"), "ip": ("inet", "'10.0.0.1'"),
    "iv": ("interval", "'1 day 02:00'"), "e": ("sex", "'男'"), "dm": ("code", "'11'"), "dn": ("amount", "7"),
    "bit": ("bit(3)", "B'101'"), "m": ("money", "5"), "z": ("text", "NULL"),
}


def test_a_row_from_the_log_is_the_row_that_is_selected(source: Source) -> None:
    source.run("CREATE TYPE sex AS ENUM ('男', '女')", "CREATE DOMAIN code AS varchar(2)",
               "CREATE DOMAIN whole AS integer", "CREATE DOMAIN amount AS whole", "DROP TABLE t_hukou",
               "CREATE TABLE t_hukou (id int PRIMARY KEY, " + ", ".join(f"{n} {TYPES[n][0]}" for n in TYPES) + ")",
               "ALTER PUBLICATION exnode ADD TABLE t_hukou")
    reads = source.node()
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, " + ", ".join(value for _, value in TYPES.values()) + ")")
    (logged,), (selected,) = reads.read(), reads.read(mode=Mode.WHOLE)
    assert repr(logged) == repr(selected)
    assert isinstance(write_row({**logged, "nn": None}), bytes), "every one has a form but no number"
    assert [logged[name] for name in ("c", "di", "bc", "u", "a", "iv", "dn", "e", "ip", "j", "b", "by")] == [
        "ab   ", "infinity", "0044-03-15 BC", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{1,2}", "1 day 02:00:00", 7,
        "男", "10.0.0.1", '{"a": 1}', True, b"\x00\xff"]


def test_a_key_may_be_of_any_type_and_of_several_columns(source: Source) -> None:
    source.run("DROP TABLE t_hukou", "CREATE TABLE t_hukou "
               "(dm char(4), lx uuid, \"更 新\" timestamptz, xm text, PRIMARY KEY (dm, lx, \"更 新\"))",
               "ALTER TABLE t_hukou ALTER xm SET STORAGE EXTERNAL", "ALTER PUBLICATION exnode ADD TABLE t_hukou",
               "INSERT INTO t_hukou SELECT n % 3, gen_random_uuid(), now(), repeat('x', 4000) "
               "FROM generate_series(1, 30) AS n")
    reads = source.node()
    whole = reads.read(mode=Mode.WHOLE)
    assert len(whole) == 30 and len(source.node().read(kill_after=20)) == 14
    reads.read(mode=Mode.NONE)
    source.run("UPDATE t_hukou SET xm = xm, lx = lx", "DELETE FROM t_hukou WHERE dm = '1'")
    told = reads.read()
    assert sorted(one["lx"] for one in told if GONE in one) == sorted(one["lx"] for one in whole if one["dm"] == "1   ")


@pytest.mark.parametrize(("charset", "name"), [("EUC_CN", "张三"), ("LATIN1", "José")])
def test_texts_of_an_old_charset_come_as_they_were(postgresql: PostgreSQL, charset: str, name: str) -> None:
    made = Source(postgresql.fresh(charset))
    made.run(TABLE, PUBLISH)
    made.slot()
    reads = made.node()
    reads.read()
    made.run(f"INSERT INTO t_hukou VALUES (1, '{name}')")
    assert reads.read() == [row(1, name)]
    made.forget(made.slots[0])
    postgresql.drop(made.database)


def test_a_key_that_the_identity_lacks_is_told_with_its_cure(source: Source) -> None:
    source.run("ALTER TABLE t_hukou ALTER xm SET NOT NULL")
    reads = source.node(key=["xm"])
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a')")
    assert reads.read() == [row(1, "a")]
    source.run("UPDATE t_hukou SET xm = 'b'")
    with pytest.raises(Misconfigured, match='ALTER TABLE "public"."t_hukou" REPLICA IDENTITY FULL'):
        reads.read()
    assert any("FULL" in one.en and one.level == "fault" for one in reads.adapter.survey(reads.what))
    source.run("ALTER TABLE t_hukou REPLICA IDENTITY FULL")
    reads.read(mode=Mode.NONE)
    source.run("UPDATE t_hukou SET xm = 'c'", "DELETE FROM t_hukou")
    assert reads.read() == [{"xm": "b", GONE: True}, row(1, "c"), {"xm": "c", GONE: True}]
    assert not [one for one in reads.adapter.survey(reads.what) if one.level == "fault"]


def test_each_table_is_read_by_its_own_slot_and_others_are_passed_over(source: Source) -> None:
    source.run("CREATE TABLE other (id int PRIMARY KEY, xm text)", "ALTER PUBLICATION exnode ADD TABLE other")
    reads, others = source.node(), source.node(table="other", slot=source.slot("other"))
    reads.read(), others.read()
    source.together("INSERT INTO t_hukou VALUES (1, 'a')", "INSERT INTO other VALUES (1, 'b')", "TRUNCATE other")
    assert reads.read() == [row(1, "a")]
    with pytest.raises(Misconfigured):
        others.read()
    before = reads.bookmark
    source.run("INSERT INTO other SELECT n, repeat('x', 500) FROM generate_series(1, 5000) AS n")
    assert reads.read() == [] and reads.bookmark != before, "a log of others is let go too"


def test_a_partitioned_table_is_read_as_one(bare: Source) -> None:
    bare.run("CREATE TABLE t_hukou (id int PRIMARY KEY, xm text, zp text) PARTITION BY RANGE (id)",
             "CREATE TABLE p1 PARTITION OF t_hukou FOR VALUES FROM (0) TO (10)",
             "CREATE TABLE p2 PARTITION OF t_hukou FOR VALUES FROM (10) TO (20)", PUBLISH)
    reads = bare.node()
    (cure,) = [one.en for one in reads.adapter.survey(reads.what) if "publish_via" in one.en]
    bare.run(cure.partition(": ")[2])
    bare.slot()
    reads.read()
    bare.run("INSERT INTO t_hukou VALUES (1, 'a'), (11, 'b')", "UPDATE t_hukou SET id = 12 WHERE id = 1")
    assert replay(reads.read()) == bare.rows()


def lose(source: Source, slot: str) -> None:
    """Have the server throw away the log that the slot needs."""
    source.run("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
    for n in range(6):
        source.run(f"INSERT INTO t_hukou VALUES ({1000 + n}, 'x')", "SELECT pg_switch_wal()")
    source.run("CHECKPOINT", "ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()")


def remake(source: Source, slot: str) -> None:
    """Drop the slot and make it again."""
    source.forget(slot)
    source.run("INSERT INTO t_hukou VALUES (99, 'lost')")
    source.slot()


def steal(source: Source, slot: str) -> None:
    """Read the slot's changes away."""
    source.run("INSERT INTO t_hukou VALUES (99, 'stolen')", f"SELECT pg_logical_slot_get_binary_changes('{slot}', "
               "NULL, NULL, 'proto_version', '1', 'publication_names', 'exnode')")


@pytest.mark.parametrize(("harm", "says"), [
    (lose, "日志已被清除"), (remake, "重建"), (steal, "别的读取者"), (lambda source, slot: source.forget(slot), "没有复制槽"),
])
def test_a_gap_in_the_log_is_never_read_over(source: Source, harm: Any, says: str) -> None:
    reads = source.node()
    reads.read()
    harm(source, reads.what["slot"])
    for _ in range(2):
        with pytest.raises(Misconfigured) as met:
            reads.read()
        assert says in met.value.zh and "whole read" in met.value.en


@pytest.mark.parametrize(("mark", "says"), [
    ({"lsn": "FFFFFF/0"}, "过去"), ({"system": "1"}, "更换"), ({"line": "00000002"}, "主备"), ({"lsn": "x"}, "无法识别"),
    ({"lsn": 5}, "无法识别"),
])
def test_a_bookmark_of_another_past_is_not_read_on_from(source: Source, mark: dict[str, Any], says: str) -> None:
    reads = source.node()
    reads.read()
    reads.bookmarks[Mode.NEW].update(mark)
    with pytest.raises(Misconfigured) as met:
        reads.read()
    assert says in met.value.zh and "整表重读" in met.value.zh


def test_two_readers_of_one_slot_are_told_apart_from_one(source: Source) -> None:
    reads, twin = source.node(), source.node()
    reads.read(), twin.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a')")
    assert reads.read() == [row(1, "a")] and reads.read() == []
    with pytest.raises(Misconfigured, match="another reader"):
        twin.read()


def test_a_slot_that_another_session_holds_is_asked_again_later(source: Source) -> None:
    from psycopg2 import connect  # type: ignore[import-untyped]
    from psycopg2.extras import LogicalReplicationConnection  # type: ignore[import-untyped]

    server, reads = source.database.server, source.node()
    reads.read()
    with closing(connect(host="127.0.0.1", port=server.port, user="admin", password=server.password,
                         dbname=source.database.name, connection_factory=LogicalReplicationConnection)) as holder:
        cursor = holder.cursor()
        cursor.start_replication(slot_name=reads.what["slot"], decode=False,
                                 options={"proto_version": "1", "publication_names": "exnode"})
        with pytest.raises(Unavailable, match="another reader"):
            reads.read()
        assert any("another reader" in one.en for one in reads.adapter.survey(reads.what))


def account(source: Source, *rights: str) -> dict[str, Any]:
    """Return the settings of an account that may not do everything."""
    name = f"{source.database.name}_reader"
    source.run(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'", *(one.format(name) for one in rights))
    return {"url": source.database.url.replace("admin@", f"{name}@"), "password": "secret"}


@pytest.mark.parametrize(("rights", "says"), [
    (["GRANT SELECT ON t_hukou TO {}"], "REPLICATION"), (["ALTER ROLE {} REPLICATION"], "42501"),
])
def test_a_right_that_is_missing_is_told(source: Source, rights: list[str], says: str) -> None:
    source.run("INSERT INTO t_hukou VALUES (1, 'a')")
    reads = source.node(account(source, *rights))
    assert any(one.level == "fault" for one in reads.adapter.survey(reads.what))
    with pytest.raises(Misconfigured) as met:
        reads.read()
    assert says in met.value.zh and "secret" not in met.value.zh + met.value.en
    source.run(f"DROP OWNED BY {source.database.name}_reader", f"DROP ROLE {source.database.name}_reader")


def test_an_account_of_these_two_rights_is_enough(source: Source) -> None:
    reads = source.node(account(source, "ALTER ROLE {} REPLICATION", "GRANT SELECT ON t_hukou TO {}"))
    source.run("INSERT INTO t_hukou VALUES (1, 'a')")
    assert reads.read() == [row(1, "a")]
    source.run("DELETE FROM t_hukou")
    assert reads.read() == [gone(1)]
    assert not [one for one in reads.adapter.survey(reads.what) if one.level == "fault"]
    source.run(f"DROP OWNED BY {source.database.name}_reader", f"DROP ROLE {source.database.name}_reader")


def test_survey_names_every_statement_until_nothing_is_missing(bare: Source) -> None:
    bare.run(TABLE)
    reads = bare.node()
    for _ in range(4):
        cures = [one.en.partition(": ")[2].partition(", behind")[0]
                 for one in reads.adapter.survey(reads.what) if one.level == "fault"]
        if not cures:
            break
        bare.run(cures[0])
    bare.slots.append(reads.what["slot"])
    assert {one.level for one in reads.adapter.survey(reads.what)} == {"good", "warning"}
    bare.run("INSERT INTO t_hukou VALUES (1, 'a')")
    assert reads.read() == [row(1, "a")]


def test_a_publication_made_behind_its_slot_is_told(bare: Source) -> None:
    bare.run(TABLE)
    bare.slot()
    reads = bare.node()
    reads.read()
    bare.run("INSERT INTO t_hukou VALUES (1, 'a')", PUBLISH)
    with pytest.raises(Misconfigured, match="publication"):
        reads.read()


@pytest.mark.parametrize("what", [{"table": "t_none"}, {"columns": ["id", "nope"]}, {"key": ["nope"]}])
def test_what_is_not_there_is_told_by_name(source: Source, what: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured) as met:
        source.node(**what).read()
    assert str(what).rpartition("'")[0].rpartition("'")[2] in met.value.zh


def test_a_column_that_was_not_asked_for_is_not_given(source: Source) -> None:
    reads = source.node(columns=["xm"])
    reads.read()
    source.run("INSERT INTO t_hukou VALUES (1, 'a', 'b')", "DELETE FROM t_hukou")
    assert reads.read() == [{"xm": "a"}, gone(1)]
