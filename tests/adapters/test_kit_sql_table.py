"""Our own table reader keeps the contract that integrators' adapters are held to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from adapters.kit import AdapterContract

CHINA = timezone(timedelta(hours=8))


class TestSqlTable(AdapterContract):
    """A table of SQLite, its stamps texts of China's time, as old tables have them."""

    name = "sql_table"
    read = {"table": "T_HUKOU", "cursor": "GXSJ", "lag": 300, "page": 3}
    write = {"table": "RK", "columns": {"ID": "ID", "XM": "XM"}}
    key, text, stamp = "ID", "XM", "GXSJ"
    many = 2_000  # of 32 KiB each: with pages of three rows, more would be more of the same
    bad = ({"url": "nonsense"}, {"url": "postgresql://h/d"}, {"url": "sqlite:////nowhere/old.db"})
    missing = {"url": "sqlite:////nowhere/old.db"}

    def start(self, folder: Path) -> None:
        self.connection = sqlite3.connect(folder / "old.db", isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = MEMORY")
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.execute("CREATE TABLE T_HUKOU (ID INTEGER PRIMARY KEY, XM TEXT, GXSJ TEXT)")
        self.connection.execute("CREATE TABLE RK (ID VARCHAR(18) NOT NULL PRIMARY KEY, XM VARCHAR(20))")
        self.settings = {"url": f"sqlite:///{folder}/old.db"}

    def stop(self) -> None:
        self.connection.close()

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT OR REPLACE INTO T_HUKOU VALUES (:ID, :XM, :GXSJ)", [
            {**row, "GXSJ": row["GXSJ"] and _written(row["GXSJ"])} for row in rows])
        self.connection.execute("COMMIT")

    change = insert

    def delete(self, keys: Sequence[int]) -> None:
        self.connection.executemany("DELETE FROM T_HUKOU WHERE ID = ?", [(key,) for key in keys])

    def ahead(self, bookmark: Any) -> Any:
        return {**bookmark, "at": ["2999-01-01 00:00:00"],
                "window": {"edge": ["2999-01-01 00:00:00", 1], "buckets": []}}

    def example(self) -> Sequence[dict[str, Any]]:
        self.connection.execute("INSERT INTO T_HUKOU VALUES (-1, NULL, '2019-02-28')")
        self.connection.execute("INSERT INTO T_HUKOU VALUES (-2, 0.1, '2019-02-28')")
        self.connection.execute("INSERT INTO T_HUKOU VALUES (-3, x'00ff', '2019-02-28')")
        return [{"ID": key, "XM": text, "GXSJ": "2019-02-28"} for key, text in ((-1, None), (-2, "0.1"), (-3, "00ff"))]

    def fields(self, number: int, text: str) -> Mapping[str, Any]:
        return {"RecordId": f"row-{number}", "ID": str(number), "XM": text}

    def unfit(self, number: int) -> Mapping[str, Any]:
        return {"RecordId": f"row-{number}", "ID": str(number), "XM": "过长" * 100}

    def landed(self) -> Mapping[str, str]:
        return dict(self.connection.execute("SELECT ID, XM FROM RK"))


def _written(stamp: datetime) -> str:
    return stamp.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
