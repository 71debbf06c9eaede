"""What the commands `adapter new` and `adapter test` have done: one request in JSON, one answer in JSON.

    {"do": "new", "name": "hukou", "kind": "sql", "folder": "/srv/src"}
    {"do": "test", "name": "sql_table", "given": {"settings": {…}, "read": {…}, "write": null}}

Rule 1: settings come on standard input, for they may hold secrets.
Rule 2: what pytest, an adapter or its driver prints is no answer: it goes to standard error.
Rule 3: without `given` the contract is played that the adapter's package names in `exchange_node.adapter_tests`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from adapters.child import find
from adapters.contract import Misconfigured

TESTS = "exchange_node.adapter_tests"
QUIET = ("-q", "--no-header", "--no-summary", "--tb=no", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull,
         "--import-mode=prepend")


def main() -> int:
    """Answer one request."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        answer = _answer(json.load(sys.stdin))
    except Misconfigured as why:
        answer = {"error": {"zh": why.zh, "en": why.en}}
    with out:
        json.dump(answer, out, ensure_ascii=False)
    return 0


def _answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    if asked["do"] == "new":
        from adapters.kit.scaffold import lay_out

        return {"files": lay_out(asked["name"], asked["kind"], asked["folder"])}
    return _tested(asked["name"], asked.get("given"), bool(asked.get("html")))


def _tested(name: str, given: Mapping[str, Any] | None, page: bool) -> dict[str, Any]:
    find(name)
    try:
        import pytest
    except ImportError:
        raise Misconfigured("检查适配器需要pytest：pip install pytest",
                            "checks of adapters need pytest: pip install pytest") from None
    from adapters.kit import report
    from adapters.kit.record import Record

    for variable in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(variable, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    where = _own(name) if given is None else _given(name, given)
    record = Record()
    with tempfile.TemporaryDirectory() as folder:
        pytest.main([*QUIET, "--rootdir", folder, "--basetemp", f"{folder}/work", "--pyargs", where], [record])
    reports = record.reports()
    if not reports:
        raise Misconfigured("没有可做的检查", "there is no check to make")
    return {"report": reports[0], "page": report.html(reports[:1]) if page else None}


def _given(name: str, given: Mapping[str, Any]) -> str:
    from adapters.kit.given import TestGiven

    for attribute, value in {**given, "name": name}.items():
        setattr(TestGiven, attribute, value)
    return f"{TestGiven.__module__}::{TestGiven.__name__}"


def _own(name: str) -> str:
    found = list(entry_points(group=TESTS, name=name))
    if not found:
        raise Misconfigured(
            f"适配器{name}没有自带检查，请用--settings给出来源的设置（只读不写）",
            f"adapter {name} brings no checks of its own: give settings of a source with --settings, only read then")
    return found[0].value.replace(":", "::")


if __name__ == "__main__":
    sys.exit(main())
