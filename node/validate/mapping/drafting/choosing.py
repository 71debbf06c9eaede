"""Which column feeds which field: what they are called, weighed with what the cells are.

Rule 1: a column feeds one field, and a field has one column; the best pairs are made first.
Rule 2: cells that are not valid for a field speak against a name, a strong form speaks for one, and can stand alone.
Rule 3: no cell of a column is shown whose name does not speak for itself.
Rule 4: a pair of which anything is doubtful is marked `doubtful`, and whatever else may be meant is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from node.model.sentence import Sentence
from node.validate.mapping.drafting.columns import SourceColumn, SourceTable
from node.validate.mapping.drafting.judging import Judge
from node.validate.mapping.drafting.known_codes import coded
from node.validate.mapping.drafting.naming import SURE, FieldNames, Likeness
from node.validate.mapping.drafting.trying import CHECKED, GOOD, Trial, Trials, like_codes
from node.validate.shape import Leaf

LEAST = 55
"""From this weight on a pair is made."""
NEAR = 8
"""A pair is doubtful if another one weighs so little less."""
SEEN = 5
"""So many cells must be there before a form stands alone."""

NUMBER = 30
"""Most characters of a number with a check digit, blanks and signs between its digits included."""
_TOLD = ("name", "address")
"""Masks that say what a text looks like."""

FORM = Sentence("列名不能说明，但内容符合该字段的校验规则", "its name tells nothing, its cells pass the checks of the field")


@dataclass(frozen=True, slots=True)
class Pair:
    """A field and a column, why, and how well the cells fit."""

    path: str
    column: SourceColumn
    weight: float
    why: Sentence
    trial: Trial
    doubtful: bool
    rivals: tuple[str, ...] = ()


class Chooser:
    """Weighs the columns of one table for the fields of one specification."""

    def __init__(self, judge: Judge, table: SourceTable, trials: Trials) -> None:
        self.judge, self.table, self.trials = judge, table, trials
        last = [path.rpartition("/")[2] for path in judge.leaves]
        self.names = {path: FieldNames(path, leaf, last.count(path.rpartition("/")[2]) == 1)
                      for path, leaf in judge.leaves.items()}
        self._strong = {one.name: self._kinds(one) for one in table.columns}

    def _kinds(self, column: SourceColumn) -> frozenset[str]:
        """Return the types with a check digit that nearly all cells of a column are of."""
        if column.given < SEEN or not _mostly(column, lambda cell: len(cell) <= NUMBER):
            return frozenset()
        return frozenset(
            kind for path, leaf in self.judge.leaves.items() for kind in leaf.types
            if kind in CHECKED and self.trials.trial(path, column).good)

    def pairs(self, path: str, columns: Iterable[SourceColumn]) -> list[Pair]:
        """Return the columns that may feed a field, the likeliest first."""
        found = []
        for column in columns:
            like = self.names[path].likeness(column)
            if like is not None:
                found.append(self._weighed(path, column, like))
        return sorted((one for one in found if one.weight >= LEAST), key=lambda one: -one.weight)

    def _weighed(self, path: str, column: SourceColumn, like: Likeness) -> Pair:
        trial, leaf = self.trials.trial(path, column), self.judge.leaves[path]
        if trial.guesses and like.degree < SURE:
            trial = trial.hidden()  # what is perhaps no code at all may be a person's name
        weight = like.degree + self._content(leaf, column, trial)
        bare = "Text" in leaf.types and like.thin and not (leaf.mask in _TOLD and _plausible(leaf, column))
        doubtful = like.degree < SURE or not trial.good or not trial.given or bare or "codes" in trial.words
        doubtful = doubtful or trial.given < column.given
        return Pair(path, column, weight, like.why, trial, doubtful)

    def _content(self, leaf: Leaf, column: SourceColumn, trial: Trial) -> float:
        """Return what the cells add to a name, or take from it."""
        if not trial.given:
            return -2
        if "Text" in leaf.types:
            if self._strong[column.name] and not any(sign in leaf.label.zh for sign in "码号证"):
                return -40
            return (3 if _plausible(leaf, column) else -20) if trial.good else -40
        if trial.good:
            return 8 if CHECKED & set(leaf.types) or leaf.facets.pattern or coded(leaf) else 4
        if coded(leaf):
            return -8 if like_codes(column) else -40
        return -10 if trial.share >= 0.5 else -40

    def choose(self, paths: Iterable[str], columns: Iterable[SourceColumn]) -> dict[str, Pair]:
        """Return the pairs of these fields and columns."""
        wanted, free = list(paths), list(columns)
        offers = [pair for path in wanted for pair in self.pairs(path, free)]
        order = {path: at for at, path in enumerate(self.judge.leaves)}
        offers.sort(key=lambda one: (-one.weight, not self._needed(one.path), order[one.path]))
        chosen: dict[str, Pair] = {}
        taken: set[str] = set()
        for one in offers:
            if one.path not in chosen and one.column.name not in taken:
                chosen[one.path] = self._against(one, offers, taken)
                taken.add(one.column.name)
        for one in self._by_form([path for path in wanted if path not in chosen],
                                 [one for one in free if one.name not in taken]):
            if one.path not in chosen and one.column.name not in taken:
                chosen[one.path] = one
                taken.add(one.column.name)
        return chosen

    def _needed(self, path: str) -> bool:
        return path in self.judge.spec.shape.key or "/" not in path and self.judge.leaves[path].least > 0

    def _against(self, one: Pair, offers: Iterable[Pair], taken: set[str]) -> Pair:
        """Return a pair with its rivals: other columns for the field, other fields for the column."""
        near = [each for each in offers if each is not one and each.weight >= one.weight - NEAR
                and each.column.name not in taken]
        others = [each.column.name for each in near if each.path == one.path]
        fields = [self.judge.leaves[each.path].label.zh for each in near if each.column is one.column]
        rivals = tuple(dict.fromkeys((*others, *fields)))
        return Pair(one.path, one.column, one.weight, one.why, one.trial, one.doubtful or bool(rivals), rivals)

    def _by_form(self, paths: Iterable[str], columns: list[SourceColumn]) -> Iterator[Pair]:
        """Yield pairs that the cells alone make: where the form is strong, and only one field of it is to be filled."""
        keys = self.judge.spec.shape.key
        for kind in sorted(CHECKED):
            open_ = [path for path in paths if kind in self.judge.leaves[path].types]
            first = [path for path in open_ if path in keys] or [path for path in open_ if self._needed(path)] or open_
            fitting = [one for one in columns if kind in self._strong[one.name]]
            many = [one for one in fitting if len(one.cells) > one.given / 2] if first and first[0] in keys else fitting
            if len(first) == 1 and many:
                rivals = tuple(one.name for one in fitting if one is not many[0])
                yield Pair(first[0], many[0], LEAST, FORM, self.trials.trial(first[0], many[0]), True, rivals)


def _plausible(leaf: Leaf, column: SourceColumn) -> bool:
    """Whether most cells look like what the mask of a text says it is; true of a text that any cell may be."""
    if leaf.mask == _TOLD[0]:
        longest, looked = (20, 20) if "姓名" in leaf.label.zh else (200, 2)
        return _mostly(column, lambda cell: 2 <= len(cell) <= longest and not cell.isascii() and not any(
            sign.isdigit() for sign in cell[:looked]))
    if leaf.mask == _TOLD[1]:
        return _mostly(column, lambda cell: len(cell) >= 6 and not cell.isascii())
    return True


def _mostly(column: SourceColumn, holds: Callable[[str], bool]) -> bool:
    return sum(count for cell, count in column.cells.items() if holds(cell)) >= GOOD * column.given - 1e-9
