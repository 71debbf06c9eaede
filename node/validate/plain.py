"""Plain XML: what nearly every sender writes, read by its form in a third of the time a parser and the XSD take.

The form: UTF-8; one record or a list of them; the namespace without a prefix as the root's only attribute (records of a
list may repeat it); the fields
of a flat record in the specification's order, each an opening tag, text, a closing tag; blanks between them; nothing of
comments, references, CDATA or line breaks in a text.

Rule 1: whatever is not plain is left to the parser, and both ways tell the same.
Rule 2: of a plain record only the texts are in question, so the JSON gate decides, as it does at the second door.
Rule 3: no text makes it look twice at an octet: every repetition is possessive, and what is optional is told by its
    first octets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from node.model.record import Draft, Twin
from node.validate.shape import Shape

_BLANK = "[ \\t\\r\\n]*+"
_TEXT = "([^<>&\\x00-\\x1f\ufffe\uffff]*+)"
_DECLARED = "|".join(
    f"<\\?xml version={quote}1\\.0{quote}(?: encoding={quote}(?:UTF|utf)-8{quote})?+\\?>" for quote in "\"'"
)


class PlainXml:
    """Reads the plain documents of one specification."""

    def __init__(self, shape: Shape) -> None:
        group = shape.record
        self._names = tuple(group.members) if group.flat else ()
        space = f' xmlns="{re.escape(shape.namespace)}"'
        fields = "".join(f"(?:<{name}>{_TEXT}</{name}>{_BLANK})?+" for name in self._names)
        front = f"(?:(?:{_DECLARED}){_BLANK})?+"
        inner = f">{_BLANK}{fields}</{group.name}>{_BLANK}"
        self._alone = re.compile(f"{front}<{group.name}{space}{inner}").fullmatch
        self._opening = re.compile(f"{front}<{group.name}List{space}>{_BLANK}").match
        self._one = re.compile(f"<{group.name}(?:{space})?+{inner}").match
        self._closing = re.compile(f"</{group.name}List>{_BLANK}").fullmatch

    def drafts(self, content: bytes, most: int) -> Sequence[Draft] | None:
        """Return the drafts of a plain document of at most `most` records, None of any other."""
        if not self._names:
            return None
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        alone = self._alone(text)
        if alone is not None:
            return [Draft(0, "plain", self._twin(alone))]
        twins = self._listed(text, most)
        return [Draft(index, "plain", twin) for index, twin in enumerate(twins)] or None

    def _listed(self, text: str, most: int) -> Sequence[Twin]:
        """Return the twins of a plain list, none of any other document."""
        twins: list[Twin] = []
        found = self._opening(text)
        while found is not None and len(twins) <= most:
            end = found.end()
            if self._closing(text, end):
                return twins
            found = self._one(text, end)
            if found is not None:
                twins.append(self._twin(found))
        return ()

    def _twin(self, found: re.Match[str]) -> Twin:
        return {name: text for name, text in zip(self._names, found.groups(), strict=True) if text is not None}
