"""What is wrong with a file in TOML that somebody declares: a mapping, rules between records."""

from __future__ import annotations

from dataclasses import dataclass, field

from node.model.sentence import Sentence
from node.model.spots import Key


@dataclass(frozen=True, slots=True)
class DeclaredFault:
    """One fault: `file` is what the file is called, `line` None where TOML gives none, `key` as in `rule.3.of`.

    `hint` is where a person finds how to mend it; most sentences say so themselves.
    """

    file: str
    line: int | None
    key: str
    rule: str
    says: Sentence
    hint: Sentence = field(repr=False)

    def text(self, language: str) -> str:
        """Return the fault on one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return "  ".join(part for part in (place, self.key, self.says.into(language)) if part)


def dotted(key: Key) -> str:
    """Return a key as a person writes it, cut to what fits a line."""
    return ".".join(str(part)[:64] for part in key)
