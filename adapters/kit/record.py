"""What became of each check, as pytest runs them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import report
from adapters.kit.judged import Broken, Unmade, check_of


class Record:
    """A plugin that keeps what checks came to, tells the level of each class at the end, and writes the report."""

    NAME = "exchange_node_adapter_record"

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        self.classes: dict[str, list[dict[str, Any]]] = {}
        self.names: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note the outcome of a check: of its set-up, itself, and what came after."""
        said = yield
        asked, kind = check_of(getattr(item, "function", None)), getattr(item, "cls", None)
        if asked is None or kind is None or (said.passed and said.when != "call"):
            return said
        title = f"{item.nodeid.partition('::')[0]}::{kind.__name__}"
        self.names[title] = kind.name or getattr(kind.adapter, "__name__", kind.__name__)
        checks = self.classes.setdefault(title, [])
        checks[:] = [one for one in checks if one["name"] != asked.name]  # what failed afterwards has the last word
        checks.append({
            "name": asked.name, "group": asked.group, "zh": asked.zh, "en": asked.en, "essential": asked.essential,
            "result": said.outcome, "reason": _reason(call.excinfo), "seconds": round(said.duration, 3),
        })
        return said

    def reports(self) -> list[dict[str, Any]]:
        """Return the report of each class."""
        return [report.of(self.names[title], checks) for title, checks in self.classes.items()]

    def pytest_sessionfinish(self) -> None:
        """Write the report, if a file was named."""
        if self.path is not None:
            found = self.reports()
            text = report.html(found) if self.path.endswith(".html") else report.as_json(found)
            Path(self.path).write_text(text, encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Tell the level that each class reached, and what was not made."""
        for one in self.reports():
            terminalreporter.section(f"{one['name']}：{one['badge']['zh']} / {one['badge']['en']}")
            for made in one["checks"]:
                reason = made["reason"]
                if reason is not None and (one["writes"] or made["group"] != "writing"):
                    terminalreporter.line(f"{made['result']:7} {made['name']}: {reason['zh']} / {reason['en']}")


def _reason(met: pytest.ExceptionInfo[BaseException] | None) -> dict[str, str] | None:
    """Return why a check was not passed; of an error that is none of ours its class alone."""
    if met is None:
        return None
    if isinstance(met.value, Broken | Unmade):
        return {"zh": met.value.zh, "en": met.value.en}
    if isinstance(met.value, pytest.skip.Exception):
        said = str(met.value.msg)[:300]
        return {"zh": said, "en": said}
    name = type(met.value).__name__
    return {"zh": f"检查时出错：{name}", "en": f"the check met an error: {name}"}
