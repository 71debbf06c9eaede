"""`adapter discover --theme`: a specification of one's own, drafted from a table, good as it is printed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli import exits
from node.cli.adapter_theme_kinds import Form, form_of
from node.validate import Files, Specification, compile_specification
from node.validate.shape import Leaf
from tests.cli.shell import Shell
from tests.validate.held import sm3
from xsd import FOLDER


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Give tables as departments have them: Chinese and odd names, empty cells, octets, no key."""
    path = tmp_path / "own.db"
    with sqlite3.connect(path) as connection:
        connection.execute(
            'CREATE TABLE orders (order_no VARCHAR(12) PRIMARY KEY, "金额" DECIMAL(10,2) NOT NULL, paid BOOLEAN, '
            'made DATETIME NOT NULL, day DATE, note TEXT NOT NULL, photo BLOB, customer_phone CHAR(20), "2nd" FLOAT, '
            'RecordId INT, "a--b<&>" VARCHAR(5))')
        connection.execute("INSERT INTO orders VALUES ('A-1', 12.50, 1, '2024-02-29 08:00:00', '2024-02-29', '', "
                           "x'00', '13800001111', 0.5, 7, 'x')")
        connection.execute("CREATE TABLE bare (code TEXT, name TEXT)")
        connection.execute("INSERT INTO bare VALUES ('1', '一')")
    connection.close()
    yield path
    path.unlink()  # it holds a telephone number


def compiled(text: str, name: str) -> Specification:
    """Return a drafted specification, which must fit the profile."""
    files = Files(FOLDER)
    files.read[f"{name}.xsd"] = text.encode()
    return compile_specification(name, files, sm3)


def test_a_table_becomes_a_specification_that_is_good_as_it_stands(database: Path, shell: Shell) -> None:
    url = f"sqlite:///{database}"
    text = shell.fine("adapter", "discover", url, "--table", "orders", "--theme", "shop-orders/2.1").out
    shape = compiled(text, "shop-orders/2.1").shape
    members = {name: one for name, one in shape.record.members.items() if isinstance(one, Leaf)}
    assert shape.key == ("OrderNo",) and shape.record.name == "ShopOrders"
    assert {name for name, one in members.items() if one.least} == {
        "RecordId", "Operation", "EventTime", "OrderNo", "Field2", "Made"}, "an empty cell was seen in `note`"
    assert members["Field2"].label.zh == "金额" and members["Field2"].facets.fraction_digits == 2
    assert members["CustomerPhone"].grade == 3 and members["CustomerPhone"].mask == "phone"
    assert {"Field9", "RecordIdColumn10", "AB"} <= set(members) and "photo" in text and "Photo" not in members
    assert "13800001111" not in text and "A-1" not in text


def test_its_draft_and_its_preview_take_the_file(database: Path, shell: Shell) -> None:
    url, file = f"sqlite:///{database}", shell.folder / "orders.xsd"
    file.write_text(shell.fine("adapter", "discover", url, "--table", "orders", "--theme", "orders/1.0").out)
    text = shell.fine("adapter", "discover", url, "--table", "orders", "--draft", file).out
    (shell.folder / "orders.toml").write_text(text, encoding="utf-8")
    shown = shell.fine("adapter", "preview", url, "--table", "orders", "--spec", file, "--mapping",
                       shell.folder / "orders.toml", "--json").json
    assert shown["problems"] == 0 and shown["rows"][0]["record"]["Field2"] == "12.5"


def test_a_table_without_a_key_wants_one_named(database: Path, zh: Shell) -> None:
    asked = ("adapter", "discover", f"sqlite:///{database}", "--table", "bare", "--theme", "bare/1.0")
    told = zh(*asked)
    assert told.status == exits.USAGE and "--key" in told.err
    told = zh.fine(*asked, "--key", "code", "--json")
    assert compiled(json.loads(told.out)["specification"], "bare/1.0").shape.key == ("Code",)
    assert "没有列 none" in zh(*asked, "--key", "none").err
    assert zh(*asked[:-1], "Bare 1").status == exits.USAGE
    assert zh(*asked, "--draft", "population-basic/1.0").status == exits.USAGE
    assert zh(*asked[:-2], "--key", "code").status == exits.USAGE


@pytest.mark.parametrize("kind, key, form", [
    ("INTEGER(11) UNSIGNED", False, Form("p:Integer", {"totalDigits": "10"})),
    ("bigint", True, Form("xs:string", {"pattern": "-?[0-9]{1,19}"})),
    ("NUMERIC(38, 4)", False, Form("p:Decimal", {"totalDigits": "18", "fractionDigits": "4"}, True)),
    ("NUMBER(6)", False, Form("p:Integer", {"totalDigits": "6"})),
    ("DECIMAL(6, 2)", True, Form("xs:string", {"pattern": r"-?[0-9]{1,6}(\.[0-9]{1,2})?"})),
    ('VARCHAR(30) COLLATE "utf8mb4_bin"', False, Form("p:Text", {"maxLength": "30"})),
    ("CHARACTER VARYING(7)", True, Form("p:Text", {"maxLength": "7"})),
    ("TIMESTAMP WITH TIME ZONE", False, Form("p:Moment", {})),
    ("GEOMETRY", False, Form("p:Text", {"maxLength": "4000"}, True)),
    ("", False, Form("p:Text", {"maxLength": "4000"}, True)),
    ("VARBINARY(16)", False, None),
])
def test_types_of_databases_become_types_of_fields(kind: str, key: bool, form: Form | None) -> None:
    assert form_of(kind, key) == form
