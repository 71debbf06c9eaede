"""`findings` over a centre: what is told of them, to people and programs, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest

from node.cli import findings as commands
from node.cli.output import Output
from node.cli.situation import Situation
from node.model import codes
from node.service.control import READINGS
from node.service.control_steps import drive_stores
from node.service.control_view import view_of
from node.validate.between import Betweens
from tests.cli.asked import answer, told
from tests.stage.bureau import HOUR, WAIT, Bureau
from tests.validate.between import story
from tests.validate.between.story import twin


@pytest.fixture(params=["memory", "sqlite"])
def bureau(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(None if request.param == "memory" else tmp_path)
    for case in ("440100-1", "440100-2"):
        made.come("case-step", twin("case-step", case))
    made.go(WAIT + HOUR, HOUR)
    made.come("case-application", twin("case-application", "440100-1"))
    made.go(60)
    yield made
    made.close()


def said(bureau: Bureau, language: str, *words: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what the command prints; the question goes to the control of the bureau, without the socket."""
    monkeypatch.setattr(commands, "consult", lambda here, verb, **given: told(bureau, verb, **given))
    out = StringIO()
    here = Situation(Output(language, out, StringIO()), {})
    commands.findings.main(list(words), "findings", standalone_mode=False, obj=here)
    return out.getvalue()


def test_findings_are_listed_by_state_and_rule(bureau: Bureau) -> None:
    every = told(bureau, "findings.list")
    assert every["open"] == {"case.acceptance": 2, "case.application": 1}
    assert len(every["findings"]) == 4
    closed = [one for one in every["findings"] if one["closed"]]
    assert [(one["rule"], one["correlation"], one["severity"]) for one in closed] == [
        ("case.application", "440100-1", "error")]
    assert len(told(bureau, "findings.list", open=True)["findings"]) == 3
    orphans = told(bureau, "findings.list", rule="case.application", open=True)["findings"]
    assert [one["correlation"] for one in orphans] == ["440100-2"]
    first, *rest = every["findings"]
    assert told(bureau, "findings.list", after=first["finding"], limit=2)["findings"] == rest[:2]


def test_one_finding_is_told_with_its_rows_and_nothing_of_what_they_hold(bureau: Bureau) -> None:
    (orphan,) = told(bureau, "findings.list", rule="case.application", open=True)["findings"]
    found = told(bureau, "findings.show", finding=orphan["finding"])
    assert found["rows"] == [{"resource": "case-step", "origin": "dept-a", "key": "case-step-440100-2-0"}]
    assert found["zh"] and found["en"] and found["records"] == 1
    known = twin("case-step", "440100-2")
    secret = {known["Handler"], known["Opinion"], known["HandleOrgName"]}
    assert not [one for one in secret if one in json.dumps(found, ensure_ascii=False)]


def test_it_is_the_same_over_stores_opened_for_reading(bureau: Bureau) -> None:
    view = view_of(bureau.desk.means, bureau.desk.now)
    for verb, given in (("findings.list", {"open": True}), ("findings.show", {"finding": 1})):
        stores: Any = bureau.staged.stores
        assert drive_stores(READINGS[verb](view, given), stores) == told(bureau, verb, **given)


@pytest.mark.parametrize("verb, given, code", [
    ("findings.show", {"finding": 999}, codes.NOT_FOUND),
    ("findings.show", {"finding": "1"}, codes.BAD_REQUEST),
    ("findings.show", {"finding": True}, codes.BAD_REQUEST),
    ("findings.show", {"finding": 1 << 70}, codes.BAD_REQUEST),
    ("findings.list", {"rule": "x" * 200}, codes.BAD_REQUEST),
    ("findings.list", {"open": 1}, codes.BAD_REQUEST),
    ("findings.list", {"limit": 1001}, codes.BAD_REQUEST),
    ("findings.list", {"after": -1}, codes.BAD_REQUEST),
])
def test_what_makes_no_sense_is_refused(bureau: Bureau, verb: str, given: dict[str, Any], code: Any) -> None:
    found = answer(bureau, verb, **given)
    assert (found["ok"], found["code"]) == (False, code.name)


def test_a_finding_of_a_rule_in_force_no_more_is_still_told(bureau: Bureau) -> None:
    bureau.change(Betweens())
    bureau.go(60)
    found = told(bureau, "findings.list")
    assert found["open"] == {} and {one["zh"] for one in found["findings"]} == {None}


@pytest.mark.parametrize("language, head, says", [
    ("zh", "编号", "办件没有申请信息"), ("en", "Number", "A case has no application")])
def test_people_read_it_in_their_language(
    bureau: Bureau, language: str, head: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = said(bureau, language, "list", "--open", "--rule", "case.application", monkeypatch=monkeypatch)
    first, only = listed.splitlines()
    assert first.startswith(head) and "440100-2" in only and "case.application" in only
    number = re.match(r"[0-9]+", only)
    assert number is not None
    shown = said(bureau, language, "show", number[0], monkeypatch=monkeypatch)
    assert shown.startswith(says) and "case-step-440100-2-0" in shown
    read = json.loads(said(bureau, language, "list", "--json", monkeypatch=monkeypatch))
    assert len(read["findings"]) == 4
    with pytest.raises(click.UsageError):
        said(bureau, language, "show", "x", monkeypatch=monkeypatch)
    bureau.change(Betweens())
    bureau.go(60)
    assert {"zh": "不再生效", "en": "no more"}[language] in said(
        bureau, language, "show", number[0], monkeypatch=monkeypatch)
    assert said(bureau, language, "list", "--open", monkeypatch=monkeypatch).strip() in ("（无）", "(none)")
    assert story.NUMBER not in listed


def test_a_named_person_has_every_case_looked_at_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = bureau.desk.means.betweens
    bureau.change(Betweens())
    bureau.come("case-material", twin("case-material", "440100-3"))
    bureau.go(60)
    assert answer(bureau, "findings.recheck", who="li")["code"] == codes.BAD_REQUEST.name, "there are no rules"
    bureau.change(rules)
    bureau.go(WAIT + HOUR, HOUR)
    assert told(bureau, "findings.list", open=True)["findings"] == [], "cases at rest are not looked at"
    monkeypatch.setattr(commands, "change", lambda here, verb, **given: told(bureau, verb, **given))
    assert f"by {len(rules.rules)} rule" in said(bureau, "en", "recheck", "--who", "li", monkeypatch=monkeypatch)
    bureau.go(WAIT + HOUR, HOUR)
    found = {(one["rule"], one["correlation"]) for one in told(bureau, "findings.list", open=True)["findings"]}
    assert found == {("case.acceptance", "440100-1"), ("case.acceptance", "440100-2"), ("case.application", "440100-2"),
                     ("case.application", "440100-3")}
    assert ("warning", "control.recheck") in [event[:2] for event in bureau.staged.journal.events]
    assert answer(bureau, "findings.recheck")["code"] == codes.BAD_REQUEST.name, "nobody said who"
