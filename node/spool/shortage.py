"""Three thresholds of free disk: intake closes first, then foreign data; receipts and purges keep their reserve.

Order matters: a source can wait, a peer's queue can wait longer, but a receipt that cannot be written stops everyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Shortage(IntEnum):
    """How short the disk is; each grade closes one thing more."""

    NONE = 0
    INTAKE = 1
    FOREIGN = 2
    RESERVE = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Free octets below which intake, then foreign data close, and below which only receipts and purges go on."""

    intake: int = 2 << 30
    foreign: int = 1 << 30
    reserve: int = 256 << 20


def shortage(free: int, thresholds: Thresholds) -> Shortage:
    """Return the grade for `free` octets of disk."""
    if free < thresholds.reserve:
        return Shortage.RESERVE
    if free < thresholds.foreign:
        return Shortage.FOREIGN
    return Shortage.INTAKE if free < thresholds.intake else Shortage.NONE
