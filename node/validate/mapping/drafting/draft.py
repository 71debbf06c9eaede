"""A mapping drafted for a table: each field of a specification with the column that most likely feeds it.

Rule 1: nothing is guessed silently: each line says why, how many of the sampled cells are valid so, and what else may
        be meant; what is doubtful begins with 核对 / CHECK.
Rule 2: no cell of a person, nor any that is rare or long, stands in a draft (`known_codes.shown`).
Rule 3: a mandatory field without a column names a column that is not there: the mapping can be read, and refuses every
        row until a person has filled it in.
Rule 4: what was drafted is read as a mapping before it is given; faults it should not have are given with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from node.model.record import Draft, Record
from node.model.sentence import Sentence
from node.validate.declared import DeclaredFault
from node.validate.mapping.drafting.choosing import Chooser, Pair
from node.validate.mapping.drafting.columns import SourceColumn, SourceTable, read_table
from node.validate.mapping.drafting.control import Control, cursors, updated
from node.validate.mapping.drafting.entries import EMPTY_PLACE, Entry, missing, of_pair
from node.validate.mapping.drafting.judging import Judge
from node.validate.mapping.drafting.trying import Trials
from node.validate.mapping.drafting.writing import Page, written
from node.validate.mapping.faults import BadMapping
from node.validate.mapping.fields import plain
from node.validate.mapping.mapped import SourceMapping, read_mapping
from node.validate.shape import Group
from node.validate.specification import Specification
from node.validate.specifications import Digest, Specifications

ONE_VALUE = Sentence("此字段只能是这一个值", "the only value this field may have")
PART_OF = Sentence("取自{label}的第{low}至{high}位，接口规范要求二者一致",
                   "characters {low} to {high} of {label}, with which the specification wants it to agree")
UNIT = Sentence("单位为{unit}，请核对来源的单位，不同时用factor", "the unit is {unit}: see that it is the source's, or use factor")
LACKING = Sentence("同组的必填字段{names}没有列", "a mandatory field beside it, {names}, has no column")
_UNITS = ("（元）", "（万元）")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft in TOML; its fields; of the sampled rows how many are `good` records; the faults it has, if any."""

    text: str
    entries: tuple[Entry, ...]
    rows: int
    good: int
    faults: tuple[DeclaredFault, ...]


def draft_mapping(
    spec: Specification, described: Mapping[str, Any], lines: Sequence[bytes], today: date, sm3: Digest
) -> Drafted:
    """Return the draft of a mapping from a table, as an adapter describes it, and some of its rows, JSON each."""
    table = read_table(described, lines)
    place = EMPTY_PLACE
    while any(one.name.startswith(place) for one in table.columns):
        place += "_"
    drafter = _Drafter(spec, table, today, sm3, place)
    entries = drafter.entries()
    page = Page(spec, table, tuple(entries), tuple(cursors(table, drafter.time)))
    mapping, faults = _read(written(page), spec, sm3)
    problems, good = _judged(mapping, table, today) if mapping is not None else (Counter[tuple[str, str]](), 0)
    return Drafted(written(page, good, problems), tuple(entries), len(table.rows), good, tuple(faults))


def _read(text: str, spec: Specification, sm3: Digest) -> tuple[SourceMapping | None, Sequence[DeclaredFault]]:
    try:
        return read_mapping("draft", text.encode(), Specifications({str(spec.id): spec}), _no_file, sm3), ()
    except BadMapping as bad:
        return None, bad.faults


def _judged(mapping: SourceMapping, table: SourceTable, today: date) -> tuple[Counter[tuple[str, str]], int]:
    """Return the problems of the sampled rows by field and rule, and how many rows have none that refuses them."""
    problems, good = Counter[tuple[str, str]](), 0
    for number, row in enumerate(table.rows):
        judged = mapping.judge(Draft(number, "row", row), today)
        if isinstance(judged, Record):
            good += 1
        else:
            problems.update({(plain(one), one.rule) for one in judged.problems if one.severity == "refuse"})
    return problems, good


def _no_file(name: str) -> bytes:
    raise AssertionError("a draft names no file")


class _Drafter:
    """Drafts every field of one specification from one table."""

    def __init__(self, spec: Specification, table: SourceTable, today: date, sm3: Digest, place: str) -> None:
        self.spec, self.table, self.place = spec, table, place
        self.judge = Judge(spec, today, sm3, table.nothing)
        self.chooser = Chooser(self.judge, table, Trials(self.judge))
        self.control = Control(self.chooser, place)
        self.time: Pair | None = None

    def entries(self) -> list[Entry]:
        """Return the fields in the specification's order."""
        shape = self.spec.shape
        operation = self.control.operation()
        time, self.time = self.control.time()
        given = {shape.row, shape.operation, shape.time}
        taken = set(operation.columns)
        if self.time is not None and updated(self.time.column):
            taken.add(self.time.column.name)
        columns = [one for one in self.table.columns if one.name not in taken]
        pairs = self.chooser.choose([path for path in self.judge.leaves if path not in given], columns)
        found = {path: of_pair(pair, *self._unit(path, pair.column), doubtful=bool(self._unit(path, pair.column)))
                 for path, pair in pairs.items()}
        for one in (*self._parts(found), *self._single(found)):
            found.setdefault(one.path, one)
        found[shape.operation] = operation
        found[shape.time] = time or self.control.stand_in(found.values())
        found[shape.row] = self.control.row(found.values())
        self._complete(shape.record, "", True, found)
        return [found[path] for path in self.judge.leaves if path in found]

    def _unit(self, path: str, column: SourceColumn) -> tuple[Sentence, ...]:
        unit = next((one for one in _UNITS if one in self.judge.leaves[path].label.zh), None)
        if unit is None or unit.strip("（）") in column.comment + column.name:
            return ()
        return (UNIT.fill(unit=unit.strip("（）")),)

    def _parts(self, found: Mapping[str, Entry]) -> Iterator[Entry]:
        """Yield fields without a column that must agree with a part of another, from which they are taken."""
        for use in self.spec.shape.record.rules:
            field, of = use.params.get("field", ""), use.params.get("of", "")
            if use.kind != "part" or field in found or of not in found or "from" not in found[of].words:
                continue
            low, high = int(use.params.get("from", "1")), int(use.params.get("to", "1000"))
            words = {**found[of].words, "characters": [low, high]}
            column = next(one for one in self.table.columns if one.name == words["from"])
            tried = {name: said for name, said in words.items() if name != "from"}
            valid = self.judge.counted(field, tried, column)
            if valid >= 0:
                why = PART_OF.fill(label=self.judge.leaves[of].label, low=low, high=high)
                yield Entry(field, words, why, valid, column.given, doubtful=True)

    def _single(self, found: Mapping[str, Entry]) -> Iterator[Entry]:
        """Yield mandatory fields that may hold one value only."""
        for path, leaf in self.judge.leaves.items():
            only = leaf.facets.enumeration or ()
            if path not in found and "/" not in path and leaf.least and len(only) == 1:
                yield Entry(path, {"value": only[0]}, ONE_VALUE)

    def _complete(self, group: Group, start: str, must: bool, found: dict[str, Entry]) -> list[str]:
        """Give mandatory fields a place to fill in; put off what an optional group lacks; return what is lacking."""
        if not must and not any(path.startswith(start) for path in found):
            return []
        lacking: list[str] = []
        for name, member in group.members.items():
            path = start + name
            if isinstance(member, Group):
                needed = member.least > 0
                missed = self._complete(member, path + "/", must and needed, found)
                lacking += missed if needed else []
            elif member.least and path not in found:
                if must:
                    found[path] = missing(path, self.place)
                else:
                    lacking.append(member.label.zh)
        if lacking and not must:
            note = LACKING.fill(names="、".join(lacking))
            for path in [one for one in found if one.startswith(start)]:
                if not found[path].off:
                    found[path] = found[path].put_off(note)
        return lacking
