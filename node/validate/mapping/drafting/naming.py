"""How much a column's name, or what its comment calls it, is like the name of a field, and why.

| Likeness | Because the column |
|---|---|
| 100 | is called as the field, case and underscores apart, or as the field's documentation says |
| 96 | is called in Chinese as the field's label, 代码 apart |
| 84 … 90 | is called by a synonym, or by the initials of label or synonym in pinyin |
| 70 … 74 | by a word that only may mean it |
| 40 … 78 | has the label in what it is called, or part of the label |

Rule 1: a column that says it is somebody else's (父亲姓名) is not like a field whose label it merely contains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from node.model.sentence import Sentence
from node.validate.mapping.drafting.columns import SourceColumn
from node.validate.mapping.drafting.initials import initials
from node.validate.mapping.drafting.synonyms import OTHERS, SYNONYMS
from node.validate.shape import Leaf

SURE = 80
"""From this likeness on a name speaks for itself."""

_DOCUMENTED = re.compile(r"(?<![0-9A-Za-z_])[A-Z]{2,}(?:_[A-Z0-9]+)*(?![0-9A-Za-z_])")
_HAN = re.compile("[\u3400-\u9fff]")
_HEAD = re.compile(r"[（(：:，,；;。/\s=【\[]")
_ASIDE = re.compile(r"[（(【\[].*?[）)】\]]")
_ENDS = ("代码", "编码")
_SWAPS = (("统一社会信用代码", ("代码", "信用代码", "统一代码")), ("日期", ("时间", "年月日")), ("号码", ("号",)), ("姓名", ("",)),
          ("名称", ("",)), ("电话", ("电话号码",)))
_SHORT = re.compile(r"(?:Code|Number|Date)$")

SAME = Sentence("列名与字段名相同", "the column has the field's name")
DOCUMENTED = Sentence("列名见于接口规范的说明", "the specification's own words name this column")
LABEL = Sentence("列的中文名与字段名称一致", "its Chinese name is the field's label")
SYNONYM = Sentence("列名是该字段的常见叫法", "its name is a usual word for the field")
LOOSE = Sentence("列名可能指该字段", "its name may mean the field")
PINYIN = Sentence("列名是“{word}”的拼音首字母", "its name is the pinyin initials of {word}")
PART = Sentence("列的中文名与字段名称部分相同", "its Chinese name shares a part with the field's label")


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like, from 0 to 100, and why; `thin` if it rests on two letters."""

    degree: int
    why: Sentence
    thin: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    """What a column is called: in capitals without separators, its last parts, and in Chinese."""

    key: str
    tails: tuple[str, ...]
    zh: tuple[str, ...]
    whole: str


def normal(text: str) -> str:
    """Return letters, digits and Chinese characters alone, in capitals and half width."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum())


class FieldNames:
    """What one field may be called."""

    def __init__(self, path: str, leaf: Leaf, alone: bool) -> None:
        """`alone` says that no other field of the specification has this last name."""
        own = [path, path.rpartition("/")[2]] if alone or "/" not in path else [path]
        self._own = {normal(one) for one in own}
        note = leaf.note.zh if leaf.note is not None else ""
        self._documented = {normal(one) for one in _DOCUMENTED.findall(note)}
        short = normal(_SHORT.sub("", path.rpartition("/")[2]))
        labels = tuple(_labels(leaf.label.zh))
        just, loose = _words(labels)
        self._zh: list[tuple[str, int, Sentence]] = [(one, 96, LABEL) for one in labels]
        self._zh += [(one, 90, SYNONYM) for one in (*just, *_named(leaf.label.zh)) if _HAN.search(one)]
        self._zh += [(one, 74, LOOSE) for one in loose if _HAN.search(one)]
        self._keys: dict[str, Likeness] = {}
        for word, degree, _ in self._zh:
            for letters in initials(word):
                if len(letters) > 1:
                    why = PINYIN.fill(word=word)
                    self._add(letters, Likeness({96: 88, 90: 84}.get(degree, 70), why, len(letters) < 3))
        for word in (*just, *loose):
            if not _HAN.search(word):
                known = word in just
                self._add(normal(word), Likeness(86 if known else 70, SYNONYM if known else LOOSE))
        if len(short) > 2 and alone:
            self._add(short, Likeness(74, LOOSE))

    def _add(self, key: str, one: Likeness) -> None:
        if key not in self._keys or self._keys[key].degree < one.degree:
            self._keys[key] = one

    def likeness(self, column: SourceColumn) -> Likeness | None:
        """Return how like a column is by all it is called, None if not at all."""
        said = _said(column)
        return max(self._likenesses(said), key=lambda one: one.degree, default=None)

    def _likenesses(self, said: _Said) -> Iterator[Likeness]:
        if said.key in self._own:
            yield Likeness(100, SAME)
        if said.key in self._documented:
            yield Likeness(100, DOCUMENTED)
        if said.key in self._keys:
            yield self._keys[said.key]
        for tail in said.tails:
            if tail in self._keys or tail in self._own:
                near = self._keys.get(tail, Likeness(86, SAME))
                yield Likeness(near.degree - 20, near.why, near.thin)
        for called in said.zh:
            yield from (Likeness(degree, why) for word, degree, why in self._zh if called == word)
            yield from self._parts(called, 40, 38)
        if said.whole and said.whole not in said.zh:
            yield from self._parts(said.whole, 30, 30)

    def _parts(self, called: str, least: int, more: int) -> Iterator[Likeness]:
        for word, degree, _ in self._zh:
            if degree < 90 or len(word) < 2 or len(called) < 2 or word == called:
                continue
            if (word in called or called in word) and not _of_others(called, word):
                share = min(len(word), len(called)) / max(len(word), len(called))
                yield Likeness(least + int(more * share), PART)


def _of_others(called: str, word: str) -> bool:
    return any(one in called and one not in word for one in OTHERS)


def _said(column: SourceColumn) -> _Said:
    name, comment = column.name, column.comment
    tokens = [token for token in re.split(r"[_\W]+|(?<=[a-z])(?=[A-Z])", name) if token]
    tails = tuple(normal("".join(tokens[at:])) for at in range(1, len(tokens)))
    if tokens and len(tokens[0]) == 1 and tails:  # F_XM, c_xm: a mark of the table's own
        return _Said(tails[0], tails[1:], _chinese(name, comment), normal(comment)[:64])
    tails = tuple(one for one in tails if len(one) > 1)
    return _Said(normal(name), tails, _chinese(name, comment), normal(comment)[:64])


def _chinese(name: str, comment: str) -> tuple[str, ...]:
    heads = [name, _ASIDE.sub("", name), next((one for one in _HEAD.split(comment) if one), "")]
    found = [stem(normal(one)) for one in heads if _HAN.search(one)]
    return tuple(dict.fromkeys(one for one in found if one))


def stem(label: str) -> str:
    """Return a label without a last 代码 or 编码, unless nothing tells would be left."""
    for end in _ENDS:
        short = label.removesuffix(end)
        if short != label and len(short) > 1 and not short.endswith(("信用", "机构")):
            return short
    return label


def _labels(label: str) -> Iterator[str]:
    """Yield the forms of a label, the whole one first."""
    plain = normal(_ASIDE.sub("", label))
    yield from dict.fromkeys((stem(plain), plain))
    for end, others in _SWAPS:
        if plain.endswith(end) and plain != end:
            yield from (plain[:-len(end)] + other for other in others if len(plain) > len(end) + 1 or other)
    pieces = [normal(one) for one in re.split("或|、", _ASIDE.sub("", label))]
    if len(pieces) > 1:
        yield from (piece for piece in pieces if len(piece) > 2)


def _named(label: str) -> list[str]:
    """Return what a column is called that holds the names of a field's codes."""
    plain = normal(_ASIDE.sub("", label))
    short = stem(plain)
    return [short + "名称"] if short != plain else []


def _words(labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the synonyms of a field by the forms of its label."""
    just: list[str] = []
    loose: list[str] = []
    for label in labels:
        found = SYNONYMS.get(label, ((), ()))
        just += found[0]
        loose += found[1]
    return just, loose
