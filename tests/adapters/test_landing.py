"""Records landed in real databases: by version, once, each with its fate; what the target refuses harms no other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from adapters.contract import Batch, Fate, Incoming, Misconfigured, Unavailable
from adapters.landing import Lander, ledger
from node.model.parcel import Outcome
from node.model.record import Operation, Version
from node.warehouse.rules import State as Warehouse
from tests.adapters.landings import TABLE, WHAT, batch, fates, lander, record, rows
from tests.adapters.servers import Database
from tests.adapters.tried import seeds


@pytest.fixture
def lands(database: Database) -> Iterator[Lander]:
    """Give what lands in a table of persons, on every database in turn."""
    database.run(TABLE)
    made = lander(database)
    yield made
    made.close()


def test_records_land_are_replaced_and_deleted_by_version(database: Database, lands: Lander) -> None:
    assert fates(lands.apply(batch([record("1", 1, Name="张三㐂"), record("2", 2, Name="李四", Age="30")]))) == ["a", "a"]
    assert rows(database, "SELECT ZJHM, XM, NL FROM RK ORDER BY ZJHM") == [("1", "张三㐂", None), ("2", "李四", 30)]
    told = lands.apply(batch([
        record("1", 5, Name="新"), record("2", 1, Name="旧"), record("3", 6, delete=True), record("2", 7, delete=True)]))
    assert fates(told) == ["a", "o", "a", "a"] and rows(database) == [("1", "新")]
    assert fates(lands.apply(batch([record("3", 4, Name="鬼"), record("2", 6, Name="鬼"), record("1", 4)]))) == ["o"] * 3
    assert rows(database) == [("1", "新")], "history raised a ghost"
    assert fates(lands.apply(batch([record("2", 1, epoch=2, Name="回")]))) == ["a"], "a greater epoch is newer"
    assert rows(database) == [("1", "新"), ("2", "回")] and lands.apply(batch([])) == []


@pytest.mark.parametrize("many", [3, 60])
def test_a_row_that_returns_under_another_key_leaves_its_old_place(
    database: Database, lands: Lander, many: int
) -> None:
    lands.apply(batch([record(f"{n:03}", n + 1, Name="甲") for n in range(many)]))
    told = lands.apply(batch([record(f"9{n:03}", 100 + n, f"r{n:03}", Name="乙") for n in range(many)]))
    assert fates(told) == ["a"] * many and rows(database) == [(f"9{n:03}", "乙") for n in range(many)]
    late = [record(f"8{n:03}", 50 + n, f"r{n:03}", Name="迟") for n in range(many)]
    assert fates(lands.apply(batch(late))) == ["o"] * many, "where it was in between is history"
    assert rows(database) == [(f"9{n:03}", "乙") for n in range(many)]


def test_a_parcel_that_comes_again_gets_the_answer_it_got(database: Database, lands: Lander) -> None:
    lands.apply(batch([record("2", 9, Name="新")]))
    came = batch([record("1", 1, Name="甲"), record("2", 2, Name="旧"), record("3", 3, Age="七")])
    first = lands.apply(came)
    assert fates(first) == ["a", "o", "r"] and (first[2].field, first[2].zh[:3]) == ("Age", "不是数")
    database.run("DELETE FROM RK")
    again = lander(database)
    assert again.apply(came) == first == lands.apply(came) and rows(database) == []
    assert fates(again.apply(batch(came.records, parcel=came.parcel, lane="another"))) == ["o", "o", "r"]
    again.close()


def test_whoever_is_late_writes_nothing(database: Database, lands: Lander) -> None:
    came = batch([record("1", 1, Name="甲")], token=7)
    lands.apply(came)
    with pytest.raises(Unavailable):
        lands.apply(batch([record("1", 2, Name="迟")], token=6))
    assert rows(database) == [("1", "甲")]
    assert fates(lands.apply(batch(came.records, parcel=came.parcel, token=6))) == ["a"], "its answer it may have"
    assert fates(lands.apply(batch([record("1", 3, Name="他")], token=6, lane="another"))) == ["a"]
    assert fates(lands.apply(batch([record("1", 4, Name="后")], token=7))) == ["a"] and rows(database) == [("1", "后")]


def model(held: dict[str, str], state: Warehouse, came: Batch) -> list[str]:
    """Apply a batch to what should stand; return the fates."""
    told = []
    for number, one in enumerate(came.records):
        key = f"{one.origin}/{one.key[0]}"
        before = dict(state.wins)
        state.wins.clear()
        said = state.apply(
            number, key.encode(), f"{one.origin}/{one.row}".encode(), Version(*one.version),
            Operation.DELETE if one.delete else Operation.UPSERT)
        for where, by in state.wins.items():
            if by is None or one.delete:
                held.pop(where.decode(), None)
            else:
                held[where.decode()] = str(one.fields["Name"])
        state.wins = before
        told.append("a" if said is Outcome.APPLIED else "o")
    return told


@pytest.mark.parametrize("seed", seeds(2, 6))
def test_whatever_comes_in_whatever_order_ends_as_in_the_warehouse(
    database: Database, lands: Lander, seed: int
) -> None:
    dice = Random(seed)
    what = {**WHAT, "key": ["ZJHM", "XM2"], "table": "RK2", "extra": {"XM2": "origin"}}
    database.run("CREATE TABLE RK2 (ZJHM VARCHAR(18) NOT NULL, XM2 VARCHAR(9) NOT NULL, XM VARCHAR(20), NL INTEGER,"
                 " PRIMARY KEY (ZJHM, XM2))")
    held: dict[str, str] = {}
    state = Warehouse()
    numbers = list(range(1, 400))
    dice.shuffle(numbers)
    for _ in range(8):
        came = batch([
            record(f"{dice.randrange(12)}", numbers.pop(), f"r{dice.randrange(12)}", origin=dice.choice("AB"),
                   delete=dice.random() < 0.2, Name=f"{dice.random()}"[:9])
            for _ in range(dice.choice([1, 5, 40]))], what)
        assert fates(lands.apply(came)) == model(held, state, came), f"seed {seed}"
        stands = rows(database, "SELECT XM2, ZJHM, XM FROM RK2")
        assert {f"{origin}/{key}": name for origin, key, name in stands} == held, f"seed {seed}"


def test_one_key_of_two_origins_is_whose_that_wrote_last(database: Database, lands: Lander) -> None:
    lands.apply(batch([record("1", 1, Name="甲")]))
    lands.apply(batch([record("1", 1, origin="B", Name="乙")]))
    assert rows(database) == [("1", "乙")]
    assert fates(lands.apply(batch([record("1", 2, delete=True)]))) == ["a"] and rows(database) == [("1", "乙")]
    assert fates(lands.apply(batch([record("1", 2, origin="B", delete=True)]))) == ["a"] and rows(database) == []


REFUSING: dict[str, list[str]] = {
    "sqlite": [
        f"CREATE TRIGGER no_{when} BEFORE {when} ON RZ WHEN NEW.XM = 'trigger' BEGIN SELECT RAISE(ABORT, 'no'); END"
        for when in ("INSERT", "UPDATE")],
    "postgresql": [
        "CREATE FUNCTION no() RETURNS trigger AS $$ BEGIN IF NEW.XM = 'trigger' THEN RAISE 'no %', NEW.XM; END IF;"
        " RETURN NEW; END $$ LANGUAGE plpgsql",
        "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON RZ FOR EACH ROW EXECUTE FUNCTION no()"],
    "mariadb": [
        f"CREATE TRIGGER no_{when} BEFORE {when} ON RZ FOR EACH ROW IF NEW.XM = 'trigger' THEN SIGNAL SQLSTATE '45000'"
        " SET MESSAGE_TEXT = 'no'; END IF" for when in ("INSERT", "UPDATE")],
    "firebird": [
        "CREATE EXCEPTION NOPE 'no'",
        "CREATE TRIGGER NO_RZ FOR RZ BEFORE INSERT OR UPDATE AS BEGIN"
        " IF (NEW.XM = 'trigger') THEN EXCEPTION NOPE; END"],
}


@pytest.fixture
def refusing(database: Database, lands: Lander) -> dict[str, Any]:
    """Give a table that refuses much: what is landed there."""
    database.run(
        "CREATE TABLE QH (DM VARCHAR(6) NOT NULL PRIMARY KEY)", "INSERT INTO QH VALUES ('110101')",
        "CREATE TABLE RZ (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20) NOT NULL, DH VARCHAR(20) UNIQUE,"
        " NL INTEGER CHECK (NL >= 0), QH VARCHAR(6), FOREIGN KEY (QH) REFERENCES QH (DM))",
        *REFUSING[database.server.kind])
    return {"table": "RZ", "columns": {"ZJHM": "IdNumber", "XM": "Name", "DH": "Phone", "NL": "Age", "QH": "Region"}}


BAD: list[dict[str, Any]] = [
    {"Name": "trigger"}, {"Name": "甲", "Age": "-1"}, {"Name": "甲", "Region": "999999"},
    {"Name": "甲", "Phone": "taken"}, {}, {"Name": "甲" * 21}, {"Name": "甲", "Age": "99999999999999999999"},
    {"Name": "甲", "Age": "1.5"}, {"Name": ["甲"] * 9},
]


def test_what_the_target_refuses_is_that_records_fate_alone(
    database: Database, lands: Lander, refusing: dict[str, Any]
) -> None:
    lands.apply(batch([record("000", 1, Name="主", Phone="taken")], refusing))
    good = [record(f"{n:03}", 10 + n, Name="好", Region="110101") for n in range(1, 60)]
    bad = [record(f"9{n:02}", 200 + n, **fields) for n, fields in enumerate(BAD)]
    mixed: list[Incoming] = [*good, *bad]
    Random(1).shuffle(mixed)
    told = {one.leaf: one for one in lands.apply(batch(mixed, refusing))}
    assert {one.leaf for one in told.values() if one.fate is Fate.REFUSED} == {one.leaf for one in bad}
    for one in told.values():
        if one.fate is Fate.REFUSED:
            assert one.zh and one.en and "甲" not in one.zh and "taken" not in one.en and "999" not in one.en
    assert {one.field for one in told.values()} >= {"Name", "Age"}
    assert len(rows(database, "SELECT ZJHM FROM RZ")) == 60
    again = [record(one.key[0], 300 + n, Name="修", Age="7") for n, one in enumerate(bad)]
    assert fates(lands.apply(batch(again, refusing))) == ["a"] * len(bad), "what was refused is no version"


def test_a_refused_record_changes_nothing_of_what_came_before_it(
    database: Database, lands: Lander, refusing: dict[str, Any]
) -> None:
    lands.apply(batch([record("1", 1, Name="一"), record("2", 2, Name="二")], refusing))
    told = lands.apply(batch([
        record("3", 3, Name="旧"), record("3", 4, Name="trigger"),  # the last word is refused, so the first stands
        record("9", 5, "r1", Name="trigger"),  # and a row that cannot move stays where it is
        record("2", 6, Name="后")], refusing))
    assert fates(told) == ["a", "r", "r", "a"]
    assert rows(database, "SELECT ZJHM, XM FROM RZ ORDER BY ZJHM") == [("1", "一"), ("2", "后"), ("3", "旧")]
    assert fates(lands.apply(batch([record("1", 7, delete=True)], refusing))) == ["a"]
    assert rows(database, "SELECT ZJHM FROM RZ ORDER BY ZJHM") == [("2",), ("3",)]


def test_what_another_row_needs_cannot_be_deleted(database: Database, lands: Lander, refusing: dict[str, Any]) -> None:
    what = {"table": "QH", "columns": {"DM": "IdNumber"}}
    lands.apply(batch([record("110101", 1), record("110102", 2)], what))
    lands.apply(batch([record("1", 1, Name="甲", Region="110101")], refusing))
    told = lands.apply(batch([record("110101", 3, delete=True), record("110102", 4, delete=True)], what))
    assert fates(told) == ["r", "a"] and rows(database, "SELECT DM FROM QH") == [("110101",)]


def test_a_deleted_row_can_be_marked_instead(database: Database, lands: Lander) -> None:
    database.run("CREATE TABLE RM (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20), SFYX CHAR(1) NOT NULL)")
    mark = {"column": "SFYX", "value": "0", "live": "1"}
    what = {"table": "RM", "columns": {"ZJHM": "IdNumber", "XM": "Name"}, "delete": "mark", "mark": mark}
    lands.apply(batch([record("1", 1, Name="甲"), record("2", 2, Name="乙")], what))
    lands.apply(batch([record("1", 3, delete=True), record("3", 4, "r2", Name="搬")], what))
    ask = "SELECT ZJHM, XM, SFYX FROM RM ORDER BY ZJHM"
    assert rows(database, ask) == [("1", "甲", "0"), ("2", "乙", "0"), ("3", "搬", "1")]
    lands.apply(batch([record("1", 5, Name="回")], what))
    assert rows(database, ask)[0] == ("1", "回", "1")
    with pytest.raises(Misconfigured, match="live"):
        lands.apply(batch([record("1", 6)], {**what, "mark": {"column": "SFYX", "value": "0"}}))


def test_columns_of_the_names_of_fields_are_filled_and_emptied(database: Database, lands: Lander) -> None:
    database.run("CREATE TABLE RN (IDNUMBER VARCHAR(18) NOT NULL PRIMARY KEY, NAME VARCHAR(20),"
                 " ADDRESS_CITY VARCHAR(20), MEMBERS VARCHAR(100), OWN VARCHAR(9))")
    what = {"table": "RN"}
    lands.apply(batch([record("1", 1, Name="甲")], what))
    database.run("UPDATE RN SET OWN = 'x'")
    lands.apply(batch([record("1", 2, Name="乙", Address={"City": "京"}, Members=[{"A": "1"}, {"A": "2"}])], what))
    ask = "SELECT IDNUMBER, NAME, ADDRESS_CITY, MEMBERS, OWN FROM RN"
    assert rows(database, ask) == [("1", "乙", "京", '[{"A":"1"},{"A":"2"}]', "x")]
    fresh = lander(database)  # that has not seen the fields
    fresh.apply(batch([record("1", 3, Name="丙")], what))
    fresh.close()
    assert rows(database, ask) == [("1", "丙", None, None, "x")], "what a record has no more is emptied"
    found = list(lands.survey({**what, "fields": ["IdNumber", "Name", "Address.Street"]}))
    assert any("Address.Street" in one.zh and one.level == "warning" for one in found)


def test_origin_version_and_time_can_be_kept_beside_the_fields(database: Database, lands: Lander) -> None:
    when = "DATETIME" if database.server.kind in ("sqlite", "mariadb") else "TIMESTAMP"
    database.run(f"CREATE TABLE RE (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, GXSJ {when}, GXRQ DATE, LYJD VARCHAR(20),"
                 " BBH VARCHAR(40), XH BIGINT, SJB VARCHAR(40), JLH VARCHAR(50))")
    what = {"table": "RE", "columns": {"ZJHM": "IdNumber"}, "extra": {
        "GXSJ": "now", "GXRQ": "now", "LYJD": "origin", "BBH": "version", "XH": "n", "SJB": "parcel", "JLH": "row"}}
    came = batch([record("1", 7, origin="B", epoch=3)], what)
    lands.apply(came)
    ((now, day, *said),) = rows(database, "SELECT GXSJ, GXRQ, LYJD, BBH, XH, SJB, JLH FROM RE")
    assert said == ["B", "3.7", 7, came.parcel, "r1"] and str(now)[:10] == str(day)


def test_the_ledger_tells_nobody_who_they_are_and_forgets_old_parcels(
    database: Database, lands: Lander, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "11010119900307" + "0134"
    lands.apply(batch([record(number, 1, "secret-row", Name="张三"), record("x", 2, number, Age=number)]))
    lands.apply(batch([record(number, 3, "secret-row", delete=True)]))
    for table in ("ledger", "lanes", "parcels", "versions", "strays"):
        said = repr(rows(database, f"SELECT * FROM exn_{table}"))
        assert number not in said and "secret" not in said and "张" not in said
    ((hidden,),) = rows(database, "SELECT hidden FROM exn_versions WHERE gone = 1")
    assert hidden is None, "it goes with the row"
    monkeypatch.setattr(ledger, "KEEP", 7)
    monkeypatch.setattr(ledger, "_PURGE", 5)
    for n in range(30):
        lands.apply(batch([record("y", 100 + n)], parcel=f"q{n}"))
    kept = {one for one, in rows(database, "SELECT parcel FROM exn_parcels")}
    assert 7 <= len(kept) <= 12 and "q29" in kept and "q0" not in kept and ledger.KEEP == 7


def test_a_key_that_is_not_the_business_key_is_told(database: Database, lands: Lander) -> None:
    for what, says in (
        ({**WHAT, "key": ["XM"]}, "key"), ({**WHAT, "key": ["NONE"]}, "NONE"), ({**WHAT, "table": "NO"}, "NO"),
        ({**WHAT, "columns": {"XM": "Name"}}, "ZJHM"), ({**WHAT, "columns": {"NOPE": "Name"}}, "NOPE"),
        ({**WHAT, "extra": {"XM": "now"}}, "XM"),
    ):
        with pytest.raises(Misconfigured) as met:
            lands.apply(batch([record("1", 1, Name="甲")], what))
        assert says.lower() in met.value.zh.lower() and says.lower() in met.value.en.lower()
    assert rows(database) == []


def test_a_parcel_of_refusals_alone_is_remembered_too(database: Database, lands: Lander) -> None:
    came = batch([record(f"{n}", n + 1, Name="长" * 30, Age="x") for n in range(1000)])
    told = lands.apply(came)
    assert fates(told) == ["r"] * 1000 and lands.apply(came) == told and rows(database) == []


def test_a_ledger_that_lost_its_salt_or_is_of_another_form_is_told(database: Database, lands: Lander) -> None:
    lands.apply(batch([record("1", 1, Name="甲")]))
    for change in ("UPDATE exn_ledger SET form = 9", "DELETE FROM exn_ledger"):
        database.run(change)
        fresh = lander(database)
        with pytest.raises(Misconfigured) as met:
            fresh.apply(batch([record("1", 1, Name="旧")]))
        assert "台账" in met.value.zh and "ledger" in met.value.en
        fresh.close()
    assert rows(database) == [("1", "甲")]


def test_survey_tells_what_will_be_done_and_changes_nothing(database: Database, lands: Lander) -> None:
    before = [one.zh for one in lands.survey(WHAT)]
    assert any("CREATE TABLE exn_versions" in one for one in before) and any("ZJHM" in one.upper() for one in before)
    with database.engine.connect() as connection:
        assert not connection.dialect.has_table(connection, "exn_versions")
    lands.apply(batch([record("1", 1)]))
    after = list(lands.survey(WHAT))
    assert not any("CREATE" in one.zh or one.level == "fault" for one in after)
