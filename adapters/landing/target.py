"""The table in which records land, and how a record becomes a row of it.

Rule 1: what does not fit its column is told by field and reason, never by value.
Rule 2: the columns of `key` hold the fields of the business key, and the origin if it is one of them; nothing else
        could say which row a delete, or a row that moved, has left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from adapters.contract import Incoming, Misconfigured
from adapters.landing.cells import Unfit
from adapters.landing.described import Described, Table
from adapters.landing.filling import Filled, Refused, Words, rows
from adapters.landing.paths import getter, matched
from adapters.landing.plan import Plan


class Target:
    """A table and what fills it."""

    def __init__(self, table: Table, plan: Plan, known: Iterable[str]) -> None:
        """Put plan and table together; `known` are the paths of fields, for columns of their names."""
        self.table, self.plan = table, plan
        self.filled = _filled(table, plan, known)
        by_name = {one.column.name: at for at, one in enumerate(self.filled)}
        names = [table.column(one).name for one in plan.key] or list(table.primary)
        if not names:
            raise Misconfigured(
                f"{table.name}没有主键，请用key指明", f"{table.name} has no primary key; name the columns with key")
        lacking = [one for one in names if one not in by_name or self.filled[by_name[one]].word not in ("", "origin")]
        if lacking:
            raise Misconfigured(
                f"主键列{'、'.join(lacking)}没有字段可填", f"nothing fills the key's column {', '.join(lacking)}")
        self.key = tuple(by_name[one] for one in names)
        self.by_origin = any(self.filled[at].word == "origin" for at in self.key)
        self.is_unique = frozenset(names) in table.unique
        filled = {one.column.name for one in self.filled}
        self.others_unique = any(one != frozenset(names) and one & filled for one in table.unique)
        self._key_fields = [self.filled[at] for at in self.key if self.filled[at].find is not None]
        self._sorted = len(self._key_fields) > 1
        self.uses_words = any(one.word for one in self.filled)

    @property
    def key_names(self) -> list[str]:
        """The names of the key's columns."""
        return [self.filled[at].column.name for at in self.key]

    @property
    def names(self) -> list[str]:
        """The names of the filled columns."""
        return [one.column.name for one in self.filled]

    def key_texts(self, record: Incoming) -> tuple[str, ...]:
        """Return the fields of the target's key; raise Misconfigured where they are not the business key."""
        texts = tuple(one.find(record.fields) for one in self._key_fields if one.find is not None)
        if record.delete and not any(texts) and len(texts) == len(record.key):
            return record.key  # a delete may bring nothing else
        in_order = texts == record.key or (
            self._sorted and all(isinstance(one, str) for one in texts) and sorted(texts) == sorted(record.key))
        if not in_order:
            raise Misconfigured(
                f"{self.table.name}的key须恰好是主键各字段的列（可再加来源节点列）",
                f"the key of {self.table.name} must be the columns of the business key, with the origin's or without")
        return texts

    def key_values(self, texts: Sequence[str], origin: str) -> tuple[Any, ...] | Refused:
        """Return the values of the key's columns for a place."""
        left, values = iter(texts), []
        for at in self.key:
            one = self.filled[at]
            said = origin if one.word else next(left)
            try:
                values.append(one.column.fit(said))
            except Unfit as why:
                return Refused(one.path, why.zh, why.en)
        return tuple(values)

    def rows(self, records: Sequence[Incoming], words: Sequence[Words]) -> list[tuple[Any, ...] | Refused]:
        """Return each record as a row, or why the target will not have it (`filling`)."""
        return rows(self.filled, records, words)


def _filled(table: Table, plan: Plan, known: Iterable[str]) -> list[Filled]:
    words = {table.column(name).name: word for name, word in plan.extra.items()}
    mark = table.column(plan.mark["column"]) if plan.mark else None
    taken = {*words, *([mark.name] if mark else ())}
    if plan.columns is not None:
        chosen = {table.column(name).name: path for name, path in plan.columns.items()}
    else:
        free = [one.name for one in table.columns if one.name not in taken and not one.fixed]
        chosen = matched(free, known)
    twice = set(words) & set(chosen)
    if twice:
        raise Misconfigured(f"列{'、'.join(twice)}填两次", f"column {', '.join(twice)} is filled twice")
    absent = {table.column(name).name: said for name, said in plan.absent.items()}
    filled = [
        Filled(table.column(name), path, find=getter(path), absent=absent.get(name)) for name, path in chosen.items()
    ]
    filled += [Filled(table.column(name), word=word) for name, word in words.items()]
    if mark is not None and mark.name not in chosen:
        filled.append(Filled(mark, constant=marked(mark, (plan.mark or {}).get("live"))))
    fixed = [one.column.name for one in filled if one.column.fixed]
    if fixed:
        raise Misconfigured(
            f"列{'、'.join(fixed)}由数据库计算，不能写", f"the database makes column {', '.join(fixed)} itself")
    return sorted(filled, key=lambda one: one.column.name)


def marked(column: Described, said: Any) -> Any:
    """Return the value of a mark as its column takes it; raise Misconfigured."""
    if said is None:
        if not column.null:
            raise Misconfigured(
                f"标记列{column.name}不可为空，请用mark.live写明未删除时的值",
                f"column {column.name} must not be empty: say with mark.live what it holds of a row that stands")
        return None
    try:
        return column.fit(str(said).lower() if isinstance(said, bool) else str(said))
    except Unfit as why:
        raise Misconfigured(
            f"标记值不合列{column.name}：{why.zh}", f"the mark does not fit {column.name}: {why.en}") from None
