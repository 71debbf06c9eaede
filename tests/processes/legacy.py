"""An old database in one file whose table has the specification's own columns, and what must stand of it elsewhere."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from node.validate import Specification, sample, to_json

NOW = "(julianday('now') - 2440587.5) * 86400"


class Legacy:
    """A table T_RK, changed as an old application would; `rows` is what stands in it."""

    def __init__(self, path: Path, spec: Specification) -> None:
        self.path, self._spec = path, spec
        self.rows: dict[int, dict[str, Any]] = {}
        self.names = [name for name, member in spec.shape.record.members.items() if member.most == 1]
        self._line = sqlite3.connect(path, isolation_level=None)
        self._line.execute(f"CREATE TABLE T_RK (ID INTEGER PRIMARY KEY, GXSJ REAL, {', '.join(self.names)})")

    def put(self, ids: Iterable[int], ago: int = 0, **other: str) -> None:
        """Insert or change rows, in one transaction; their stamp lies so many seconds back."""
        self._line.execute("BEGIN")
        for id in ids:
            twin = {**sample(self._spec, 11, id), **other}
            self.rows[id] = {name: twin[name] for name in self.names if name in twin}
            self._write(id, self.rows[id], ago)
        self._line.execute("COMMIT")

    def spoil(self, id: int, **other: str) -> Any:
        """Insert a row that is no record; return what its sex would be."""
        twin = sample(self._spec, 11, id)
        self._write(id, {**twin, **other})
        return twin["SexCode"]

    def _write(self, id: int, row: Mapping[str, Any], ago: int = 0) -> None:
        self._line.execute(
            f"INSERT OR REPLACE INTO T_RK VALUES (?, {NOW} - ?, {', '.join('?' * len(self.names))})",
            (id, ago, *(row.get(name) for name in self.names)))

    def bodies(self) -> Counter[bytes]:
        """Return the record bodies that must stand at whoever received all."""
        return Counter(to_json(row) for row in self.rows.values())

    def close(self) -> None:
        """Close and take the file away: it holds people."""
        self._line.close()
        self.path.unlink()


def section(legacy: Legacy, every: str = "200ms", **read: Any) -> str:
    """Return the TOML of an adapter that reads it."""
    columns = json.dumps(legacy.names)
    more = "\n".join(f"{name} = {json.dumps(value)}" for name, value in read.items())
    return f"""
[[adapter]]
name = "hukou"
kind = "sql_table"
settings = {{ url = "sqlite:///{legacy.path}" }}
[[adapter.read]]
resource = "population"
every = "{every}"
{more}
what = {{ table = "T_RK", cursor = "GXSJ", lag = 5, columns = {columns} }}
"""
