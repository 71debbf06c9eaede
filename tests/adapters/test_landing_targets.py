"""Targets that are not as one would make them: odd names, no unique key or several, charsets, triggers, drivers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.contract import Misconfigured
from adapters.landing import Lander
from tests.adapters.landings import TABLE, WHAT, batch, fates, lander, record, rows
from tests.adapters.servers import Database, MariaDB, Server, SQLite


@pytest.fixture
def lands(database: Database) -> Iterator[Lander]:
    """Give what lands in a table of persons, on every database in turn."""
    database.run(TABLE)
    made = lander(database)
    yield made
    made.close()


def test_names_of_every_kind_are_quoted(database: Database, lands: Lander) -> None:
    kind = database.server.kind
    mark = "`" if kind == "mariadb" else '"'
    names = [f"{mark}{one}{mark}" for one in ("姓 名%s", "order", "Key-1", "a'b", "人口%s 表")]
    schema = "部门%" if kind == "postgresql" else None
    table = f'"{schema}".{names[4]}' if schema else names[4]
    make = [f'CREATE SCHEMA "{schema}"'] if schema else []
    make.append(f"CREATE TABLE {table} ({names[0]} VARCHAR(9), {names[1]} VARCHAR(9),"
                f" {names[2]} VARCHAR(9) NOT NULL PRIMARY KEY, {names[3]} INTEGER)")
    ask = f"SELECT {names[2]}, {names[0]} FROM {table}"
    if kind in ("mariadb", "postgresql"):  # where a percent sign is a parameter's
        ask = ask.replace("%", "%%")
    database.run(*make)
    what = {"table": "人口%s 表", "columns": {"姓 名%s": "Name", "ORDER": "Order", "key-1": "IdNumber", "a'b": "Age"},
            **({"schema": schema} if schema else {})}
    for many in (2, 40):
        told = lands.apply(batch([record(f"{n:02}", many + n, Name="甲", Age="7") for n in range(many)], what))
        assert fates(told) == ["a"] * many
    assert fates(lands.apply(batch([record("00", 100, delete=True), record("77", 101, "r01", Name="乙")], what))) == [
        "a", "a"]
    assert sorted(rows(database, ask)) == [(f"{n:02}", "甲") for n in range(2, 40)] + [("77", "乙")]
    assert not [one for one in lands.survey(what) if one.level == "fault"]


def test_a_target_without_a_unique_key_is_written_too(database: Database, lands: Lander) -> None:
    database.run("CREATE TABLE RU (ZJHM VARCHAR(18), XM VARCHAR(20), NL INTEGER)")
    what = {**WHAT, "table": "RU", "key": ["ZJHM"]}
    for n in (1, 100):
        lands.apply(batch([record(f"{k:02}", n + k, Name=f"{n}") for k in range(50)], what))
    lands.apply(batch([record("07", 500, delete=True)], what))
    assert rows(database, "SELECT ZJHM, XM FROM RU ORDER BY ZJHM") == [(f"{k:02}", "100") for k in range(50) if k != 7]
    found = list(lands.survey(what))
    assert any("唯一" in one.zh and one.level == "warning" for one in found)


@pytest.mark.parametrize("many", [1, 60])
def test_a_character_that_the_targets_charset_lacks_is_a_refusal(mariadb: MariaDB, many: int) -> None:
    database = mariadb.fresh("gbk")
    database.run(TABLE)
    lands = lander(database)
    came = [record(f"{n:02}", n + 1, Name="㐂" if n == 0 else "张三") for n in range(many)]
    told = lands.apply(batch(came))
    assert fates(told) == ["r"] + ["a"] * (many - 1) and told[0].field == "Name" and "㐂" not in told[0].zh
    database.run("ALTER TABLE RK CONVERT TO CHARACTER SET utf8mb4")
    assert fates(lands.apply(batch([record("00", 100, Name="㐂")]))) == ["a"], "it is looked at anew when it refuses"
    assert rows(database)[0] == ("00", "㐂")
    lands.close()
    mariadb.drop(database)


def test_a_table_without_transactions_is_no_target(mariadb: MariaDB) -> None:
    database = mariadb.fresh()
    database.run(TABLE + " ENGINE=MyISAM")
    lands = lander(database)
    with pytest.raises(Misconfigured, match="InnoDB"):
        lands.apply(batch([record("1", 1, Name="甲")]))
    assert rows(database) == []
    lands.close()
    mariadb.drop(database)


def test_another_unique_index_is_never_taken_for_the_key(each: Server) -> None:
    database = each.fresh()
    database.run("CREATE TABLE RK (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20) UNIQUE, NL INTEGER)")
    lands = lander(database)
    lands.apply(batch([record("1", 1, Name="甲")]))
    assert fates(lands.apply(batch([record("2", 2, Name="甲"), record("3", 3, Name="乙")]))) == ["r", "a"]
    assert rows(database) == [("1", "甲"), ("3", "乙")], "the row of another person was changed"
    lands.close()
    each.drop(database)


def test_a_trigger_that_undoes_the_transaction_costs_its_record_alone(sqlite: SQLite) -> None:
    database = sqlite.fresh()
    database.run(
        TABLE, "CREATE TRIGGER no BEFORE INSERT ON RK WHEN NEW.XM = '坏' BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
    lands = lander(database)
    told = lands.apply(batch([record(f"{n:02}", n + 1, Name="坏" if n % 7 == 3 else "好") for n in range(20)]))
    assert fates(told) == ["r" if n % 7 == 3 else "a" for n in range(20)] and len(rows(database)) == 17
    lands.close()


def test_every_driver_lands(source: Database) -> None:
    """KingbaseES's driver too, and the databases of a site, which are named by EXN_TEST_URL_NAME."""
    made = ("RK", "exn_ledger", "exn_lanes", "exn_parcels", "exn_versions", "exn_strays")
    source.run(TABLE)
    lands = lander(source)
    try:
        assert fates(lands.apply(batch([record(f"{n:02}", n + 1, Name="甲", Age="7") for n in range(40)]))) == ["a"] * 40
        came = batch([
            record("00", 100, Name="乙"), record("01", 101, delete=True), record("99", 102, "r02", Name="搬"),
            record("03", 1, Name="旧"), record("04", 103, Name="长" * 30)])
        told = lands.apply(came)
        assert fates(told) == ["a", "a", "a", "o", "r"] and lands.apply(came) == told
        assert rows(source)[:3] == [("00", "乙"), ("03", "甲"), ("04", "甲")] and rows(source)[-1] == ("99", "搬")
        assert not [one for one in lands.survey(WHAT) if one.level == "fault"]
    finally:
        lands.close()
        source.run(*(f"DROP TABLE {one}" for one in made))
