"""A real node's local API answers as its `openapi.json` says, whatever schemathesis makes of that."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.described import asked
from tests.processes.exchange import SOURCE, running

EXAMPLES = 15
"""Of each operation in each of two passes; `make fuzz` gives more."""


def test_a_running_node_answers_as_it_is_described(tmp_path: Path, seed: int) -> None:
    with running(tmp_path / "exchange", SOURCE) as exchange:
        passes = asked(exchange, tmp_path, EXAMPLES, seed)
    for one in passes:
        assert not one.wrong, f"EXNODE_SEED={seed}, {one.name}:\n{one.wrong}"
        assert one.cases > 100, one
