"""`adapter new` lays out a package; `adapter test` holds an adapter to its contract, its own source or a real one."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from node.cli import exits
from tests.adapters.scaffolded import ROOT, Scaffolded, scaffolded
from tests.cli.shell import Shell

SETTINGS = """
[[adapter]]
name = "old"
kind = "sql_table"
settings = { url = "sqlite:///%s" }
%s
  [[adapter.read]]
  resource = "nothing"
  what = { table = "T_NONE" }
  [[adapter.read]]
  resource = "population"
  what = { table = "T_HUKOU" }
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scaffolded:
    """Return a scaffolded adapter that is installed beside the node."""
    made = scaffolded(tmp_path, "file")
    monkeypatch.setenv("PYTHONPATH", f"{made.folder}{os.pathsep}{ROOT}")
    return made


def old(folder: Path, more: str = "") -> Path:
    """Return the settings of an old database."""
    connection = sqlite3.connect(folder / "old.db")
    connection.execute("CREATE TABLE T_HUKOU (ID INTEGER PRIMARY KEY, XM TEXT)")
    connection.executemany("INSERT INTO T_HUKOU VALUES (?, ?)", [(n, f"机密{n}") for n in range(300)])
    connection.commit()
    connection.close()
    (folder / "node.toml").write_text(SETTINGS % (folder / "old.db", more), encoding="utf-8")
    return folder / "node.toml"


def test_a_package_is_laid_out_and_not_twice(zh: Shell, tmp_path: Path) -> None:
    told = zh.fine("adapter", "new", "hukou", "--kind", "sql", "--folder", tmp_path, "--json").json
    assert {str(path) for path in (tmp_path / "hukou").rglob("*") if path.is_file()} == set(told["files"])
    again = zh("adapter", "new", "hukou", "--kind", "sql", "--folder", tmp_path)
    assert again.status == exits.USAGE and "已存在" in again.err
    assert "小写字母" in zh("adapter", "new", "Hukou", "--kind", "sql", "--folder", tmp_path).err
    assert zh("adapter", "new", "x", "--kind", "soap", "--folder", tmp_path).status == exits.USAGE


def test_an_adapter_is_held_to_the_contract_it_brings(installed: Scaffolded, zh: Shell) -> None:
    page = installed.folder / "report.html"
    told = zh.fine("adapter", "test", "hukou", "--report", "html", page)
    assert "级别：增量" in told.out and "未通过0项" in told.out and "deletes" not in told.out
    assert "增量" in page.read_text(encoding="utf-8") and page.stat().st_mode & 0o077 == 0
    assert zh("adapter", "test", "hukou", "--report", "pdf", page).status == exits.USAGE


def test_an_adapter_that_breaks_its_contract_is_told_by_the_exit_status(installed: Scaffolded, shell: Shell) -> None:
    installed.spoil("_taken(order.bookmark)\n", "_taken(None)\n")
    report = installed.folder / "report.json"
    told = shell("adapter", "test", "hukou", "--json", "--report", "json", report)
    assert told.status == exits.DATA and told.json["level"] == "basic" and told.json["failed"] >= 1
    assert "second_read" in [one["name"] for one in told.json["checks"] if one["result"] == "failed"]
    assert json.loads(report.read_text(encoding="utf-8"))["level"] == "basic"


def test_a_real_source_is_only_read_and_what_was_not_made_is_said(zh: Shell, tmp_path: Path) -> None:
    settings = old(tmp_path)
    before = (tmp_path / "old.db").read_bytes()
    told = zh("adapter", "test", "sql_table", "--settings", settings, "--resource", "population", "--json")
    checks = {one["name"]: one for one in told.json["checks"]}
    made = {name for name, one in checks.items() if one["result"] == "passed"}
    assert made >= {"schemas", "good_settings", "bad_settings", "check", "survey", "discover", "whole_read", "process",
                    "bookmarks", "time_zone", "given_up", "stopped_process", "secrets"}
    assert checks["inserted_row"]["reason"]["zh"] == "未给出insert" and told.json["level"] == "basic"
    assert all(one["result"] == "skipped" for one in checks.values() if one["group"] == "writing")
    assert (tmp_path / "old.db").read_bytes() == before and "机密" not in told.out + told.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["node.toml", "old.db", "passphrase"]


def test_a_table_that_is_not_there_fails_the_checks(shell: Shell, tmp_path: Path) -> None:
    told = shell("adapter", "test", "old", "--settings", old(tmp_path), "--json")
    assert told.status == exits.CONFIG and "old" in told.err  # it is an instance; the kind is what is tested
    told = shell("adapter", "test", "sql_table", "--settings", tmp_path / "node.toml", "--json")
    assert told.status == exits.DATA and told.json["level"] is None
    assert {"whole_read", "process"} <= {one["name"] for one in told.json["checks"] if one["result"] == "failed"}


def test_a_secret_comes_from_a_file_and_is_shown_nowhere(zh: Shell, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2-20190228\n")
    secret.chmod(0o600)
    settings = old(tmp_path, 'secrets = { password = "password" }')
    told = zh("adapter", "test", "sql_table", "--settings", settings, "--resource", "population")
    assert told.status == exits.DATA and "数据库文件不用口令" in told.out and "hunter2" not in told.out + told.err
    secret.chmod(0o644)
    assert zh("adapter", "test", "sql_table", "--settings", settings).status == exits.PERMISSION


@pytest.mark.parametrize(("arguments", "status", "says"), [
    (("nobody",), exits.CONFIG, "没有安装"), (("sql_table",), exits.CONFIG, "--settings"),
    (("sql_table", "--settings", "/nowhere.toml"), exits.USAGE, "无法读取"),
    (("sql_table", "--settings", "/etc/hostname"), exits.USAGE, "TOML"),
])
def test_what_cannot_be_tested_is_told(arguments: tuple[str, ...], status: int, says: str, zh: Shell) -> None:
    told = zh("adapter", "test", *arguments)
    assert told.status == status and says in told.err
