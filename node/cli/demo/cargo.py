"""The cargo: what the demonstration submits, in which order, and what must stand everywhere when all has arrived.

It is repeatable by seed.  Bodies come as NDJSON, one JSON object, XML lists and single XML, with updates and deletes
of earlier rows among them; every faulty record breaks exactly one known rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from node.validate import Specification, Specifications
from node.validate.made.faults import PLANTED, fault, plant
from node.validate.made.samples import regions, sample, to_json, to_xml

RESOURCES = {"population": "population-basic/1.0", "legal": "legal-entity-basic/1.0", "regions": "region-code/1.0"}
KINDS = PLANTED[:10]
OCTETS = 1024
IDLE = 30
"""The first records come one by one, to an idle exchange: what one record takes is measured on them."""
REGIONS = "gb2260/2019-04"
NDJSON, JSON, XML = "application/x-ndjson", "application/json", "application/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Body:
    """One POST: its resource, media and octets, how many records it holds, and the rule each faulty row id breaks."""

    resource: str
    media: str
    octets: bytes = field(repr=False)
    count: int
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Truth:
    """What the source holds in the end: for each resource and business key the twin as JSON, None once deleted."""

    rows: dict[str, dict[tuple[str, ...], bytes | None]] = field(default_factory=dict)

    def take(self, spec: Specification, resource: str, twin: Mapping[str, Any]) -> None:
        """Apply one valid record in the order of submission."""
        key = tuple(twin[name] for name in spec.key_fields)
        gone = twin[spec.shape.operation] == "D"
        self.rows.setdefault(resource, {})[key] = None if gone else to_json(twin)


def _held(specifications: Specifications, name: str) -> Specification:
    found = specifications.get(name)
    assert found is not None, "the product ships it"
    return found


class Cargo:
    """`records` valid records of population and legal entities, 2 % faulty ones beside them, and the region table."""

    def __init__(self, specifications: Specifications, records: int, seed: int = 20260101) -> None:
        self._specs = {code: _held(specifications, name) for code, name in RESOURCES.items()}
        self.records, self._seed = records, seed
        self.faulty = max(len(KINDS), records // 50)
        self.truth = Truth()

    def bodies(self) -> Iterator[Body]:
        """Yield what is to be posted, in order; `truth` grows as it is yielded."""
        dice = Random(self._seed)  # which row, which form: repeatable, and nothing secret hangs on it
        done = planted = 0
        fresh = {"population": 0, "legal": 0}
        while done < self.records:
            if done == IDLE:
                yield from self._regions()
            resource = "legal" if dice.random() < 0.15 else "population"
            size = 1 if done < IDLE else min(dice.choice((1, 1, 20, 50, 100)), self.records - done)
            twins = [self._twin(resource, fresh, dice) for _ in range(size)]
            for twin in twins:
                self.truth.take(self._specs[resource], resource, twin)
            done += size
            faults: dict[str, str] = {}
            while resource == "population" and size > 1 and planted * self.records < done * self.faulty:
                twin, rule = self._faulty(planted)
                faults[f"{twin['RecordId']}"] = rule
                twins.insert(dice.randrange(len(twins) + 1), twin)
                planted += 1
            yield self._body(resource, twins, faults, dice)
        while planted < self.faulty:
            twin, rule = self._faulty(planted)
            planted += 1
            yield self._body("population", [twin], {f"{twin['RecordId']}": rule}, dice)

    def _twin(self, resource: str, fresh: dict[str, int], dice: Random) -> dict[str, Any]:
        """Return a new row, or an update (10 %) or a delete (5 %) of an earlier one."""
        spec, known = self._specs[resource], fresh[resource]
        chosen = dice.random()
        if known > 50 and chosen < 0.15:
            operation = "D" if chosen < 0.05 else "U"
            return sample(
                spec, self._seed, dice.randrange(known), operation=operation, revision=dice.randrange(1, 1000),
                octets=OCTETS,
            )
        fresh[resource] = known + 1
        return sample(spec, self._seed, known, octets=OCTETS)

    def _faulty(self, number: int) -> tuple[dict[str, Any], str]:
        spec = self._specs["population"]
        kind = fault(spec, KINDS[number % len(KINDS)])
        whole = sample(spec, self._seed, 10_000_000 + number, octets=OCTETS)
        return plant(spec, whole, kind, self._seed + number), kind.rule

    def _body(
        self, resource: str, twins: Sequence[dict[str, Any]], faults: Mapping[str, str], dice: Random
    ) -> Body:
        spec, count = self._specs[resource], len(twins)
        if dice.random() < 0.5:
            return Body(resource, XML, to_xml(spec, twins, single=count == 1), count, faults)
        if count == 1:
            return Body(resource, JSON, to_json(twins[0]), count, faults)
        return Body(resource, NDJSON, b"\n".join(to_json(twin) for twin in twins), count, faults)

    def _regions(self) -> Iterator[Body]:
        """Yield the real region table, all revisions, a thousand rows at a time."""
        spec = self._specs["regions"]
        table = self._specs["population"].tables[REGIONS]
        twins = list(regions(table, "2026-01-01T00:00:00+08:00"))
        for twin in twins:
            self.truth.take(spec, "regions", twin)
        for start in range(0, len(twins), 1000):
            part = twins[start : start + 1000]
            yield Body("regions", NDJSON, b"\n".join(to_json(twin) for twin in part), len(part))
