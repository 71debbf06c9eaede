"""Whether a table of settings fits the JSON Schema that an adapter states: each fault by its place, never its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from node.model.sentence import Sentence

SHOWN = 5
"""Most faults told at once."""

_KINDS = {
    "required": ("缺少", "is missing"), "additionalProperties": ("没有这一项", "is not known"),
    "type": ("类型不对", "is of the wrong type"), "enum": ("不是可选的值", "is none of the choices"),
    "pattern": ("格式不对", "has the wrong form"), "minimum": ("太小", "is too small"), "maximum": ("太大", "is too large"),
}
_OTHER = "不符合要求", "is not as it must be"
_NO_SCHEMA = Sentence("适配器声明的格式不成立", "the schema that the adapter states is none")


def misfit(schema: Any, given: Mapping[str, Any]) -> Sentence | None:
    """Return what does not fit, None if all does."""
    try:
        gate = Draft202012Validator(schema if isinstance(schema, bool) else dict(schema))
    except (ValidationError, TypeError, ValueError):
        return _NO_SCHEMA
    faults = [_told(error) for _, error in zip(range(SHOWN), gate.iter_errors(dict(given)))]
    if not faults:
        return None
    return Sentence("；".join(zh for zh, _ in faults), "; ".join(en for _, en in faults))


def _told(error: Any) -> tuple[str, str]:
    kind = str(error.kind.name)
    place = [str(part) for part in error.instance_path]
    if kind == "required":
        place.append(str(error.kind.property))
    elif kind == "additionalProperties":
        place.append("、".join(error.kind.unexpected))
    where = ".".join(place)[:200].replace("{", "(") or "-"
    zh, en = _KINDS.get(kind, _OTHER)
    return f"{where}{zh}", f"{where} {en}"
