"""Templates: `{bookmark}`, `{page}`, `{offset}`, `{limit}`, `{next}` and others, filled so that a value stays a value.

Rule 1: what is filled in is escaped for where it stands: percent-encoded, as a JSON text, or as XML.
Rule 2: in JSON a mark that stands outside quotes takes a number and nothing else.
Rule 3: a mark that is not known is left as it is, for braces are JSON's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from adapters.contract import Misconfigured

Values = Mapping[str, str]

_MARK = re.compile(r"\{([A-Za-z_][^{}\s\"']{0,199})\}")
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;"})


class Illegal(Exception):
    """A value with a sign that XML cannot hold."""


def marks(template: str) -> set[str]:
    """Return the names of a template's marks."""
    return {found[1] for found in _MARK.finditer(template)}


def plain(template: str, values: Values) -> str:
    """Return a template with its marks filled, nothing escaped."""
    return _MARK.sub(lambda found: values.get(found[1], found[0]), template)


def path(template: str, values: Values) -> str:
    """Return a path, what is filled in percent-encoded."""
    return plain(template, {name: quote(value, safe="", errors="replace") for name, value in values.items()})


def pairs(table: Mapping[str, str], values: Values) -> list[tuple[str, str]]:
    """Return names and values of a query or form, not encoded yet."""
    return [(name, plain(value, values)) for name, value in table.items()]


def encoded(given: Sequence[tuple[str, str]]) -> str:
    """Return names and values as they stand in a query or form."""
    return urlencode(given, quote_via=quote, errors="replace")


def as_json(template: str, values: Values) -> str:
    """Return a JSON document; raise Misconfigured if a mark outside quotes would take what is no number."""
    out, at = [], 0
    for found in _MARK.finditer(template):
        value = values.get(found[1])
        if value is None:
            continue
        if _quoted(template, found.start()):
            value = json.dumps(value)[1:-1]
        elif not _NUMBER.fullmatch(value):
            raise Misconfigured(f"body里的{{{found[1]}}}不在引号内，只能填数字",
                                f"{{{found[1]}}} stands outside quotes in `body` and takes a number only")
        out += [template[at:found.start()], value]
        at = found.end()
    return "".join(out) + template[at:]


def _quoted(template: str, at: int) -> bool:
    """Whether a place in a JSON text lies within quotes."""
    inside = False
    for sign in re.finditer(r'\\.|"', template[:at]):
        inside ^= sign[0] == '"'
    return inside


def as_xml(template: str, values: Values, ready: Values = {}) -> str:
    """Return an XML document; values of `ready` are XML already."""
    return _MARK.sub(lambda found: ready[found[1]] if found[1] in ready else escape(values[found[1]])
                     if found[1] in values else found[0], template)


def escape(value: str) -> str:
    """Return a text as XML holds it; raise Illegal for a sign it cannot hold."""
    if _ILLEGAL.search(value):
        raise Illegal
    return value.translate(_XML)
