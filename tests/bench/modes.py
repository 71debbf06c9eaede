"""The ways in which records are handed in, each a burst of its own in every round.

`first` records are handed in before the rounds, to learn how many a burst needs to last as long as it shall.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.records import RESOURCE

SINGLES = ("population-a", "population-b", "population-c", "population-d")
"""Resources whose parcels hold one record each."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way: which form, how many per POST, over how many kept connections, into which resources in turn."""

    name: str
    zh: str
    en: str
    form: str
    per_post: int
    connections: int
    resources: tuple[str, ...] = (RESOURCE,)
    first: int = 2000


MODES = {mode.name: mode for mode in (
    Mode("json", "JSON，每次100条", "JSON, 100 per POST", "json", 100, 8, first=10_000),
    Mode("xml", "XML，每次1条", "XML, one per POST", "xml", 1, 64),
    Mode("xml100", "XML，每次100条", "XML, 100 per POST", "xml", 100, 8, first=10_000),
    Mode("single", "每包1条，四通道", "one record per parcel, four lanes", "json", 1, 64, SINGLES, 200),
    Mode("single1", "每包1条，一通道", "one record per parcel, one lane", "json", 1, 64, SINGLES[:1], 100),
)}
