"""A declaration of rules between records, read once: TOML to rules, or every fault of it at once.

    [between]
    zh = "办件"
    en = "case"
    wait = "24h"

    [sets]
    application = "case-application"
    acceptance = "case-acceptance"

    [[rule]]
    id = "apply-accept"
    kind = "order"
    first = "application.ApplyTime"
    then = "acceptance.AcceptTime"
    severity = "warn"
    zh = "…"
    en = "…"

Rule 1: a declaration with any fault is not used.
Rule 2: what records are joined by is their specifications' correlation, and is not said again.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.model.instant import Instant
from node.model.sentence import Sentence
from node.model.spots import Key, line_of, long_key, spots
from node.validate.between.case import Member
from node.validate.between.declared import Between, Rule
from node.validate.between.faults import BadBetween, fault
from node.validate.between.kinds import Kind, Needs, One, Open, Order, Overdue, Refers, Same
from node.validate.declared import DeclaredFault
from node.validate.shape import Leaf, Shape
from node.validate.specifications import Specifications

OCTETS = 64 << 10
"""Most that a declaration may be long."""
RULES = 100
"""Most rules of one declaration."""
UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
SEVERITIES = ("warn", "error")
_TIMES = {"Moment", "Date8", "Date"}
_WAIT, _ID = re.compile(r"([0-9]{1,4})([smhd])"), re.compile(r"[a-z][a-z0-9-]{0,39}")
_WORDS = ("id", "kind", "severity", "zh", "en")
_TABLES = ("between", "sets", "rule")


def read_between(name: str, content: bytes, held: Specifications) -> Between:
    """Return the declaration `name`, `case/1.0`, from its file's octets; raise BadBetween with every fault."""
    reader = _Reader(name, newest(held))
    made = reader.file(content)
    if reader.faults or made is None:
        raise BadBetween(name, sorted(reader.faults, key=lambda one: one.line or 0))
    return made


def newest(held: Specifications) -> dict[str, Shape]:
    """Return the shape of the newest version of each interface."""
    found: dict[str, Shape] = {}
    for name in sorted(held.names(), key=lambda name: numbers(name.partition("/")[2])):
        specification = held.get(name)
        assert specification is not None, "it was just named"
        found[specification.shape.interface] = specification.shape
    return found


def numbers(version: str) -> tuple[int, ...]:
    """Return a version, `1.10`, so that the later is the greater."""
    return tuple(int(part) for part in re.findall(r"[0-9]{1,9}", version))


@dataclass
class _Reader:
    name: str
    shapes: Mapping[str, Shape]
    sets: dict[str, Shape] = field(default_factory=dict)
    faults: list[DeclaredFault] = field(default_factory=list)
    lines: Mapping[Key, int] = field(default_factory=dict)

    def note(self, key: Key, rule: str, bound: object = "") -> None:
        self.faults.append(fault(self.name, line_of(self.lines, key), key, rule, bound))

    def file(self, content: bytes) -> Between | None:
        """Return what the file declares as far as it can be read."""
        try:
            if len(content) > OCTETS:
                self.note((), "unreadable", OCTETS)
                return None
            text = content.decode()
            said = None if long_key(text) else tomllib.loads(text)
        except (ValueError, RecursionError):  # UnicodeDecodeError and TOMLDecodeError are ValueErrors
            said = None
        if said is None:
            self.note((), "toml")
            return None
        self.lines = spots(text)
        for table in said.keys() - set(_TABLES):
            self.note((table,), "word", " ".join(_TABLES))
        head, sets, rules = self._table(said, "between"), self._table(said, "sets"), said.get("rule")
        title, wait = self._sentence(head, ("between",)), self._wait(head)
        for word in head.keys() - {"zh", "en", "wait"}:
            self.note(("between", word), "word", "zh en wait")
        for name, interface in sets.items():
            shape = self.shapes.get(interface) if isinstance(interface, str) else None
            if shape is None:
                self.note(("sets", name), "interface")
            else:
                self.sets[name] = shape
        name, _, version = self.name.partition("/")
        interfaces = frozenset(shape.interface for shape in self.sets.values())
        return Between(name, version, title, wait, interfaces, self._rules(rules))

    def _table(self, said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        found = said.get(name)
        if isinstance(found, dict):
            return found
        self.note((name,), "missing", f"[{name}]")
        return {}

    def _sentence(self, said: Mapping[str, Any], key: Key) -> Sentence:
        found = [said.get(language) for language in ("zh", "en")]
        for language, text in zip(("zh", "en"), found, strict=True):
            if not isinstance(text, str) or not 0 < len(text) <= 200 or not text.isprintable():
                self.note((*key, language), "form", "1-200 characters")
        return Sentence(*map(str, found))

    def _wait(self, head: Mapping[str, Any]) -> Instant:
        found = _WAIT.fullmatch(str(head.get("wait", "24h")))
        if found is None:
            self.note(("between", "wait"), "form", "30m 24h 2d")
            return 0
        return int(found[1]) * UNITS[found[2]]

    def _rules(self, said: Any) -> list[Rule]:
        if not isinstance(said, list) or not all(isinstance(one, dict) for one in said) or not said:
            self.note(("rule",), "missing", "[[rule]]")
            return []
        if len(said) > RULES:
            self.note(("rule",), "many", RULES)
            return []
        made, taken = [], set[str]()
        for number, one in enumerate(said):
            rule = self._rule(one, ("rule", number))
            if one.get("id") in taken:
                self.note(("rule", number, "id"), "twice")
            taken.add(str(one.get("id")))
            if rule is not None:
                made.append(rule)
        return made

    def _rule(self, said: Mapping[str, Any], key: Key) -> Rule | None:
        id, kind, severity = said.get("id"), said.get("kind"), said.get("severity", "warn")
        if not isinstance(id, str) or not _ID.fullmatch(id):
            self.note((*key, "id"), "form", "a-z 0-9 -, 1-40")
        if severity not in SEVERITIES:
            self.note((*key, "severity"), "word", " ".join(SEVERITIES))
        says = self._sentence(said, key)
        if not isinstance(kind, str) or kind not in KINDS:
            self.note((*key, "kind"), "word", " ".join(KINDS))
            return None
        words, make = KINDS[kind]
        for word in said.keys() - {*_WORDS, *words}:
            self.note((*key, word), "word", " ".join((*_WORDS, *words)))
        before = len(self.faults)
        made = make(_Words(self, said, key))
        if len(self.faults) > before:
            return None
        return Rule(f"{self.name.partition('/')[0]}.{id}", str(severity), says, made)


@dataclass
class _Words:
    """The words of one rule, read as what its kind needs; each notes its fault and returns something harmless."""

    reader: _Reader
    said: Mapping[str, Any]
    key: Key

    def note(self, word: str, rule: str, bound: object = "") -> None:
        self.reader.note((*self.key, word), rule, bound)

    def joined(self, word: str) -> str:
        """Return the interface of a set whose records belong to a case."""
        return self._interface(word, self.said.get(word))

    def several(self, word: str) -> tuple[str, ...]:
        """Return the interfaces of a list of such sets."""
        found = self.said.get(word)
        if not isinstance(found, list) or not found:
            self.note(word, "form", '["set", …]')
            return ()
        return tuple(self._interface(word, one) for one in found)

    def maybe(self, word: str) -> str | None:
        """Return the interface of such a set if the word is there."""
        return self.joined(word) if word in self.said else None

    def named(self, word: str) -> str:
        """Return the interface of a set whose records are found by a business key of one field."""
        shape = self._set(word, self.said.get(word))
        if shape is not None and len(shape.key) != 1:
            self.note(word, "key")
        return shape.interface if shape else ""

    def member(self, word: str, time: bool = False) -> Member:
        """Return a field, `set.Field`."""
        return self._member(word, self.said.get(word), time)

    def members(self, word: str) -> tuple[Member, ...]:
        """Return two fields or more."""
        found = self.said.get(word)
        if not isinstance(found, list) or len(found) < 2:
            self.note(word, "form", '["set.Field", "set.Field", …]')
            return ()
        return tuple(self._member(word, one, False) for one in found)

    def _set(self, word: str, name: Any) -> Shape | None:
        shape = self.reader.sets.get(name) if isinstance(name, str) else None
        if shape is None:
            self.note(word, "set")
        return shape

    def _interface(self, word: str, name: Any) -> str:
        shape = self._set(word, name)
        if shape is not None and shape.correlation is None:
            self.note(word, "correlation")
        return shape.interface if shape else ""

    def _member(self, word: str, said: Any, time: bool) -> Member:
        set_name, dot, name = said.partition(".") if isinstance(said, str) else ("", "", "")
        if not dot:
            self.note(word, "form", "set.Field")
            return Member("", "")
        interface = self._interface(word, set_name)
        shape = self.reader.sets.get(set_name)
        leaf = shape.record.members.get(name) if shape else None
        if shape is not None and not (isinstance(leaf, Leaf) and leaf.most == 1):
            self.note(word, "field")
        elif time and isinstance(leaf, Leaf) and _TIMES.isdisjoint(leaf.types):
            self.note(word, "time")
        return Member(interface, name)


KINDS: Mapping[str, tuple[Sequence[str], Callable[[_Words], Kind]]] = {
    "needs": (("of", "wants"), lambda words: Needs(words.several("of"), words.several("wants"))),
    "order": (("first", "then"), lambda words: Order(words.member("first", True), words.member("then", True))),
    "one": (("of",), lambda words: One(words.joined("of"))),
    "same": (("fields",), lambda words: Same(words.members("fields"))),
    "refers": (("field", "to"), lambda words: Refers(words.member("field"), words.named("to"))),
    "open": (("until", "closed"), lambda words: Open(words.member("until"), words.joined("closed"))),
    "overdue": (("by", "done", "unless"), lambda words: Overdue(
        words.member("by", True), words.member("done", True), words.maybe("unless"))),
}
