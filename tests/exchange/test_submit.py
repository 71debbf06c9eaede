"""Submit: records, versions, idempotency answer and refusals in one transaction."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from node.exchange.submit import Submitted, Supply, submit, submit_all
from node.model.instant import day
from node.model.record import Draft, Record, Refusal, Stream, Version
from node.model.registry import Resource
from node.model.spool import Answer
from node.model.trouble import Trouble
from node.validate import split_line
from node.validate.made.samples import to_json
from tests.exchange.acts import state_of
from tests.intake.api import broken, twin
from tests.stage.desk import CENTRE, DOMAIN, specifications
from tests.stage.pair import Pair, lane_of

POPULATION = Resource("population", "population-basic/1.0", (CENTRE, "dept-b"), 3)


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def judged(pair: Pair, twins: Sequence[dict[str, object]]) -> tuple[list[Record], list[Refusal]]:
    spec = specifications().get("population-basic/1.0")
    assert spec is not None
    drafts = [Draft(index, "json", to_json(one)) for index, one in enumerate(twins)]
    found = list(spec.judge_all(drafts, day(pair.dept.desk.now())))
    return [one for one in found if isinstance(one, Record)], [one for one in found if isinstance(one, Refusal)]


def submitted(
    pair: Pair, twins: Sequence[dict[str, object]], key: str = "k", body: bytes = b"body", caller: str = "erp",
    resource: Resource = POPULATION, stream: Stream = Stream.LIVE,
) -> Answer:
    supply = supplied(pair, twins, key, body, caller, resource, stream)
    with pair.dept.stores.outbox.unit() as unit:
        return submit(unit, supply, DOMAIN, "dept-a", pair.dept.desk.now(), os.urandom)


def supplied(
    pair: Pair, twins: Sequence[dict[str, object]], key: str = "k", body: bytes = b"body", caller: str = "erp",
    resource: Resource = POPULATION, stream: Stream = Stream.LIVE,
) -> Supply:
    spec = specifications().get("population-basic/1.0")
    assert spec is not None
    records, refusals = judged(pair, twins)
    return Supply(caller, key, body, resource, spec.id, stream, records, refusals)


def together(pair: Pair, supplies: Sequence[Supply]) -> list[Submitted]:
    with pair.dept.stores.outbox.unit() as unit:
        return submit_all(unit, supplies, DOMAIN, "dept-a", pair.dept.desk.now(), os.urandom)


def waiting(pair: Pair, receiver: str = CENTRE) -> list[bytes]:
    with pair.dept.stores.outbox.unit() as unit:
        return [line for group in unit.draw(lane_of(receiver=receiver)) for line in group.lines]


def test_versions_are_given_in_body_order_and_ids_are_all_different(pair: Pair) -> None:
    submitted(pair, [twin(0), broken(1), twin(2)])
    submitted(pair, [twin(3)], key="k-2", stream=Stream.LIVE)
    heads = [split_line(line)[1] for line in waiting(pair)]
    epoch = heads[0].version.epoch
    assert [one.version for one in heads] == [Version(epoch, n) for n in (1, 2, 3)]
    assert [one.row for one in heads] == [twin(n)["RecordId"] for n in (0, 2, 3)]
    assert len({one.record for one in heads}) == 3 and {one.origin for one in heads} == {"dept-a"}


def test_every_receiver_gets_the_same_lines(pair: Pair) -> None:
    submitted(pair, [twin(0), twin(1)])
    assert waiting(pair) == waiting(pair, "dept-b") and len(waiting(pair)) == 2
    assert state_of(pair.dept).priority == 3


def test_versions_count_over_all_streams(pair: Pair) -> None:
    submitted(pair, [twin(0)])
    submitted(pair, [twin(1)], key="k-2", stream=Stream.BACKFILL)
    with pair.dept.stores.outbox.unit() as unit:
        (group,) = unit.draw(lane_of(stream=Stream.BACKFILL))
    assert split_line(group.lines[0])[1].version.n == 2


def test_the_same_key_and_body_get_the_stored_answer_and_put_nothing(pair: Pair) -> None:
    first = submitted(pair, [twin(0)])
    assert submitted(pair, [twin(0)]) == first and len(waiting(pair)) == 1


def test_the_same_key_with_another_body_is_an_error_and_puts_nothing(pair: Pair) -> None:
    submitted(pair, [twin(0)])
    with pytest.raises(Trouble) as caught:
        submitted(pair, [twin(1)], body=b"another")
    assert caught.value.code.name == "EXN-API-KEY-REUSED" and len(waiting(pair)) == 1


def test_keys_belong_to_a_caller_and_a_resource(pair: Pair) -> None:
    answers = [submitted(pair, [twin(0)]), submitted(pair, [twin(1)], caller="oa", body=b"another")]
    assert answers[0].submission != answers[1].submission and len(waiting(pair)) == 2


def test_what_was_refused_is_told_with_every_problem_in_both_languages(pair: Pair) -> None:
    answer = submitted(pair, [twin(0), broken(1)])
    told = json.loads(answer.body)
    assert (answer.status, told["accepted"], told["submission"]) == (202, 1, answer.submission)
    (refused,) = told["refused"]
    assert (refused["index"], refused["key"]) == (1, twin(1)["RecordId"])
    assert {one["rule"] for one in refused["problems"]} == {"empty", "unknown"}
    assert all(one["zh"] and one["en"] for one in refused["problems"])


def test_when_all_was_refused_the_answer_is_422_kept_and_gives_out_no_version(pair: Pair) -> None:
    answer = submitted(pair, [broken(0)])
    told = json.loads(answer.body)
    assert (answer.status, told["status"], told["code"]) == (422, 422, "EXN-API-ALL-REFUSED")
    assert told["accepted"] == 0 and len(told["refused"]) == 1 and told["zh"]["detail"]
    assert submitted(pair, [broken(0)]) == answer
    with pair.dept.stores.outbox.unit() as unit:
        found = unit.submission(answer.submission)
        assert unit.lane(lane_of()) is None and unit.allot("population", 1).n == 1
    assert found is not None and (found[0].count, found[0].refused) == (0, 1)


def test_nothing_is_there_of_a_submission_that_did_not_commit(pair: Pair) -> None:
    supply = supplied(pair, [twin(0)])
    with pytest.raises(KeyError), pair.dept.stores.outbox.unit() as unit:
        submit(unit, supply, DOMAIN, "dept-a", pair.dept.desk.now(), os.urandom)
        raise KeyError
    assert not waiting(pair)
    submitted(pair, [twin(0)])
    assert split_line(waiting(pair)[0])[1].version.n == 1


def test_calls_submitted_together_get_what_each_would_get_alone(pair: Pair) -> None:
    before = submitted(pair, [twin(0)], key="known")
    told = together(pair, [
        supplied(pair, [twin(1), broken(2), twin(3)], key="a"), supplied(pair, [twin(0)], key="known"),
        supplied(pair, [twin(4)], key="b", stream=Stream.BACKFILL),
        supplied(pair, [twin(5)], key="known", body=b"else"),
        supplied(pair, [broken(6)], key="c"), supplied(pair, [twin(7)], key="d"),
    ])
    assert [one.new for one in told] == [True, False, True, False, True, True]
    assert told[1].answer == before
    reused = told[3].answer
    assert isinstance(reused, Trouble) and reused.code.name == "EXN-API-KEY-REUSED"
    said = [json.loads(one.answer.body) for one in told if isinstance(one.answer, Answer)]
    assert [one["accepted"] for one in said] == [2, 1, 1, 0, 1]
    assert [one["index"] for one in said[0]["refused"]] == [1]
    heads = [split_line(line)[1] for line in waiting(pair)]
    assert [(one.row, one.version.n) for one in heads] == [
        (twin(row)["RecordId"], n) for row, n in ((0, 1), (1, 2), (3, 3), (7, 5))
    ], "versions are given in the order of the calls, whatever the stream"
    with pair.dept.stores.outbox.unit() as unit:
        for one, first, count in ((told[0], 2, 2), (told[2], 4, 1), (told[4], 5, 0), (told[5], 5, 1)):
            assert isinstance(one.answer, Answer)
            found = unit.submission(one.answer.submission)
            assert found is not None and found[1] == one.answer
            assert (found[0].first.n, found[0].count) == (first, count)


def test_a_key_that_comes_twice_in_one_go_writes_nothing(pair: Pair) -> None:
    with pytest.raises(Trouble) as caught:
        together(pair, [supplied(pair, [twin(0)]), supplied(pair, [twin(1)], body=b"another")])
    assert caught.value.code.name == "EXN-API-KEY-RUNNING" and not waiting(pair)


def test_on_an_old_copy_nothing_new_is_submitted_together(pair: Pair) -> None:
    with pair.dept.stores.outbox.unit() as unit:
        unit.supersede()
    with pytest.raises(Trouble) as caught:
        together(pair, [supplied(pair, [twin(0)], key="a"), supplied(pair, [twin(1)], key="b")])
    assert caught.value.code.name == "EXN-SUPERSEDED" and not waiting(pair)
