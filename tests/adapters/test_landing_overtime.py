"""A row that takes for ever, or whose right is refused, is refused alone; a slow target, or a lock, is waited for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from adapters.contract import Batch, Incoming, Misconfigured, Result, Unavailable
from adapters.landing import Lander
from tests.adapters.landings import TABLE, batch, fates, lander, record, rows
from tests.adapters.servers import Database, MariaDB, PostgreSQL, Server

SLEEPS = {
    "postgresql": (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.xm LIKE '慢%' THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$",
        "CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON rk FOR EACH ROW EXECUTE FUNCTION slow()"),
    "mariadb": (
        "CREATE TRIGGER slow BEFORE INSERT ON RK FOR EACH ROW IF NEW.XM LIKE '慢%' THEN DO SLEEP(60); END IF",),
}
SECONDS = 2


@pytest.fixture(params=["postgresql", "mariadb"])
def slow(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a table whose trigger never ends for some rows, in the databases that bound a statement."""
    server: Server = request.getfixturevalue(request.param)
    database = server.fresh()
    database.run(TABLE, *SLEEPS[request.param])
    yield database
    server.drop(database)


@pytest.fixture
def lands(slow: Database) -> Iterator[Lander]:
    """Give what lands in it, with little patience."""
    made = lander(slow, seconds=SECONDS)
    yield made
    made.close()


def people(count: int, bad: Sequence[int] = (), name: str = "慢") -> list[Incoming]:
    """Return so many records, some of them of a name that the table does not bear."""
    return [record(f"{n:02}", n + 1, Name=name if n in bad else "快") for n in range(count)]


def refusals(results: Sequence[Result]) -> dict[int, str]:
    """Return why records were refused, by their leaves."""
    return {one.leaf: one.en for one in results if one.fate.value == "refused"}


def out_of_time(lands: Lander, asked: Batch, times: int = 2) -> None:
    """Land a batch that runs out of time, as often as it is waited for."""
    for _ in range(times):
        with pytest.raises(Unavailable):
            lands.apply(asked)


def test_a_row_that_never_ends_is_refused_alone_after_a_few_tries(slow: Database, lands: Lander) -> None:
    asked = batch(people(30, [7, 21]))
    out_of_time(lands, asked)
    assert rows(slow) == [], "nothing of it was landed"
    found = lands.apply(asked)
    assert fates(found) == ["r" if n in (7, 21) else "a" for n in range(30)]
    assert all("even alone" in said for said in refusals(found).values()) and len(rows(slow)) == 28
    assert lands.apply(asked) == found, "asked again, the answer is the same"
    assert fates(lands.apply(batch([record("50", 99, Name="快")]))) == ["a"], "and what comes next has its time again"


def test_where_no_row_is_written_a_person_must_look(slow: Database, lands: Lander) -> None:
    asked = batch(people(1, [0]))
    out_of_time(lands, asked)
    with pytest.raises(Misconfigured, match="even one by one"):
        lands.apply(asked)
    slow.run("DROP TRIGGER slow ON rk" if slow.server.kind == "postgresql" else "DROP TRIGGER slow")
    assert fates(lands.apply(asked)) == ["a"] and rows(slow) == [("00", "慢")]


def test_a_row_that_is_locked_is_not_taken_for_one_that_is_slow(slow: Database, lands: Lander) -> None:
    assert fates(lands.apply(batch([record("03", 1, Name="旧")]))) == ["a"]
    asked = batch([record(f"{n:02}", n + 2, Name="慢" if n == 7 else "新") for n in range(10)])
    out_of_time(lands, asked)
    with slow.engine.connect().execution_options(isolation_level="READ COMMITTED") as other:
        other.exec_driver_sql("UPDATE RK SET NL = 1 WHERE ZJHM = '03'")
        with pytest.raises(Unavailable, match="55P03|1205"):
            lands.apply(asked)
        other.rollback()
    found = lands.apply(asked)
    assert fates(found) == ["r" if n == 7 else "a" for n in range(10)] and ("03", "新") in rows(slow)


def test_a_target_that_is_slow_as_a_whole_is_written_in_smaller_pieces(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(TABLE, SLEEPS["postgresql"][0].replace("pg_sleep(60)", "pg_sleep(0.15)"), SLEEPS["postgresql"][1])
    lands = lander(database, seconds=SECONDS)
    asked = batch(people(24, range(24)))
    out_of_time(lands, asked)
    assert fates(lands.apply(asked)) == ["a"] * 24
    lands.close()
    postgresql.drop(database)


# --- rights -----------------------------------------------------------------------------------------------------------


def test_a_trigger_that_refuses_a_right_for_one_row_refuses_that_row(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(
        TABLE, "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.xm = '禁' THEN RAISE "
        "insufficient_privilege; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON rk FOR EACH ROW EXECUTE FUNCTION no()")
    lands = lander(database)
    found = lands.apply(batch(people(30, [0, 29], "禁")))
    assert fates(found) == ["r", *"a" * 28, "r"] and "42501" in refusals(found)[1] and len(rows(database)) == 28
    with pytest.raises(Misconfigured, match="42501"):
        lands.apply(batch([record("90", 90, Name="禁")]))  # nothing shows that it is the row's fault
    lands.close()
    postgresql.drop(database)


def test_row_security_refuses_the_rows_that_its_policy_does_not_let_in(postgresql: PostgreSQL) -> None:
    database, user = postgresql.fresh(), f"rows_{os.getpid()}"
    database.run(
        TABLE, f"CREATE ROLE {user} LOGIN PASSWORD 'secret'", f"GRANT ALL ON SCHEMA public TO {user}",
        f"GRANT ALL ON rk TO {user}", "ALTER TABLE rk ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY own ON rk USING (true) WITH CHECK (xm <> '禁')")
    url = make_url(database.url).set(username=user).render_as_string(hide_password=False)
    lands = Lander(url, "secret", 5, "+08:00")
    found = lands.apply(batch(people(30, [4], "禁")))
    assert [n for n, fate in enumerate(fates(found)) if fate == "r"] == [4] and "row security" in refusals(found)[5]
    database.run(f"REVOKE INSERT ON rk FROM {user}")
    with pytest.raises(Misconfigured, match="42501"):
        lands.apply(batch([record(f"{n}", n, Name="快") for n in range(40, 60)]))
    lands.close()
    postgresql.drop(database)
    postgresql.run(f"DROP ROLE {user}")


def test_a_right_that_a_trigger_of_mariadb_lacks_for_one_row_refuses_that_row(mariadb: MariaDB) -> None:
    database, user = mariadb.fresh(), f"rows_{os.getpid()}"
    database.run(
        TABLE, "CREATE TABLE hidden (xm VARCHAR(20))", f"CREATE USER {user} IDENTIFIED BY 'secret'",
        f"GRANT SELECT, INSERT, TRIGGER ON {database.name}.RK TO {user}",
        f"CREATE DEFINER = {user} TRIGGER no BEFORE INSERT ON RK FOR EACH ROW "
        "IF NEW.XM = '禁' THEN INSERT INTO hidden VALUES (NEW.XM); END IF")
    lands: Any = lander(database)
    found = lands.apply(batch(people(30, [4], "禁")))
    assert [n for n, fate in enumerate(fates(found)) if fate == "r"] == [4] and "1142" in refusals(found)[5]
    lands.close()
    mariadb.drop(database)
    mariadb.run(f"DROP USER {user}")


def test_the_least_time_of_all_finds_the_row_as_well(slow: Database) -> None:
    lands = lander(slow, seconds=1)
    asked = batch(people(4, [2]))
    out_of_time(lands, asked)
    assert fates(lands.apply(asked)) == ["a", "a", "r", "a"]
    lands.close()
