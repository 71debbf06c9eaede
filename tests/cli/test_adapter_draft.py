"""`adapter discover --draft`: old tables in SQLite, drafted through the adapter's process, previewed by the draft."""

from __future__ import annotations

import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli import exits
from tests.cli.shell import Shell
from tests.validate.mapping.legacy_tables import ALL, Old


def quoted(name: str) -> str:
    """Return a name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def put(connection: sqlite3.Connection, old: Old) -> None:
    """Make an old table and fill it."""
    columns = [f"{quoted(name)} {kind}" for name, (kind, _) in old.columns.items()]
    keys = [f"PRIMARY KEY ({', '.join(map(quoted, old.key))})"] if old.key else []
    connection.execute(f"CREATE TABLE {quoted(old.name)} ({', '.join((*columns, *keys))})")
    for name in old.indexed:
        connection.execute(f"CREATE INDEX {quoted('I_' + name)} ON {quoted(old.name)} ({quoted(name)})")
    connection.executemany(
        f"INSERT INTO {quoted(old.name)} VALUES ({', '.join('?' * len(columns))})",
        [tuple(row.get(name) for name in old.columns) for row in old.rows])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Give a database with every old table, one with hostile names, and one that is empty."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        for make in ALL.values():
            put(connection, make())
        connection.execute('CREATE TABLE ODD ("XM""] \n[fields]\nOperation = 1" TEXT, "姓名" TEXT, "性别\'\'\'" TEXT)')
        connection.execute("INSERT INTO ODD VALUES ('a', '张三', '男')")
        connection.execute("CREATE TABLE NONE_YET (ID INTEGER PRIMARY KEY, XM TEXT, SFZH TEXT)")
        connection.execute("CREATE VIEW V_RK AS SELECT XM, SFZH, XB FROM T_RK_JBXX")
    connection.close()
    yield path
    path.unlink()  # it holds persons in clear, as old databases do


def drafted(shell: Shell, database: Path, table: str, specification: str) -> Any:
    """Draft a mapping of a table."""
    return shell.fine(
        "adapter", "discover", f"sqlite:///{database}", "--table", table, "--draft", specification, "--json").json


@pytest.mark.parametrize("name", sorted(set(ALL) - {"residents"}))  # SQLite keeps no comments, which tell its columns
def test_an_old_table_is_drafted_and_previewed_by_its_draft(name: str, database: Path, shell: Shell) -> None:
    old = ALL[name]()
    answer = drafted(shell, database, old.name, old.specification)
    found = {one["field"]: one for one in answer["fields"]}
    right = [path for path, column in old.truth.items() if column in found.get(path, {"columns": ()})["columns"]]
    assert len(right) >= 0.9 * len(old.truth) and answer["good"] >= 0.95 * answer["rows"] > 100
    assert all(found[path]["check"] for path in found if path not in right and found[path]["columns"])
    (database.parent / "draft.toml").write_text(answer["mapping"], encoding="utf-8")
    key = [] if old.key else ["--key", "CF_WSH"]
    told = shell("adapter", "preview", f"sqlite:///{database}", "--table", old.name, "--mapping",
                 database.parent / "draft.toml", "--count", "100", "--json", *key)
    assert told.json["problems"] <= 5 and len(told.json["rows"]) == 100


def test_a_draft_is_printed_as_toml_that_reads_chinese_first(database: Path, zh: Shell) -> None:
    url = f"sqlite:///{database}"
    told = zh.fine("adapter", "discover", url, "--table", "T_RK_JBXX", "--draft", "population-basic/1.0")
    assert tomllib.loads(told.out)["fields"]["PersonName"] == "XM" and told.out.startswith("# 来源表T_RK_JBXX")
    assert "抽样120行，120行合格" in told.err


def test_a_table_without_rows_a_view_without_key_and_hostile_names(database: Path, shell: Shell) -> None:
    empty = drafted(shell, database, "NONE_YET", "population-basic/1.0")
    assert empty["rows"] == 0 and tomllib.loads(empty["mapping"])["fields"]["IdNumber"]["from"] == "SFZH"
    view = drafted(shell, database, "V_RK", "population-basic/1.0")
    assert view["rows"] == 120 and next(one for one in view["fields"] if one["field"] == "RecordId")["missing"]
    odd = tomllib.loads(drafted(shell, database, "ODD", "population-basic/1.0")["mapping"])["fields"]
    assert odd["PersonName"] == "姓名" and odd["Operation"] == {"value": "U"}


def test_what_cannot_be_drafted_is_said(database: Path, zh: Shell) -> None:
    url = f"sqlite:///{database}"
    assert zh("adapter", "discover", url, "--draft", "population-basic/1.0").status == exits.USAGE
    assert zh("adapter", "discover", url, "--table", "T", "--draft", "population-basic/1.0").status == exits.USAGE
    told = zh("adapter", "discover", url, "--table", "T_RK_JBXX", "--draft", "no/1.0")
    assert told.status == exits.USAGE and "没有接口规范" in told.err
