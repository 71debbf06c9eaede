"""One field of a mapping: its words, checked, and compiled to the function that takes the field's text from a row.

The order of the steps is fixed: the columns' texts, trimmed, their width and what counts as empty; `split` or
`characters`; `without`; `case`; `number` or `date`; translation; `given`; `digest`; `default`.  A text that `instead`
knows goes through none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from node.model.record import Problem
from node.model.spots import Key
from node.model.trouble import Trouble
from node.validate.explain import explain
from node.validate.mapping import moments, texts
from node.validate.mapping.texts import Step, Take
from node.validate.mapping.words import APART, FIELD, FLAGS, SOURCES, WITH, is_column
from node.validate.shape import Leaf
from node.validate.specification import Specification
from node.validate.specifications import Digest

NUMBER = "{n}"
"""Stands in the names of a repeated field's columns for its number."""
CODES = 10_000
"""Most codes of one table; five times as many in all, each counted for every field that it serves."""
_LAST = "99991231"
_WANTED_ALL = frozenset("YMDhmsZ")

Note = Callable[[Key, str, object], None]
Fetch = Callable[[str], bytes]
"""Returns the bytes of a file beside the mapping; raises a Trouble if there is none."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds for every field unless it says otherwise, and what fields may name."""

    spec: Specification
    width: str
    empty: tuple[str, ...]
    zone: str
    codes: Mapping[str, Any]
    fetch: Fetch
    sm3: Digest


@dataclass(frozen=True, slots=True)
class Field:
    """A compiled field: `take` for each number; for `items` the steps each part goes through."""

    takes: tuple[tuple[int, Take], ...]
    columns: tuple[str, ...]  # as the mapping names them, {n} and all
    by: str | None
    steps: tuple[Step, ...]


class FieldReader:
    """Reads the fields of one mapping; `note` takes each fault."""

    def __init__(self, scope: Scope, note: Note) -> None:
        self.scope, self.note = scope, note
        self.proved = 0

    def field(self, said: Mapping[str, Any], key: Key, leaf: Leaf, path: str, inside: int) -> Field | None:
        """Return a field compiled; `inside` is how often the group around it is repeated, 0 if it is not."""
        words = self._words(said, key)
        if words is None:
            return None
        columns = self._columns(words, key, bool(inside or "repeat" in words))
        repeat = words.get("repeat", 0)
        if inside and repeat:
            self.note((*key, "repeat"), "nested", "")
        if (repeat or "items" in words) and (leaf.most == 1 or repeat > leaf.most):
            self.note((*key, "repeat" if repeat else "items"), "repeat", leaf.most)
        steps = self._steps(words, key, leaf, path)
        numbers = range(1, (inside or repeat or 1) + 1)
        by, default, instead = words.get("items"), words.get("default"), words.get("instead", {})
        whole = path == self.scope.spec.shape.row or path in self.scope.spec.shape.key
        takes = []
        for number in numbers:
            take = self._source(words, columns, number, whole)
            takes.append((number, take if by else texts.through(take, steps, default, instead)))
        return Field(tuple(takes), columns, by, tuple(steps))

    def _words(self, said: Mapping[str, Any], key: Key) -> dict[str, Any] | None:
        """Return the words of a field whose kinds are right, None if nothing can be made of them."""
        good: dict[str, Any] = {}
        for word, value in said.items():
            if word not in FIELD:
                self.note((*key, word), "word", " ".join(FIELD))
            elif not FIELD[word][0](value):
                self.note((*key, word), "kind", FIELD[word][1])
            elif not (word in FLAGS and value is False):
                good[word] = value
        if sum(word in said for word in SOURCES) != 1:
            self.note(key, "source", "")
        for word in good:
            if word in WITH and not any(other in said for other in WITH[word]):
                self.note((*key, word), "goes-with", " ".join(WITH[word]))
            for other in APART.get(word, ()):
                if other in said:
                    self.note((*key, other), "apart", word)
        return good if any(word in good for word in SOURCES) else None

    def _columns(self, words: Mapping[str, Any], key: Key, numbered: bool) -> tuple[str, ...]:
        source = next(word for word in SOURCES if word in words)
        if source == "value":
            return ()
        named = (words["from"],) if source == "from" else tuple(words[source])
        for name in named:
            if not is_column(name):
                self.note((*key, source), "column", "")
        if numbered != any(NUMBER in name for name in named):
            self.note((*key, source), "numbered", "")
        return named

    def _source(self, words: Mapping[str, Any], columns: tuple[str, ...], number: int, whole: bool) -> Take:
        if "value" in words:
            return texts.constant(words["value"])
        width = texts.WIDTHS[words.get("width", self.scope.width)]
        empty = frozenset(("", *words.get("empty", self.scope.empty)))
        takes = [texts.column(name.replace(NUMBER, str(number)), width, empty) for name in columns]
        if "join" in words:
            return texts.join(takes, words.get("by", ""), whole)
        return takes[0] if len(takes) == 1 else texts.first(takes)

    def _steps(self, words: Mapping[str, Any], key: Key, leaf: Leaf, path: str) -> list[Step]:
        steps: list[Step] = []
        if "split" in words and "part" in words:
            steps.append(texts.part(words["split"], words["part"]))
        if "characters" in words:
            steps.append(texts.characters(*words["characters"]))
        if "without" in words:
            steps.append(texts.without(words["without"]))
        if "case" in words:
            steps.append(texts.CASES[words["case"]])
        if "number" in words:
            factor = words.get("factor")
            places = words.get("places", 0 if leaf.numeric == "integer" else None)
            steps.append(texts.number(words.get("thousands", ""), Decimal(factor) if factor else None, places))
        if "date" in words:
            steps += self._date(words, key, leaf)
        steps += self._codes(words, key, leaf, path)
        if "given" in words:
            given = words["given"]
            steps.append(lambda text: str(given))
        if "digest" in words:
            steps.append(texts.digest(self.scope.sm3))
        for word in ("value", "default", "otherwise", "given"):
            if word in words:
                self._accepts((*key, word), path, words[word])
        for said, text in words.get("instead", {}).items():
            self._accepts((*key, "instead", said), path, text)
        return steps

    def _date(self, words: Mapping[str, Any], key: Key, leaf: Leaf) -> list[Step]:
        forms = [words["date"]] if isinstance(words["date"], str) else words["date"]
        zone = words.get("zone", self.scope.zone)
        try:
            read, tells = moments.reader(forms, zone)
        except moments.FormFault:
            self.note((*key, "date"), "date-form", "")
            return []
        target = words.get("as") or next((moments.TARGETS[kind] for kind in leaf.types if kind in moments.TARGETS), "")
        try:
            write = moments.writer(target, tells, zone)
        except moments.FormFault:
            self.note((*key, "as" if "as" in words else "date"), "date-target", "")
            return []
        return [lambda text: write(read(text))]

    def _codes(self, words: Mapping[str, Any], key: Key, leaf: Leaf, path: str) -> list[Step]:
        known: Mapping[str, str] | None = None
        if "codes" in words:
            known, word = self._named(words["codes"], (*key, "codes")), "codes"
        elif "file" in words:
            known, word = self._file(words["file"], (*key, "file")), "file"
        elif "names" in words:
            known, word = self._names(words["names"], (*key, "names"), leaf), "names"
        if known is None:
            return []
        self.proved += len(known)
        if len(known) > CODES or self.proved > 5 * CODES:
            self.note((*key, word), "many-codes", CODES)
            return []
        inline = word == "codes" and isinstance(words["codes"], dict)
        if word != "names":
            for source, code in {code: source for source, code in known.items()}.items():
                where = (*key, "codes", code) if inline else (*key, word)
                self._accepts(where, path, source)
        return [texts.codes(known, words.get("otherwise"), words.get("keep", False))]

    def _named(self, said: Any, key: Key) -> Mapping[str, str] | None:
        if isinstance(said, dict):
            return said
        found = self.scope.codes.get(said)
        if not isinstance(found, dict):
            self.note(key, "codes", "")
            return None
        return found

    def _file(self, name: str, key: Key) -> Mapping[str, str] | None:
        try:
            content = self.scope.fetch(name)
        except Trouble:
            self.note(key, "codes", "")
            return None
        found: dict[str, str] = {}
        for number, line in enumerate(_lines(content), 1):
            code, tab, target = line.partition("\t")
            if not tab or not code or not target or "\t" in target or code in found:
                self.note(key, "code-file", number)
                return None
            found[code] = target
        if not found:
            self.note(key, "code-file", 1)
        return found or None

    def _names(self, column: str, key: Key, leaf: Leaf) -> Mapping[str, str] | None:
        """Return the codes of the field's own table by the names in one of its columns."""
        use = next((one for one in leaf.rules if one.kind in ("table", "region") and "from" not in one.params), None)
        table = None if use is None else self.scope.spec.tables[use.params["table"]]
        if use is None or table is None or column not in table.columns[1:]:
            self.note(key, "codes", "")
            return None
        at = table.columns.index(column) - 1
        found: dict[str, str] = {}
        for code in table.listed[use.params.get("set", "current")]:
            if found.setdefault(table.rows[code][at], code) != code:
                self.note(key, "same-name", "")
                return None
        return found

    def _accepts(self, key: Key, path: str, text: str) -> None:
        """Note a text that the field itself would refuse."""
        spec = self.scope.spec
        twin: Any = text
        group: Any = spec.shape.record
        members = [group := group.members[name] for name in path.split("/")]
        for member in reversed(members):
            twin = {member.name: [twin] if member.most > 1 else twin}
        form, broken = explain(spec.shape, spec.rules, twin, frozenset(), _LAST, _LAST)
        for problem in (*form, *broken):
            if plain(problem) == path and problem.severity == "refuse" and problem.rule not in _OF_OTHERS:
                self.note(key, "value", problem.rule)
                return


_OF_OTHERS = frozenset({"together", "only-when", "required-when", "required"})


def plain(problem: Problem) -> str:
    """Return the path of a problem's field without the places of what repeats."""
    return "/".join(step.partition("[")[0] for step in problem.field.split("/"))


def _lines(content: bytes) -> Iterator[str]:
    """Yield the lines of a table of codes; of one that is not UTF-8, a line that no table has."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield ""
        return
    for line in text.splitlines():
        if line.strip():
            yield line
