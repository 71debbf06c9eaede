"""A row that its source has no more: what is known of it becomes a delete.

Whoever reads the source puts the moment at which it was missed in the place of the mark (`adapters.contract.GONE`).
A delete carries the row id, the business key and a time (`Shape.kept`), so the source must still tell the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node.model.record import Draft, Record, Refusal
from node.validate.mapping.moments import TARGETS
from node.validate.shape import Leaf
from node.validate.specification import Specification

GONE = "__gone__"
"""The member of a row that holds the moment, `YYYY-MM-DDThh:mm:ss+hh:mm`."""


def judge_gone(spec: Specification, index: int, twin: Mapping[str, Any], at: str, today: date) -> Record | Refusal:
    """Return the delete of a row; its time is `at` where the row has none of its own."""
    shape = spec.shape
    kept = {name: value for name, value in twin.items() if name in shape.kept and value is not None}
    kept[shape.operation] = "D"
    kept.setdefault(shape.time, _written(shape.record.members[shape.time], at))
    return spec.judge(Draft(index, "plain", kept), today)


def _written(field: object, at: str) -> str:
    """Return a moment as a field of dates or times writes it."""
    assert isinstance(field, Leaf), "the profile makes the time a leaf"
    form = next((TARGETS[one] for one in field.types if one in TARGETS), TARGETS["Moment"])
    parts = {"YYYY": at[:4], "MM": at[5:7], "DD": at[8:10], "hh": at[11:13], "mm": at[14:16], "ss": at[17:19],
             "Z": at[19:]}
    for part, text in parts.items():
        form = form.replace(part, text)
    return form
