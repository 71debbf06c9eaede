"""The statements of a read as databases that cannot be run here would get them, and a process that stays small.

That a statement compiles is no proof that its database runs it; EXN_TEST_URL_NAME runs the whole suite against one.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from adapters import sql
from adapters.contract import Misconfigured, Unavailable
from adapters.sql import dialects
from adapters.sql.pages import Pages
from adapters.sql.refusals import code_of, meant
from tests.adapters.legacy import Legacy
from tests.adapters.servers import elsewhere

URLS = {
    "postgresql": "postgresql+psycopg://h/d", "mysql": "mysql+pymysql://h/d", "sqlite": "sqlite://",
    "firebird": "firebird+firebird://h/d", "dm": "dm+dmPython://h/d", "opengauss": "opengauss+psycopg2://h/d",
    "kingbase": "kingbase+ksycopg2://h/d", "oracle": "oracle+oracledb://h/d", "mssql": "mssql+pymssql://h/d",
}
LIMITS = {
    "postgresql": "LIMIT ", "mysql": "LIMIT ", "sqlite": "LIMIT ", "firebird": "ROWS 1 TO ", "dm": "FETCH FIRST|LIMIT",
    "opengauss": "LIMIT ", "kingbase": "LIMIT ", "oracle": "FETCH FIRST|ROWNUM", "mssql": "TOP ",
}


def compiled(name: str, query: str) -> Any:
    """Return a statement as a database gets it, and the values of its places in order."""
    dialect = make_url(URLS[name]).get_dialect()()
    pages = Pages.__new__(Pages)
    pages.table = sql.source("T_HUKOU", None, ["ID", "XM", "GXSJ"])
    pages.cursor, pages.key, pages.order = "GXSJ", ["ID"], ["GXSJ", "ID"]
    pages._where, pages._most = "XM <> '：' AND XM LIKE '%:x'", 2000
    pages._by_rows = dialects.family(make_url(URLS[name])) == "postgresql"
    place = (datetime(2019, 2, 28, 9, 30), 7)
    asked = {
        "first": lambda: pages.query(pages.order, ["ID", "XM", "GXSJ"]),
        "further": lambda: pages.query(pages.order, ["ID", "XM", "GXSJ"], place),
        "between": lambda: pages.query(pages.order, ["ID", "XM", "GXSJ"], place, place),
        "newest": lambda: pages.newest(1, place[0]),
    }[query]()
    found = asked.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return " ".join(str(found).split()), found.params


@pytest.mark.parametrize("name", URLS)
def test_a_page_is_limited_ordered_and_without_nulls(name: str) -> None:
    said, given = compiled(name, "first")
    quote = "`" if name == "mysql" else "[" if name == "mssql" else '"'
    assert f"{quote}GXSJ" in said and f"FROM {quote}T_HUKOU" in said and "IS NOT NULL" in said and "ORDER BY" in said
    assert any(one in said for one in LIMITS[name].split("|")), said
    assert 2000 in given.values() or "2000" in said


@pytest.mark.parametrize("name", URLS)
def test_a_place_is_compared_without_a_type_of_ours(name: str) -> None:
    said, given = compiled(name, "further")
    assert datetime(2019, 2, 28, 9, 30) in given.values() and 7 in given.values()
    assert "CAST" not in said.partition("ROWS 1")[0] and "::TIMESTAMP" not in said and "::VARCHAR" not in said
    if dialects.family(make_url(URLS[name])) == "postgresql":
        assert '("T_HUKOU"."GXSJ", "T_HUKOU"."ID") > (' in said
    else:
        assert " OR " in said and " >= " in said


@pytest.mark.parametrize("name", URLS)
def test_a_stretch_and_the_newest_place_can_be_asked_for(name: str) -> None:
    said, _ = compiled(name, "between")
    assert "<=" in said
    said, _ = compiled(name, "newest")
    assert said.count("DESC") == 2 and "<" in said


@pytest.mark.parametrize("name", URLS)
def test_the_colon_and_percent_of_a_condition_are_kept(name: str) -> None:
    said, _ = compiled(name, "first")
    assert ":x'" in said and ("%%:x" in said or "LIKE '%:x" in said)


class Error(Exception):
    """A driver's error; its class's name is all that the tests below need."""


class OperationalError(Error):
    """One that may pass."""


class ProgrammingError(Error):
    """One that does not."""


class Coded:
    """What oracledb and dmPython put into an error."""

    def __init__(self, code: int, full_code: str | None = None) -> None:
        self.code, self.full_code = code, full_code


@pytest.mark.parametrize(("name", "error", "code", "lasting"), [
    ("oracle", OperationalError(Coded(1017, "ORA-01017")), "1017", True),
    ("oracle", OperationalError(Coded(12541, "ORA-12541")), "12541", False),
    ("dm", ProgrammingError(Coded(-2106)), "-2106", True), ("dm", OperationalError(Coded(-6001)), "-6001", False),
    ("mssql", OperationalError(18456, b"Login failed for user 'x'"), "18456", True),
    ("mssql", OperationalError(20009, b"Unable to connect"), "20009", False),
    ("mysql", OperationalError(1045, "Access denied for 'x'@'10.0.0.1'"), "1045", True),
    ("mysql", OperationalError(2013, "Lost connection"), "2013", False),
    ("postgresql", OperationalError('FATAL: password authentication failed for user "x"'), "OperationalError", True),
    ("postgresql", OperationalError('致命错误: 用户 "x" Password 认证失败'), "OperationalError", True),
    ("postgresql", OperationalError("connection refused"), "OperationalError", False),
    ("postgresql", OperationalError("FATAL: the database system is starting up"), "OperationalError", False),
    ("elsewhere", ProgrammingError("'张三' is no number"), "ProgrammingError", True),
    ("elsewhere", OperationalError("张三"), "OperationalError", False),
])
def test_an_error_is_told_by_its_code_alone(name: str, error: Exception, code: str, lasting: bool) -> None:
    assert code_of(error) == code
    found = meant(error, name)
    assert isinstance(found, Misconfigured if lasting else Unavailable)
    assert found.en.endswith(f"({code})") and "张三" not in found.zh and "10.0.0.1" not in found.en


def test_a_driver_that_is_not_installed_is_told_by_name() -> None:
    with pytest.raises(Misconfigured, match="gbase8s"):
        sql.connect("gbase8s+gbase8sdb://h/d", None, 60)


def test_an_opted_in_database_is_used_and_left_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE T_THEIRS (ID INTEGER)")
    url = f"sqlite:///{tmp_path}/theirs.db"
    assert list(elsewhere.named({"EXN_TEST_URL_SITE": url, "HOME": "/"})) == ["SITE"]
    server = elsewhere.Elsewhere(url)
    database = server.fresh()
    Legacy(database).put([(1, "x", "2019-02-28 09:30:00")])
    server.drop(database)
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("T_THEIRS",)]
