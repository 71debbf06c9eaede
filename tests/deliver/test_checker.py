"""The checker: findings open after their waiting period, once, and close when the cause is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from node.model.finding import Reference
from node.validate.between import Betweens, Standing
from node.validate.between.case import RECORDS
from node.workers import Committer
from tests.fakes.failing import FailingWarehouse, after_the_cut
from tests.stage.bureau import HOUR, WAIT, Bureau, rules
from tests.store import places
from tests.validate.between import story
from tests.validate.between.story import twin


@pytest.fixture(params=["memory", "sqlite"])
def bureau(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def events(bureau: Bureau) -> list[tuple[str, str, object]]:
    return [(level, name, fields["rule"]) for level, name, fields in bureau.staged.journal.events if "finding" in name]


def whole(bureau: Bureau, but: str = "") -> None:
    for interface in (*story.WHOLE, "e-licence"):
        if interface != but:
            bureau.come(interface)


def test_a_whole_case_in_order_gives_no_finding(bureau: Bureau) -> None:
    for interface in (*story.WHOLE, "e-licence"):
        bureau.come(interface)
        bureau.go(HOUR)
    bureau.go(3 * WAIT, HOUR)
    assert bureau.told() == [] and events(bureau) == []


def test_the_same_shuffled_gives_none_in_the_end(bureau: Bureau, seed: int) -> None:
    order = Random(seed).sample([*story.WHOLE, "e-licence"], len(story.WHOLE) + 1)
    for interface in order:
        bureau.come(interface)
        bureau.go(2 * HOUR, HOUR)
    bureau.go(3 * WAIT, HOUR)
    assert bureau.told() == [], order


def test_orphan_steps_are_found_after_the_waiting_period_and_close_when_the_application_comes(bureau: Bureau) -> None:
    bureau.come("case-step")
    bureau.go(WAIT - 2 * HOUR, HOUR)
    assert bureau.told() == []
    bureau.go(4 * HOUR, HOUR)
    assert bureau.rules_open() == {"case.application", "case.acceptance"}
    (orphan,) = [one for one in bureau.told() if one.rule == "case.application"]
    assert orphan.correlation == story.NUMBER and orphan.count == 1 and orphan.opened is not None
    assert orphan.rows == (("case-step", "dept-a", f"case-step-{story.NUMBER}-0"),)
    assert orphan.opened - orphan.seen >= WAIT * 1000
    bureau.go(10 * WAIT, HOUR)
    assert len(bureau.told()) == 2, "and nothing is told again"
    assert events(bureau) == [
        ("error", "finding.opened", "case.application"), ("warning", "finding.opened", "case.acceptance"),
    ]
    bureau.come("case-application")
    bureau.go(60)
    assert bureau.rules_open() == {"case.acceptance"} and events(bureau)[-1] == (
        "info", "finding.closed", "case.application")
    bureau.come("case-acceptance")
    bureau.go(60)
    assert bureau.rules_open() == set() and len(bureau.told()) == 2


def test_what_is_mended_in_time_is_never_told(bureau: Bureau) -> None:
    bureau.come("case-step")
    bureau.go(WAIT - 2 * HOUR, HOUR)
    bureau.come("case-application")
    bureau.come("case-acceptance", twin("case-acceptance", PromiseTime=None))
    bureau.go(3 * WAIT, HOUR)
    assert bureau.told() == [] and events(bureau) == []


def test_a_licence_that_never_comes_is_found_and_closes_when_it_comes(bureau: Bureau) -> None:
    whole(bureau, but="e-licence")
    bureau.go(WAIT + HOUR, HOUR)
    assert bureau.rules_open() == {"case.licence"}
    bureau.come("e-licence", origin="dept-b")
    bureau.go(60)
    assert bureau.rules_open() == set() and len(bureau.told()) == 1


def test_a_licence_that_belongs_to_no_case_counts_too_and_its_withdrawal(bureau: Bureau) -> None:
    whole(bureau, but="e-licence")
    alone = {name: value for name, value in twin("e-licence").items() if name != "ProjectNo"}
    bureau.come("e-licence", alone, "dept-b")
    bureau.go(WAIT + HOUR, HOUR)
    assert bureau.told() == []
    bureau.come("e-licence", {**alone, "Operation": "D"}, "dept-b")
    bureau.go(WAIT + HOUR, HOUR)
    assert bureau.rules_open() == {"case.licence"}


def test_a_delete_opens_and_a_revision_closes(bureau: Bureau) -> None:
    whole(bureau)
    bureau.come("case-application", twin("case-application", operation="D"))
    bureau.come("case-special-procedure", twin("case-special-procedure", EndTime=None, EventTime="20240304090000"))
    bureau.go(WAIT + HOUR, HOUR)
    assert bureau.rules_open() == {"case.application", "case.special-open"}
    bureau.come("case-application")
    bureau.come("case-special-procedure")
    bureau.go(60)
    assert bureau.rules_open() == set() and len(bureau.told()) == 2


def test_two_completions_are_found_and_a_delete_of_one_closes(bureau: Bureau) -> None:
    whole(bureau)
    bureau.come("case-completion", origin="dept-b")
    bureau.go(WAIT + HOUR, HOUR)
    assert bureau.rules_open() == {"case.one-completion"}
    bureau.come("case-completion", twin("case-completion", operation="D"), "dept-b")
    bureau.go(60)
    assert bureau.rules_open() == set()


def test_a_promise_is_overdue_by_time_alone(bureau: Bureau) -> None:
    bureau.come("case-application")
    now = bureau.desk.now()
    promised = story.at(now + int(50 * HOUR * 1000))
    bureau.come("case-acceptance", twin("case-acceptance", PromiseTime=promised))
    bureau.go(50 * HOUR + WAIT - HOUR, HOUR)
    assert bureau.told() == []
    bureau.go(3 * HOUR, HOUR)
    assert bureau.rules_open() == {"case.overdue"}


def test_cases_do_not_meet(bureau: Bureau) -> None:
    whole(bureau)
    bureau.come("case-step", twin("case-step", "440100-2024-2"))
    bureau.go(WAIT + HOUR, HOUR)
    assert {one.correlation for one in bureau.told()} == {"440100-2024-2"}


def test_metrics_count_by_rule_and_come_back_after_a_restart(bureau: Bureau) -> None:
    bureau.come("case-material")
    bureau.go(WAIT + HOUR, HOUR)
    tally = bureau.staged.tally
    assert tally.of("findings_open", rule="case.application") == 1 == tally.of("findings_opened")
    bureau.crash()
    bureau.go(HOUR)
    assert bureau.staged.tally.of("findings_open") == 1 and bureau.staged.tally.of("findings_opened") == 0
    bureau.come("case-application")
    bureau.go(60)
    assert bureau.staged.tally.of("findings_open") == 0


def test_a_rule_that_is_declared_no_more_closes_its_findings(bureau: Bureau) -> None:
    bureau.come("case-step")
    bureau.go(WAIT + HOUR, HOUR)
    assert len(bureau.told(unclosed=True)) == 2
    bureau.change(Betweens())
    bureau.go(60)
    assert bureau.told(unclosed=True) == [] and len(bureau.told()) == 2


def test_another_waiting_period_counts_at_once_for_what_waits(bureau: Bureau) -> None:
    bureau.come("case-step")
    bureau.go(2 * HOUR)
    bureau.change(rules(wait=int(HOUR * 1000)))
    bureau.go(60)
    assert len(bureau.told(unclosed=True)) == 2


def test_a_clock_set_back_does_not_make_a_breach_wait_for_ever(bureau: Bureau) -> None:
    wall = bureau.desk.clock.wall
    bureau.desk.clock.wall = lambda: wall() + 300 * 86_400_000
    bureau.come("case-step")
    bureau.go(HOUR)
    bureau.desk.clock.wall = wall
    bureau.go(WAIT + 2 * HOUR, HOUR)
    assert bureau.rules_open() == {"case.application", "case.acceptance"}


def test_a_case_with_too_many_records_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    bureau = Bureau()
    for n in range(RECORDS + 1):
        bureau.come("case-step", {**twin("case-step"), "RecordId": f"r{n}", "StepNo": str(n)})
    bureau.come("case-step", twin("case-step", "440100-2024-2"))
    bureau.go(WAIT + HOUR, HOUR)
    found = {(one.correlation, one.rule) for one in bureau.told()}
    assert found == {(story.NUMBER, "case-too-large"), ("440100-2024-2", "case.application"),
                     ("440100-2024-2", "case.acceptance")}
    (large,) = [one for one in bureau.told() if one.rule == "case-too-large"]
    assert large.count > RECORDS and len(large.rows) == 16
    bureau.come("case-step", {**twin("case-step", operation="D"), "RecordId": "r7", "StepNo": "7"})
    bureau.go(HOUR)
    assert ("case-too-large" in bureau.rules_open()) is False
    bureau.close()


def test_without_rules_cases_rest_unread(bureau: Bureau) -> None:
    bureau.change(Betweens())
    whole(bureau, but="case-application")
    bureau.go(WAIT + HOUR, HOUR)
    with bureau.staged.stores.warehouse.unit() as unit:
        assert unit.cases_due(bureau.desk.now() + 10**12, 9) == [] and unit.wake_cases() == 0
    assert bureau.told() == []


def test_a_case_that_cannot_be_read_is_told_once_and_the_others_go_on(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path)
    bureau.come("case-step", twin("case-step", "440100-BAD"))
    file: Any = bureau.staged.stores.warehouse
    file._connection.execute("UPDATE blocks SET sealed = zeroblob(length(sealed)) WHERE id = 1")
    bureau.come("case-step", twin("case-step", "440100-GOOD"))
    bureau.go(WAIT + HOUR, HOUR)
    assert {one.correlation for one in bureau.told()} == {"440100-GOOD"} and len(bureau.told()) == 2
    errors = [name for name in bureau.staged.journal.names("error") if name.startswith("EXN-")]
    assert len(errors) == 1, errors
    bureau.close()


class OnDisk(Bureau):
    """A bureau whose warehouse is a file; after a cut it goes on from a copy of what the disk has."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder, self._cuts = folder, 0
        self.loop.cancel()
        self._open(folder)

    def _open(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._now = folder
        self.staged.stores.warehouse = places.warehouse(folder, FailingWarehouse)
        self.staged.desk.warehouse = Committer(self.staged.stores.warehouse, self.clock)
        self.staged.desk.stopping = False
        self.start()

    def crash(self) -> None:
        self.desk.stopping = True
        self.loop.cancel()
        self._cuts += 1
        copy = self._folder / f"copy-{self._cuts}"
        after_the_cut(self._now / "warehouse.db", copy)
        self.staged.stores.warehouse.close()
        self._open(copy)


def test_what_is_open_in_the_end_is_what_the_rules_say_of_what_stands(bureau: Bureau, seed: int) -> None:
    """Records of three cases come, change and go in any order, with crashes: the findings follow what stands."""
    random, stands = Random(seed), dict[tuple[str, str, str], Standing]()
    for _ in range(60):
        interface, case = random.choice([*story.WHOLE, "e-licence"]), f"440100-{random.randint(1, 3)}"
        origin = random.choice(["dept-a", "dept-a", "dept-b"])
        gone = random.random() < 0.25
        fields = {} if interface != "case-special-procedure" or random.random() < 0.5 else {"EndTime": None}
        made = twin(interface, case, operation="D" if gone else "I", **fields)
        if interface == "e-licence":  # one licence for all three cases, in none of them
            made.pop("ProjectNo", None)
            case, made["RecordId"] = "", "licence"
        bureau.come(interface, made, origin)
        stands.pop((interface, case, origin), None)
        if not gone:
            stands[interface, case, origin] = story.standing(interface, made, origin)
        if random.random() < 0.1:
            bureau.crash()
        bureau.go(random.choice([0, HOUR, 10 * HOUR]), HOUR)
    bureau.go(2 * WAIT, HOUR)
    received = {Reference("e-licence", story.licence_id())} if any(one[0] == "e-licence" for one in stands) else set()
    expected = {
        (rule, case) for case in ("440100-1", "440100-2", "440100-3")
        for rule in rules().judge(
            [record for (_, of, _), record in stands.items() if of == case], received, bureau.desk.now()).breaches
    }
    assert {(one.rule, one.correlation) for one in bureau.told(unclosed=True)} == expected
    keys = [(one.rule, one.correlation) for one in bureau.told(unclosed=True)]
    assert len(keys) == len(set(keys)) and all(one.opened for one in bureau.told())


def test_nothing_of_a_case_rests_in_clear_on_disk_or_in_the_log(tmp_path: Path) -> None:
    bureau = OnDisk(tmp_path / "state")
    whole(bureau, but="case-application")
    bureau.go(WAIT + HOUR, HOUR)
    (one,) = bureau.told()
    secrets = {one.correlation, *(row.row for row in one.rows), story.licence_id()}
    disk = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())
    assert b"case.application" in disk, "the rule is no secret"
    assert [text for text in secrets if text.encode() in disk or text in str(bureau.staged.journal.events)] == []
    bureau.close()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("disk", [False, True])
def test_each_finding_opens_and_closes_once_wherever_the_power_fails(tmp_path: Path, disk: bool, after: bool) -> None:
    """The warehouse is cut off at its first commit, then its second, until a run gets through."""
    for commit in range(1, 100):
        bureau = OnDisk(tmp_path / f"{commit}") if disk else Bureau()
        store: Any = bureau.staged.stores.warehouse
        store.fail_at(commit, after=after)
        bureau.come("case-step")
        bureau.go(WAIT + 2 * HOUR, HOUR)
        assert bureau.rules_open() == {"case.application", "case.acceptance"}, commit
        bureau.come("case-application")
        bureau.come("case-acceptance")
        bureau.go(2 * HOUR, HOUR)
        told = bureau.told()
        assert sorted(one.rule for one in told) == ["case.acceptance", "case.application"], commit
        assert all(one.opened and one.closed and one.opened < one.closed for one in told), commit
        bureau.desk.stopping = True
        bureau.loop.cancel()
        bureau.staged.close()
        if store._countdown > 0:
            assert commit > 6, "it was cut off several times before"
            return
    pytest.fail("no run got through")
