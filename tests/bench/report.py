"""The figures that follow from what was measured, beside their goals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.bench import backlogs, judging
from tests.bench import tables as table_to_table
from tests.bench.figures import ENTRIES, Figure, centile, of, significant
from tests.bench.modes import MODES
from tests.bench.rounds import Burst
from tests.bench.stages import total
from tests.bench.whole import Measured
from tests.bench.yardsticks import Reading

MIB = 1 << 20
AGAINST = {
    "pyas2lib": "pyas2lib in memory, one process per processor: sign, encrypt, verify, decrypt, signed MDN; the"
                " check of OpenSSL's version in its oscrypto is widened at run time, without which it does not import",
    "django-pyas2": "django-pyas2 over HTTP, one gunicorn worker, SQLite on both sides, signed synchronous MDN, one"
                    " sender: two on one database fail with 'database is locked'",
    "django-pyas2 machine": "as many independent pairs of django-pyas2 as there are processors, side by side",
    "rabbitmq": "RabbitMQ and pika: persistent, 1000 confirms under way, acknowledged 100 at a time, publish to"
                " acknowledged; classic or quorum queue, whichever was faster at the start; no validation, no crypto",
}
ENDS = {"department": "部门", "centre": "中心"}
STAGES = {
    "department: HTTP ingest": "部门：HTTP接收", "department: parse and validate": "部门：解析校验",
    "department: commit submissions": "部门：提交", "department: submit (of the commit)": "部门：登记（含于提交）",
    "department: draw": "部门：取出", "department: seal": "部门：封装", "department: place": "部门：占位",
    "department: TLS": "部门：TLS", "department: settle accepted": "部门：收妥回执",
    "department: settle processed": "部门：办结回执", "centre: TLS": "中心：TLS", "centre: admit": "中心：验签",
    "centre: store": "中心：存储", "centre: take": "中心：取出", "centre: open and validate": "中心：拆封校验",
    "centre: save verdicts": "中心：存结论", "centre: warehouse": "中心：归集库", "centre: conclude": "中心：回执",
    "centre: finish": "中心：办结",
}
ACCEPTED, FINAL = "accepted", "final"
WORDS = {ACCEPTED: ("到接收", "to accepted"), FINAL: ("到终局", "to the final verdict")}
RATIOS: Sequence[tuple[str, str, str, str | None]] = (
    ("json", ACCEPTED, "pyas2lib", "≥ 300"),
    ("json", FINAL, "pyas2lib", "≥ 150"),
    ("xml", ACCEPTED, "pyas2lib", "≥ 100"),
    ("json", ACCEPTED, "rabbitmq", "≥ 2"),
    ("xml", ACCEPTED, "django-pyas2", "≥ 300"),
    ("xml", ACCEPTED, "django-pyas2 machine", None),
    ("xml", ACCEPTED, "rabbitmq", None),
    ("xml", FINAL, "pyas2lib", None),
    ("xml100", ACCEPTED, "pyas2lib", None),
    ("xml100", FINAL, "pyas2lib", None),
    ("single", ACCEPTED, "pyas2lib", "≥ 4"),
    ("single", FINAL, "pyas2lib", None),
    ("single1", ACCEPTED, "pyas2lib", None),
)
"""Mode, word, yardstick, goal: the round's burst over the reading of the same round."""


def report(found: Measured) -> list[Figure]:
    """Return all figures in the order of the table."""
    return [
        *_ratios(found), *_by_cpu(found), *_idle(found), *_commits(found), *backlogs.report(found),
        *judging.report(found.judged), *table_to_table.report(found.tables),
        *_memory(found.resident, "the whole run", "全程"), _nothing_lost(found),
        *_rates(found), *_readings(found), *_octets(found),
        *_stages(found, "json", "≥ 0.6"), *_stages(found, "xml", "≥ 0.7"),
        Figure("versions", len(found.versions), ENTRIES, None, dict(found.versions), zh="版本"),
    ]


def _pairs(found: Measured, mode: str, peer: str) -> list[tuple[Burst, Reading]]:
    return list(zip(found.bursts.get(mode, ()), found.readings.get(peer, ()), strict=False))


def _ratios(found: Measured) -> Iterator[Figure]:
    for mode, word, peer, goal in RATIOS:
        pairs = _pairs(found, mode, peer)
        if not pairs:
            continue
        zh, en = WORDS[word]
        yield of(
            f"{MODES[mode].en}, {en}, over {peer}", [getattr(burst, word) / reading.rate for burst, reading in pairs],
            "×", goal, f"{MODES[mode].zh}，{zh}，对{peer}",
            [max(burst.others, reading.others) for burst, reading in pairs], against=AGAINST[peer],
        )


def _by_cpu(found: Measured) -> Iterator[Figure]:
    """Yield the ratios that neighbours do not disturb: cpu of a message at the peer over cpu of a record here."""
    for mode in found.bursts:
        for peer in found.readings:
            if pairs := _pairs(found, mode, peer):
                yield of(
                    f"{MODES[mode].en}, by cpu time, over {peer}",
                    [reading.cost / (burst.department + burst.centre) for burst, reading in pairs], "×", None,
                    f"{MODES[mode].zh}，按处理器时间，对{peer}",
                )


def _idle(found: Measured) -> list[Figure]:
    idle = found.idle
    rows: Sequence[tuple[str, str, list[float], str | None, str | None]] = (
        ("POST to 202", "提交到202", idle.taken, None, None),
        ("POST to accepted", "提交到接收", idle.accepted, "≤ 10", "≤ 25"),
        ("POST to the final verdict", "提交到终局", idle.final, "≤ 25", "≤ 60"),
    )
    return [
        Figure(f"idle, {name}, {word}", significant(centile(values, share)), "ms", goal, {"samples": len(values)},
               f"空闲，{zh}，{word}")
        for name, zh, values, half, most in rows if values
        for word, share, goal in (("p50", 0.5, half), ("p99", 0.99, most))
    ]


def _commits(found: Measured) -> Iterator[Figure]:
    if found.commits:
        ratios = [grouped / single for single, grouped in found.commits]
        yield of(
            "group commit, 1000 records over 1 record a commit", ratios, "×", "≥ 20", "成组提交，1000条对1条",
            single=[round(one) for one, _ in found.commits], grouped=[round(one) for _, one in found.commits],
        )


def _memory(resident: dict[str, tuple[int, int]], under: str, zh: str) -> list[Figure]:
    return [
        figure
        for node, (first, most) in resident.items()
        for figure in (
            Figure(f"resident memory, idle, {node}", significant(first / MIB), "MiB", "≤ 150", zh=f"内存，空闲，{node}"),
            Figure(f"resident memory, most it grew under {under}, {node}", significant((most - first) / MIB), "MiB",
                   "≤ 64", zh=f"内存，{zh}最大增长，{node}"),
        )
    ]


def _nothing_lost(found: Measured) -> Figure:
    missing = found.posted - found.delivered
    return Figure("records answered 202 that are not in the warehouse", missing, "records", "≤ 0",
                  {"answered": found.posted, "delivered": found.delivered}, "答复202而未入库的记录")


def _rates(found: Measured) -> Iterator[Figure]:
    for name, bursts in found.bursts.items():
        mode, others = MODES[name], [one.others for one in bursts]
        rows: Sequence[tuple[str, str, str, Callable[[Burst], float]]] = (
            ("answered 202", "已答复202", "records/s", lambda one: one.taken),
            ("to accepted", "到接收", "records/s", lambda one: one.accepted),
            ("to accepted, steady", "到接收，稳态", "records/s", lambda one: one.steady),
            ("to the final verdict", "到终局", "records/s", lambda one: one.final),
            ("cpu of the department", "部门处理器", "µs/record", lambda one: one.department),
            ("cpu of the centre", "中心处理器", "µs/record", lambda one: one.centre),
            ("cpu of the load", "负载处理器", "µs/record", lambda one: one.load),
        )
        for en, zh, unit, which in rows:
            yield of(
                f"{mode.en}, {en}", [which(one) for one in bursts], unit, None, f"{mode.zh}，{zh}", others,
                records=[one.records for one in bursts], parcels=[one.parcels for one in bursts],
                seconds=[significant(one.seconds) for one in bursts],
                stolen=[significant(one.stolen) for one in bursts], octets=round(found.octets[mode.form]),
            )


def _readings(found: Measured) -> Iterator[Figure]:
    for name, readings in found.readings.items():
        others = [one.others for one in readings]
        yield of(f"{name}, whole machine", [one.rate for one in readings], "messages/s", None, f"{name}，整机", others,
                 against=AGAINST[name])
        yield of(f"{name}, cpu", [one.cost for one in readings], "µs/message", None, f"{name}，处理器", others)


def _stages(found: Measured, form: str, goal: str) -> Iterator[Figure]:
    """Yield what each stage costs, and the sum of the stages over what the nodes spent in the same round."""
    rounds, bursts = found.stages.get(form, []), found.bursts.get(form, [])
    if not rounds:
        return
    for who in ENDS:
        sums = [total(costs, who) for costs in rounds]
        yield of(f"{form.upper()}, all stages of the {who}", sums, "µs/record", zh=f"{form.upper()}，{ENDS[who]}各阶段之和")
    shares = [
        sum(total(costs, who) for who in ENDS) / (burst.department + burst.centre)
        for costs, burst in zip(rounds, bursts, strict=True)
    ]
    yield of(f"{form.upper()}, sum of the stages over cpu of the nodes", shares, "", goal,
             f"{form.upper()}，各阶段之和对节点处理器", [burst.others for burst in bursts])
    for stage in rounds[0]:
        yield of(f"{form.upper()}, {stage}", [costs[stage] for costs in rounds], "µs/record",
                 zh=f"{form.upper()}，阶段 {STAGES.get(stage, stage)}")


def _octets(found: Measured) -> Iterator[Figure]:
    if found.wire is not None:
        there, back = found.wire
        yield Figure("on the wire, department to centre, TLS included", significant(there), "B/record",
                     zh="线上，部门到中心，含TLS")
        yield Figure("on the wire, centre to department", significant(back), "B/record", zh="线上，中心到部门")
    for name, bursts in found.bursts.items():
        yield of(f"{MODES[name].en}, payload", [one.octets for one in bursts], "B/record", None,
                 f"{MODES[name].zh}，密文")
