"""The report of a soak, zh first and en beside: what ran, on what, with which seeds, how much, and the verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.soak.pieces import Options, Result

PARTS = ("kills", "outage", "worlds", "cuts")
TITLES = {
    "kills": "强行终止 / SIGKILL at random moments",
    "outage": "中心停机一天 / a day without the centre",
    "worlds": "模拟世界 / simulated worlds with nemeses",
    "cuts": "逐个落盘点断电 / the power cut at every sync point",
}
FULL = Options()


def verdict(results: Sequence[Result]) -> tuple[bool, str]:
    """Return whether all that ran held, and the line that says so and what did not run."""
    held = bool(results) and not any(one.broken for one in results)
    short = [part for part in PARTS if not any(one.part == part for one in results)]
    said = "通过：没有违背任何承诺 / HELD: no promise was broken" if held else \
        "未通过：有承诺被违背 / BROKEN: a promise was broken"
    return held, said + (f"；未运行 / not run: {', '.join(short)}" if short else "")


def write(results: Sequence[Result], options: Options, about: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    lines = [
        "# 崩溃报告 / Crash report", "",
        f"**结论 / Verdict: {verdict(results)[1]}**", "",
        f"完成于 / finished {time.strftime('%Y-%m-%d %H:%M:%S %z')}", "",
        "签名：`crash-report.md.p7s`（分离签名，开发密钥）。核对： / Signed apart, under a development key. To verify:", "",
        "    exchange-node cms verify crash-report.md.p7s --content crash-report.md --ca crash-report.ca.crt", "",
        *_sizes(results, options), *_about(about),
    ]
    for part in PARTS:
        mine = [one for one in results if one.part == part]
        lines += ["", f"## {TITLES[part]}", ""]
        lines += [*_WRITERS[part](mine), *_pieces(mine)] if mine else ["未运行 / not run"]
    return "\n".join(lines) + "\n"


def _sizes(results: Sequence[Result], options: Options) -> Iterator[str]:
    yield "| 规模 / size | 本次 / this run | 完整 / full |"
    yield "|---|---|---|"
    ran = {one.part for one in results}
    names = {"kills": ["kills"], "outage": ["outage", "per_post"], "worlds": ["seeds"], "cuts": ["cuts"]}
    own, full = asdict(options), asdict(FULL)
    for part in PARTS:
        for name in names[part]:
            yield f"| {part}: {name} | {own[name] if part in ran else '未运行 / not run'} | {full[name]} |"
    yield f"| seed | {options.seed} | |"


def _about(about: Mapping[str, str]) -> Iterator[str]:
    yield from ("", "## 版本与机器 / Versions and machine", "", "| | |", "|---|---|")
    yield from (f"| {name} | {text} |" for name, text in about.items())


def _pieces(results: Sequence[Result]) -> Iterator[str]:
    """Yield how each piece ended."""
    yield from ("", "| 片段 / piece | 开始 / began | s | 结果 / result |", "|---|---|---|---|")
    for one in results:
        said = f"违背 {len(one.broken)} / {len(one.broken)} broken" if one.broken else "通过 / held"
        kept = "（沿用先前一次运行 / kept from an earlier run）" if one.kept else ""
        yield f"| {one.piece} | {one.began} | {one.seconds:.0f} | {said}{kept} |"
    for one in results:
        for said in one.broken:
            yield from ("", f"{one.piece}:", "", *(f"    {line}" for line in said.splitlines()))


def _sum(results: Iterable[Result], name: str) -> int:
    return sum(one.figures.get(name, 0) for one in results)


def _counts(results: Iterable[Result], name: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in results:
        found += Counter(one.figures.get(name, {}))
    return found


def _kills(results: Sequence[Result]) -> Iterator[str]:
    moments: dict[str, Counter[str]] = {}
    for one in results:
        for node, found in one.figures.get("moments", {}).items():
            moments[node] = moments.get(node, Counter()) + Counter(found)
    names = ("working", "starting", "stopping")
    yield "每阶段之后逐项核对：每个202都在，来源、中心、订阅方逐键一致，版本连续，回执验签，账链完整，数据库完整。 / After"
    yield "each phase: every 202 accounted for; source, centre and subscriber equal key by key; versions without a gap;"
    yield "receipts verified; ledger chains hold; files sound."
    yield ""
    yield "| 节点 / node | 工作中 / working | 启动中 / starting | 停止中 / stopping | 合计 / all |"
    yield "|---|---|---|---|---|"
    for node, found in sorted(moments.items()):
        yield f"| {node} | {' | '.join(str(found[name]) for name in names)} | {found.total()} |"
    total = sum(found.total() for found in moments.values())
    yield f"| 合计 / all | {' | '.join(str(sum(f[n] for f in moments.values())) for n in names)} | **{total}** |"
    yield ""
    yield f"- 种子 / seeds: {', '.join(str(one.figures.get('seed')) for one in results)}"
    figures = {
        "phases": "阶段 / phases", "records": "记录 / records", "refused": "退回 / refused at the door",
        "submissions": "得到202的提交 / submissions answered 202", "repeated": "客户端重复请求 / requests repeated",
        "receipts": "验签的回执 / receipts verified", "ledger": "账链条目 / ledger entries",
    }
    yield from (f"- {said}: {_sum(results, name)}" for name, said in figures.items())


def _outage(results: Sequence[Result]) -> Iterator[str]:
    for one in results:
        found = one.figures
        if not found:
            continue
        rows = {
            "记录 / records": found["records"],
            "每个POST的记录数 / records per POST": found["per_post"],
            "POST": found["posts"],
            "停机时接收 / taken while the centre was away":
                f"{found['take_seconds']} s, {found['records'] / found['take_seconds']:.0f}/s",
            "排空（自启动中心起） / drained, from the start of the centre": f"{found.get('drain_seconds')} s",
            "其中自中心就绪起 / of it since the centre was ready": f"{found.get('drain_from_ready')} s",
            "排空时处理器 / processor while draining (s)": _each(found.get("drain_cpu", {})),
            "数据包，回执 / parcels, receipts verified": f"{found.get('parcels')}, {found.get('receipts')}",
            "磁盘，排空前 / disk before (MiB)": _each(found["disk_before"]),
            "磁盘，排空后 / disk after (MiB)": _each(found.get("disk_after", {})),
            "内存，排空前 / resident before (MiB)": _each(found["resident_before"]),
            "内存，最高 / resident, the most (MiB)": _each(found.get("resident_most", {})),
        }
        yield from ("| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items()))
    yield ""
    yield "无人操作：只启动了中心。每条通道的版本和位置逐一核对，没有缺口、没有重复。时钟没有拨动：一天的等待没有重演。 /"
    yield "No operator: only the centre was started. Versions and places of each lane: no gap, no double. No clock"
    yield "was moved: the day's waiting itself is not replayed."


def _each(found: Mapping[str, Any]) -> str:
    return ", ".join(f"{node} {value}" for node, value in sorted(found.items()))


def _worlds(results: Sequence[Result]) -> Iterator[str]:
    yield f"- 种子 / seeds: {_sum(results, 'seeds')}, 通过 / held: {_sum(results, 'passed')}"
    records = _sum(results, "records")
    yield f"- 记录 / records: {records}"
    yield from ("", "| 灾难 / nemesis | 次数 / times |", "|---|---|")
    yield from (f"| {name} | {often} |" for name, often in sorted(_counts(results, "nemeses").items()))


def _cuts(results: Sequence[Result]) -> Iterator[str]:
    yield "断电后每512字节、每个4 KiB页、每个文件名各自存留或丢失；落盘之前和之后各切一次。 / After the cut each 512"
    yield "octets, each 4 KiB page, each name survives or not by itself; the power fails before and after each sync."
    yield from ("", "| 片段 / piece | 落盘点 / sync points | 断电 / cuts | 按文件 / by file |", "|---|---|---|---|")
    for one in results:
        found = Counter(one.figures.get("cuts", {}))
        by_file = ", ".join(f"{name} {often}" for name, often in sorted(found.items()))
        yield f"| {one.piece} | {one.figures.get('syncs', '')} | {found.total()} | {by_file} |"
    yield f"| 合计 / all | | **{_counts(results, 'cuts').total()}** | |"


_WRITERS: dict[str, Callable[[Sequence[Result]], Iterator[str]]] = {
    "kills": _kills, "outage": _outage, "worlds": _worlds, "cuts": _cuts,
}
