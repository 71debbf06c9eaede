"""The figures that follow from what was measured, beside their goals."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.bench.figures import Figure, centile, of, significant
from tests.bench.rounds import PER_POST, Burst
from tests.bench.stages import total
from tests.bench.whole import Measured

MIB = 1 << 20
AGAINST = (
    "pyas2lib in memory, one process per processor: sign, encrypt, verify, decrypt, signed MDN; "
    "the check of OpenSSL's version in its oscrypto is widened at run time, without which it does not import"
)


def report(found: Measured) -> list[Figure]:
    """Return all figures in the order of the table."""
    return [
        *_ratios(found), *_idle(found), _commits(found), *_memory(found), _nothing_lost(found),
        *_rates(found, "json"), *_rates(found, "xml"), *_peer(found), *_costs(found), *_octets(found),
        *_stages(found, "json", "≥ 0.6"), *_stages(found, "xml", "≥ 0.7"),
        Figure("versions", len(found.versions), "entries", None, dict(found.versions)),
    ]


def _ratios(found: Measured) -> list[Figure]:
    peers = [whole for whole, _ in found.peers]

    def over(form: str, which: Callable[[Burst], float]) -> list[float]:
        return [which(burst) / peer for burst, peer in zip(found.bursts[form], peers, strict=True)]

    def by_cpu(form: str) -> list[float]:
        return [
            1e6 / (burst.department + burst.centre) / each
            for burst, (_, each) in zip(found.bursts[form], found.peers, strict=True)
        ]

    return [
        of("JSON, 100 per POST, to accepted, over pyas2lib", over("json", lambda one: one.accepted), "×", "≥ 300",
           against=AGAINST),
        of("JSON, 100 per POST, to the final verdict, over pyas2lib", over("json", lambda one: one.final), "×",
           "≥ 150"),
        of("XML, one per POST, to accepted, over pyas2lib", over("xml", lambda one: one.accepted), "×", "≥ 100"),
        of("JSON to the final verdict, by cpu time", by_cpu("json"), "×",
           what="records per cpu second of both nodes over messages per cpu second of pyas2lib: free of neighbours"),
        of("XML to the final verdict, by cpu time", by_cpu("xml"), "×"),
    ]


def _idle(found: Measured) -> list[Figure]:
    idle = found.idle
    rows: Sequence[tuple[str, list[float], str | None, str | None]] = (
        ("POST to 202", idle.taken, None, None), ("POST to accepted", idle.accepted, "≤ 10", "≤ 25"),
        ("POST to the final verdict", idle.final, "≤ 25", "≤ 60"),
    )
    return [
        Figure(f"idle, {name}, {word}", significant(centile(values, share)), "ms", goal, {"samples": len(values)})
        for name, values, half, most in rows
        for word, share, goal in (("p50", 0.5, half), ("p99", 0.99, most))
    ]


def _commits(found: Measured) -> Figure:
    ratios = [grouped / single for single, grouped in found.commits]
    return of("group commit, 1000 records over 1 record a commit", ratios, "×", "≥ 20",
              single=[round(one) for one, _ in found.commits], grouped=[round(one) for _, one in found.commits])


def _memory(found: Measured) -> list[Figure]:
    return [
        figure
        for node, (before, after) in found.resident.items()
        for figure in (
            Figure(f"resident memory, idle, {node}", significant(before / MIB), "MiB", "≤ 150"),
            Figure(f"resident memory, grown under the whole run, {node}", significant((after - before) / MIB), "MiB",
                   "≤ 64"),
        )
    ]


def _nothing_lost(found: Measured) -> Figure:
    missing = found.posted - found.delivered
    return Figure("records answered 202 that are not in the warehouse", missing, "records", "≤ 0",
                  {"answered": found.posted, "delivered": found.delivered})


def _rates(found: Measured, form: str) -> list[Figure]:
    bursts = found.bursts[form]
    name = f"{form.upper()}, {PER_POST[form]} per POST"
    return [
        of(f"{name}, answered 202", [one.taken for one in bursts], "records/s", octets=round(found.octets[form])),
        of(f"{name}, to accepted", [one.accepted for one in bursts], "records/s",
           steady=[round(one.steady) for one in bursts]),
        of(f"{name}, to the final verdict", [one.final for one in bursts], "records/s",
           others=[significant(one.others) for one in bursts], parcels=[one.parcels for one in bursts]),
    ]


def _peer(found: Measured) -> list[Figure]:
    return [
        of("pyas2lib, whole machine", [whole for whole, _ in found.peers], "messages/s", against=AGAINST),
        of("pyas2lib, cpu", [1e6 / each for _, each in found.peers], "µs/message"),
    ]


def _costs(found: Measured) -> list[Figure]:
    return [
        of(f"cpu of the {who}, {form.upper()} {PER_POST[form]} per POST", [cost(one) for one in found.bursts[form]],
           "µs/record")
        for form in ("json", "xml")
        for who, cost in (
            ("department", lambda one: one.department), ("centre", lambda one: one.centre),
            ("load", lambda one: one.load),
        )
    ]


def _stages(found: Measured, form: str, goal: str) -> list[Figure]:
    costs, bursts = found.stages[form], found.bursts[form]
    whole = {"department": [one.department for one in bursts], "centre": [one.centre for one in bursts]}
    both = sum(statistics.median(spent) for spent in whole.values())
    share = sum(total(costs, who) for who in whole) / both
    return [
        *(Figure(f"{form.upper()}, {stage}", significant(cost), "µs/record") for stage, cost in costs.items()),
        Figure(f"{form.upper()}, sum of the stages over cpu of the nodes", significant(share), "", goal,
               {who: significant(total(costs, who)) for who in whole}),
    ]


def _octets(found: Measured) -> list[Figure]:
    there, back = found.wire
    return [
        Figure("on the wire, department to centre, TLS included", significant(there), "B/record", None,
               {"payload": significant(found.bursts["json"][-1].octets)}),
        Figure("on the wire, centre to department", significant(back), "B/record"),
        *(Figure(f"on disk before purge, {name}", significant(each), "B/record") for name, each in found.disk.items()),
    ]
