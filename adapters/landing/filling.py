"""How records become rows of a table: each column is filled with a field, a word or a constant.

Rule 1: a column is filled for all records at once.  Texts that all fit as they are need no look at each; where one does
        not, each is looked at, and those that do not fit are told by field and reason, never by value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from adapters.contract import Incoming
from adapters.landing.cells import Text, Unfit
from adapters.landing.described import Described

Words = Mapping[str, str]
"""What may fill columns beside fields: `now`, `origin` and the like, for one record."""


Find = Callable[[Mapping[str, Any]], Any]


class Refused(NamedTuple):
    """Why the target will not have a record."""

    field: str
    zh: str
    en: str


class Fields:
    """The fields of many records; where all have the same ones in one order, as most do, they are columns at once."""

    def __init__(self, all: Sequence[Mapping[str, Any]]) -> None:
        self.all = all
        first = tuple(all[0]) if all else ()
        alike = {tuple(one) for one in all} == {first}
        self._columns = dict(zip(first, zip(*(one.values() for one in all)))) if alike else {}

    def at(self, path: str, find: Find) -> Sequence[Any]:
        """Return what each record has at a path, which `find` finds too; None where there is nothing."""
        found = self._columns.get(path)
        return [find(one) for one in self.all] if found is None else found


@dataclass(frozen=True, slots=True)
class Filled:
    """A column that is filled: with the field at `path`, or with a word, or with a constant."""

    column: Described
    path: str = ""
    word: str = ""
    constant: Any = None
    find: Find | None = None
    absent: str | None = None

    @property
    def null(self) -> bool:
        """Whether a record may leave it empty: a constant is what it is."""
        return self.column.null or self.find is None and not self.word

    def said(self, fields: Fields, words: Sequence[Words]) -> Sequence[Any]:
        """Return what fills it, of each record."""
        if self.word:
            return [one[self.word] for one in words]
        if self.find is None:
            return [self.constant] * len(fields.all)
        found, absent = fields.at(self.path, self.find), self.absent
        return found if absent is None or None not in found else [absent if one is None else one for one in found]

    def fit(self, said: Any) -> Any:
        """Return one of these as the column takes it; raise Unfit."""
        if said is None:
            if self.null:
                return None
            raise Unfit("目标列不可为空", "the column must not be empty")
        if self.find is None and not self.word:
            return said
        if self.word != "now":
            return self.column.fit(said)
        try:
            return self.column.fit(said)
        except Unfit:
            return self.column.fit(said[:10])

    def refused(self, why: Unfit) -> Refused:
        """Return why a record whose value does not fit is refused."""
        name = self.column.name
        return Refused(self.path or name, f"{why.zh}（列{name}）", f"{why.en} (column {name})")


def rows(
    filled: Sequence[Filled], records: Sequence[Incoming], words: Sequence[Words]
) -> list[tuple[Any, ...] | Refused]:
    """Return each record as a row of these columns, or why the target will not have it; `words` are for each record."""
    fields = Fields([one.fields for one in records])
    unfit: dict[int, Refused] = {}
    columns = [_column(one, one.said(fields, words), unfit) for one in filled]
    made: list[tuple[Any, ...] | Refused] = list(zip(*columns))
    for at, why in unfit.items():
        made[at] = why
    return made


def _column(one: Filled, said: Sequence[Any], unfit: dict[int, Refused]) -> Sequence[Any]:
    """Return values as the column takes them; note those that do not fit, unless their record is refused already."""
    if isinstance(one.column.fit, Text) and one.find is not None and one.column.fit.takes(said):
        return said
    values: list[Any] = []
    for at, value in enumerate(said):
        try:
            values.append(one.fit(value))
        except Unfit as why:
            unfit.setdefault(at, one.refused(why))
            values.append(None)
    return values
