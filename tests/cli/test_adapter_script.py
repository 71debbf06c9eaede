"""`adapter script`: the journal's script as it is given to the database's own client, and the one that undoes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from node.cli import exits
from node.cli.demo.play import PLAN
from node.cli.demo.site import lay_out
from tests.cli.shell import Shell
from tests.cli.test_adapter_named import Configured
from tests.processes.exchange import CRYPTO

READS = """
[[adapter.read]]
resource = "population"
what = { table = "T_RK" }
[[adapter.read]]
resource = "population"
name = "moved"
what = { table = "T_QY" }
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Configured]:
    """Give a node and an old database with two tables."""
    found = Configured(lay_out(tmp_path / "site", PLAN, CRYPTO), tmp_path / "old.db")
    with closing(sqlite3.connect(found.database)) as line:
        line.executescript("CREATE TABLE T_RK (ID INTEGER PRIMARY KEY, XM TEXT);"
                           "CREATE TABLE T_QY (ID INTEGER PRIMARY KEY, DZ TEXT);")
    found.adapter(READS, "sql_journal")
    yield found


def objects(node: Configured) -> set[str]:
    """Return what the database has beside its two tables."""
    with closing(sqlite3.connect(node.database)) as line:
        found = line.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").fetchall()
    return {name for name, in found} - {"T_RK", "T_QY"}


def run(node: Configured, script: str) -> None:
    """Run a script as the operator does."""
    with closing(sqlite3.connect(node.database)) as line:
        line.executescript(script)


def test_the_script_is_printed_reviewed_run_and_undone(node: Configured, shell: Shell) -> None:
    asked = ("-c", node.config, "adapter")
    told = shell(*asked, "check", "hukou")
    assert told.status == exits.DATA and "adapter script" in told.out and "CREATE" not in told.out
    printed = shell.fine(*asked, "script", "hukou", "moved")
    assert objects(node) == set(), "nothing is run for them"
    assert printed.out.startswith("-- ") and "T_RK" not in printed.out and "review" in printed.err
    run(node, printed.out)
    assert len(objects(node)) == 4, "a journal and three triggers"
    assert {one["level"] for one in shell.fine(*asked, "check", "hukou/moved", "--json").json} == {"good"}
    run(node, shell.fine(*asked, "script", "hukou/moved", "--drop").out)
    assert objects(node) == set()


def test_without_a_resource_every_read_has_its_script(node: Configured, zh: Shell) -> None:
    told = zh.fine("-c", node.config, "adapter", "script", "hukou", "--json").json
    assert [one["source"] for one in told] == ["hukou/population", "hukou/moved"]
    printed = zh.fine("-c", node.config, "adapter", "script", "hukou")
    assert printed.out == "\n".join(one["script"] for one in told) and "审阅" in printed.err
    run(node, printed.out)
    assert len(objects(node)) == 8
    assert len(zh.fine("-c", node.config, "adapter", "script", "hukou", "population", "--json").json) == 1


def test_what_has_no_script_says_so(node: Configured, zh: Shell) -> None:
    asked = ("-c", node.config, "adapter", "script")
    assert "hukou/moved" in (told := zh(*asked, "hukou", "none")).err and told.status == exits.USAGE
    assert zh(*asked, "sqlite:////x.db").status == exits.USAGE
    node.adapter(READS, "sql_table")
    told = zh(*asked, "hukou", "moved")
    assert told.status == exits.CONFIG and "不需要在来源执行脚本" in told.err and told.out == ""
