"""The pytest plugin, found by its entry point: what an adapter's contract came to, below the dots and in a file.

Rule: a run in which no adapter is tested pays for one look at `sys.modules`, and nothing of the kit is loaded.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

OPTION = "--adapter-report"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare where the report goes."""
    parser.getgroup("exchange-node").addoption(
        OPTION, metavar="FILE", help="适配器检查报告，.html或.json / the report of an adapter's checks, .html or .json")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin to record if any of the tests is a check of an adapter."""
    judged = sys.modules.get("adapters.kit.judged")
    if judged is None or not any(judged.check_of(getattr(item, "function", None)) for item in items):
        return
    from adapters.kit.record import Record

    if not config.pluginmanager.has_plugin(Record.NAME):
        config.pluginmanager.register(Record(config.getoption(OPTION, None)), Record.NAME)
