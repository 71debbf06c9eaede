"""The report of an adapter's checks: the level it reached, each check with its reason, for people and for programs.

Rule 1: a level is reached if all its essential checks and those of the levels before it were made and passed, and none
        of its checks failed; writing beside it likewise.
Rule 2: what was not made, of the checks of the levels that were reached, is counted on the badge.
"""

from __future__ import annotations

import html as escaping
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any

LEVELS = {"basic": ("基础", "basic"), "incremental": ("增量", "incremental"), "capture": ("变更捕获", "change capture")}
WRITING = ("写入", "writing")
NO_LEVEL = ("未达基础级", "below basic")
RESULTS = {"passed": ("通过", "passed"), "failed": ("未通过", "failed"), "skipped": ("未做", "not made")}
GROUPS = {**LEVELS, "writing": WRITING}

Checks = Sequence[Mapping[str, Any]]


def of(name: str, checks: Checks) -> dict[str, Any]:
    """Return the report of one adapter."""
    reached, lands = level(checks), writing(checks)
    counts = {result: sum(one["result"] == result for one in checks) for result in RESULTS}
    writes = any(one["group"] == "writing" and one["result"] != "skipped" for one in checks)
    named = [*list(LEVELS)[:list(LEVELS).index(reached) + 1 if reached else 0], *(["writing"] if lands else [])]
    unmade = sum(one["result"] == "skipped" and one["group"] in named for one in checks)
    return {
        "name": name, "level": reached, "writing": lands, "writes": writes, "badge": _badge(reached, lands, unmade),
        **counts, "at": datetime.now(timezone.utc).isoformat(timespec="seconds"), "versions": _versions(),
        "checks": sorted(map(dict, checks), key=lambda one: list(GROUPS).index(one["group"])),
    }


def level(checks: Checks) -> str | None:
    """Return the level of reading that was reached, None if not the first."""
    reached = None
    for group in LEVELS:
        if not _stands(checks, group):
            break
        reached = group
    return reached


def writing(checks: Checks) -> bool:
    """Whether it writes as it must."""
    return _stands(checks, "writing") and not any(
        one["result"] == "failed" for one in checks if one["group"] == "basic")


def _stands(checks: Checks, group: str) -> bool:
    own = [one for one in checks if one["group"] == group]
    essential = [one for one in own if one["essential"]]
    return bool(essential) and all(one["result"] == "passed" for one in essential) and not any(
        one["result"] == "failed" for one in own)


def _badge(reached: str | None, writes: bool, unmade: int) -> dict[str, str]:
    named = [LEVELS[reached]] if reached else [] if writes else [NO_LEVEL]
    named += [WRITING] if writes else []
    zh, en = "、".join(zh for zh, _ in named), ", ".join(en for _, en in named)
    return {"zh": f"{zh}（{unmade}项未做）" if unmade else zh, "en": f"{en} ({unmade} not made)" if unmade else en}


def _versions() -> dict[str, str]:
    try:
        own = version("exchange-node")
    except PackageNotFoundError:
        own = "-"
    return {"exchange-node": own, "python": platform.python_version()}


def as_json(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the reports for a program."""
    return json.dumps(list(reports), ensure_ascii=False, indent=2) + "\n"


def html(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the reports as one page that loads nothing from elsewhere."""
    return _PAGE.format(body="\n".join(_section(one) for one in reports))


def _section(one: Mapping[str, Any]) -> str:
    badge = one["badge"]
    rows = "\n".join(_row(made) for made in one["checks"])
    versions = ", ".join(f"{name} {number}" for name, number in one["versions"].items())
    return f"""<h1>{_safe(one["name"])} <span class="badge {one["level"] or "none"}">{_safe(badge["zh"])}</span></h1>
<p>{_safe(badge["en"])}. {_safe(one["at"])}, {_safe(versions)}.
通过 passed {one["passed"]}, 未通过 failed {one["failed"]}, 未做 not made {one["skipped"]}.</p>
<table><thead><tr><th>级别<br>Level<th>检查<br>Check<th>结果<br>Result<th>原因<br>Reason</thead>
<tbody>
{rows}
</tbody></table>"""


def _row(made: Mapping[str, Any]) -> str:
    group, result, reason = GROUPS[made["group"]], RESULTS[made["result"]], made["reason"] or {"zh": "", "en": ""}
    said = _both(reason["zh"], reason["en"] if reason["en"] != reason["zh"] else "")
    return (f'<tr class="{made["result"]}"><td>{_both(*group)}<td>{_both(made["zh"], made["en"])}<br>'
            f'<code>{_safe(made["name"])}</code><td>{_both(*result)}<td>{said}')


def _both(zh: str, en: str) -> str:
    return f"{_safe(zh)}<br><small lang=\"en\">{_safe(en)}</small>"


def _safe(text: object) -> str:
    return escaping.escape(str(text))


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>适配器检查报告 Report of adapter checks</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; color: #222; background: #fff }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ border: 1px solid #bbb; padding: .4em .6em; text-align: left; vertical-align: top }}
small {{ color: #555 }}
.badge {{ font-size: .6em; padding: .2em .6em; border-radius: .4em; background: #1d6b3a; color: #fff }}
.badge.none {{ background: #9b1c1c }}
tr.failed td:nth-child(3) {{ background: #f8d7d7 }}
tr.passed td:nth-child(3) {{ background: #dcf1e2 }}
</style></head>
<body>
{body}
</body></html>
"""
