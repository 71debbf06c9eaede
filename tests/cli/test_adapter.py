"""`adapter`: a database that nobody has told us anything about, looked into, and its rows as they map."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli import exits
from node.validate import sample
from tests.cli.shell import Shell
from tests.validate.held import spec

MAPPING = """
[mapping]
specification = "population-basic/1.0"
strict = false
[fields]
RecordId = { from = "ID" }
Operation = { value = "I" }
EventTime = { from = "GXSJ", date = "YYYYMMDDhhmmss" }
PersonName = "XM"
IdTypeCode = { value = "111" }
IdNumber = { from = "SFZH", width = "half", case = "upper" }
SexCode = { from = "XB", names = "zh" }
EthnicityCode = "MZ"
BirthDate = { from = "SFZH", characters = [7, 14] }
DomicileRegionCode = "XZQH"
DomicileAddress = "DZ"
MobilePhone = "DH"
PersonStatusCode = { value = "1" }
"""


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """Give an old database: padded texts, dates of 14 digits, names of codes."""
    people = [sample(spec(), 5, number) for number in range(30)]
    with sqlite3.connect(tmp_path / "old.db") as connection:
        connection.execute("CREATE TABLE T_HUKOU (ID INTEGER PRIMARY KEY, XM TEXT NOT NULL, SFZH TEXT, XB TEXT,"
                           " MZ TEXT, XZQH TEXT, DZ TEXT, DH TEXT, GXSJ TEXT)")
        connection.execute("CREATE INDEX I_GXSJ ON T_HUKOU (GXSJ)")
        connection.execute("CREATE VIEW V_MEN AS SELECT * FROM T_HUKOU WHERE XB = '男'")
        connection.executemany("INSERT INTO T_HUKOU VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [
            (number + 1, f"{one['PersonName']}    ", one["IdNumber"].lower(),
             "男" if int(one["IdNumber"][16]) % 2 else "女", one["EthnicityCode"], one["DomicileRegionCode"],
             "和平大道146号滨江小区16栋", "18769124577", "20190228093000")
            for number, one in enumerate(people)
        ])
    connection.close()
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    yield tmp_path / "old.db"
    (tmp_path / "old.db").unlink()  # it holds persons in clear, as old databases do


def test_what_is_installed_is_listed(shell: Shell) -> None:
    assert {"name": "sql_table", "package": "adapters.sql_table"} in shell.fine("adapter", "list", "--json").json


def test_a_database_is_checked_and_its_tables_are_told(old: Path, shell: Shell, zh: Shell) -> None:
    url = f"sqlite:///{old}"
    assert {one["level"] for one in shell.fine("adapter", "check", url, "--json").json} == {"good"}
    tables: list[Any] = shell.fine("adapter", "discover", url, "--json").json
    assert [one["name"] for one in tables] == ["T_HUKOU", "V_MEN"]
    told = zh.fine("adapter", "discover", url, "--table", "T_HUKOU").out
    assert "主键" in told and "索引" in told and "非空" in told
    assert zh("adapter", "discover", url, "--table", "T_NONE").status == exits.USAGE


def test_rows_are_shown_as_they_map_and_masked(old: Path, shell: Shell, zh: Shell) -> None:
    ask = ("adapter", "preview", f"sqlite:///{old}", "--table", "T_HUKOU", "--mapping", old.parent / "map.toml")
    told = shell.fine(*ask, "--json").json
    assert len(told["rows"]) == 10 and told["problems"] == 0
    people = [sample(spec(), 5, number) for number in range(10)]
    for row, person in zip(told["rows"], people):
        record = row["record"]
        assert record["PersonName"][0] == person["PersonName"][0] and record["IdNumber"][:2] == person["IdNumber"][:2]
        assert record["SexCode"] in "12" and "*" in record["MobilePhone"]
        assert record["DomicileAddress"].startswith("和平大道14*")
    text = zh.fine(*ask, "--where", "XM LIKE '%' AND GXSJ <> ':x'").out
    assert "10行可转换，0行有问题" in text and "公民身份号码" in text
    for person in people:
        assert person["PersonName"] not in text and person["IdNumber"] not in text and person["BirthDate"] not in text


def test_a_row_that_does_not_map_is_told_by_its_columns_and_not_shown(old: Path, zh: Shell) -> None:
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE T_HUKOU SET XB = '未说明', DZ = '机密路1号' WHERE ID = 2")
    connection.close()
    told = zh("adapter", "preview", f"sqlite:///{old}", "--table", "T_HUKOU", "--mapping", old.parent / "map.toml")
    assert told.status == exits.DATA and "9行可转换，1行有问题" in told.out
    assert "来源列：XB" in told.out and "机密路" not in told.out and "未说明" not in told.out


def test_a_password_is_taken_from_a_file_that_nobody_else_can_read(old: Path, zh: Shell, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o644)
    told = zh("adapter", "check", f"sqlite:///{old}", "--password-file", secret)
    assert told.status == exits.PERMISSION and "hunter2" not in told.err
    secret.chmod(0o600)
    told = zh("adapter", "check", f"sqlite:///{old}", "--password-file", secret)
    assert told.status == exits.CONFIG and "不用口令" in told.err and "hunter2" not in told.err


@pytest.mark.parametrize(("url", "status", "says"), [
    ("postgresql://h/d", exits.CONFIG, "驱动"), ("sqlite:////nowhere/old.db", exits.CONFIG, "文件"),
])
def test_what_cannot_be_reached_is_told(url: str, status: int, says: str, zh: Shell) -> None:
    told = zh("adapter", "check", url)
    assert told.status == status and says in told.err
