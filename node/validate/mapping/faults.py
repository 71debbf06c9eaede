"""Faults of a mapping: each at its line and key, in both languages, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.model import codes
from node.model.sentence import Sentence
from node.model.spots import Key
from node.model.trouble import Hold
from node.validate.mapping.wording import FAULTS


@dataclass(frozen=True, slots=True)
class MappingFault:
    """What is wrong with a mapping; `line` is None where TOML gives none, `key` as in `fields.SexCode.codes`."""

    line: int | None
    key: str
    rule: str
    says: Sentence

    def text(self, language: str) -> str:
        """Return the fault on one line."""
        return "  ".join(part for part in (str(self.line or ""), self.key, self.says.into(language)) if part)


class BadMapping(Hold):
    """A mapping that cannot be used; `faults` lists every reason."""

    def __init__(self, name: str, faults: Sequence[MappingFault]) -> None:
        first = faults[0]
        super().__init__(codes.MAPPING_FORM, name=name, count=len(faults), line=first.line or "-", key=first.key)
        self.faults = tuple(faults)

    def text(self, language: str) -> str:
        """Return one line for the whole and one per fault."""
        return "\n".join([self.sentence.into(language), *(fault.text(language) for fault in self.faults)])


def fault(line: int | None, key: Key, rule: str, bound: object = "") -> MappingFault:
    """Return a fault of a rule of `FAULTS`; `bound` is a word, sentence or number of ours, or a name of the mapping."""
    zh, en = (bound.zh, bound.en) if isinstance(bound, Sentence) else (bound, bound)
    says = FAULTS[rule]
    return MappingFault(line, dotted(key), rule, Sentence(says.zh.format(bound=zh), says.en.format(bound=en)))


def dotted(key: Key) -> str:
    """Return a key as a person writes it, cut to what fits a line."""
    return ".".join(str(part)[:64] for part in key)
