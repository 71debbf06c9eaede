"""Dates as legacy systems write them, read by a declared form and written as the specification wants them.

A form is made of `YYYY MM M DD D hh h mm m ss f Z` and of signs that stand for themselves, T and Chinese among them:
MM is two digits, M one or two; f is an optional fraction of a second, which is left out; Z an offset, `Z` or `+08:00`.
`GB/T 39046` names the three forms that standard prints; `serial` is a spreadsheet's day number (1900 system);
`seconds` and `milliseconds` count from 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone

from node.validate.mapping.wording import Unfit

PRINTED = ("YYYYMMDDhhmmss", "YYYYMMDDThhmmss", "YYYYMMDDhh:mm:ss")
"""The shapes printed in GB/T 39046-2020."""
COUNTED = {"serial": 86400, "seconds": 1, "milliseconds": 0}
TARGETS = {"Moment": "YYYY-MM-DDThh:mm:ssZ", "Date8": "YYYYMMDD", "Date": "YYYY-MM-DD", "Month6": "YYYYMM"}
"""How the types of the specifications write a date."""

ZONE = re.compile(r"[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")
LENGTH = 64
"""Most characters of a date."""

_Parts = tuple[str, str, str, str, str, str, str]
_NAMES = ("Y", "M", "D", "h", "m", "s", "Z")
_PARTS = {
    "YYYY": "(?P<Y>[0-9]{4})", "MM": "(?P<M>[0-9]{2})", "M": "(?P<M>[0-9]{1,2})", "DD": "(?P<D>[0-9]{2})",
    "D": "(?P<D>[0-9]{1,2})", "hh": "(?P<h>[01][0-9]|2[0-3])", "h": "(?P<h>[01]?[0-9]|2[0-3])",
    "mm": "(?P<m>[0-5][0-9])", "m": "(?P<m>[0-5]?[0-9])", "ss": "(?P<s>[0-5][0-9])", "f": "(?:[.,][0-9]{1,9})?",
    "Z": "(?P<Z>Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])",
}
_TOKEN = re.compile("YYYY|MM|M|DD|D|hh|h|mm|m|ss|f|Z|T|[^A-Za-z0-9]")
_EPOCH, _SPREADSHEET = datetime(1970, 1, 1), datetime(1899, 12, 30)
_FIRST = date(1970, 1, 1)


class FormFault(ValueError):
    """A form of a date that cannot be."""


def parse(form: str) -> list[str]:
    """Return the parts of a form; raise FormFault for one that is not readable in one way only."""
    parts = _TOKEN.findall(form)
    known = [part for part in parts if part in _PARTS]
    letters = [part[0] for part in known]
    if "".join(parts) != form or len(form) > LENGTH or "YYYY" not in parts or "M" not in letters:
        raise FormFault
    if len(set(letters)) != len(letters) or any(small in letters and large not in letters for small, large in (
            ("h", "D"), ("m", "h"), ("s", "m"), ("f", "s"))):
        raise FormFault
    for one, two in zip(parts, parts[1:]):
        digits = {one, two} <= _PARTS.keys() - {"f", "Z"}
        if digits and (len(one) == 1 or len(two) == 1):
            raise FormFault
    return parts


def reader(forms: Sequence[str], zone: str) -> tuple[Callable[[str], _Parts], frozenset[str]]:
    """Return what reads a text by the first form that fits, and which parts every form tells.

    Raises FormFault.  What is read raises Unfit(mapping-date) for a text that no form fits, or that is on no calendar.
    """
    said = ", ".join(forms)
    if any(form in COUNTED for form in forms):
        if len(forms) > 1:
            raise FormFault
        return _counted(forms[0], zone), frozenset(_NAMES)
    wanted = [one for form in forms for one in (PRINTED if form == "GB/T 39046" else (form,))]
    parsed = [parse(form) for form in wanted]
    skeletons = [re.sub(r"\?P<.>", "", "".join(_written(parts))) for parts in parsed]
    if not wanted or len(set(skeletons)) != len(skeletons):
        raise FormFault
    tells = frozenset.intersection(*(frozenset(part[0] for part in parts) for parts in parsed))
    matches = [_compiled(parts) for parts in parsed]

    def read(text: str) -> _Parts:
        if len(text) <= LENGTH:
            for match in matches:
                found = match(text)
                if found is not None:
                    parts: _Parts = found.group(*_NAMES)  # type: ignore[assignment]  # seven names, seven texts
                    try:
                        date(int(parts[0]), int(parts[1]), int(parts[2] or 1))
                    except ValueError:
                        break
                    return parts
        raise Unfit("mapping-date", said)

    return read, tells


def _written(parts: Sequence[str]) -> list[str]:
    return [_PARTS.get(part) or (" +" if part == " " else re.escape(part)) for part in parts]


def _compiled(parts: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    """Return the match of a form; what the form does not tell is the empty text."""
    letters = {part[0] for part in parts if part in _PARTS}
    absent = "".join(f"(?P<{name}>)" for name in _NAMES if name not in letters)
    return re.compile("".join(_written(parts)) + absent).fullmatch


def _counted(form: str, zone: str) -> Callable[[str], _Parts]:
    digits = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?").fullmatch
    offset = timedelta(seconds=_seconds(zone))

    def read(text: str) -> _Parts:
        if len(text) > LENGTH or digits(text) is None:
            raise Unfit("mapping-date", form)
        whole, _, fraction = text.partition(".")
        try:
            if form == "serial":  # a local time; half a second is a rounding of the spreadsheet's
                part = round(int(fraction or 0) * 86400 / 10 ** len(fraction))
                at = _SPREADSHEET + timedelta(days=int(whole), seconds=part)
            else:
                at = _EPOCH + offset + timedelta(seconds=int(whole) // (1 if form == "seconds" else 1000))
        except (OverflowError, ValueError):
            raise Unfit("mapping-date", form) from None
        return *_six(at), zone

    return read


def _seconds(zone: str) -> int:
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)


def writer(target: str, tells: frozenset[str], zone: str) -> Callable[[_Parts], str]:
    """Return what writes the parts of a date in the form `target`; raise FormFault if they do not suffice.

    A time that the source does not tell is midnight.  An offset that the target does not show is taken off in `zone`.
    """
    parts = parse(target)
    letters = [part[0] for part in parts if part in _PARTS]
    if "f" in letters or "D" in letters and "D" not in tells or any(part in ("M", "D", "h", "m") for part in parts):
        raise FormFault
    form = "".join("%s" if part in _PARTS else part.replace("%", "%%") for part in parts)
    places = tuple(_NAMES.index(letter) for letter in letters)
    shows = "Z" in letters

    def write(found: _Parts) -> str:
        year, month, day, hour, minute, second, offset = found
        if offset and not shows:
            year, month, day, hour, minute, second = _moved(found, zone)
        elif offset and len(offset) == 5:
            offset = f"{offset[:3]}:{offset[3:]}"
        full = (
            year, month.rjust(2, "0"), day.rjust(2, "0"), hour.rjust(2, "0"), minute.rjust(2, "0"),
            second.rjust(2, "0"), offset or zone,
        )
        return form % tuple([full[place] for place in places])

    return write


def _moved(parts: _Parts, zone: str) -> tuple[str, str, str, str, str, str]:
    offset = 0 if parts[6] == "Z" else _seconds(parts[6])
    year, month, day, hour, minute, second = (int(part or 0) for part in parts[:6])
    try:
        at = datetime(year, month, day or 1, hour, minute, second, tzinfo=timezone(timedelta(seconds=offset)))
        at = at.astimezone(timezone(timedelta(seconds=_seconds(zone))))
    except OverflowError:
        raise Unfit("mapping-date", "0001…9999") from None
    return _six(at)


def _six(at: datetime) -> tuple[str, str, str, str, str, str]:
    return f"{at.year:04}", f"{at.month:02}", f"{at.day:02}", f"{at.hour:02}", f"{at.minute:02}", f"{at.second:02}"
