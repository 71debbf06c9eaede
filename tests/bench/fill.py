"""Lets records wait in a stopped department's outbox, by the exchange's own functions: what an outage leaves on disk.

    python -m tests.bench.fill CONFIG RECORDS PER_POST SEED RESOURCE...     a JSON line when done

Every record is validated and submitted under an idempotency key of its own, sealed, noted in the ledger and committed.
Rule 1: with PER_POST 1 every record is a group of its own, as POSTs one by one at 20 a second leave them: the group is
        what a lane draws, so it must not be larger than it was.  Commits are shared, which the disk does not remember.
Rule 2: otherwise the groups are those of a busy local API: what shares a commit shares groups.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from node.exchange.submit import Supply, submit
from node.model.instant import day
from node.model.record import Record, Stream
from node.validate import Media, read_drafts
from tests.bench.records import Records
from tests.bench.stages import End

PER_UNIT = 1000
MOULDS = 1100


def fill(config: Path, records: int, per_post: int, seed: int, resources: list[str]) -> float:
    """Let `records` wait, resource by resource in turn; return the seconds it took."""
    end, supply, begun, here = End.open(config), Records("json", seed, MOULDS), time.monotonic(), 0
    try:
        while records:
            many = min(PER_UNIT, records)
            records -= many
            with end.stores.outbox.unit() as unit:
                while many:
                    each = min(per_post, many)
                    many -= each
                    submit(unit, _supply(end, supply.take(each), resources[here % len(resources)]),
                           end.means.identity.domain, end.means.identity.node, _now(), os.urandom)
                    here += 1
                    if per_post == 1:
                        unit.flush()
    finally:
        end.stores.close()
    return time.monotonic() - begun


def _supply(end: End, records: list[bytes], code: str) -> Supply:
    resource = end.means.registry.resource(code)
    assert resource is not None
    spec = end.means.specifications.get(resource.specification)
    assert spec is not None
    body = b"\n".join(records)
    judged = [one for one in spec.judge_all(read_drafts(body, Media("ndjson"), spec), day(_now()))]
    good = [one for one in judged if isinstance(one, Record)]
    assert len(good) == len(records), "the load is valid"
    return Supply("bench", os.urandom(12).hex(), body, resource, spec.id, Stream.LIVE, good, [])


def _now() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    """Fill, and tell how long it took."""
    config, records, per_post, seed, *resources = sys.argv[1:]
    print(json.dumps({"seconds": fill(Path(config), int(records), int(per_post), int(seed), resources)}), flush=True)


if __name__ == "__main__":
    main()
