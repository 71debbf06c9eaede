"""Code tables: `xsd/tables/<table>/<version>.tsv`, UTF-8, tab-separated, the first line names the columns.

The first column is the code.  A column `last_revision` tells which codes stand today: the *current* set is those of
the latest revision, the *union* all that ever stood.  Without that column both sets are all codes.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import trouble


@dataclass(frozen=True, slots=True)
class Table:
    """One version of a code table; `rows` maps a code to the other columns' texts."""

    name: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]
    current: frozenset[str]
    listed: dict[str, tuple[str, ...]]  # the codes of both sets, in order

    def codes(self, which: str) -> frozenset[str]:
        """Return the codes of the set `current` or `union`."""
        return self.current if which == "current" else frozenset(self.rows)


def read_table(name: str, content: bytes) -> Table:
    """Return the table `name`; raise Hold(SPECIFICATION_FORM) if its bytes are not such a table."""
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        reason = Sentence("不是UTF-8编码", "not UTF-8")
        raise trouble(codes.SPECIFICATION_FORM, name=name, where="utf-8", reason=reason) from None
    columns = tuple(lines[0].split("\t")) if lines else ()
    rows: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines[1:], 2):
        code, *rest = line.split("\t")
        if len(rest) + 1 != len(columns) or not code or code in rows:
            reason = Sentence("不是该表的一行", "not a row of the table")
            raise trouble(codes.SPECIFICATION_FORM, name=name, where=f"line {number}", reason=reason)
        rows[code] = tuple(rest)
    if not rows:
        raise trouble(codes.SPECIFICATION_FORM, name=name, where="line 1", reason=Sentence("没有数据行", "no rows"))
    if columns[0] == "last_revision":
        reason = Sentence("第一列应为代码", "the first column is the code")
        raise trouble(codes.SPECIFICATION_FORM, name=name, where="line 1", reason=reason)
    current = frozenset(rows)
    if "last_revision" in columns:
        at = columns.index("last_revision") - 1
        latest = max(row[at] for row in rows.values())
        current = frozenset(code for code, row in rows.items() if row[at] == latest)
    return Table(name, columns, rows, current, {"current": tuple(sorted(current)), "union": tuple(sorted(rows))})
