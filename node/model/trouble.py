"""The three kinds of trouble, and no more (DESIGN: refused, hold, retry).

Rule 1: a `Trouble` is raised with a `Code` from `node.model.codes`; its text comes from there.
Rule 2: details are ids, names of fields and numbers; never a value of a record, never a library's message.
Rule 3: anything else that escapes from a room is a bug.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from node.model.sentence import Sentence


class Kind(Enum):
    """What a trouble means for the parcel or record that met it."""

    REFUSED = "refused"  # no later state of either node could make it right
    HOLD = "hold"  # a person or a publication must change something
    RETRY = "retry"  # the world is not ready


_TITLES = {
    Kind.REFUSED: Sentence("请求被拒绝", "Refused"),
    Kind.HOLD: Sentence("需人工处理后继续", "Held until somebody changes something"),
    Kind.RETRY: Sentence("暂时无法处理", "Not possible now"),
}


@dataclass(frozen=True, slots=True)
class Code:
    """A stable name (`EXN-…`) with its kind, its HTTP status, what it says and the cure."""

    name: str
    kind: Kind
    status: int
    says: Sentence
    cure: Sentence


class Trouble(Exception):
    """Root of all errors raised on purpose; raise one of the three kinds below."""

    def __init__(self, code: Code, **details: object) -> None:
        super().__init__(code.name, details)
        self.code = code
        self.details = details

    def __str__(self) -> str:
        return f"{self.code.name}: {self.sentence.en}"

    @property
    def sentence(self) -> Sentence:
        """What happened, with the details filled in."""
        return self.code.says.fill(**self.details)

    @property
    def cure(self) -> Sentence:
        """What the reader can do about it."""
        return self.code.cure.fill(**self.details)

    def members(self, language: str = "zh") -> dict[str, Any]:
        """Return the members of its problem details (RFC 9457): in `language`, and in both under `zh` and `en`."""
        code, says, cure, title = self.code, self.sentence, self.cure, _TITLES[self.code.kind]
        return {
            "type": f"urn:exn:code:{code.name}",
            "title": title.into(language),
            "status": code.status,
            "code": code.name,
            "detail": says.into(language),
            "cure": cure.into(language),
            "zh": {"title": title.zh, "detail": says.zh, "cure": cure.zh},
            "en": {"title": title.en, "detail": says.en, "cure": cure.en},
        }


class Refused(Trouble):
    """They are wrong for good: bytes, root, a record against its rules."""


class Hold(Trouble):
    """Something a person or a publication must change; the lane waits at its head."""


class Retry(Trouble):
    """The world is not ready; ask again later."""


_CLASSES = {Kind.REFUSED: Refused, Kind.HOLD: Hold, Kind.RETRY: Retry}


def trouble(code: Code, **details: object) -> Trouble:
    """Return the trouble of the class that `code`'s kind demands, ready to raise."""
    return _CLASSES[code.kind](code, **details)
