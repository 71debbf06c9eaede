"""What one difference between two versions of a specification means for a sender, and the worst of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from node.model.sentence import Sentence


class Verdict(IntEnum):
    """From the view of a sender whose records are valid by the old version; the greater is the worse."""

    COMPATIBLE = 0  # no record's verdict changes
    WIDENING = 1  # what was valid stays valid, and more is
    BREAKING = 2  # some record that was valid may be refused

    @property
    def words(self) -> Sentence:
        """The verdict in words."""
        return _NAMES[self]


_NAMES = {
    Verdict.COMPATIBLE: Sentence("兼容", "compatible"), Verdict.WIDENING: Sentence("放宽", "widening"),
    Verdict.BREAKING: Sentence("不兼容", "breaking"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the field (empty for the whole), a name for programs, the verdict, and the reason."""

    field: str
    what: str
    verdict: Verdict
    says: Sentence


def compatible(field: str, what: str, zh: str, en: str) -> Difference:
    """Return a difference that changes no verdict."""
    return Difference(field, what, Verdict.COMPATIBLE, Sentence(zh, en))


def widening(field: str, what: str, zh: str, en: str) -> Difference:
    """Return a difference that lets more through."""
    return Difference(field, what, Verdict.WIDENING, Sentence(zh, en))


def breaking(field: str, what: str, zh: str, en: str) -> Difference:
    """Return a difference by which a record that was valid may be refused."""
    return Difference(field, what, Verdict.BREAKING, Sentence(zh, en))


def worst(found: Iterable[Difference]) -> Verdict:
    """Return the verdict of the whole: that of its worst difference, compatible if there is none."""
    return max((one.verdict for one in found), default=Verdict.COMPATIBLE)
