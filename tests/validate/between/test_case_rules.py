"""The published rules of a case: a whole case breaks none, and each rule is broken by what it is for."""

from __future__ import annotations

from functools import cache

import pytest

from node.model.finding import Reference
from node.validate.between import TOO_LARGE, Betweens, Judged, Standing, load_between, too_large
from node.validate.between.case import moment
from tests.validate.between import story
from tests.validate.between.story import standing, twin
from tests.validate.held import held
from xsd import FOLDER

NAMED = Reference("e-licence", story.licence_id())
SOON = moment("2024-03-21T00:00:00+08:00") or 0
DAY = 86_400_000


@cache
def rules() -> Betweens:
    return load_between(FOLDER, held())


def judge(*records: Standing, received: frozenset[Reference] = frozenset({NAMED}), now: int = SOON) -> Judged:
    return rules().judge(records, received, now)


def found(*records: Standing, **given: object) -> set[str]:
    return set(judge(*records, **given).breaches)  # type: ignore[arg-type]  # passed on as it came


def but(interface: str, *instead: Standing) -> list[Standing]:
    """Return a whole case with other records in the place of one."""
    return [*(one for one in story.whole() if one.interface != interface), *instead]


def changed(interface: str, **fields: str | None) -> list[Standing]:
    return but(interface, standing(interface, twin(interface, **fields)))


def test_a_whole_case_is_good_and_made_of_valid_records() -> None:
    for interface in story.WHOLE:
        assert story.judged(interface, twin(interface)).correlation == story.NUMBER
    assert judge(*story.whole()) == Judged({})
    assert judge() == Judged({})


def test_a_case_that_grows_in_order_is_good_at_every_step() -> None:
    for length in range(len(story.WHOLE) + 1):
        assert found(*story.whole()[:length]) == set(), length


@pytest.mark.parametrize("rule, records", [
    ("case.application", but("case-application")),
    ("case.acceptance", but("case-acceptance")),
    ("case.apply-accept", changed("case-application", ApplyTime="20240302090001")),
    ("case.accept-step", changed("case-step", StepStartTime="2024-03-02T08:59:59+08:00")),
    ("case.step-result", changed("case-step", StepEndTime="2024-03-20T01:00:01Z")),
    ("case.accept-special", changed("case-special-procedure", StartTime="20240302T085959")),
    ("case.special-result", changed("case-special-procedure", EndTime="2024032009:00:01")),
    ("case.special-open", changed("case-special-procedure", EndTime=None)),
    ("case.one-completion", [*story.whole(), standing("case-completion", origin="dept-b")]),
    ("case.task-code", changed("case-acceptance", TaskCode="11440100007482653G4440103001000")),
])
def test_each_rule_is_broken_by_what_it_is_for(rule: str, records: list[Standing]) -> None:
    assert found(*records) == {rule}


def test_times_at_the_same_instant_are_in_order_whatever_their_shapes() -> None:
    assert found(*changed("case-application", ApplyTime="2024-03-02T01:00:00Z")) == set()


def test_a_late_application_is_later_than_the_completion_too() -> None:
    late = changed("case-application", ApplyTime="2024-03-21T09:00:00+08:00")
    assert found(*late) == {"case.apply-accept", "case.apply-result"}
    without = [one for one in changed("case-completion", ResultTime="2024-03-02T08:00:00+08:00") if "step" not in
               one.interface and "special" not in one.interface]
    assert found(*without) == {"case.accept-result"}


def test_orphan_steps_name_their_rows_and_no_content() -> None:
    steps = [standing("case-step", twin("case-step", index=n)) for n in range(40)]
    judged = judge(*steps)
    breach = judged.breaches["case.application"]
    assert (breach.count, len(breach.rows)) == (40, 16)
    assert breach.rows[0] == ("case-step", "dept-a", f"case-step-{story.NUMBER}-0")
    assert set(judged.breaches) == {"case.application", "case.acceptance"}


def test_a_licence_named_and_not_received_is_found_until_it_is() -> None:
    assert rules().references(story.whole()) == {NAMED}
    assert found(*story.whole(), received=frozenset()) == {"case.licence"}
    assert found(*changed("case-completion", LicenceId=None, ResultTypeCode="6"), received=frozenset()) == set()


def test_a_promise_is_overdue_when_it_has_passed_without_a_completion() -> None:
    promised = moment("2024-04-01T09:00:00+08:00") or 0
    waiting = [one for one in but("case-completion") if one.interface != "case-special-procedure"]
    assert judge(*waiting) == Judged({}, promised + 1), "and it says when to look again"
    assert judge(*waiting, now=promised) == Judged({}, promised + 1)
    assert found(*waiting, now=promised + 1) == {"case.overdue"}
    assert found(*but("case-completion"), now=promised + DAY) == set(), "a special procedure stops the clock"
    done = [standing("case-completion", twin("case-completion", ResultTime="2024-04-01T09:00:01+08:00"))]
    assert found(*waiting, *done, now=promised + DAY) == {"case.overdue"}
    in_time = [standing("case-completion", twin("case-completion", ResultTime="2024-04-01T09:00:00+08:00"))]
    assert judge(*waiting, *in_time, now=promised + DAY) == Judged({})


def test_records_of_no_set_are_not_looked_at() -> None:
    other = Standing("population-basic", "population", "dept-a", "r", {"ProjectNo": story.NUMBER})
    assert judge(*story.whole(), other) == Judged({})


def test_a_rule_is_left_out_where_the_records_it_would_miss_are_not_exchanged() -> None:
    some = load_between(FOLDER, held(), among={"case-step", "case-completion", "case-acceptance"})
    left = set(rules().rules) - set(some.rules)
    assert left == {"case.application", "case.licence", "case.overdue"}
    assert set(load_between(FOLDER, held(), among=set(story.RESOURCES)).rules) == set(rules().rules)


def test_a_case_of_too_many_records_is_told_and_not_judged() -> None:
    told = too_large([standing("case-step", twin("case-step", index=n)) for n in range(20)])
    assert set(told.breaches) == {TOO_LARGE} and not told.whole
    rule = rules().rule(TOO_LARGE)
    assert rule is not None and rule.says.zh and rules().wait(TOO_LARGE) == 0
    assert rules().rule("case.gone") is None
