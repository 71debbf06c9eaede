"""The forms in which a column writes its dates, found from its cells, or guessed from its type where it has none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone

from node.validate.mapping import moments
from node.validate.mapping.drafting.judging import ZONE
from node.validate.mapping.wording import Unfit
from node.validate.shape import Leaf

FORMS = (
    "YYYYMMDD", "YYYY-MM-DD", "YYYY-MM-DD hh:mm:ssf", "YYYY-MM-DDThh:mm:ssf", "YYYY-MM-DDThh:mm:ssfZ",
    "YYYY-MM-DD hh:mm:ssfZ", "YYYYMMDDhhmmss", "YYYYMMDDThhmmss", "YYYYMMDDhh:mm:ss", "YYYYMMDD hh:mm:ss",
    "YYYY/M/D", "YYYY/M/D h:mm:ss", "YYYY/M/D h:mm", "YYYY-M-D", "YYYY-M-D h:mm:ss", "YYYY-M-D h:mm",
    "YYYY年M月D日", "YYYY年M月D日 h:mm:ss", "YYYY.M.D", "YYYYMMDDhhmm", "YYYYMM", "YYYY-MM", "YYYY/M", "YYYY年M月", "YYYY.M",
    "milliseconds", "seconds", "serial",
)
"""Forms that are looked for; of two that fit the same cells the first."""
SEVERAL = 4
"""Most forms of one column."""

LASTING = ("长期", "长期有效", "永久", "无期限", "99991231", "9999-12-31", "00000000", "0000-00-00", "1900-01-01", "19000101")
"""What stands where there is no date, or none that is meant."""

_COUNTED = {"milliseconds": re.compile(r"[0-9]{12,13}"), "seconds": re.compile(r"[0-9]{9,10}"),
            "serial": re.compile(r"[2-5][0-9]{4}(?:\.[0-9]+)?")}
_EARLIEST = datetime(1990, 1, 1, tzinfo=timezone.utc).timestamp()


def dated(leaf: Leaf) -> bool:
    """Whether a field holds a date whose form its type tells."""
    return any(kind in moments.TARGETS for kind in leaf.types)


def forms(leaf: Leaf, cells: Mapping[str, int]) -> Sequence[str]:
    """Return the fewest forms that read most cells and from which the field can be written; none if none does."""
    target = next(moments.TARGETS[kind] for kind in leaf.types if kind in moments.TARGETS)
    left = {cell: count for cell, count in cells.items() if cell not in LASTING}
    found: list[str] = []
    readers = dict(_readers(target))
    if "GB/T 39046" in readers and _covers(readers, ("GB/T 39046",), left) and len(
            [one for one in moments.PRINTED if _covers(readers, (one,), left, any)]) > 1:
        return ("GB/T 39046",)
    while left and len(found) < SEVERAL:
        read = {form: [cell for cell in left if fits(cell)] for form, fits in readers.items()}
        best = max(read, key=lambda form: sum(left[cell] for cell in read[form]))
        if not read[best] or found and best in _COUNTED:
            break
        found.append(best)
        for cell in read[best]:
            del left[cell]
        readers.pop(best)
        if best in _COUNTED:
            break
    return found


def _covers(readers: Mapping[str, Callable[[str], bool]], names: Sequence[str], cells: Mapping[str, int],
            how: Callable[[Iterator[bool]], bool] = all) -> bool:
    return bool(cells) and how(any(readers[name](cell) for name in names if name in readers) for cell in cells)


def _readers(target: str) -> Iterator[tuple[str, Callable[[str], bool]]]:
    for form in (*FORMS, "GB/T 39046"):
        read, tells = moments.reader([form], ZONE)
        try:
            moments.writer(target, tells, ZONE)
        except moments.FormFault:
            continue
        yield form, _fitting(form, read)


def _fitting(form: str, read: Callable[[str], object]) -> Callable[[str], bool]:
    counted = _COUNTED.get(form)

    def fits(cell: str) -> bool:
        if counted is not None and (not counted.fullmatch(cell) or form != "serial" and _early(form, cell)):
            return False
        try:
            read(cell)
        except Unfit:
            return False
        return True

    return fits


def _early(form: str, cell: str) -> bool:
    return int(cell) / (1 if form == "seconds" else 1000) < _EARLIEST


def of_kind(kind: str) -> tuple[str, ...]:
    """Return the forms to expect of a column's type, where no cell was seen."""
    said = kind.upper()
    if "TIMESTAMP" in said or "DATETIME" in said:
        return ("YYYY-MM-DDThh:mm:ssf", "YYYY-MM-DDThh:mm:ssfZ")
    if "DATE" in said:
        return ("YYYY-MM-DD", "YYYY-MM-DDThh:mm:ssf")
    size = re.search(r"\((\d+)\)", said)
    return {"8": ("YYYYMMDD",), "14": ("YYYYMMDDhhmmss",), "10": ("YYYY-MM-DD",), "19": ("YYYY-MM-DD hh:mm:ssf",)}.get(
        size[1] if size else "", ("YYYYMMDD", "YYYY-MM-DD", "YYYY-MM-DD hh:mm:ssf", "YYYY-MM-DDThh:mm:ssf"))
