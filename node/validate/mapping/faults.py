"""Faults of a mapping: each at its line and key, in both languages, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from node.model import codes
from node.model.sentence import Sentence
from node.model.spots import Key
from node.model.trouble import Hold
from node.validate.declared import DeclaredFault, dotted
from node.validate.mapping.wording import FAULTS

HINT = Sentence("词和写法见xsd/README.md中的“Mappings”一节", "See the section \"Mappings\" of xsd/README.md")


class BadMapping(Hold):
    """A mapping that cannot be used; `faults` lists every reason."""

    def __init__(self, name: str, faults: Sequence[DeclaredFault]) -> None:
        first = faults[0]
        super().__init__(codes.MAPPING_FORM, name=name, count=len(faults), line=first.line or "-", key=first.key)
        self.faults = tuple(replace(one, file=name) for one in faults)

    def text(self, language: str) -> str:
        """Return one line for the whole and one per fault."""
        return "\n".join([self.sentence.into(language), *(fault.text(language) for fault in self.faults)])


def fault(line: int | None, key: Key, rule: str, bound: object = "") -> DeclaredFault:
    """Return a fault of a rule of `FAULTS`; `bound` is a word, sentence or number of ours, or a name of the mapping."""
    zh, en = (bound.zh, bound.en) if isinstance(bound, Sentence) else (bound, bound)
    says = FAULTS[rule]
    filled = Sentence(says.zh.format(bound=zh), says.en.format(bound=en))
    return DeclaredFault("", line, dotted(key), rule, filled, HINT)
