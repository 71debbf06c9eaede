"""Whether settings fit the schema that an adapter states: each fault by its place and kind, never by its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

from adapters.contract import Misconfigured

SHOWN = 5
"""Most faults told at once."""

_KINDS = {
    "required": ("缺少", "is missing"), "additionalProperties": ("没有这一项", "is not known"),
    "type": ("类型不对", "is of the wrong type"), "enum": ("不是可选的值", "is none of the choices"),
    "pattern": ("格式不对", "has the wrong form"), "minimum": ("太小", "is too small"),
    "maximum": ("太大", "is too large"),
}
_OTHER = ("不符合要求", "is not as it must be")


def fit(schema: Mapping[str, Any] | None, given: Mapping[str, Any], zh: str, en: str) -> None:
    """Raise Misconfigured for what does not fit; `zh` and `en` say what is looked at."""
    if schema is None:
        raise Misconfigured(f"此适配器不用{zh}", f"this adapter has no use for {en}")
    faults = [_told(one) for one in Draft202012Validator(dict(schema)).iter_errors(dict(given))]
    if faults:
        shown = faults[:SHOWN]
        raise Misconfigured(
            f"{zh}：" + "；".join(said for said, _ in shown), f"{en}: " + "; ".join(said for _, said in shown))


def _told(error: Any) -> tuple[str, str]:
    kind = str(error.kind.name)
    place = [str(part) for part in error.instance_path]
    if kind == "required":
        place.append(str(error.kind.property))
    elif kind == "additionalProperties":
        place.append("、".join(error.kind.unexpected))
    where = ".".join(place)[:200] or "-"
    zh, en = _KINDS.get(kind, _OTHER)
    return f"{where}{zh}", f"{where} {en}"
