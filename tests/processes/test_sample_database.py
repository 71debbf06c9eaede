"""A sample database that none of us wrote (Chinook) goes from MariaDB to PostgreSQL, set up by commands and settings.

What is drafted is used as it was drafted, but for the one line that every draft without a time of change asks for.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo.site import Plan
from tests.adapters.servers import Database, MariaDB, PostgreSQL, Server
from tests.cli.shell import Shell
from tests.processes import chinook
from tests.processes.exchange import CENTRE, SOURCE, Exchange, running, until

NAMES = ("customer", "invoice", "invoiceline", "track")
ALL = chinook.tables()
TABLES = {name: ALL[chinook.PREFIX + name] for name in NAMES}
PATIENCE = 120.0

Find = Callable[[str, str], str]


def _fresh(made: Server) -> Iterator[Database]:
    try:
        made.start()
        yield made.fresh()
    finally:
        made.remove()


@pytest.fixture
def source(server: Find) -> Iterator[Database]:
    """Give the whole of Chinook in a MariaDB of our own."""
    server("mariadb-server", MariaDB.binary())
    for database in _fresh(MariaDB()):
        for table in ALL.values():
            database.run(chinook.create(table, chinook.MARIADB, "`"))
            database.put(chinook.insert(table), table.rows)
        yield database


@pytest.fixture
def target(server: Find) -> Iterator[Database]:
    """Give the department's own tables, empty, in a PostgreSQL of our own."""
    server("postgresql", PostgreSQL.binary())
    for database in _fresh(PostgreSQL()):
        database.run(*(chinook.create(table, chinook.POSTGRESQL, '"') for table in TABLES.values()))
        yield database


class Setting:
    """What an operator does, command by command, in one folder."""

    def __init__(self, shell: Shell, source: Database, folder: Path) -> None:
        self.shell, self.source, self.folder = shell, source, folder
        self.password = shell.secret("source.password", str(source.password).encode())

    def asked(self, act: str, *more: object) -> str:
        """Return what a command of adapters prints of the source."""
        told = self.shell.fine("adapter", act, self.source.url, "--password-file", self.password, *more)
        return told.out

    def theme(self, name: str) -> Path:
        """Draft a specification of a table; return its file, which `spec check` finds good."""
        file = self.folder / "themes" / f"chinook-{name}" / "1.0.xsd"
        file.parent.mkdir(parents=True)
        table = TABLES[name].name
        file.write_text(self.asked("discover", "--table", table, "--theme", f"chinook-{name}/1.0"), encoding="utf-8")
        assert "1.0.xsd" in self.shell.fine("spec", "check", file).out
        return file

    def mapping(self, name: str, theme: Path) -> Path:
        """Draft a mapping of a table, and fill in the time that it lacks."""
        file, table = self.folder / f"{name}.toml", TABLES[name].name
        text = self.asked("discover", "--table", table, "--draft", theme)
        said, missing = re.subn(r'EventTime = "请填列名 EventTime"',
                                'EventTime = { value = "2026-01-01T00:00:00+08:00" }', text)
        assert missing == (name != "invoice") and "缺：" not in said.replace("缺：业务产生时间", "")
        file.write_text(said, encoding="utf-8")
        return file


def _section(database: Database, kind: str, parts: Iterator[str]) -> str:
    secret = '{ password = "./database.password" }'
    return (f'[[adapter]]\nname = "chinook"\nkind = "{kind}"\nsettings = {{ url = "{database.url}" }}\n'
            f"secrets = {secret}\n" + "".join(parts))


def _configured(exchange: Exchange, source: Database, target: Database) -> None:
    reads = (f'[[adapter.read]]\nresource = "{name}"\nmapping = "chinook"\nevery = "1s"\n'
             f'what = {{ table = "{table.name}" }}\n' for name, table in TABLES.items())
    writes = (f'[[adapter.write]]\nresource = "{name}"\nwhat = {{ table = "{table.name}" }}\n'
              for name, table in TABLES.items())
    for node, database, text in (
        (SOURCE, source, _section(source, "mysql_binlog", reads)),
        (CENTRE, target, _section(target, "sql_table", writes)),
    ):
        exchange.set(node, "60-adapter", text)
        secret = exchange.seat(node).folder / "database.password"
        secret.write_text(str(database.password))
        secret.chmod(0o600)


def _rows(database: Database, name: str, quote: str) -> Counter[tuple[Any, ...]]:
    """Return the rows of a table; a text loses the blanks at its ends, as every mapping says it does."""
    asked = f"SELECT {chinook.listed(TABLES[name], quote)} FROM {TABLES[name].name}"
    with database.engine.connect() as line:
        found = line.exec_driver_sql(asked).fetchall()
    return Counter(tuple(cell.strip() if isinstance(cell, str) else cell for cell in row) for row in found)


def _equal(source: Database, target: Database, name: str) -> bool:
    time.sleep(0.3)  # whole tables are read here: not as often as `until` would
    counts = [_count(database, name) for database in (source, target)]
    return counts[0] == counts[1] and _rows(target, name, '"') == _rows(source, name, "`")


def _count(database: Database, name: str) -> int:
    with database.engine.connect() as line:
        return int(line.exec_driver_sql(f"SELECT count(*) FROM {TABLES[name].name}").scalar_one())


def test_chinook_is_discovered_mapped_and_exchanged_between_two_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: Database, target: Database
) -> None:
    setting = Setting(Shell(tmp_path, capsys), source, tmp_path / "desk")
    assert all(table in setting.asked("discover") for table in ALL)
    themes = {name: setting.theme(name) for name in NAMES}
    files = {name: setting.mapping(name, theme) for name, theme in themes.items()}
    shown = setting.asked("preview", "--table", TABLES["customer"].name, "--spec", themes["customer"],
                          "--mapping", files["customer"], "--count", "59")
    assert "59 row(s) map, 0 do not" in shown and "luisg@embraer.com.br" not in shown
    plan = Plan(
        CENTRE, [SOURCE], {name: f"chinook-{name}/1.0" for name in NAMES}, {name: [SOURCE] for name in NAMES}, {},
        extra=f'[specifications]\nfolders = ["{setting.folder / "themes"}"]\n',
        mappings={name: {"chinook": file} for name, file in files.items()},
    )
    with running(tmp_path / "site", plan=plan) as exchange:
        _configured(exchange, source, target)
        exchange.start(CENTRE, SOURCE)
        for name, table in TABLES.items():
            until(f"{name} is there", lambda: _equal(source, target, name), PATIENCE)
            assert _count(target, name) == len(table.rows)
        _changed(source)
        for name in NAMES:
            until(f"{name} follows", lambda: _equal(source, target, name))
        assert {name: _count(target, name) - len(TABLES[name].rows) for name in NAMES} == {
            "customer": 0, "invoice": 1, "invoiceline": -35, "track": -1}


def _changed(source: Database) -> None:
    """Change, add and delete rows, and empty cells, as the application would."""
    source.run(
        "UPDATE chinook_customer SET lastname = 'Ñandú-Łódź 张', fax = NULL, company = 'Ünïcode & Söhne' WHERE id = 1",
        "UPDATE chinook_invoice SET `Total` = '1234.50', `InvoiceDate` = '2013-12-22 23:59:59' WHERE id = 412",
        "UPDATE chinook_track SET unit_price = unit_price + 0.01, composer = NULL WHERE id <= 50",
        "DELETE FROM chinook_track WHERE id = 3503",
        "DELETE FROM chinook_invoiceline WHERE invoice_id <= 5",
        "INSERT INTO chinook_invoice (customer_id, `InvoiceDate`, billingcity, `Total`) "
        "VALUES (1, '2014-02-28 12:00:00', '上海 Ó', '0.00')",
    )
