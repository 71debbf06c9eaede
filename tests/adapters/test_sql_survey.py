"""What check and survey tell of a database: version, charset, clock, rights, statements, plans, and what is amiss."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from adapters.contract import Finding
from adapters.sql_table import SqlTable
from tests.adapters.legacy import Legacy, stamp
from tests.adapters.servers import Database, Firebird, MariaDB, PostgreSQL

# The dialect of Firebird leaves cursors open by which it reads of a table.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def database(source: Database) -> Database:
    """Give every kind of database that can be read."""
    return source


def said(found: list[Finding], level: str) -> str:
    """Return all sentences of a level."""
    return "\n".join(f"{one.zh}\n{one.en}" for one in found if one.level == level)


def as_reader(database: Database, *grants: str) -> dict[str, Any]:
    """Make an account with these rights, and return the settings of an adapter that comes as it."""
    database.run(*grants)
    url = make_url(database.url).set(username="reader")
    return {"url": url.render_as_string(), "password": "r3ader-secret"}


def test_check_tells_version_charset_and_clock(database: Database) -> None:
    found = list(SqlTable(database.settings).check())
    assert "UTF" in said(found, "good").upper() and re.search("-?[01] s from ours", said(found, "good"))
    assert database.server.password not in str(found) or not database.server.password


def test_a_zone_that_is_not_the_sources_is_told(source: Database) -> None:
    found = said(list(SqlTable({**source.settings, "zone": "+00:00"}).check()), "warning")
    if source.server.kind != "sqlite":  # which has UTC alone
        apart = re.search("(28799|28800|28801) s", found)  # a second may pass between the two clocks
        assert "zone" in found if source.server.kind == "postgresql" else apart


def test_an_account_of_postgresql_that_may_write_is_told_what_to_revoke(postgresql: PostgreSQL) -> None:
    database = postgresql.fresh()
    assert "SUPERUSER" in said(list(SqlTable(database.settings).check()), "warning")
    settings = as_reader(
        database, 'CREATE TABLE "T_HUKOU" (id int)', "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'r3ader-secret'", 'GRANT SELECT, DELETE ON "T_HUKOU" TO reader')
    assert "DELETE ON T_HUKOU" in said(list(SqlTable(settings).check()), "warning")
    database.run('REVOKE DELETE ON "T_HUKOU" FROM reader')
    found = list(SqlTable(settings).check())
    assert not said(found, "warning") and "没有写的权限" in said(found, "good")
    database.run('DROP OWNED BY reader', "DROP ROLE reader")


def test_an_account_of_mariadb_that_may_write_is_told_what_to_revoke(mariadb: MariaDB) -> None:
    database = mariadb.fresh()
    assert "ALL PRIVILEGES" in said(list(SqlTable(database.settings).check()), "warning")
    settings = as_reader(
        database, "CREATE OR REPLACE USER reader IDENTIFIED BY 'r3ader-secret'",
        f"CREATE TABLE {database.name}.T (id int, x int)",
        f"GRANT SELECT, INSERT (id, x), UPDATE ON {database.name}.T TO reader")
    found = said(list(SqlTable(settings).check()), "warning")
    assert "INSERT ON" in found and "UPDATE ON" in found and "SELECT" not in found and "PASSWORD" not in found
    database.run(f"REVOKE INSERT (id, x), UPDATE ON {database.name}.T FROM reader")
    found_now = list(SqlTable(settings).check())
    assert not said(found_now, "warning") and "没有写的权限" in said(found_now, "good")
    database.run("DROP USER reader")


def test_an_account_of_firebird_that_may_write_is_told_what_to_revoke(firebird: Firebird) -> None:
    database = firebird.fresh()
    assert "SYSDBA" in said(list(SqlTable(database.settings).check()), "warning")
    settings = as_reader(
        database, "CREATE TABLE T (ID INTEGER)", "CREATE USER READER PASSWORD 'r3ader-secret' USING PLUGIN Srp",
        "GRANT SELECT, UPDATE ON T TO READER")
    assert "UPDATE ON T" in said(list(SqlTable(settings).check()), "warning")
    database.run("REVOKE UPDATE ON T FROM READER")
    found = list(SqlTable(settings).check())
    assert not said(found, "warning") and "没有写的权限" in said(found, "good")
    database.run("DROP USER READER USING PLUGIN Srp")


def test_survey_shows_statements_and_plans_without_a_value(legacy: Legacy) -> None:
    legacy.put((n, "秘密", stamp(n)) for n in range(200))
    what = {"table": "T_HUKOU", "cursor": "GXSJ", "page": 2}
    adapter = SqlTable(legacy.database.settings)
    found = list(adapter.survey(what))
    assert "SELECT" in said(found, "good") and "plan" in said(found, "good") and "T_HUKOU" in said(found, "good")
    assert "秘密" not in str(found) and stamp()[:10] not in str(found) and stamp()[:4] not in said(found, "good")
    assert "没有索引" in said(found, "warning") and "may be NULL" in said(found, "warning")
    legacy.database.run(f"CREATE INDEX IX ON {legacy.named('T_HUKOU')} ({legacy.named('GXSJ')}, {legacy.named('ID')})")
    if legacy.database.server.kind == "postgresql":
        legacy.database.run("ANALYZE")
    found = list(adapter.survey(what))
    assert "GXSJ有索引" in said(found, "good") and "唯一" in said(found, "good")
    plans = [one.en for one in found if "the plan of" in one.en]
    assert len(plans) == 2 and any("IX" in one.upper() for one in plans), plans


def test_a_key_that_is_not_unique_is_told(legacy: Legacy) -> None:
    found = list(SqlTable(legacy.database.settings).survey({"table": "T_HUKOU", "key": ["XM"]}))
    assert "XM" in said(found, "warning") and "cursor" in said(found, "warning")
    legacy.make("T_U", "BH VARCHAR(20) NOT NULL UNIQUE", "XM VARCHAR(20)")
    found = list(SqlTable(legacy.database.settings).survey({"table": "T_U", "key": ["BH"]}))
    assert "唯一" in said(found, "good") and "BH" not in said(found, "warning")


@pytest.fixture
def legacy(database: Database) -> Legacy:
    """Give an old database of each kind in turn."""
    return Legacy(database)
