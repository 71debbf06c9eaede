"""A target that is away, locked, full, altered or shut against us: nothing is lost, nothing twice, all is told."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from adapters.contract import Batch, Misconfigured, Result, Unavailable
from adapters.landing import Lander
from tests.adapters.landings import TABLE, WHAT, batch, fates, lander, record, rows
from tests.adapters.servers import Database, MariaDB, PostgreSQL, Server, SQLite


@pytest.fixture
def lands(database: Database) -> Iterator[Lander]:
    """Give what lands in a table of persons, on every database in turn; it waits a second for a lock."""
    database.run(TABLE)
    made = lander(database, seconds=1)
    yield made
    made.close()


def ten(first: int, name: str, **said: Any) -> Batch:
    """Return a batch of thirty persons."""
    return batch([record(f"{n:02}", first + n, Name=name) for n in range(30)], **said)


def as_other(database: Database, user: str, password: str) -> Lander:
    """Return what lands there as another account."""
    url = make_url(database.url).set(username=user).render_as_string(hide_password=False)
    return Lander(url, password, 5, "+08:00")


def engine_of(lands: Lander) -> Engine:
    """Return the engine of what has landed something."""
    (found,) = lands._engines.values()
    return found


def test_a_target_that_restarts_is_written_again(each: Server) -> None:
    if isinstance(each, SQLite):
        pytest.skip("a file does not restart")
    database = each.fresh()
    database.run(TABLE)
    lands = lander(database)
    lands.apply(ten(1, "甲"))
    each.stop()
    again = ten(101, "乙")
    for _ in range(2):
        with pytest.raises(Unavailable) as met:
            lands.apply(again)
        assert met.value.zh and database.name not in met.value.en
    each.start()
    assert fates(lands.apply(again)) == ["a"] * 30 and rows(database)[0] == ("00", "乙")
    lands.close()
    each.drop(database)


@pytest.mark.parametrize("at", [2, 4, 6, 8, 10, 11])
def test_a_connection_that_is_cut_in_the_middle_lands_once(postgresql: PostgreSQL, at: int) -> None:
    database = postgresql.fresh()
    database.run(TABLE)
    lands = lander(database)
    lands.apply(ten(1, "甲"))
    seen = [0]

    def cut(connection: Connection, *said: object) -> None:
        seen[0] += 1
        if seen[0] == at:
            postgresql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           f" WHERE datname = '{database.name}' AND pid <> pg_backend_pid()")

    event.listen(engine_of(lands), "before_cursor_execute", cut)
    again = ten(101, "乙")
    with pytest.raises(Unavailable):
        lands.apply(again)
    assert rows(database)[0] == ("00", "甲") and seen[0] >= at
    assert fates(lands.apply(again)) == ["a"] * 30 == fates(lands.apply(again)) and rows(database)[0] == ("00", "乙")
    lands.close()
    postgresql.drop(database)


def test_a_commit_whose_answer_is_lost_is_known_the_next_time(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(TABLE)
    lands = lander(database)
    lands.apply(ten(1, "甲"))

    def cut(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.commit()
        raw.close()

    event.listen(engine_of(lands), "commit", cut, once=True)
    came = batch([record("00", 101, Name="乙"), record("01", 1, Name="旧")])
    with pytest.raises(Unavailable):
        lands.apply(came)
    assert fates(lands.apply(came)) == ["a", "o"], "the answer is that of the first time"
    lands.close()
    postgresql.drop(database)


def test_a_lock_of_another_is_waited_for_and_then_left(database: Database, lands: Lander) -> None:
    lands.apply(ten(1, "甲"))
    engine = create_engine(make_url(database.url).set(password=database.password or None), poolclass=NullPool)
    with engine.connect() as other:
        if database.server.kind == "sqlite":
            other.exec_driver_sql("BEGIN IMMEDIATE")
        other.exec_driver_sql("UPDATE RK SET XM = 'x' WHERE ZJHM = '07'")
        with pytest.raises(Unavailable):
            lands.apply(came := ten(101, "乙"))
        other.rollback()
    assert rows(database)[0] == ("00", "甲"), "what was written before the lock is undone"
    assert fates(lands.apply(came)) == ["a"] * 30
    engine.dispose()


def test_a_deadlock_is_no_refusal(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(TABLE)
    lands = lander(database, seconds=30)
    lands.apply(ten(1, "甲"))
    engine = create_engine(make_url(database.url).set(password=database.password), poolclass=NullPool)
    with engine.connect() as other:
        other.exec_driver_sql("SET deadlock_timeout = '60s'")
        other.exec_driver_sql("UPDATE RK SET XM = 'x' WHERE ZJHM = '07'")

        def wait() -> None:
            other.exec_driver_sql("UPDATE exn_lanes SET token = token")

        def waits_for(connection: Connection, cursor: object, statement: str, *said: object) -> None:
            if statement.startswith("INSERT INTO rk"):
                thread.start()

        thread = threading.Thread(target=wait)
        event.listen(engine_of(lands), "before_cursor_execute", waits_for)
        with pytest.raises(Unavailable) as met:
            lands.apply(came := ten(101, "乙"))
        assert "40P01" in met.value.en
        thread.join(30)
        other.rollback()
    event.remove(engine_of(lands), "before_cursor_execute", waits_for)
    assert fates(lands.apply(came)) == ["a"] * 30
    lands.close()
    engine.dispose()
    postgresql.drop(database)


def test_a_full_disk_refuses_nobody(sqlite: SQLite) -> None:
    database = sqlite.fresh()
    database.run(TABLE)
    lands = lander(database)
    lands.apply(ten(1, "甲"))
    with engine_of(lands).connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    came = batch([record(f"{n}", 101 + n, Name="乙" * 20) for n in range(3000)])
    for _ in range(2):
        with pytest.raises(Unavailable) as met:
            lands.apply(came)
        assert "SQLITE_FULL" in met.value.en
    assert rows(database)[0] == ("00", "甲") and len(rows(database)) == 30
    with engine_of(lands).connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert set(fates(lands.apply(came))) == {"a"}
    lands.close()


@pytest.fixture
def small(postgresql: PostgreSQL) -> Iterator[Database]:
    """Give a database on a file system of 24 MiB."""
    folder = Path(f"{postgresql.folder}-small")
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "exnode-test", folder], capture_output=True)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("this account may not mount a file system")
    database = postgresql.fresh()
    try:
        if postgresql.user is not None:
            os.chown(folder, postgresql.user.pw_uid, postgresql.user.pw_gid)
        postgresql.run(f"CREATE TABLESPACE small LOCATION '{folder}'",
                       f"ALTER DATABASE {database.name} SET TABLESPACE small")
        yield database
    finally:
        postgresql.drop(database)
        postgresql.run("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.rmtree(folder)


def test_a_server_without_room_refuses_nobody(small: Database) -> None:
    small.run(TABLE.replace("XM VARCHAR(20)", "XM TEXT"), "CREATE TABLE RUBBISH (X TEXT)")
    lands = lander(small)
    lands.apply(ten(1, "甲"))
    pad = Random(1).randbytes(20_000).hex()
    came = batch([record(f"{n}", 101 + n, Name=pad[n:] + pad[:n]) for n in range(1000)])
    with pytest.raises(Unavailable) as met:
        lands.apply(came)
    assert "53100" in met.value.en and len(rows(small)) == 30
    few = batch([record("00", 5000, Name="丙")])
    assert fates(lands.apply(few)) == ["a"] and rows(small)[0] == ("00", "丙")
    lands.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_password_that_was_changed_is_a_persons_to_mend(kind: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(kind)
    database = server.fresh()
    database.run(TABLE)
    if isinstance(server, PostgreSQL):
        database.run("CREATE ROLE writer LOGIN SUPERUSER PASSWORD 'first'")
    else:
        database.run("CREATE USER writer IDENTIFIED BY 'first'", f"GRANT ALL ON {database.name}.* TO writer")
    lands = as_other(database, "writer", "first")
    lands.apply(ten(1, "甲"))
    database.run("ALTER ROLE writer PASSWORD 'second'" if isinstance(server, PostgreSQL)
                 else "ALTER USER writer IDENTIFIED BY 'second'")
    engine_of(lands).dispose()
    with pytest.raises(Misconfigured) as met:
        lands.apply(ten(101, "乙"))
    assert "first" not in met.value.en and "writer" not in met.value.en
    lands.close()
    server.drop(database)
    server.run("DROP ROLE writer" if isinstance(server, PostgreSQL) else "DROP USER writer")


def test_a_ledger_that_we_may_not_make_is_asked_for_word_by_word(postgresql: PostgreSQL, mariadb: MariaDB) -> None:
    for server in (postgresql, mariadb):
        database = server.fresh()
        database.run(TABLE)
        if isinstance(server, PostgreSQL):
            database.run("REVOKE ALL ON SCHEMA public FROM PUBLIC", "CREATE ROLE low LOGIN PASSWORD 'low'",
                         "GRANT USAGE ON SCHEMA public TO low", "GRANT SELECT, INSERT, UPDATE ON RK TO low",
                         f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC")
        else:
            database.run(
                "CREATE USER low IDENTIFIED BY 'low'", f"GRANT SELECT, INSERT, UPDATE ON {database.name}.RK TO low")
        lands = as_other(database, "low", "low")
        with pytest.raises(Misconfigured) as met:
            lands.apply(ten(1, "甲"))
        assert "CREATE TABLE exn_" in met.value.zh and "CREATE TABLE exn_" in met.value.en
        found = list(lands.survey(WHAT))
        assert [one.level for one in found if "DELETE" in one.zh] == ["fault"]
        database.run(*(one.zh.rstrip(";") for one in found if one.zh.startswith("CREATE")))
        with pytest.raises(Misconfigured):
            lands.apply(ten(1, "甲"))
        within = "" if isinstance(server, PostgreSQL) else f"{database.name}."
        for table in ("ledger", "lanes", "parcels", "versions", "strays"):
            database.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {within}exn_{table} TO low")
        assert fates(lands.apply(ten(1, "甲"))) == ["a"] * 30
        with pytest.raises(Misconfigured) as met:
            lands.apply(batch([record("07", 200, delete=True)]))
        assert "42501" in met.value.en or "1142" in met.value.en
        lands.close()
        server.drop(database)
        server.run("DROP ROLE low" if isinstance(server, PostgreSQL) else "DROP USER low")


def test_a_database_that_may_only_be_read_now_is_waited_for(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    database.run(TABLE)
    lands = lander(database)
    lands.apply(ten(1, "甲"))
    database.run(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    engine_of(lands).dispose()
    with pytest.raises(Unavailable) as met:
        lands.apply(ten(101, "乙"))
    assert "25006" in met.value.en
    database.engine.dispose()
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        connection.exec_driver_sql(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
    engine_of(lands).dispose()
    assert fates(lands.apply(ten(201, "丙"))) == ["a"] * 30
    lands.close()
    postgresql.drop(database)


def test_an_altered_table_is_seen_as_soon_as_it_matters(database: Database, lands: Lander) -> None:
    kind = database.server.kind
    lands.apply(ten(1, "甲"))
    wide = batch([record("00", 101, Name="宽" * 30)])
    if kind != "sqlite":
        database.run({"postgresql": "ALTER TABLE RK ALTER XM TYPE VARCHAR(60)", "mariadb": "ALTER TABLE RK MODIFY XM"
                      " VARCHAR(60)", "firebird": "ALTER TABLE RK ALTER XM TYPE VARCHAR(60)"}[kind])
        assert fates(lands.apply(wide)) == ["a"], "it was refused by what the table had been"
    database.run("ALTER TABLE RK DROP " + ("" if kind == "firebird" else "COLUMN ") + "NL")
    with pytest.raises(Misconfigured) as met:
        lands.apply(ten(201, "乙"))
    assert "NL" in met.value.zh and "NL" in met.value.en
    what = {"table": "RK", "columns": {"ZJHM": "IdNumber", "XM": "Name"}}
    assert fates(lands.apply(batch([record(f"{n:02}", 301 + n, Name="丙") for n in range(30)], what))) == ["a"] * 30
    database.run("DROP TABLE RK")
    with pytest.raises(Misconfigured) as met:
        lands.apply(batch([record("00", 401, Name="丁")], what))
    assert "RK" in met.value.zh


def test_what_is_checked_at_the_end_is_checked_within_the_batch(postgresql: PostgreSQL, sqlite: SQLite) -> None:
    for server in (postgresql, sqlite):
        database = server.fresh()
        database.run("CREATE TABLE QH (DM VARCHAR(9) PRIMARY KEY)", "INSERT INTO QH VALUES ('1')",
                     "CREATE TABLE RK (ZJHM VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20) REFERENCES QH (DM)"
                     " DEFERRABLE INITIALLY DEFERRED, NL INTEGER)")
        lands = lander(database)
        came = batch([record(f"{n:02}", 1 + n, Name="2" if n == 7 else "1") for n in range(30)])
        if isinstance(server, PostgreSQL):
            assert fates(lands.apply(came)) == ["r" if n == 7 else "a" for n in range(30)]
        else:  # it can only be asked at the commit
            with pytest.raises(Misconfigured) as met:
                lands.apply(came)
            assert "FOREIGNKEY" in met.value.en and rows(database) == []
        lands.close()
        server.drop(database)


def test_two_processes_at_one_target_never_turn_it_back(database: Database, lands: Lander) -> None:
    newest: dict[str, tuple[int, str]] = {}
    came: list[list[Batch]] = [[], []]
    dice = Random(7)
    numbers = list(range(1, 1000))
    dice.shuffle(numbers)
    for lane in (0, 1):
        for _ in range(8):
            some = [record(f"{key}", numbers.pop(), Name=f"{dice.random()}"[:9])
                    for key in dice.sample(range(20), 10)]
            came[lane].append(batch(some, lane=f"lane{lane}"))
            for one in some:
                said = (one.version[1], str(one.fields["Name"]))
                newest[one.key[0]] = max(newest.get(one.key[0], (0, "")), said)

    def land(batches: list[Batch], told: list[list[Result]]) -> None:
        mine = lander(database, seconds=10)
        for one in batches:
            while True:
                try:
                    told.append(mine.apply(one))
                    break
                except Unavailable:
                    continue
        mine.close()

    told: list[list[Result]] = []
    threads = [threading.Thread(target=land, args=(each, told)) for each in came]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 16 and {key: name for key, name in rows(database)} == {
        key: name for key, (_, name) in newest.items()}
