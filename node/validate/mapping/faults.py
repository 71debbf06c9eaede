"""Faults of a mapping: each at its line and key, in both languages, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from node.model import codes
from node.model.sentence import Sentence
from node.model.spots import Key
from node.model.trouble import Hold
from node.validate.mapping.wording import FAULTS

HINT = Sentence("词和写法见xsd/README.md中的“Mappings”一节", "See the section \"Mappings\" of xsd/README.md")


@dataclass(frozen=True, slots=True)
class MappingFault:
    """What is wrong with a mapping, and how to mend it.

    `file` is what the mapping is called, `line` None where TOML gives none, `key` as in `fields.SexCode.codes`.
    """

    file: str
    line: int | None
    key: str
    rule: str
    says: Sentence

    def text(self, language: str) -> str:
        """Return the fault on one line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return "  ".join(part for part in (place, self.key, self.says.into(language)) if part)

    @property
    def hint(self) -> Sentence:
        """Where a person finds how to mend it; most sentences say so themselves."""
        return HINT


class BadMapping(Hold):
    """A mapping that cannot be used; `faults` lists every reason."""

    def __init__(self, name: str, faults: Sequence[MappingFault]) -> None:
        first = faults[0]
        super().__init__(codes.MAPPING_FORM, name=name, count=len(faults), line=first.line or "-", key=first.key)
        self.faults = tuple(replace(one, file=name) for one in faults)

    def text(self, language: str) -> str:
        """Return one line for the whole and one per fault."""
        return "\n".join([self.sentence.into(language), *(fault.text(language) for fault in self.faults)])


def fault(line: int | None, key: Key, rule: str, bound: object = "") -> MappingFault:
    """Return a fault of a rule of `FAULTS`; `bound` is a word, sentence or number of ours, or a name of the mapping."""
    zh, en = (bound.zh, bound.en) if isinstance(bound, Sentence) else (bound, bound)
    says = FAULTS[rule]
    return MappingFault("", line, dotted(key), rule, Sentence(says.zh.format(bound=zh), says.en.format(bound=en)))


def dotted(key: Key) -> str:
    """Return a key as a person writes it, cut to what fits a line."""
    return ".".join(str(part)[:64] for part in key)
