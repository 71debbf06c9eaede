"""One sentence in the two languages of the product, Chinese first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same meaning in Chinese and in English; `{name}` marks are filled by `fill`."""

    zh: str
    en: str

    def fill(self, **details: object) -> Sentence:
        """Return the sentence with its marks filled; details are ids and numbers, never content."""
        return Sentence(self.zh.format(**details), self.en.format(**details))

    def into(self, language: str) -> str:
        """Return the text for `language`, `zh` or `en`."""
        return self.en if language == "en" else self.zh
