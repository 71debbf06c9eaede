"""The figures of what waited: restart, drain, an urgent record, what is left on disk; beside their goals."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.figures import Figure, significant
from tests.bench.outage import DAY, Drained
from tests.bench.whole import Measured

KIB, MIB = 1024, 1 << 20
KEPT = {
    "outbox, before purge": "发件箱，清理前", "outbox, answers kept": "发件箱，已清理数据包，留应答",
    "outbox, after purge": "发件箱，清理后", "outbox, free in its file": "发件箱，文件内空闲",
    "inbox, before purge": "收件箱，清理前", "inbox, after purge": "收件箱，清理后",
    "inbox, free in its file": "收件箱，文件内空闲", "warehouse, before purge": "归集库，整个文件",
}


def report(found: Measured) -> list[Figure]:
    """Return the figures."""
    steady = [burst.steady for burst in found.bursts.get("json", ()) if burst.steady]
    return [
        *(_waiting(found.waiting, steady) if found.waiting else ()),
        *(_outage(found.outage) if found.outage else ()),
        *(_urgent(found) if found.lanes else ()),
    ]


def _waiting(told: Drained, steady: list[float]) -> Iterator[Figure]:
    name, zh = f"{told.records:,} waiting, killed", f"{told.records:,}条待发，被杀后"
    yield Figure(f"{name}: restart to first delivery", significant(told.first), "s", "≤ 2", zh=f"{zh}重启到首次送达")
    if steady:
        usual = statistics.median(steady)
        yield Figure(f"{name}: rate of the drain over the steady rate", significant(told.steady / usual), "×", "≥ 0.9",
                     {"drain": round(told.steady), "steady": round(usual)}, f"{zh}排空速率对稳态")
    yield Figure(f"{name}: drained", significant(told.final), "s", zh=f"{zh}排空")
    yield from _memory(told, "the drain", "排空时")
    yield from _disk(told, "JSON, 100 per POST", "JSON，每次100条")


def _outage(told: Drained) -> Iterator[Figure]:
    rate = told.records / told.final
    scaled = told.records < DAY
    note = f"{told.records:,} were drained in {told.final:.1f} s; " + (
        f"scaled to {DAY:,} (make bench ARGS=--full runs them all)" if scaled else "all of them were run"
    )
    yield Figure("24 h outage, 1.7 million records one by one, drained", significant(DAY / rate), "s", "≤ 300",
                 {"note": note, "records": told.records, "rate": round(rate), "steady": round(told.steady)},
                 "中断24小时，170万条逐条积压，排空")
    yield from _memory(told, "the drain of the outage", "中断排空时")
    yield from _disk(told, "one by one", "逐条")


def _memory(told: Drained, under: str, zh: str) -> Iterator[Figure]:
    for node, (_, most) in zip(("dept-a", "centre"), told.memory, strict=True):
        yield Figure(f"resident memory, most under {under}, {node}", significant(most / MIB), "MiB",
                     zh=f"内存，{zh}最大，{node}")


def _disk(told: Drained, how: str, zh: str) -> Iterator[Figure]:
    disk = told.disk
    left = disk["outbox, after purge"] + disk["inbox, after purge"]
    yield Figure(f"on disk per delivered record after purge, {how}", significant(left / KIB), "KiB", "≤ 0.2",
                 {"free in the files": significant(
                     (disk["outbox, free in its file"] + disk["inbox, free in its file"]) / KIB)},
                 f"清理后每条占用磁盘，{zh}")
    yield Figure(f"centre's history per record, {how}", significant(disk["history"] / KIB), "KiB", "≤ 0.6",
                 zh=f"中心每条历史，{zh}")
    for name, word in KEPT.items():
        yield Figure(f"on disk, {name}, {how}", significant(disk[name]), "B/record", zh=f"磁盘，{word}，{zh}")


def _urgent(found: Measured) -> Iterator[Figure]:
    told = found.lanes
    assert told is not None
    name, zh = f"urgent record while {told.lanes:,} lanes wait", f"{told.lanes:,}条通道待发时的紧急记录"
    usual = statistics.median(told.waits) / told.parcel
    yield Figure(f"{name}: it leaves after, in parcels' times", significant(usual), "×", "≤ 1",
                 {"waits": [significant(one) for one in told.waits], "parcel": significant(told.parcel)},
                 f"{zh}，等待为数据包用时的倍数")
    yield Figure(f"{name}: the longest, in parcels' times", significant(max(told.waits) / told.parcel), "×",
                 zh=f"{zh}，最长")
    yield Figure(f"{name}: to accepted, p50", significant(statistics.median(told.ways)), "ms", zh=f"{zh}，到接收，p50")
    yield Figure(f"{name}: a parcel of the others", significant(told.parcel), "ms", zh=f"{zh}，其他数据包用时")
