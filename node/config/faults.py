"""What is wrong with a configuration: one fault per place, all of them in one trouble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Hold


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it stands, which rule it breaks, what to do.

    `line` is None where the place has no line, as for a key that is missing; `key` is written as in
    `peer[2].certificates.sign`, tables counted from 1 over all files.  The value itself is never shown.
    """

    file: Path
    line: int | None
    key: str
    rule: str
    says: Sentence
    hint: Sentence

    def text(self, language: str) -> str:
        """Return the fault on one line, the hint after it."""
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        parts = [place, self.key, self.says.into(language), self.hint.into(language)]
        return "  ".join(part for part in parts if part)


class Misconfigured(Hold):
    """The configuration cannot be used; `faults` lists every reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(codes.CONFIG, count=len(faults))
        self.faults = tuple(faults)

    def text(self, language: str) -> str:
        """Return one line for the whole and one per fault."""
        return "\n".join([self.sentence.into(language), *(fault.text(language) for fault in self.faults)])
