"""Leaves of an XSD: follows a leaf's type to its end and joins the facets met on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

from node.validate import pattern, wrong
from node.validate.notes import Note, Notes
from node.validate.profile import NAME, XS
from node.validate.shape import NUMBER, Facets, Leaf
from node.validate.wrong import SHOWN

TEXT = (
    "[!-~\u00a1-\u1fff\u200c-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff\u3001-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)
"""A character that may stand at either end of a text: no blank, no control character (inside, blanks may stand too)."""

STEPS = 16
"""Most named types that a leaf's type goes through."""

LONGEST = 100_000
"""Most characters of a text leaf."""

_XS_URI = XS[1:-1]
_INTEGER = "-?(0|[1-9][0-9]*)"
_BOUND = r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?"
_SIZES: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "minLength": ("min_length", max), "maxLength": ("max_length", min), "totalDigits": ("total_digits", min),
    "fractionDigits": ("fraction_digits", min),
}
_BOUNDS: dict[str, tuple[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "minInclusive": ("least", max), "minExclusive": ("above", max), "maxInclusive": ("most", min),
    "maxExclusive": ("below", min),
}


class LeafReader:
    """Reads leaves; knows the named simple types of one specification and of what it includes."""

    def __init__(self, roots: Sequence[etree._Element], notes: Notes, fault: Note) -> None:
        self.notes = notes
        self.fault = fault
        self.types: dict[str, etree._Element] = {}
        for root in roots:
            for element in root.findall(XS + "simpleType"):
                name = element.get("name", "")
                if not NAME.fullmatch(name) or name in self.types:
                    fault(element, wrong.TYPE_NAME)
                self.types[name] = element

    def leaf(self, element: etree._Element, least: int, most: int) -> Leaf | None:
        """Return the leaf of an element, or None after noting why there is none."""
        chain = self._chain(element)
        if chain is None:
            return None
        steps, names, base = chain
        if base not in ("string", "integer", "decimal"):
            self.fault(element, wrong.BASE)
            return None
        facets = self._facets(steps, element)
        if facets is None:
            return None
        numeric = None if base == "string" else base
        match = self._numeric(element, facets, base) if numeric else self._text(element, facets)
        if match is None:
            return None
        rules = [use for step in reversed(steps) for use in self.notes.rules(step)] + list(self.notes.rules(element))
        grade, mask = self.notes.field(element)
        form = next((form for step in steps if (form := self.notes.form(step)) is not None), None)
        return Leaf(
            element.get("name", ""), self.notes.label(element), least, most, facets, numeric, names, grade, mask,
            tuple(rules), form, match, self.notes.note(element),
        )

    def _chain(self, element: etree._Element) -> tuple[list[etree._Element], tuple[str, ...], str] | None:
        """Return the simple types from the leaf down to the built-in one, their names, and the built-in's name."""
        steps: list[etree._Element] = []
        names: list[str] = []
        own = element.find(XS + "simpleType")
        reference = element.get("type")
        if (own is None) == (reference is None):
            self.fault(element, wrong.TYPE_OR)
            return None
        place = element
        if own is not None:
            steps.append(own)
            place = own
            reference = _base(own)
        while True:
            prefix, _, name = (reference or "").rpartition(":")
            if place.nsmap.get(prefix or None) == _XS_URI:
                return steps, tuple(names), name
            if name not in self.types or name in names:
                self.fault(element, wrong.TYPE.of(name=repr(name[:SHOWN])))
                return None
            if len(names) == STEPS:
                self.fault(element, wrong.TYPE_CHAIN.of(limit=STEPS))
                return None
            names.append(name)
            place = self.types[name]
            steps.append(place)
            reference = _base(place)

    def _facets(self, steps: Sequence[etree._Element], element: etree._Element) -> Facets | None:
        known: dict[str, Any] = {}
        patterns: list[str] = []
        for step in steps:
            choices = tuple(
                facet.get("value", "") for facet in step.findall(f"{XS}restriction/{XS}enumeration")
            )
            if choices:
                known.setdefault("enumeration", choices)
            for facet in step.findall(f"{XS}restriction/*"):
                if not self._facet(facet, str(facet.tag)[len(XS):], known, patterns):
                    self.fault(facet, wrong.FACET)
                    return None
        if len(patterns) > 1:
            self.fault(element, wrong.PATTERN_ONE)
            return None
        for low, high in (("min_length", "max_length"), ("least", "most"), ("above", "below")):
            if low in known and high in known and known[low] > known[high]:
                self.fault(element, wrong.CONTRADICT)
                return None
        return Facets(pattern=patterns[0] if patterns else None, **known)

    def _facet(self, facet: etree._Element, name: str, known: dict[str, Any], patterns: list[str]) -> bool:
        value = facet.get("value", "")
        if name == "pattern":
            patterns.append(value)
            return True
        if name == "enumeration":
            return True
        if name in _BOUNDS:
            if not re.fullmatch(_BOUND, value):
                return False
            bound = Decimal(value)
            key, choose = _BOUNDS[name]
            known[key] = choose(bound, known[key]) if key in known else bound
            return True
        if not re.fullmatch("[0-9]{1,6}", value):
            return False
        for one in ("minLength", "maxLength") if name == "length" else (name,):
            key, pick = _SIZES[one]
            known[key] = pick(int(value), known[key]) if key in known else int(value)
        return True

    def _numeric(self, element: etree._Element, facets: Facets, base: str) -> re.Pattern[str] | None:
        wanted = _INTEGER if base == "integer" else NUMBER
        if facets.pattern != wanted or facets.enumeration or not 0 < (facets.total_digits or 0) <= 18:
            self.fault(element, wrong.NUMERIC.of(pattern=wanted))
            return None
        return re.compile(wanted)

    def _text(self, element: etree._Element, facets: Facets) -> re.Pattern[str] | None:
        """Check that the text is bounded and can be neither empty nor blank at an end."""
        source = facets.pattern
        if source is None:
            if facets.enumeration and all(re.fullmatch("[!-~]{1,64}", choice) for choice in facets.enumeration):
                return re.compile("[!-~]{1,64}")
            self.fault(element, wrong.FORM)
            return None
        try:
            tree = pattern.parse(source)
        except pattern.PatternFault as why:
            self.fault(element, wrong.PATTERN.of(why=why.says))
            return None
        longest = pattern.longest(tree)
        if min(longest or LONGEST + 1, facets.max_length or LONGEST + 1) > LONGEST:
            self.fault(element, wrong.LONGEST.of(limit=LONGEST))
            return None
        return re.compile(source)


def _base(simple: etree._Element) -> str:
    restriction = simple.find(XS + "restriction")
    return "" if restriction is None else restriction.get("base", "")
