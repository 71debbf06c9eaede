"""An old database as departments have it, changed while the exchange runs, and the one another department lands it in.

The old one has texts in GBK padded to their width, dates of eight digits and codes of its own; a program that nobody
may touch changes it.  What must stand in the other in the end is told by rules of this file's own, not by a mapping.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from node.validate import Specification, sample

READ, LANDED = "T_HUKOU", "RK_JBXX"
SEED = 20260102
_SEXES, _STATES = {"1": "男", "2": "女"}, {"1": "正常", "3": "死亡"}
_OLD = (
    "ID INTEGER PRIMARY KEY", "QH CHAR(6)", "XM CHAR(30)", "SFZH CHAR(18)", "XB CHAR(2)", "MZ CHAR(20)",
    "CSRQ CHAR(8)", "HJDZ CHAR(120)", "HH CHAR(12)", "ZT CHAR(4)", "GXSJ CHAR(14)",
)
_NEW = (
    "IdNumber VARCHAR(18) PRIMARY KEY", "PersonName VARCHAR(60)", "SexCode CHAR(1)", "EthnicityCode CHAR(2)",
    "BirthDate DATE", "DomicileRegionCode CHAR(6)", "DomicileAddress VARCHAR(200)", "PersonStatusCode CHAR(1)",
)
Person = dict[str, Any]


def settings(old: Path, new: Path, source: str, subscriber: str, resource: str) -> dict[str, str]:
    """Return what stands in the configuration of the two departments."""
    return {
        source: f"""
[[adapter]]
name = "hukou"
kind = "sql_snapshot"
settings = {{ url = "sqlite:///{old}", charset = "gb18030" }}
[[adapter.read]]
resource = "{resource}"
mapping = "old"
every = "500ms"
what = {{ table = "{READ}", key = ["ID", "SFZH", "QH"] }}
""",
        subscriber: f"""
[[adapter]]
name = "rk"
kind = "sql_table"
settings = {{ url = "sqlite:///{new}" }}
[[adapter.write]]
resource = "{resource}"
what = {{ table = "{LANDED}" }}
""",
    }


class OldDatabase:
    """The old table, and what stands in it as a program would know it."""

    def __init__(self, path: Path, spec: Specification, rows: int) -> None:
        self._line = sqlite3.connect(path, isolation_level=None)
        self._line.execute(f"CREATE TABLE {READ} ({', '.join(_OLD)})")
        self._spec, self._dice = spec, Random(SEED)  # which row: repeatable, and nothing secret hangs on it
        self._names = {code: names[0] for code, names in spec.tables["ethnicity/1.0"].rows.items()}
        self.people: dict[int, Person] = {}
        self.changed = self.deleted = self.backdated = 0
        self._next = 0
        self._put([self._somebody() for _ in range(rows)])

    def act(self) -> None:
        """Do what an old program does: change some rows, delete some, add some with a stamp of years ago."""
        known = sorted(self.people)
        moved = [{**self.people[id], "HJDZ": f"幸福路{self._dice.randrange(1, 999)}号"} for id in known[::29]]
        gone = [id for id in self._dice.sample(known, 3) if id not in {one["ID"] for one in moved}]
        late = [{**self._somebody(), "GXSJ": "20090101080000"} for _ in range(2)]
        self._put([*moved, *late])
        self._line.executemany(f"DELETE FROM {READ} WHERE ID = ?", [(id,) for id in gone])
        for id in gone:
            del self.people[id]
        self.changed, self.backdated = self.changed + len(moved), self.backdated + len(late)
        self.deleted += len(gone)

    def wanted(self) -> set[tuple[str, ...]]:
        """Return the rows that must stand in the other database."""
        return {
            (one["SFZH"], one["XM"], one["sex"], one["MZ"], one["CSRQ"], one["QH"], one["HJDZ"], one["state"])
            for one in self.people.values()
        }

    def close(self) -> None:
        """Close it."""
        self._line.close()

    def _somebody(self) -> Person:
        self._next += 1
        twin = sample(self._spec, SEED, self._next)
        return {
            "ID": self._next, "QH": twin["DomicileRegionCode"][:6], "XM": twin["PersonName"], "SFZH": twin["IdNumber"],
            "sex": twin["SexCode"], "MZ": twin["EthnicityCode"], "CSRQ": twin["BirthDate"],
            "HJDZ": twin.get("DomicileAddress", "地址不详"), "HH": f"{self._next:012}", "state": "1",
            "GXSJ": "20260101120000",
        }

    def _put(self, people: Sequence[Person]) -> None:
        self._line.execute("BEGIN")
        for one in people:
            self.people[one["ID"]] = one
            cells = (
                one["QH"], one["XM"], one["SFZH"], _SEXES.get(one["sex"], "?"), self._names[one["MZ"]], one["CSRQ"],
                one["HJDZ"], one["HH"], _STATES[one["state"]], one["GXSJ"],
            )
            widths = (int(column.split("(")[1].rstrip(")")) for column in _OLD[1:])
            padded = [cell.encode("gb18030").ljust(width) for cell, width in zip(cells, widths)]
            marks = ", ".join(["CAST(? AS TEXT)"] * len(padded))
            self._line.execute(f"INSERT OR REPLACE INTO {READ} VALUES (?, {marks})", (one["ID"], *padded))
        self._line.execute("COMMIT")


class NewDatabase:
    """The table of the other department."""

    def __init__(self, path: Path) -> None:
        self._line = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._line.execute(f"CREATE TABLE {LANDED} ({', '.join(_NEW)})")

    def rows(self) -> set[tuple[str, ...]]:
        """Return what stands in it; a date as eight digits."""
        names = ", ".join(column.split()[0] for column in _NEW)
        found = self._line.execute(f"SELECT {names} FROM {LANDED}").fetchall()
        return {(*row[:1], *row[1:4], str(row[4]).replace("-", ""), *row[5:]) for row in found}

    def close(self) -> None:
        """Close it."""
        self._line.close()
