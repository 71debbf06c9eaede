"""Cells judged by a field's own facets and rules: the specification says whether a text may stand there.

Rule 1: a text is judged alone; rules that compare fields, or say which of them must be there, are left to whole rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from node.validate.explain import explain
from node.validate.mapping.drafting.columns import SourceColumn
from node.validate.mapping.fields import FieldReader, Scope, plain
from node.validate.mapping.texts import Take
from node.validate.mapping.wording import Unfit
from node.validate.shape import leaves
from node.validate.specification import Specification
from node.validate.specifications import Digest

ZONE = "+08:00"
HOPELESS = 20
"""After so many different cells, none of them valid, no more are looked at."""

Words = Mapping[str, Any]
"""The words of a field in a mapping, without its source."""


class Judge:
    """Judges texts for the fields of one specification, as of one day."""

    def __init__(self, spec: Specification, today: date, sm3: Digest, nothing: tuple[str, ...] = ()) -> None:
        self.spec, self.leaves, self.nothing = spec, dict(leaves(spec.shape.record)), nothing
        self._days = f"{today:%Y%m%d}", f"{today + timedelta(days=1):%Y%m%d}"
        self._scope = Scope(spec, "keep", nothing, ZONE, {}, _no_file, sm3)
        self._known: dict[tuple[str, str], bool] = {}
        self._compare = {rule.id for rule in spec.rules.all if len(rule.reads) > 1}

    def accepts(self, path: str, text: str) -> bool:
        """Whether a field takes a text."""
        key = path, text
        if key not in self._known:
            self._known[key] = self._accepts(path, text)
        return self._known[key]

    def _accepts(self, path: str, text: str) -> bool:
        group: Any = self.spec.shape.record
        members = [group := group.members[name] for name in path.split("/")]
        twin: Any = text
        for member in reversed(members):
            twin = {member.name: [twin] if member.most > 1 else twin}
        form, broken = explain(self.spec.shape, self.spec.rules, twin, frozenset(), *self._days)
        alone = (one for one in broken if one.rule not in self._compare)
        return not any(plain(one) == path and one.severity == "refuse" for one in (*form, *alone))

    def compiled(self, path: str, words: Words, source: Words) -> Take | None:
        """Return what takes the field's text from a row by these words, None if they do not go together."""
        wrong: list[str] = []
        leaf = self.leaves[path]
        made = FieldReader(self._scope, lambda key, rule, bound: wrong.append(rule)).field(
            {**source, **words}, ("fields", path), leaf, path, 0)
        return None if made is None or wrong else made.takes[0][1]

    def counted(self, path: str, words: Words, column: SourceColumn) -> int:
        """Return how many of a column's cells become texts that the field takes; -1 if the words do not go together.

        None is counted where the `HOPELESS` most frequent cells are not valid.
        """
        take = self.compiled(path, words, {"from": column.name})
        if take is None:
            return -1
        valid = 0
        for number, (cell, count) in enumerate(column.cells.items()):
            if number == HOPELESS and not valid:
                return 0
            if self._fits(path, take, {column.name: cell}):
                valid += count
        return valid

    def _fits(self, path: str, take: Take, row: Mapping[str, Any]) -> bool:
        try:
            text = take(row)
        except Unfit:
            return False
        return text is not None and self.accepts(path, text)


def _no_file(name: str) -> bytes:
    raise AssertionError("a draft names no file")
