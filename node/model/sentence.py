"""One sentence in the two languages of the product, Chinese first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same meaning in Chinese and in English; `{name}` marks are filled by `fill`."""

    zh: str
    en: str

    def fill(self, **details: object) -> Sentence:
        """Return the sentence with its marks filled; details are ids, numbers and sentences, never content."""
        return Sentence(self.zh.format(**_into("zh", details)), self.en.format(**_into("en", details)))

    def into(self, language: str) -> str:
        """Return the text for `language`, `zh` or `en`."""
        return self.en if language == "en" else self.zh


def _into(language: str, details: Mapping[str, object]) -> dict[str, object]:
    return {name: one.into(language) if isinstance(one, Sentence) else one for name, one in details.items()}
