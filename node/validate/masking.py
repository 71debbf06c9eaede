"""Twins as people may see them: every field masked as its specification says (`x:field mask`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from node.model.record import Twin
from node.validate.shape import Group, Leaf, Member, Shape

STAR = "*"


def masked(shape: Shape, twin: Twin) -> dict[str, Any]:
    """Return a twin with its masks over it; what the specification does not know is masked whole."""
    return _group(shape.record, twin)


def _group(group: Group, twin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _each(group.members.get(name), value) for name, value in twin.items()}


def _each(member: Member | None, value: Any) -> Any:
    if isinstance(value, list):
        return [_each(member, one) for one in value]
    if isinstance(member, Group) and isinstance(value, Mapping):
        return _group(member, value)
    if isinstance(member, Leaf) and isinstance(value, str):
        return _MASKS[member.mask](value) if member.mask else value
    return STAR * 3


def _but(front: int, back: int) -> Callable[[str], str]:
    """Return a mask that leaves so many characters at either end, if at least as many again are hidden."""

    def mask(text: str) -> str:
        if len(text) < 2 * (front + back):
            return STAR * max(3, len(text))
        return text[:front] + STAR * (len(text) - front - back) + text[len(text) - back:]

    return mask


_MASKS: Mapping[str, Callable[[str], str]] = {
    "all": lambda text: STAR * 3,
    "name": lambda text: text[:1] + STAR * max(1, len(text) - 1),
    "id": _but(2, 2), "phone": _but(3, 2), "address": _but(6, 0),
}
