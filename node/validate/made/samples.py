"""Made-up valid records, generated from the specification itself and repeatable by seed.

Each leaf is drawn from its table, its type or its pattern (`texts`); then the rules between fields are fulfilled
(`mending`).  The row id and the business key depend on seed and index only; the rest on `revision` too, so an update of
one row is `sample` with another revision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from node.model.record import Twin
from node.validate.made.dice import Dice
from node.validate.made.mending import Mender
from node.validate.made.prose import NAMED_BY
from node.validate.made.texts import leaf_text, person_name, phrases
from node.validate.shape import Group, Leaf, Shape
from node.validate.specification import Specification
from node.validate.tables import Table
from node.validate.twin import to_xml as write_xml


def sample(
    spec: Specification, seed: int, index: int, *, operation: str = "I", revision: int = 0, octets: int = 0
) -> dict[str, Any]:
    """Return the valid twin number `index` of a seed; `octets` is about how long its JSON shall be at least."""
    sampler = _Sampler(spec, seed, index, revision, operation)
    shape = spec.shape
    twin = sampler.group(shape.record, "")
    if operation == "D":
        return {name: twin[name] for name in twin if name in shape.kept}
    return _grow(twin, shape, octets, sampler.dice("grow"))


def part(spec: Specification, group: Group, path: str, seed: int) -> dict[str, Any]:
    """Return a valid twin of one group that lies at `path`."""
    made: dict[str, Any] = _Sampler(spec, seed, 0, 0, "I").one(group, path)
    return made


def to_json(twin: Twin) -> bytes:
    """Return the canonical JSON of a twin."""
    return orjson.dumps(twin, option=orjson.OPT_SORT_KEYS)


def to_xml(spec: Specification, twins: Sequence[Twin], single: bool = False) -> bytes:
    """Return XList of the twins as UTF-8 XML, or X of the first alone if `single`."""
    return write_xml(spec.shape, twins, single)


def regions(table: Table, at: str) -> Iterator[dict[str, Any]]:
    """Yield the twins of `region-code` for every row of the region table, with `at` as their business time."""
    for code, (name, first, last) in table.rows.items():
        yield {
            "RecordId": f"region-{code}", "Operation": "I", "EventTime": at, "RegionCode": code, "RegionName": name,
            "FirstRevision": first, "LastRevision": last,
        }


class _Sampler:
    def __init__(self, spec: Specification, seed: int, index: int, revision: int, operation: str) -> None:
        self.spec, self.seed, self.index, self.operation = spec, seed, index, operation
        keys = frozenset((spec.shape.row, *spec.shape.key))
        # What a field of the key must look like may depend on another field, which then may not change either.
        rules = [use.params for use in spec.shape.record.rules]
        self.own = keys | {params["when"] for params in rules if params["field"] in keys and "when" in params}
        self.own |= {kind for name, (kind, _) in NAMED_BY.items() if name in keys}
        self.born, self.changing = Dice(seed, index).state, Dice(seed, index, revision + 1).state

    def dice(self, path: str) -> Dice:
        """Return the dice of a field, which no other field's throws disturb."""
        return Dice(self.born if path in self.own else self.changing, path)

    def group(self, group: Group, path: str) -> dict[str, Any]:
        """Return a twin of a group, with its rules fulfilled."""
        twin: dict[str, Any] = {}
        waits = {use.params["field"] for use in group.rules if use.kind == "required-when"}
        waits |= {name for use in group.rules if "among" in use.params for name in use.params["among"].split()}
        for name, member in group.members.items():
            dice = self.dice(path + name)
            if member.least == 0 and (name in waits or not dice.chance(75)):
                continue
            if member.most > 1:
                twin[name] = [self.one(member, f"{path}{name}/{n}") for n in range(1 + dice.below(3))]
            else:
                twin[name] = self.one(member, path + name, dice)
        mender = Mender(self.spec, group, twin, lambda name: self.dice(path + name), self.one_at(group, path))
        mender.mend_all()
        self.name_persons(group, twin, path)
        return {name: twin[name] for name in group.members if name in twin}

    def name_persons(self, group: Group, twin: dict[str, Any], path: str) -> None:
        """Give natural persons the names of such, where another field says that they are."""
        for name, (kind, person) in NAMED_BY.items():
            member = group.members.get(name)
            if isinstance(member, Leaf) and "Text" in member.types and name in twin and twin.get(kind) == person:
                twin[name] = person_name(self.dice(path + name))[:member.facets.max_length]

    def one(self, member: Leaf | Group, path: str, dice: Dice | None = None) -> Any:
        if isinstance(member, Group):
            return self.group(member, path + "/") or {
                name: self.one(inner, f"{path}/{name}") for name, inner in list(member.members.items())[:1]
            }
        if path == self.spec.shape.operation:
            return self.operation
        return leaf_text(member, self.spec, dice or self.dice(path), self.index, self.seed)

    def one_at(self, group: Group, path: str) -> Callable[[str], Any]:
        """Return what makes a value of a member."""
        return lambda name: self.one(group.members[name], path + name)


def _grow(twin: dict[str, Any], shape: Shape, octets: int, dice: Dice) -> dict[str, Any]:
    """Lengthen the record's free texts until its JSON is about `octets` long."""
    free: Sequence[tuple[str, Leaf]] = sorted(
        [
            (name, member) for name, member in shape.record.members.items()
            if isinstance(member, Leaf) and "Text" in member.types and (member.facets.max_length or 0) >= 200
            and name not in shape.key
        ],
        key=lambda one: -(one[1].facets.max_length or 0),
    )
    missing = octets - len(to_json(twin)) if octets else 0
    for name, leaf in free:
        if missing <= 0:
            break
        before = twin.get(name, "")
        room = min((leaf.facets.max_length or 0) - len(before), max(1, missing // 3))
        twin[name] = before + phrases(dice, room)
        missing = octets - len(to_json(twin))
    return {name: twin[name] for name in shape.record.members if name in twin}
