"""A file of SQLite whose texts an old program wrote in GBK."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from adapters.contract import Dirty, Order
from adapters.rows import write_row
from adapters.sql_table import SqlTable


def test_texts_of_a_declared_charset_are_read_and_others_dirty_their_row_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db")
    connection.execute("CREATE TABLE T (ID INTEGER PRIMARY KEY, XM CHAR(20))")
    for id, octets in enumerate(("张三".encode("gbk"), "㐂𠮷".encode("gb18030"), b"\xff\xff", b"Li")):
        connection.execute("INSERT INTO T VALUES (?, CAST(? AS TEXT))", (id, octets))
    connection.commit()
    connection.close()
    adapter = SqlTable({"url": f"sqlite:///{tmp_path}/old.db", "charset": "gb18030"})
    said = [one for one in adapter.read(Order({"table": "T"})) if isinstance(one, dict)]
    assert [one["XM"] for one in said if one["ID"] != 2] == ["张三", "㐂𠮷", "Li"]
    told = write_row(said[2])
    assert isinstance(told, Dirty) and told.field == "XM"
