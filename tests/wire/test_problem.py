"""problem+json written and read back; faults told without what they were about."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model import codes
from node.model.trouble import Kind, trouble
from node.wire.problem import PROBLEM_LIMIT, Faults, Told, language, problem, read_problem


@pytest.mark.parametrize(("accept", "expected"), [
    (b"", "zh"), (b"en", "en"), (b"EN-us", "en"), (b"zh-CN,zh;q=0.9,en;q=0.8", "zh"), (b"en;q=0.3, zh;q=0.2", "en"),
    (b"de, fr", "zh"), (b"*", "zh"), (b"en;q=0", "zh"), (b"\xff\xfe", "zh"), (b"en;q=9", "zh"),
    (b"," * 999 + b"en", "zh"),
])
def test_the_language_is_chinese_unless_english_is_preferred(accept: bytes, expected: str) -> None:
    assert language(accept) == expected


@given(st.binary(max_size=300))
def test_no_accept_language_is_an_error(accept: bytes) -> None:
    assert language(accept) in ("zh", "en")


@pytest.mark.parametrize("code", codes.TABLE.values(), ids=lambda code: code.name)
def test_every_code_becomes_a_problem_and_is_read_back(code: codes.Code) -> None:
    marks = re.findall(r"\{(\w+)\}", code.says.zh + code.says.en + code.cure.zh + code.cure.en)
    response = problem(trouble(code, **dict.fromkeys(marks, "x")))
    headers = {name.lower(): value for name, value in response.headers}
    assert isinstance(response.body, bytes)
    document = json.loads(response.body)
    assert document["status"] == response.status == code.status
    assert document["zh"]["detail"] and document["en"]["detail"] and document["zh"]["cure"] and document["en"]["cure"]
    assert (b"retry-after" in headers) == (code.kind is not Kind.REFUSED)
    told = read_problem(response.status, headers, response.body)
    assert (told.status, told.code, told.name) == (code.status, code, code.name)


def test_members_and_a_wait_of_ones_own_are_carried() -> None:
    response = problem(trouble(codes.BEHIND), retry_after=0, head={"epoch": 1, "seq": 7})
    headers = {name.lower(): value for name, value in response.headers}
    assert isinstance(response.body, bytes)
    told = read_problem(response.status, headers, response.body)
    assert told.retry_after == 0 and told.members is not None and told.members["head"] == {"epoch": 1, "seq": 7}


PROBLEM = {b"content-type": b"application/problem+json; charset=utf-8"}


def test_a_code_we_do_not_know_keeps_its_name() -> None:
    told = read_problem(409, PROBLEM, b'{"code": "EXN-FROM-THE-FUTURE"}')
    assert told.code is None and told.name == "EXN-FROM-THE-FUTURE"


@pytest.mark.parametrize("body", [
    b"", b"[]", b"1", b'{"code": 1}', b'{"code": "exn-x"}', b'{"code": "EXN-' + b"A" * 100 + b'"}',
    b'{"code": "EXN-A\\nB"}',
    b"[" * 5000, b'{"code": "EXN-A"' + b" " * PROBLEM_LIMIT + b"}", b"\xff\xff",
])
def test_what_is_no_problem_tells_its_status_alone(body: bytes) -> None:
    assert read_problem(502, PROBLEM, body) == Told(502)


def test_html_of_something_between_tells_its_status_and_its_wait() -> None:
    told = read_problem(503, {b"content-type": b"text/html", b"retry-after": b"120"}, b'{"code": "EXN-QUOTA"}')
    assert told == Told(503, retry_after=120)
    assert read_problem(503, {b"retry-after": b"-1"}, b"").retry_after is None
    assert read_problem(503, {b"retry-after": b"9" * 30}, b"").retry_after is None


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_reading_never_raises(body: bytes, wait: bytes) -> None:
    assert read_problem(500, {**PROBLEM, b"retry-after": wait}, body).status == 500


def test_a_fault_is_logged_by_place_with_its_causes_and_never_with_its_message() -> None:
    logged: list[tuple[str, str]] = []
    faults = Faults(lambda number, place: logged.append((number, place)), lambda n: b"\x01" * n)
    try:
        try:
            raise LookupError("张三")
        except LookupError as cause:
            raise TypeError("李四") from cause
    except TypeError as error:
        why = faults.report(error)
    (number, place), = logged
    assert number == "01" * 6 and number in why.sentence.en
    assert "TypeError" in place and "LookupError" in place and "test_problem.py" in place
    assert "张三" not in place and "李四" not in place
