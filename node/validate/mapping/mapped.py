"""A mapping at work: rows of a source in, records or refusals out.

Rule 1: it makes a twin and no record; the specification judges the twin as it judges any other.
Rule 2: of a row every problem is told at once, the mapping's own in the place of the field they are at; each names the
columns that the field comes from, and never what stands in them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from node.model import codes
from node.model.record import Draft, Problem, Record, Refusal
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.validate.declared import DeclaredFault
from node.validate.document import Limits, Media
from node.validate.mapping import reading
from node.validate.mapping.faults import BadMapping
from node.validate.mapping.fields import NUMBER, Fetch
from node.validate.mapping.gone import GONE, judge_gone
from node.validate.mapping.plan import Trace
from node.validate.mapping.rows import CsvRows, Writing, json_rows, open_csv, parse_row, row_problem
from node.validate.mapping.texts import Row
from node.validate.mapping.wording import Unfit
from node.validate.rules.wording import shown
from node.validate.specification import Specification
from node.validate.specifications import Digest, Specifications

NAMED = 5
"""Most columns that one problem names, and most unknown columns that a row is told of."""


class SourceMapping:
    """A mapping from one source's rows to one specification, compiled; immutable."""

    def __init__(self, read: reading.Reading) -> None:
        self.spec: Specification = read.spec
        self.id = read.spec.id
        taken = frozenset(name for names in read.columns.values() for name in names if NUMBER not in name)
        self.writing = Writing(read.charset, read.separator, taken)
        self._plan, self._columns, self._used = read.plan, read.columns, read.used
        self._strict = read.strict

    def read_drafts(self, content: bytes, media: Media, limits: Limits = Limits()) -> Iterable[Draft]:
        """Return the rows of a body; raise Refused TOO_LARGE, MEDIA or MALFORMED for the whole of it."""
        if media.kind == "csv":
            return CsvRows(content, media, self.writing, limits)
        if media.kind == "xml":
            raise trouble(codes.MEDIA)
        return json_rows(content, media, self.writing, self.spec.shape, limits)

    def read_csv(
        self, stream: io.BufferedReader, charset: str | None, limits: Limits = Limits()
    ) -> Iterator[tuple[int, Draft]]:
        """Yield the rows of a CSV file of any size, each with the line it begins on; raise Refused as `read_drafts`."""
        return open_csv(stream, charset, self.writing, limits)

    def judge(self, draft: Draft, today: date) -> Record | Refusal:
        """Return the record that a row is, or every problem of it; raise Hold(DISAGREE) for a fault of our own."""
        found = self._row(draft)
        if isinstance(found, Refusal):
            return found
        trace = Trace()
        twin = self._plan.twin(found, "", trace)
        if GONE in found:
            return judge_gone(self.spec, draft.index, twin, str(found[GONE]), today)
        judged = self.spec.judge(Draft(draft.index, "plain", twin), today)
        unknown = self._strict and found.keys() - self._used
        if not unknown and not trace.problems and isinstance(judged, Record):
            return judged
        problems = () if isinstance(judged, Record) else judged.problems
        return Refusal(draft.index, judged.row, tuple([*_unknown(unknown or ()), *self._told(problems, trace)]))

    def judge_all(self, drafts: Iterable[Draft], today: date) -> Iterator[Record | Refusal]:
        """Judge rows one by one, lazily and in order."""
        return (self.judge(draft, today) for draft in drafts)

    def problems(self, draft: Draft, today: date) -> Sequence[Problem]:
        """Return all problems of a row, warnings too, whether or not it would be a record."""
        judged = self.judge(draft, today)
        if isinstance(judged, Refusal):
            return judged.problems
        trace = Trace()
        twin = self._plan.twin(self._row(draft), "", trace)  # type: ignore[arg-type]  # it was judged a record
        return list(self._told(self.spec.problems(Draft(draft.index, "plain", twin), today), trace))

    def twin(self, row: Row) -> dict[str, Any]:
        """Return the twin of a row as far as it can be mapped; nothing of it is judged."""
        return self._plan.twin(row, "", Trace())

    def _row(self, draft: Draft) -> Row | Refusal:
        if draft.problems:
            return Refusal(draft.index, None, draft.problems)
        row: Row
        if draft.form == "row":
            row = draft.tree
            return row
        try:
            row = parse_row(draft.tree)
        except Unfit as why:
            return Refusal(draft.index, None, (row_problem(why.rule, why.bound),))
        return row

    def _told(self, problems: Sequence[Problem], trace: Trace) -> Iterator[Problem]:
        """Yield the problems with their columns; at a field that could not be mapped, why."""
        for problem in problems:
            own = trace.problems.get(problem.field)
            said = own if own is not None and problem.rule == "empty" else problem
            yield self._at(said, trace)

    def _at(self, problem: Problem, trace: Trace) -> Problem:
        names = self._names(problem.field, trace)
        if not names:
            return problem
        more = "…" if len(names) > NAMED else ""
        zh = f"{problem.says.zh}（来源列：{'、'.join(names[:NAMED])}{more}）"
        en = f"{problem.says.en} (source column: {', '.join(names[:NAMED])}{more})"
        return Problem(problem.field, problem.rule, Sentence(zh, en), problem.severity)

    def _names(self, place: str, trace: Trace) -> Sequence[str]:
        """Return the columns that a field, or what lies in it, comes from."""
        steps, path, so_far, number = place.split("/"), [], "", ""
        for step in steps:
            name, _, nth = step.partition("[")
            path.append(name)
            so_far = f"{so_far}/{name}" if so_far else name
            numbers = trace.numbers.get(so_far)
            if nth and numbers and nth[:-1].isdigit() and 0 < int(nth[:-1]) <= len(numbers):
                number = str(numbers[int(nth[:-1]) - 1])
            if nth:
                so_far += f"[{nth}"
        plain = "/".join(path)
        own = self._columns.get(plain)
        if own is None and plain:
            own = tuple(one for at, names in self._columns.items() if at.startswith(plain + "/") for one in names)
        return [name.replace(NUMBER, number) if number else name for name in dict.fromkeys(own or ())]


def _unknown(names: Iterable[str]) -> Iterator[Problem]:
    for name in sorted(str(name) for name in names)[:NAMED]:
        yield row_problem("mapping-column", shown(name))


def read_mapping(
    name: str, content: bytes, held: Specifications, fetch: Fetch, sm3: Digest
) -> SourceMapping:
    """Return the mapping of a file's bytes; raise Hold(MAPPING_FORM), a `BadMapping`, with every fault.

    `name` is what the mapping is called in sentences; `fetch` gives the tables of codes that it names as files.
    """
    return SourceMapping(reading.read(name, content, held, fetch, sm3))


def check_mapping(
    name: str, content: bytes, held: Specifications, fetch: Fetch, sm3: Digest
) -> Sequence[DeclaredFault]:
    """Return every fault of a mapping, in the order of its lines."""
    try:
        reading.read(name, content, held, fetch, sm3)
    except BadMapping as bad:
        return bad.faults
    return ()
