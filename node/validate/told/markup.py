"""HTML written so that nothing can slip in: texts are escaped where they are put, and only here."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from node.model.sentence import Sentence


class Html(NamedTuple):
    """Markup that is ready; any text that is not of this class is escaped."""

    text: str


Content = Html | str | Sentence
EMPTY = Html("")
_VOID = ("meta", "br", "hr")


def tag(name: str, /, *content: Content, **attributes: str | None) -> Html:
    """Return an element; `class_` and `data_label` stand for `class` and `data-label`, None leaves an attribute out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items() if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{join(content).text}</{name}>")


def join(content: Iterable[Content], between: str = "") -> Html:
    """Return contents one after the other; a sentence stands in both languages."""
    return Html(escape(between).join(_text(one) for one in content))


def both(sentence: Sentence) -> Html:
    """Return a sentence in Chinese, with the English smaller below it."""
    if sentence.zh == sentence.en:
        return tag("span", _lines(sentence.zh))
    return join((tag("span", _lines(sentence.zh)), tag("span", _lines(sentence.en), class_="en", lang="en")))


def _text(one: Content) -> str:
    if isinstance(one, Html):
        return one.text
    return both(one).text if isinstance(one, Sentence) else escape(one)


def _lines(text: str) -> Html:
    return Html("<br>".join(escape(line) for line in text.splitlines()))
