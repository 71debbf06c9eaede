"""Patterns of the profile: the small common part of three regular-expression languages.

XSD 1.0 (libxml2), JSON Schema (Rust) and Python must read a pattern alike, so only this much is allowed: literal
characters, `\\` before one of `. \\ + * ? ( ) [ ] { } | - ^`, positive classes of characters and ranges, groups, `|`,
and the counts `? * + {n} {m,n} {m,}`.  No `.`, no `\\d`, no negated class, no anchors, no look-around.

Rule 1: no control character, and no blank at either end, can pass a pattern; the empty text cannot either.
Rule 2: a group that can repeat in more than one way holds nothing that can; so no engine can be made to blow up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from node.model.sentence import Sentence

SPECIAL = "\\.+*?()[]{}|-^"
BLANKS = ((0x20, 0x20), (0xA0, 0xA0), (0x2000, 0x200B), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000),
          (0xFEFF, 0xFEFF))
BLANK = "".join(chr(code) for low, high in BLANKS for code in range(low, high + 1)) + "\t\r\n"
"""All blanks as one text, for `str.strip`."""
CONTROLS = ((0, 0x1F), (0x7F, 0x9F), (0x2028, 0x2029), (0xD800, 0xDFFF), (0xFFFE, 0xFFFF))
MOST = 1000
"""The greatest count."""

SIZE = 5000
"""Most characters of a pattern with its counts written out, which is what an engine keeps in memory."""

COUNTS = 50
"""Most counts of a pattern that leave a choice."""

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of ranges of code points."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Row:
    """One part after the other."""

    parts: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    parts: Sequence[Node]


@dataclass(frozen=True, slots=True)
class Count:
    """A part from `least` to `most` times; `most` None means without end."""

    part: Node
    least: int
    most: int | None


Node = Chars | Row | Choice | Count


class PatternFault(ValueError):
    """Why a pattern is outside the profile."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.says = Sentence(zh, en)


@lru_cache(1024)
def parse(text: str) -> Node:
    """Return the tree of a pattern; raise PatternFault if it is outside the profile."""
    if len(text) > SIZE:  # written as it is, it is too long already: no tree is made of it
        raise PatternFault(f"展开后超过{SIZE}个字符", f"written out, it has more than {SIZE} characters")
    reader = _Reader(text)
    node = reader.choice()
    if reader.rest:
        raise PatternFault("括号不配对", "unbalanced parenthesis")
    first, last, void = ends(node)
    if void:
        raise PatternFault("空文本也能通过", "the empty text would pass")
    if meets(first, BLANKS) or meets(last, BLANKS):
        raise PatternFault("首尾空白也能通过", "a blank at an end would pass")
    _calm(node)
    counts = [part for part in walk(node) if isinstance(part, Count) and part.least != part.most]
    if len(counts) > COUNTS:  # a row of what can be left out costs libxml2 the square of its length
        raise PatternFault(f"可变的计数超过{COUNTS}个", f"more than {COUNTS} counts that vary")
    if sum(1 for part in counts if part.most is None) > 2:
        raise PatternFault("无上限的计数超过两个", "more than two endless counts")
    if size(node) > SIZE:
        raise PatternFault(f"展开后超过{SIZE}个字符", f"written out, it has more than {SIZE} characters")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    @property
    def rest(self) -> bool:
        return self.at < len(self.text)

    def peek(self) -> str:
        return self.text[self.at:self.at + 1]

    def take(self) -> str:
        if not self.rest:
            raise PatternFault("过早结束", "it ends too early")
        self.at += 1
        return self.text[self.at - 1]

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > 8:
            raise PatternFault("分组嵌套过深", "groups too deep")
        parts = [self.row()]
        while self.peek() == "|":
            self.take()
            parts.append(self.row())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Choice(parts)

    def row(self) -> Node:
        parts: list[Node] = []
        while self.rest and self.peek() not in "|)":
            parts.append(self.count(self.atom()))
        if not parts:
            raise PatternFault("有空的分支", "an empty alternative")
        return parts[0] if len(parts) == 1 else Row(parts)

    def atom(self) -> Node:
        mark = self.take()
        if mark == "(":
            if self.peek() == "?":
                raise PatternFault("不允许(?", "(? is not allowed")
            node = self.choice()
            if self.take() != ")":
                raise PatternFault("括号不配对", "unbalanced parenthesis")
            return node
        if mark == "[":
            return self.klass()
        return Chars(((self.code(mark),) * 2,))

    def code(self, mark: str) -> int:
        if mark == "\\":
            mark = self.take()
            if mark not in SPECIAL:
                raise PatternFault(f"不允许\\{mark}", f"\\{mark} is not allowed")
        elif mark == "$" or mark in SPECIAL and mark != "-":  # XSD knows no \\$ outside a class
            raise PatternFault(
                f"{mark}只能写在字符集内，或（可转义时）写成\\{mark}",
                f"{mark} stands for itself in a class or, if it can be escaped, as \\{mark} only",
            )
        _plain(((ord(mark),) * 2,))
        return ord(mark)

    def klass(self) -> Chars:
        ranges: list[tuple[int, int]] = []
        start = self.at
        while self.peek() != "]":
            escaped = self.peek() == "\\"
            low = high = self.bound()
            if self.peek() == "-":
                if escaped:  # libxml2 reads no range there, and only its ends
                    raise PatternFault("范围不得以转义字符开头", "a range does not begin with an escape")
                self.take()
                high = self.bound()
            if high < low:
                raise PatternFault("范围前大后小", "a range runs backwards")
            ranges.append((low, high))
        self.take()
        if not ranges:
            raise PatternFault("字符集为空", "an empty class")
        if any(sign in self.text[start:self.at] for sign in ("&&", "~~")):
            raise PatternFault("字符集内不得出现&&和~~", "&& and ~~ mean set operations to one engine")
        _plain(tuple(ranges))
        return Chars(tuple(ranges))

    def bound(self) -> int:
        mark = self.take()
        if mark in "^-[":  # the three engines read these differently inside a class
            raise PatternFault(f"字符集内的{mark}须写成\\{mark}", f"{mark} in a class must be written \\{mark}")
        return self.code(mark) if mark == "\\" else ord(mark)

    def count(self, node: Node) -> Node:
        mark = self.peek()
        if mark not in ("?", "*", "+", "{"):
            return node
        self.take()
        least, most = {"?": (0, 1), "*": (0, None), "+": (1, None), "{": (0, 0)}[mark]
        if mark == "{":
            least, most = self.braces()
        if self.peek() and self.peek() in "?*+{":
            raise PatternFault("计数之后又有计数", "a count of a count")
        return Count(node, least, most)

    def braces(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.at)
        low, comma, high = self.text[self.at:end].partition(",")
        self.at = end + 1
        if end < 0 or not _number(low) or (high and not _number(high)):
            raise PatternFault("计数的写法不正确", "a malformed count")
        least = int(low)
        most = least if not comma else int(high) if high else None
        if max(least, most or 0) > MOST or (most is not None and most < max(1, least)):
            raise PatternFault(f"计数须前小后大且不超过{MOST}", f"a count must rise and stay within {MOST}")
        return least, most


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _plain(ranges: Ranges) -> None:
    if meets(ranges, CONTROLS):
        raise PatternFault("控制字符也能通过", "a control character would pass")


def meets(one: Ranges, other: Ranges) -> bool:
    """Return whether two sets of ranges have a character in common."""
    return any(low <= top and bottom <= high for low, high in one for bottom, top in other)


def walk(node: Node) -> Sequence[Node]:
    """Return the node and all below it."""
    below: Sequence[Node] = (
        [node.part] if isinstance(node, Count) else node.parts if isinstance(node, Row | Choice) else []
    )
    return [node, *(one for part in below for one in walk(part))]


def ends(node: Node) -> tuple[Ranges, Ranges, bool]:
    """Return what a match may begin with, what it may end with, and whether it may be empty."""
    if isinstance(node, Chars):
        return node.ranges, node.ranges, False
    if isinstance(node, Count):
        first, last, void = ends(node.part)
        return first, last, void or node.least == 0
    inner = [ends(part) for part in node.parts]
    if isinstance(node, Choice):
        return _join([i[0] for i in inner]), _join([i[1] for i in inner]), any(i[2] for i in inner)
    return _until([(f, v) for f, _, v in inner]), _until([(t, v) for _, t, v in reversed(inner)]), all(
        v for _, _, v in inner
    )


def _join(many: Sequence[Ranges]) -> Ranges:
    return tuple(one for ranges in many for one in ranges)


def _until(parts: Sequence[tuple[Ranges, bool]]) -> Ranges:
    """Join the sets up to and with the first part that cannot be empty."""
    taken: list[Ranges] = []
    for ranges, void in parts:
        taken.append(ranges)
        if not void:
            break
    return _join(taken)


def _calm(node: Node) -> None:
    for part in walk(node):
        if not isinstance(part, Count) or isinstance(part.part, Chars):
            continue
        inside = walk(part.part)
        if part.most != 1 and any(isinstance(one, Count) and one.least != one.most for one in inside):
            raise PatternFault("可重复的分组内又有可变的计数（可能指数级回溯）", "a count inside a counted group")
        if part.least != part.most and part.most != 1 and any(isinstance(one, Choice) for one in inside):
            raise PatternFault("可重复的分组内又有分支（可能指数级回溯）", "a choice inside a counted group")


def size(node: Node) -> int:
    """Return the characters of a pattern with its counts written out, which is what an engine keeps in memory."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Count):
        return size(node.part) * max(1, node.least, node.most or 0)
    return sum(size(part) for part in node.parts)


def longest(node: Node) -> int | None:
    """Return the greatest number of characters that can pass, or None if there is no end."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Count):
        inner = longest(node.part)
        return None if inner is None or node.most is None else inner * node.most
    sizes = [longest(part) for part in node.parts]
    known = [size for size in sizes if size is not None]
    if len(known) < len(sizes):
        return None
    return max(known) if isinstance(node, Choice) else sum(known)
