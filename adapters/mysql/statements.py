"""What a statement in the binary log of MySQL and MariaDB means for one table, whose rows are logged as rows.

Rule: a statement that may take rows of the table away, or change them, without telling which is never called harmless;
      one that names the table in a text or a comment alone may be called harmful.
"""

from __future__ import annotations

import re
from enum import Enum

LONGEST = 1 << 20
"""Most characters of a statement that are looked at."""


class Meaning(Enum):
    """What a statement does."""

    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    """What was told since the beginning, or a part of it, was taken back."""
    EMPTIED = "emptied"
    """The table, or a part of it, was emptied, taken away or replaced as a whole."""
    CHANGED = "changed"
    """Rows of the table were changed by a statement; which, the log does not tell."""
    NOTHING = "nothing"
    """It changes no row of the table."""


_COMMENT = re.compile(r"/\*[!M]+\d*(.*?)\*/|/\*.*?\*/|(?:--\s|#)[^\n]*", re.DOTALL)
_TOKEN = re.compile(r"`((?:[^`]|``)*)`|'(?:[^'\\]|\\.|'')*'|\"((?:[^\"\\]|\\.|\"\")*)\"|([\w$\u0080-\uffff]+)|(\.)|\S",
                    re.DOTALL)
_CHANGES = frozenset(["INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "MERGE", "CALL", "DO", "SELECT", "XA"])
_PARTS = frozenset(["DROP", "TRUNCATE", "EXCHANGE", "COALESCE"])


def meaning(text: str, current: str, schema: str, table: str) -> Meaning:
    """Return what a statement means, given in the database `current`, for a table of `schema`."""
    tokens = _tokens(_COMMENT.sub(lambda found: f" {found[1] or ''} ", text[:LONGEST]))
    words = [name.upper() for name, quoted in tokens if not quoted]
    first = words[0] if words else ""
    if first in ("BEGIN", "START"):
        return Meaning.BEGIN
    if first == "COMMIT":
        return Meaning.COMMIT
    if first == "ROLLBACK":
        return Meaning.ROLLBACK
    if first == "DROP" and words[1:2] in (["DATABASE"], ["SCHEMA"]):
        return Meaning.EMPTIED if any(_same(name, schema) for name, _ in tokens) else Meaning.NOTHING
    if len(text) > LONGEST and first in _CHANGES:
        return Meaning.CHANGED
    if not _names(tokens, current, schema, table):
        return Meaning.NOTHING
    return _about(first, words)


def _about(first: str, words: list[str]) -> Meaning:
    """Return what a statement means that names the table."""
    if first in ("TRUNCATE", "RENAME") or words[:2] == ["DROP", "TABLE"]:
        return Meaning.EMPTIED
    if words[:3] == ["CREATE", "OR", "REPLACE"] and "TABLE" in words[:5] and "TRIGGER" not in words[:8]:
        return Meaning.EMPTIED
    if first == "ALTER" and ("RENAME" in words and "TO" in words or "PARTITION" in words and _PARTS & set(words)):
        return Meaning.EMPTIED
    return Meaning.CHANGED if first in _CHANGES else Meaning.NOTHING


def _tokens(text: str) -> list[tuple[str, bool]]:
    """Return the words and names of a statement, and dots; with each whether it was quoted."""
    found = []
    for one in _TOKEN.finditer(text):
        for part, quoted in ((one[1], True), (one[2], True), (one[3], False), (one[4], False)):
            if part is not None:
                found.append((part.replace("``", "`"), quoted))
    return found


def _names(tokens: list[tuple[str, bool]], current: str, schema: str, table: str) -> bool:
    for at, (name, _) in enumerate(tokens):
        if not _same(name, table):
            continue
        qualified = at > 1 and tokens[at - 1] == (".", False)
        if _same(tokens[at - 2][0] if qualified else current, schema):
            return True
    return False


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()
