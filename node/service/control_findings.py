"""What can be asked of findings: which there are, and one of them with its rows."""

from __future__ import annotations

from typing import Any

from node.model import codes
from node.model.finding import Finding
from node.model.trouble import trouble
from node.service.control_read import PAGE, Answer, Arguments, text
from node.service.control_steps import Reading, warehouse
from node.service.control_view import View, when


def findings_list(here: View, given: Arguments) -> Reading[Answer]:
    """List findings by number: those of one `rule`, those that are `open`, after a number, at most `limit`."""
    rule = None if given.get("rule") is None else text(given, "rule", 82)
    unclosed, after, limit = given.get("open", False), _number(given, "after", 0), _number(given, "limit", 100)
    if not isinstance(unclosed, bool):
        raise trouble(codes.BAD_REQUEST, reason="open")
    if not 1 <= limit <= PAGE:
        raise trouble(codes.BAD_REQUEST, reason="limit")
    found = yield from warehouse(lambda unit: unit.findings(rule, unclosed, after, limit))
    counts = yield from warehouse(lambda unit: dict(unit.open_findings()))
    return {"open": counts, "findings": [_told(here, one) for one in found]}


def findings_show(here: View, given: Arguments) -> Reading[Answer]:
    """Tell one finding with the rows concerned, the first of them; never what they hold."""
    number = _number(given, "finding", 0)
    found = yield from warehouse(lambda unit: unit.finding(number))
    if found is None:
        raise trouble(codes.NOT_FOUND)
    rows = [{"resource": row.resource, "origin": row.origin, "key": row.row} for row in found.rows]
    return {**_told(here, found), "rows": rows}


def _number(given: Arguments, name: str, otherwise: int) -> int:
    found = given.get(name, otherwise)
    if type(found) is not int or not 0 <= found < 1 << 62:
        raise trouble(codes.BAD_REQUEST, reason=name)
    return found


def _told(here: View, one: Finding) -> dict[str, Any]:
    rule = here.rules.rule(one.rule)
    return {
        "finding": one.id, "rule": one.rule, "severity": rule.severity if rule else None,
        "zh": rule.says.zh if rule else None, "en": rule.says.en if rule else None,
        "correlation": one.correlation, "records": one.count, "seen": when(one.seen), "opened": when(one.opened),
        "closed": when(one.closed),
    }
