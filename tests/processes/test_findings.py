"""A case whose records come from a department in any order: the centre tells what is missing, and that it came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from node.cli.demo.cargo import Body
from node.cli.demo.site import Plan
from node.validate import to_json
from tests.processes.exchange import CENTRE, SOURCE, Exchange, until
from tests.validate.between.story import RESOURCES, WHOLE, twin

CODES = {code: f"{interface}/1.0" for interface, code in RESOURCES.items()}
CASES = Plan(CENTRE, (SOURCE,), CODES, {code: (SOURCE,) for code in CODES}, {code: () for code in CODES})
WAIT = '[findings]\nwait = "2s"\n'


def submit(exchange: Exchange, interface: str, number: str, **fields: Any) -> None:
    made = to_json(twin(interface, number, **fields))
    exchange.submit(Body(RESOURCES[interface], "application/x-ndjson", made, 1))


def ask(exchange: Exchange, *words: str) -> Any:
    """Return what the command tells of the centre."""
    status, told = exchange.command(CENTRE, "findings", *words, "--json")
    assert status == 0, told
    return told


def unclosed(exchange: Exchange) -> set[tuple[str, str]]:
    return {(one["rule"], one["correlation"]) for one in ask(exchange, "list", "--open")["findings"]}


def test_what_a_case_lacks_is_told_and_closes_when_it_comes_over_a_restart(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path, CASES)
    exchange.set(CENTRE, "60-findings", WAIT)
    try:
        exchange.start(CENTRE, SOURCE)
        for interface in (*WHOLE, "e-licence"):
            submit(exchange, interface, "440100-GOOD")
        submit(exchange, "case-step", "440100-ORPHAN")
        found = {("case.application", "440100-ORPHAN"), ("case.acceptance", "440100-ORPHAN")}
        until("the orphan is found", lambda: unclosed(exchange) == found)
        exchange.crew.kill(CENTRE)
        exchange.start(CENTRE)
        assert unclosed(exchange) == found, "and a kill changes nothing"
        (one,) = ask(exchange, "list", "--rule", "case.application")["findings"]
        shown = ask(exchange, "show", str(one["finding"]))
        assert shown["rows"] == [
            {"resource": "case-step", "origin": SOURCE, "key": "case-step-440100-ORPHAN-0"}]
        submit(exchange, "case-application", "440100-ORPHAN")
        submit(exchange, "case-acceptance", "440100-ORPHAN", PromiseTime=None)
        until("it is mended", lambda: unclosed(exchange) == set())
        _, metrics = exchange.ask(CENTRE, "/metrics")
        assert b'exnode_findings_open{rule="case.application"} 0' in metrics
        told = [line for line in exchange.log(CENTRE) if line["event"].startswith("finding.")]
        assert sorted((line["event"], line["rule"]) for line in told) == sorted(
            (event, rule) for event in ("finding.opened", "finding.closed") for rule, _ in found)
    finally:
        exits = exchange.close()
    assert not any(exits.values()), exits
    closed = ask(exchange, "list")
    assert closed["open"] == {} and len(closed["findings"]) == 2, "and the stores of a stopped node tell it too"
