"""A mapping file, read once: TOML to plans, or every fault of it at once.

    [mapping]
    specification = "population-basic/1.0"

    [fields]
    PersonName = "姓名"
    SexCode = { from = "性别", codes = { "男" = "1", "女" = "2" } }

Rule 1: a mapping with any fault is not used.
Rule 2: no text of the file is ever run, and no pattern of the file is a regular expression.
Rule 3: nothing but the tables of codes beside it is opened, and those only through `fetch`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.model.spots import Key, line_of, long_key, spots
from node.validate.declared import DeclaredFault
from node.validate.mapping.faults import BadMapping, fault
from node.validate.mapping.fields import NUMBER, Fetch, Field, FieldReader, Scope
from node.validate.mapping.plan import Filler, GroupPlan, Groups, Items, Texts
from node.validate.mapping.texts import Take
from node.validate.mapping.words import FIELD, HEAD, is_column
from node.validate.shape import Group, Leaf, Member
from node.validate.specification import Specification
from node.validate.specifications import Digest, Specifications
from node.validate.uses import PERSONAL

OCTETS = 1 << 20
"""Most that a mapping file may be long."""
COLUMNS = 1000
"""Most columns of a source."""
FIELDS = 10_000
"""Most fields, those of repeated groups counted as often as they may occur."""

FAULTS = 1000
"""Most faults that are told; the first ones are mended first."""

_SPOT = re.compile(r"\(at line (\d+), column (\d+)\)")
_TABLES = ("mapping", "codes", "fields")


@dataclass(frozen=True, slots=True)
class Reading:
    """A mapping as read: what it maps to, how its source is written, and the plan of a record."""

    spec: Specification
    plan: GroupPlan
    columns: Mapping[str, tuple[str, ...]]  # the columns of each field by its path, {n} and all
    used: frozenset[str]  # every column that is taken or dropped, {n} replaced
    charset: str
    separator: str
    strict: bool


def read(name: str, content: bytes, held: Specifications, fetch: Fetch, sm3: Digest) -> Reading:
    """Return the mapping of a file; raise BadMapping with every fault."""
    reader = _Reader(held, fetch, sm3)
    reading = reader.file(content)
    if reader.faults or reading is None:
        raise BadMapping(name, sorted(reader.faults, key=lambda one: one.line or 0))
    return reading


@dataclass
class _Reader:
    held: Specifications
    fetch: Fetch
    sm3: Digest
    faults: list[DeclaredFault] = field(default_factory=list)
    lines: Mapping[Key, int] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    size: int = 0

    def note(self, key: Key, rule: str, bound: object = "") -> None:
        """Note a fault."""
        if len(self.faults) < FAULTS:
            self.faults.append(fault(line_of(self.lines, key), key, rule, bound))

    def file(self, content: bytes) -> Reading | None:
        """Return the mapping, None if nothing could be made of it."""
        tree = self._tree(content)
        if tree is None:
            return None
        for name in tree:
            if name not in _TABLES:
                self.note((name,), "word", " ".join(_TABLES))
        head = self._head(tree.get("mapping"))
        spec = self.held.get(head.get("specification", ""))
        if spec is None:
            if "specification" in head:
                self.note(("mapping", "specification"), "specification", " ".join(self.held.names()))
            return None
        known = self._codes(tree.get("codes", {}))
        said = tree.get("fields")
        if not isinstance(said, dict):
            self.note(("fields",), "missing")
            return None
        zone, width = head.get("zone", "+08:00"), head.get("width", "keep")
        scope = Scope(spec, width, tuple(head.get("empty", ())), zone, known, self.fetch, self.sm3)
        plan = self._group(spec.shape.record, said, ("fields",), "", FieldReader(scope, self.note), 0, (1,))
        if plan is None:
            return None
        self._row(spec)
        self._dropped(head)
        return Reading(
            spec, plan[0], self.columns, frozenset(self.used), head.get("charset", "utf-8"),
            head.get("separator", ","), head.get("strict", False),
        )

    def _tree(self, content: bytes) -> dict[str, Any] | None:
        if len(content) > OCTETS:
            self._lost(None, "size", OCTETS)
            return None
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as why:
            self._lost(content.count(b"\n", 0, why.start) + 1, "encoding")
            return None
        if line := long_key(text):
            self._lost(line, "deep")
            return None
        try:
            tree = tomllib.loads(text)
        except tomllib.TOMLDecodeError as why:
            # Of the library's message only the place is used; the rest may quote the line.
            found = _SPOT.search(str(why))
            line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
            self._lost(line, "syntax", column)
            return None
        except (RecursionError, ValueError):
            self._lost(None, "deep")
            return None
        self.lines = spots(text)
        return tree

    def _lost(self, line: int | None, rule: str, bound: object = "") -> None:
        self.faults.append(fault(line, (), rule, bound))

    def _head(self, said: Any) -> dict[str, Any]:
        if not isinstance(said, dict):
            self.note(("mapping",), "missing")
            return {}
        good: dict[str, Any] = {}
        for word, value in said.items():
            if word not in HEAD:
                self.note(("mapping", word), "word", " ".join(HEAD))
            elif not HEAD[word][0](value):
                self.note(("mapping", word), "kind", HEAD[word][1])
            else:
                good[word] = value
        if "specification" not in said:
            self.note(("mapping", "specification"), "missing")
        return good

    def _codes(self, said: Any) -> dict[str, Any]:
        known: dict[str, Any] = {}
        if not isinstance(said, dict):
            self.note(("codes",), "kind", FIELD["codes"][1])
            return known
        for name, table in said.items():
            if isinstance(table, dict) and FIELD["codes"][0](table):
                known[name] = table
            else:
                self.note(("codes", name), "kind", FIELD["codes"][1])
        return known

    # --- fields -------------------------------------------------------------------------------------------------

    def _group(
        self, group: Group, said: Mapping[str, Any], key: Key, start: str, fields: FieldReader, inside: int,
        numbers: Sequence[int],
    ) -> Sequence[GroupPlan] | None:
        """Return the plans of a group, one for each number; its members are those of the specification."""
        takes: list[dict[str, Take]] = [{} for _ in numbers]
        inner: list[dict[str, Filler]] = [{} for _ in numbers]
        for name, value in said.items():
            if name == "repeat" and inside:
                continue
            member = group.members.get(name)
            if member is None:
                self.note((*key, name), "field")
                continue
            self._member(member, value, (*key, name), start + name, fields, inside, takes, inner)
        for name, member in group.members.items():
            if member.least and name not in said:
                self.note((*key, name), "required")
        labels = {name: member.label for name, member in group.members.items()}
        return [GroupPlan(one, two, labels) for one, two in zip(takes, inner)]

    def _member(
        self, member: Member, said: Any, key: Key, path: str, fields: FieldReader, inside: int,
        takes: list[dict[str, Take]], inner: list[dict[str, Filler]],
    ) -> None:
        name = member.name
        if isinstance(member, Group):
            if not isinstance(said, dict):
                self.note(key, "group")
                return
            for place, filler in enumerate(self._within(member, said, key, path, fields, inside, len(takes))):
                inner[place][name] = filler
            return
        if isinstance(said, str):
            said = {"from": said}
        if not isinstance(said, dict):
            self.note(key, "source")
            return
        made = fields.field(said, key, member, path, inside)
        if made is None or not self._counted(made, key, path):
            return
        if member.most == 1:
            for place, (_, take) in enumerate(made.takes[:len(takes)]):
                takes[place][name] = take
        else:
            for place in range(len(takes)):
                inner[place][name] = _several(made, member, place if inside else None)

    def _within(
        self, group: Group, said: Mapping[str, Any], key: Key, path: str, fields: FieldReader, inside: int, places: int
    ) -> Sequence[Filler]:
        """Return what fills a group inside a group, for each number of the outer one."""
        repeat = said.get("repeat", 0)
        if repeat and (type(repeat) is not int or inside or not 0 < repeat <= group.most):
            self.note((*key, "repeat"), "nested" if inside else "repeat", group.most)
            return ()
        numbers = range(1, (repeat or inside or 1) + 1)
        plans = self._group(group, said, key, path + "/", fields, repeat or inside, numbers) or ()
        if repeat:
            return [Groups(tuple(zip(numbers, plans)))]
        if group.most > 1:
            return [Groups([(number, plan)]) for number, plan in zip(numbers, plans)]
        return plans

    def _counted(self, made: Field, key: Key, path: str) -> bool:
        """Note the columns of a field; return whether there are not too many by now."""
        self.columns[path] = made.columns
        self.size += len(made.takes)
        for number, _ in made.takes:
            self.used.update(name.replace(NUMBER, str(number)) for name in made.columns)
        if self.size > FIELDS:
            self.note(key, "fields", FIELDS)
            return False
        return True

    # --- the whole ----------------------------------------------------------------------------------------------

    def _row(self, spec: Specification) -> None:
        """Note a row id from a personal identifier, as far as the grades tell, or one that every row would share."""
        row = spec.shape.row
        own = self.columns.get(row)
        if own is None:
            return
        if not own:
            self.note(("fields", row), "constant-row")
        graded = _personal(spec.shape.record, "")
        for name in own:
            if any(name in self.columns.get(path, ()) for path in graded):
                self.note(("fields", row), "personal", name[:64])

    def _dropped(self, head: Mapping[str, Any]) -> None:
        drop = head.get("drop", ())
        for name in drop:
            if not is_column(name):
                self.note(("mapping", "drop"), "column")
            elif name in self.used:
                self.note(("mapping", "drop"), "dropped")
        self.used.update(drop)
        if len(self.used) > COLUMNS:
            self.note(("fields",), "columns", COLUMNS)


def _several(made: Field, leaf: Leaf, place: int | None) -> Filler:
    """Return what fills a repeated text; inside a repeated group that of one number alone."""
    takes = made.takes if place is None else made.takes[place:place + 1]
    if made.by is not None:
        return Items(takes[0][1], made.by, made.steps, leaf.label)
    return Texts(takes, leaf.label)


def _personal(group: Group, start: str) -> Sequence[str]:
    found: list[str] = []
    for name, member in group.members.items():
        if isinstance(member, Group):
            found += _personal(member, f"{start}{name}/")
        elif member.grade >= PERSONAL:
            found.append(start + name)
    return found
