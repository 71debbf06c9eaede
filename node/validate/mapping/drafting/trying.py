"""The words of a mapping under which a column's cells become valid for a field, tried on the cells themselves.

Rule 1: of the ways that are tried the one wins under which most cells are valid; of equals the plainest.
Rule 2: what is counted is what the mapping will do: each way is compiled as a mapping's field is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from node.model.sentence import Sentence
from node.validate.mapping.drafting import dates
from node.validate.mapping.drafting.columns import SourceColumn
from node.validate.mapping.drafting.judging import Judge, Words
from node.validate.mapping.drafting.known_codes import CELLS, SHORT, Guess, KnownCodes, coded, shown
from node.validate.shape import Leaf

CHECKED = frozenset({"CitizenNumber", "UnifiedCode", "RegisterNumber", "OrganisationCode"})
"""Types with a check digit: a column of such cells can be nothing else."""
_PLACED = ("RegionEver", "RegionNow", "RegionFine", "RegionTown")
_NUMBERS = ("citizen-number", "citizen-either", "unified-number")
GOOD = 0.95
"""From this share of valid cells on a column has the form of the field."""

NO_CELLS = Sentence("没有可看的内容，按列的类型猜测", "no cell to look at; guessed from the column's type")
OWN_CODES = Sentence("来源有自己的代码，见[codes.{name}]", "the source has codes of its own, see [codes.{name}]")
HIDDEN = Sentence("有{count}个值不是本字段的代码，因涉个人或过多、过长、不重复而不列出；请补写codes",
                  "{count} cells are no codes of this field; they are not shown, being personal, too many, too long "
                  "or unique: add codes yourself")
LASTING = Sentence("另有{count}个值如“长期”，不是日期，请用instead说明",
                   "{count} more cells say such as 长期 and are no dates: say with instead what they mean")
EMPTIED = Sentence("这里暂按空值处理", "until then they count as nothing")


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried: the words, how many of the `given` cells are valid under them, notes, codes to fill in."""

    words: Words
    valid: int
    given: int
    notes: tuple[Sentence, ...] = ()
    guesses: tuple[Guess, ...] = ()

    @property
    def share(self) -> float:
        """The share of valid cells, 1 where there is none."""
        return self.valid / self.given if self.given else 1.0

    @property
    def good(self) -> bool:
        """Whether nearly all cells are valid."""
        return self.share >= GOOD

    def hidden(self) -> Trial:
        """Return it without the table of its cells."""
        valid = sum(one.count for one in self.guesses if one.code == one.cell)
        words = {word: said for word, said in self.words.items() if word != "codes"}
        return Trial(words, valid, self.given, (HIDDEN.fill(count=self.given - valid),))


class Trials:
    """Tries columns for fields, each pair once."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._codes: dict[str, KnownCodes] = {}
        self._tried: dict[tuple[str, str], Trial] = {}

    def trial(self, path: str, column: SourceColumn) -> Trial:
        """Return the best way from a column to a field."""
        key = path, column.name
        if key not in self._tried:
            self._tried[key] = self._try(path, self._judge.leaves[path], column)
        return self._tried[key]

    def known(self, path: str) -> KnownCodes:
        """Return the codes of a field."""
        if path not in self._codes:
            self._codes[path] = KnownCodes(self._judge, path)
        return self._codes[path]

    def _try(self, path: str, leaf: Leaf, column: SourceColumn) -> Trial:
        if dates.dated(leaf):
            return self._date(path, leaf, column)
        tried = [Trial(words, self._judge.counted(path, words, column), column.given)
                 for words in self._ways(path, leaf)]
        best = max(tried, key=lambda one: one.valid)
        if coded(leaf) and column.given and not best.good:
            return self._own_codes(path, leaf, column, best)
        return Trial(best.words, max(best.valid, 0), best.given)

    def _ways(self, path: str, leaf: Leaf) -> Iterator[dict[str, Any]]:
        """Yield words to be tried, the plainest first."""
        letters = leaf.facets.pattern or ""
        upper = leaf.facets.enumeration is None and "Text" not in leaf.types and "A-" in letters and "a-" not in letters
        if leaf.numeric:
            yield from ({}, {"number": True}, {"number": True, "thousands": ","})
            return
        if upper or CHECKED & set(leaf.types) or self._numbered(path):
            yield {"width": "half", "case": "upper"}
            yield {"width": "half-all", "case": "upper", "without": " -"}
        yield {}
        if coded(leaf):
            known = self.known(path)
            yield from ({"names": column} for column in known.columns if column != "last_revision")
            derived = known.derived()
            if len(derived) > len(known.codes):
                yield {"codes": derived}
        elif any(kind in _PLACED for kind in leaf.types):
            yield {"characters": [1, 6]}
        elif "Text" not in leaf.types and leaf.facets.pattern:
            yield {"width": "half-all", "without": " "}

    def _numbered(self, path: str) -> bool:
        """Whether a rule says that a field holds, among others, numbers with a check character."""
        rules = (*self._judge.leaves[path].rules, *self._judge.spec.shape.record.rules)
        return any(one.kind in _NUMBERS and one.params.get("field", path) == path for one in rules)

    def _date(self, path: str, leaf: Leaf, column: SourceColumn) -> Trial:
        lasting = sum(column.cells.get(word, 0) for word in dates.LASTING)
        notes, more = self._lasting(leaf, column, lasting)
        if lasting == column.given:
            found = [form for form in dates.of_kind(column.kind)
                     if self._judge.compiled(path, {"date": form}, {"from": column.name})]
            return Trial({**({"date": _one(found)} if found else {}), **more}, 0, 0, (NO_CELLS, *notes))
        forms = dates.forms(leaf, column.cells)
        words = {"date": _one(list(forms))} if forms else {}
        dated = replace(column, cells={one: count for one, count in column.cells.items() if one not in dates.LASTING})
        return Trial({**words, **more}, max(self._judge.counted(path, words, dated), 0), dated.given, notes)

    def _lasting(self, leaf: Leaf, column: SourceColumn, count: int) -> tuple[tuple[Sentence, ...], Words]:
        """Return what is said of texts that stand for no date, and the words that let an optional field go without."""
        if not count:
            return (), {}
        found = [word for word in dates.LASTING if word in column.cells]
        notes = (LASTING.fill(count=count), *(() if leaf.least else (EMPTIED,)))
        return notes, {} if leaf.least else {"empty": [*self._judge.nothing, *found]}

    def _own_codes(self, path: str, leaf: Leaf, column: SourceColumn, best: Trial) -> Trial:
        """Return a table of the cells, as far as they may be shown, if it makes more of them valid."""
        visible = frozenset(shown(leaf, column))
        guesses = tuple(one for one in self.known(path).guesses(column) if one.cell in visible)
        hidden = column.given - sum(one.count for one in guesses)
        valid = sum(one.count for one in guesses if one.code is not None)
        name = path.replace("/", "_")
        if guesses and valid >= best.valid:
            notes = (OWN_CODES.fill(name=name), *((HIDDEN.fill(count=hidden),) if hidden else ()))
            words = {"codes": name} if valid else {}
            return Trial(words, valid, column.given, notes, guesses)
        return Trial(best.words, max(best.valid, 0), best.given, (HIDDEN.fill(count=best.given - max(best.valid, 0)),))


def like_codes(column: SourceColumn) -> bool:
    """Whether a column's cells could be codes of the source's own: few and short."""
    return len(column.cells) <= CELLS and all(len(cell) <= SHORT for cell in column.cells)


def _one(forms: list[str]) -> Any:
    return forms[0] if len(forms) == 1 else forms
