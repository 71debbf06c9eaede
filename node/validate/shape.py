"""The shape of a specification: its fields as plain values, read once from the XSD and used by every other file.

Rule 1: a path names a field from the record down, `Enterprise/ApproverAgency`; the record itself is the path "".
Rule 2: nothing here has been checked; `profile` and `reader` have done that before a shape exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from node.model.sentence import Sentence

NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"
"""The text of a numeric leaf; an integer's has no fraction."""


@dataclass(frozen=True, slots=True)
class Facets:
    """What XSD says of a leaf's text, all derivation steps joined; lengths in code points."""

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    enumeration: tuple[str, ...] | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    above: Decimal | None = None
    below: Decimal | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None


@dataclass(frozen=True, slots=True)
class RuleUse:
    """One `x:rule`: its kind, its own id, its parameters and, if given, its own sentence; `line` 0 is in an include."""

    kind: str
    id: str
    params: Mapping[str, str]
    says: Sentence | None
    severity: str
    line: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field that holds text; `numeric` is None, `integer` or `decimal`; `types` the named types it derives from."""

    name: str
    label: Sentence
    least: int
    most: int
    facets: Facets
    numeric: str | None
    types: tuple[str, ...]
    grade: int
    mask: str | None
    rules: Sequence[RuleUse] = ()
    form: Sentence | None = None  # what its type says of the form, for people
    match: re.Pattern[str] | None = field(default=None, compare=False)
    note: Sentence | None = None  # what its documentation says beyond the label, for people


@dataclass(frozen=True, slots=True)
class Group:
    """A field that holds fields; the record itself is the group with the name of its element."""

    name: str
    label: Sentence
    least: int
    most: int
    members: Mapping[str, Member]
    rules: Sequence[RuleUse] = ()
    flat: bool = False  # all members are leaves that occur at most once
    note: Sentence | None = None


Member = Leaf | Group


@dataclass(frozen=True, slots=True)
class Shape:
    """All that one XSD says."""

    interface: str
    version: str
    namespace: str
    title: Sentence
    record: Group
    row: str
    operation: str
    time: str
    key: tuple[str, ...]
    correlation: str | None
    tables: Sequence[str]
    note: Sentence | None = None

    @property
    def kept(self) -> frozenset[str]:
        """The fields a delete must still carry: what names the row and the act, and the business key."""
        return frozenset((self.row, self.operation, self.time, *self.key))


def leaves(group: Group, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield every leaf with its path, in the specification's order."""
    for name, member in group.members.items():
        if isinstance(member, Leaf):
            yield path + name, member
        else:
            yield from leaves(member, f"{path}{name}/")
