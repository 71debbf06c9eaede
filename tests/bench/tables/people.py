"""Rows of people for the benchmarks of tables: good records, varied, and as many as are wanted in a short time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import count, islice

from node.model.record import Draft, Record
from node.validate import Specification, sample
from node.validate.rules.checks import citizen_check

SAMPLED = 2000
"""People whose every field is drawn; the others are like one of them, but for their numbers, house and time."""
_CITIZEN = "111"


def people(spec: Specification, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield records without end that are good with these columns alone; no two have a row id or a number in common."""
    drawn = list(islice(_drawn(spec, columns), SAMPLED))
    seen = {one["IdNumber"] for one in drawn}
    yield from drawn
    for turn in count(1):
        for one in drawn:
            if one["IdTypeCode"] != _CITIZEN:
                continue
            number = _another(one["IdNumber"], turn)
            if number not in seen:
                seen.add(number)
                row = f"{one['RecordId']}-{turn}"
                yield one | {"RecordId": row, "IdNumber": number, "DomicileAddress": f"{one['DomicileAddress']}{turn}号"}


def _another(number: str, turn: int) -> str:
    """Return a number of the same region, birthday and sex."""
    front = f"{number[:14]}{(int(number[14:17]) + 2 * turn) % 1000:03}"
    return front + citizen_check(front)


def _drawn(spec: Specification, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield what the specification draws, but for the dead, who need a date besides."""
    for number in count():
        whole = {"DomicileAddress": "地址不详", **sample(spec, 5, number)}
        twin = {one: whole[one] for one in columns}
        if isinstance(spec.judge(Draft(0, "plain", twin), date.today()), Record):
            yield twin
