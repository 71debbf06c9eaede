"""One field of a draft: what its line will say, and all that a person must know to check it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from node.model.sentence import Sentence
from node.validate.mapping.drafting.choosing import Pair
from node.validate.mapping.drafting.known_codes import Guess
from node.validate.mapping.words import COLUMN

EMPTY_PLACE = "请填列名"
"""Begins the column of a mandatory field for which none was found: a row has no such column, and is refused."""

MISSING = Sentence("必填，没有找到列：请填列名，或删去此行改写value", "mandatory, and no column was found: name one here, or say a value")


@dataclass(frozen=True, slots=True)
class Entry:
    """A field's words with its source, why, how many of the sampled cells are valid, and what is doubtful."""

    path: str
    words: Mapping[str, Any]
    why: Sentence
    valid: int | None = None
    given: int = 0
    doubtful: bool = False
    missing: bool = False
    notes: tuple[Sentence, ...] = ()
    rivals: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    off: bool = False
    """Written as a comment: what would be needed beside it is not there."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it takes."""
        source = self.words.get("from")
        return (source,) if source is not None else tuple(self.words.get("join", ()))

    def put_off(self, note: Sentence) -> Entry:
        """Return it as a comment, with a reason."""
        return replace(self, off=True, notes=(*self.notes, note))


def of_pair(pair: Pair, *notes: Sentence, doubtful: bool = False) -> Entry:
    """Return the entry of a field that has a column."""
    trial = pair.trial
    return Entry(
        pair.path, {"from": pair.column.name, **trial.words}, pair.why, trial.valid, trial.given,
        pair.doubtful or doubtful, False, (*trial.notes, *notes), pair.rivals, trial.guesses)


def missing(path: str, place: str, why: Sentence = MISSING) -> Entry:
    """Return the entry of a mandatory field that has none; `place` begins no name of a column."""
    return Entry(path, {"from": f"{place} {path}"[:COLUMN]}, why, doubtful=True, missing=True)
