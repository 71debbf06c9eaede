"""One specification at work: drafts in, records or refusals out.

The gates (libxml2, jsonschema-rs) and the compiled rules only decide; whatever they refuse, `explain` names.
Rule 1: only this file makes a Record.
Rule 2: gates and `explain` are two readings of one XSD and must agree; a disagreement raises, and is counted.
Rule 3: a record's body is `orjson` with sorted keys over the twin, whatever door it came through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any

import jiter
import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions

from node.model import codes
from node.model.record import Draft, Operation, Problem, Record, Refusal, SpecificationId
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.validate import document
from node.validate.derive import json_schema, xml_schema
from node.validate.document import Limits, Media
from node.validate.explain import explain
from node.validate.plain import PlainXml
from node.validate.reader import Document
from node.validate.rules.compiled import compile_rules
from node.validate.rules.wording import DOORS, say
from node.validate.shape import Shape
from node.validate.tables import Table
from node.validate.twin import JsonReader, XmlReader, fast_twin, names_by_tag

_SORTED = orjson.OPT_SORT_KEYS
_UPSERT, _DELETE = Operation.UPSERT, Operation.DELETE
_LABEL = Sentence("此条记录", "the record")
DEPTH = 16
"""Most levels of a JSON record."""

Days = tuple[str, str]


@lru_cache(8)
def _days(today: date) -> Days:
    """Return today and tomorrow as `YYYYMMDD`."""
    return f"{today:%Y%m%d}", f"{today + timedelta(days=1):%Y%m%d}"


class Specification:
    """A specification that fits the profile, compiled; immutable but for its count of disagreements."""

    def __init__(self, source: Document, shape: Shape, digest: str, tables: Mapping[str, Table]) -> None:
        self.shape = shape
        self.id = SpecificationId(shape.interface, shape.version, digest)
        self.title = shape.title
        self.key_fields = shape.key
        self.tables = {name: tables[name] for name in shape.tables}
        self.disagreements = 0
        self.rules = compile_rules(shape, lambda table, which: self.tables[table].codes(which))
        self._xml = xml_schema(source.root, source.includes, None)
        self._xml_delete = xml_schema(source.root, source.includes, shape.kept)
        self._json = _gate(json_schema(shape))
        self._json_delete = _gate(json_schema(shape, shape.kept))
        self._broken = self.rules.broken
        self._refusing = frozenset(n for n, rule in enumerate(self.rules.all) if rule.severity == "refuse")
        self._key = _getter(shape.key)
        self.plain = PlainXml(shape)
        self._names = names_by_tag(shape)
        self._operation_tag = f"{{{shape.namespace}}}{shape.operation}"
        self._operation_place = list(shape.record.members).index(shape.operation)
        self._ways = {"json": self._judge_json, "xml": self._judge_xml, "plain": self._judge_plain}

    def json_schema(self) -> dict[str, Any]:
        """Return the derived JSON Schema of a whole record."""
        return json_schema(self.shape)

    def judge(self, draft: Draft, today: date) -> Record | Refusal:
        """Return the record that a draft is, or every problem of it; raise Hold(DISAGREE) for a fault of our own."""
        return next(self.judge_all((draft,), today))

    def judge_all(self, drafts: Iterable[Draft], today: date) -> Iterator[Record | Refusal]:
        """Judge drafts one by one, lazily and in order."""
        days, ways = _days(today), self._ways
        return (ways[draft.form](draft, days) for draft in drafts)

    def judge_body(self, index: int, body: bytes, today: date) -> Record | Refusal:
        """Judge a twin at the second door: its bytes must be the canonical ones."""
        days = _days(today)
        try:
            twin = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _refuse(index, None, [_door("malformed")])
        try:
            canonical = orjson.dumps(twin, option=_SORTED) == body
        except orjson.JSONEncodeError:  # it reads deeper than it writes
            return _refuse(index, None, [_door("depth", DEPTH)])
        if not canonical:
            return _refuse(index, None, [_door("canonical")])
        if self._opens(twin) and not self._refused(twin, days):
            return self._record(index, twin, body)
        return self._explain(index, twin, (), self._opens(twin), days)

    def problems(self, draft: Draft, today: date) -> Sequence[Problem]:
        """Return all problems of a draft, warnings too, whether or not it would be a record."""
        judged = self.judge(draft, today)
        if isinstance(judged, Refusal):
            return judged.problems
        form, broken = explain(self.shape, self.rules, orjson.loads(judged.body), self._kept(judged), *_days(today))
        return [*form, *broken]

    def _judge_json(self, draft: Draft, days: Days) -> Record | Refusal:
        try:
            raw = draft.tree if draft.tree.__class__ is bytes else orjson.dumps(draft.tree)
            twin = orjson.loads(raw)
        except (orjson.JSONDecodeError, orjson.JSONEncodeError, RecursionError):
            return _refuse(draft.index, None, [*draft.problems, _door("malformed")])
        if not draft.problems and self._opens(twin) and not self._refused(twin, days):
            body = orjson.dumps(twin, option=_SORTED)
            if _single(raw, body):
                return self._record(draft.index, twin, body)
        return self._careful_json(draft, raw, twin, days)

    def _careful_json(self, draft: Draft, raw: bytes, parsed: Any, days: Days) -> Record | Refusal:
        """Judge JSON that has numbers, repeated names or faults."""
        if _deep(parsed):
            return _refuse(draft.index, None, [*draft.problems, _door("depth", DEPTH)])
        reader = JsonReader(self.shape)
        twin = reader.read(raw)
        found = [*draft.problems, *reader.problems]
        opens = self._opens(twin)
        if not found and opens and not self._refused(twin, days):
            return self._record(draft.index, twin, orjson.dumps(twin, option=_SORTED))
        return self._explain(draft.index, twin, found, opens, days)

    def _judge_xml(self, draft: Draft, days: Days) -> Record | Refusal:
        element = draft.tree
        gate = self._xml_delete if self._operation(element) == "D" else self._xml
        opens = bool(gate(element))
        if opens and not draft.problems:
            twin = fast_twin(element, self.shape.record, self._names)
            if not self._refused(twin, days):
                return self._record(draft.index, twin, orjson.dumps(twin, option=_SORTED))
        reader = XmlReader(self.shape)
        careful = reader.read(element, self.shape.record)
        found = [*draft.problems, *(one for one in reader.problems if one not in draft.problems)]
        return self._explain(draft.index, careful, found, opens, days)

    def _judge_plain(self, draft: Draft, days: Days) -> Record | Refusal:
        twin = draft.tree
        opens = self._opens(twin)
        if opens and not self._refused(twin, days):
            return self._record(draft.index, twin, orjson.dumps(twin, option=_SORTED))
        return self._explain(draft.index, twin, (), opens, days)

    def _operation(self, element: Any) -> Any:
        """Return the operation of a record; looked for where it should stand first, which is six times as fast."""
        place = self._operation_place
        if len(element) > place and element[place].tag == self._operation_tag:
            return element[place].text
        return element.findtext(self._operation_tag)

    def _opens(self, twin: Any) -> bool:
        """Whether the JSON gate lets the twin through."""
        if twin.__class__ is not dict:
            return False
        gate = self._json_delete if twin.get(self.shape.operation) == "D" else self._json
        try:
            return bool(gate.is_valid(twin))
        except ValueError:  # nested deeper than the library goes
            return False

    def _refused(self, twin: Mapping[str, Any], days: Days) -> bool:
        hits = self._broken(twin, *days)
        return bool(hits) and any(number in self._refusing for number, _ in hits)

    def _record(self, index: int, twin: Mapping[str, Any], body: bytes) -> Record:
        shape = self.shape
        return Record(
            index, body, twin[shape.row], _DELETE if twin[shape.operation] == "D" else _UPSERT, twin[shape.time],
            self._key(twin), None if shape.correlation is None else twin.get(shape.correlation),
        )

    def _kept(self, record: Record) -> frozenset[str] | None:
        return self.shape.kept if record.operation is Operation.DELETE else None

    def _explain(self, index: int, twin: Any, found: Sequence[Problem], opens: bool, days: Days) -> Refusal:
        """Return the refusal of a twin that a gate, a rule or a careful reader did not let through."""
        delete = isinstance(twin, Mapping) and twin.get(self.shape.operation) == "D"
        form, broken = explain(self.shape, self.rules, twin, self.shape.kept if delete else None, *days)
        problems = [*found, *form, *broken]
        silent = not any(problem.severity == "refuse" for problem in problems)
        if silent or opens and form and not found:
            self.disagreements += 1
            raise trouble(codes.DISAGREE, spec=str(self.id), index=index)
        row = twin.get(self.shape.row) if isinstance(twin, Mapping) else None
        if not isinstance(row, str) or any(problem.field == self.shape.row for problem in problems):
            row = None
        return _refuse(index, row, problems)


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[str, ...]]:
    """Return what takes the values of these members, in this order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda twin: (twin[names[0]],)


def _gate(schema: dict[str, Any]) -> Draft202012Validator:
    # The linear engine: no pattern can make it backtrack.
    return Draft202012Validator(schema, pattern_options=RegexOptions(), validate_formats=False)


def _single(raw: bytes, body: bytes) -> bool:
    """Whether no object of a JSON text that parses names a member twice; `body` is what the parser made of it.

    A text is nowhere shorter than `body` writes it, so one of the same length lost nothing.  Without a backslash every
    colon stands for itself, and each member that `body` lost took its colon with it; so equal numbers of colons prove
    that none was lost.  Only a text with a backslash is parsed again.
    """
    if len(raw) == len(body):
        return True
    if b"\\" not in raw:
        return raw.count(b":") == body.count(b":")
    try:
        jiter.from_json(raw, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def _deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(DEPTH + 1):
        level = [
            inner for one in level if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


def _door(rule: str, bound: object = "") -> Problem:
    return Problem("", rule, say(DOORS[rule], _LABEL, bound))


def _refuse(index: int, row: str | None, problems: Sequence[Problem]) -> Refusal:
    return Refusal(index, row, tuple(problems))


def read_drafts(
    content: bytes, media: Media, specification: Specification, limits: Limits = Limits()
) -> Sequence[Draft]:
    """Return the drafts of a submission's body; raise Refused TOO_LARGE, MEDIA or MALFORMED for the whole of it."""
    if media.kind == "xml" and media.charset != "gb18030" and len(content) <= min(limits.octets, limits.record_octets):
        plain = specification.plain.drafts(content, limits.records)
        if plain is not None:
            return plain
    return document.read_drafts(content, media, specification.shape, limits)
