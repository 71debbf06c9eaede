"""Hostile bodies are refused, clearly and soon (every test is bounded by the suite's time limit)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node.model import codes
from node.model.record import Record, Refusal
from node.model.trouble import Refused
from node.validate import Limits, Media, read_drafts, sample, to_json, to_xml
from tests.validate.held import TODAY, by_bytes, by_document, by_json, found, spec

XML, JSON, LINES = Media("xml"), Media("json"), Media("ndjson")
HEAD = b'<?xml version="1.0"?>'
OPEN = b'<PopulationBasic xmlns="urn:exn:population-basic:1">'
CLOSE = b"</PopulationBasic>"
BOMB = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
XSI = b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@contextmanager
def soon(seconds: float = 2.0) -> Iterator[None]:
    """Fail if the block takes longer."""
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < seconds


@pytest.mark.parametrize("content", [
    HEAD + b'<!DOCTYPE x [<!ENTITY a0 "ha">' + BOMB + b"]>" + OPEN + b"<RecordId>&a9;</RecordId>" + CLOSE,
    HEAD + b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + OPEN + CLOSE,
    HEAD + b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + OPEN + b"<RecordId>&e;</RecordId>" + CLOSE,
    HEAD + b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]>' + OPEN + CLOSE,
    HEAD + OPEN + b"<RecordId>&undefined;</RecordId>" + CLOSE,
    OPEN + b"<A>" * 5000 + b"</A>" * 5000 + CLOSE,
    OPEN + b"<RecordId>\x00</RecordId>" + CLOSE,
    OPEN + b"<RecordId>\x01</RecordId>" + CLOSE,
    OPEN + b"<RecordId>\xff\xfe</RecordId>" + CLOSE,
    OPEN + b"<RecordId>&#0;</RecordId>" + CLOSE,
    OPEN + b"<RecordId>&#xD800;</RecordId>" + CLOSE,
    OPEN + b"<RecordId>1</RecordId>",
    b"\xef\xbb\xbf" + OPEN + CLOSE,
    "<a/>".encode("utf-16"),
    b"", b" ", b"<", b"not xml", b"<a/><b/>",
    b'<PopulationBasic xmlns="urn:exn:population-basic:2"/>',
    b'<PopulationBasicList xmlns="urn:exn:population-basic:1"/>',
    b'<PopulationBasicList xmlns="urn:exn:population-basic:1">text' + OPEN + CLOSE + b"</PopulationBasicList>",
    b'<PopulationBasicList xmlns="urn:exn:population-basic:1" a="1">' + OPEN + CLOSE + b"</PopulationBasicList>",
    b"<" + b"a" * 100_000 + b"/>",
    b"<a " + b" ".join(b'x%d="1"' % n for n in range(100_000)) + b"/>",
])
def test_a_hostile_xml_body_is_refused_whole(content: bytes) -> None:
    with soon(), pytest.raises(Refused) as caught:
        read_drafts(content, XML, spec())
    assert caught.value.code in (codes.MALFORMED, codes.MEDIA)


@pytest.mark.parametrize("content", [
    b"", b" ", b"{", b"{]", b'{"a":1,}', b"{'a':1}", b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\\ud800"}',
    b'{"a":"\xff"}', b'{"a":"\x00"}', b'{"a":"\x01"}', b"\xef\xbb\xbf{}", '{"a":"b"}'.encode("utf-16"), b'{"a":01}',
    b"{}{}", b"[" * 100_000, b'{"a":' + b"1" * 10_000 + b"}",
])
def test_a_hostile_json_body_is_refused_whole(content: bytes) -> None:
    with soon(), pytest.raises(Refused) as caught:
        read_drafts(content, JSON, spec())
    assert caught.value.code is codes.MALFORMED


@pytest.mark.parametrize(("content", "rule"), [
    (b"{", "malformed"), (b'{"a":NaN}', "malformed"), (b'{"a":"\\udfff"}', "malformed"), (b"nonsense", "malformed"),
    (b"[]", "object"), (b"1", "object"), (b'"text"', "object"), (b"null", "object"),
    (b"[" * 1000 + b"]" * 1000, "depth"), (b'{"a":' * 900 + b"1" + b"}" * 900, "depth"),
    (b'{"a":' + b"[" * 17 + b"]" * 17 + b"}", "depth"),
])
def test_a_hostile_line_is_refused_alone(content: bytes, rule: str) -> None:
    of = spec()
    good = to_json(sample(of, 1, 1))
    with soon():
        drafts = read_drafts(content + b"\n" + good, LINES, of)
        first, second = of.judge_all(drafts, TODAY)
    assert isinstance(first, Refusal) and rule in [one.rule for one in first.problems]
    assert isinstance(second, Record) and second.index == 1


def test_a_faulty_child_of_a_list_is_refused_alone() -> None:
    of = spec()
    good = to_xml(of, [sample(of, 1, 1)])
    bad = b"<Other/><PopulationBasic><RecordId/></PopulationBasic>"
    content = good.replace(b"<PopulationBasic>", bad + b"<PopulationBasic>")
    judged = list(of.judge_all(read_drafts(content, XML, of), TODAY))
    assert [isinstance(one, Record) for one in judged] == [False, False, True]
    assert found(judged[0])[0] == ("", "root") and ("RecordId", "empty") in found(judged[1])


def _with(change: bytes, field: bytes = b"PersonName") -> list[tuple[str, str]]:
    """Return the problems of a good XML record after `change` has replaced a field's start tag."""
    of = spec()
    document = to_xml(of, [sample(of, 1, 1)])
    return found(by_document(of, document.replace(b"<" + field + b">", change, 1)))


@pytest.mark.parametrize(("change", "rule"), [
    (b"<PersonName><!-- x -->", "comment"), (b"<PersonName><?x y?>", "comment"), (b'<PersonName a="1">', "attribute"),
    (b"<PersonName " + XSI + b' xsi:nil="true">', "instance"),
    (b"<PersonName " + XSI + b' xsi:type="xs:string" xmlns:xs="http://www.w3.org/2001/XMLSchema">', "instance"),
    (b'<PersonName xmlns:x="http://www.w3.org/2001/XMLSchema-inst&#97;nce" x:schemaLocation="a b">', "instance"),
    (b"<PersonName>", ""), (b"<PersonName ><![CDATA[]]>", ""), (b"<!-- between --><PersonName>", ""),
    (b"<?between it?><PersonName>", ""), (b"text<PersonName>", "mixed"),
])
def test_what_only_xml_can_do_wrong_is_named(change: bytes, rule: str) -> None:
    problems = _with(change)
    assert [one[1] for one in problems] == ([rule] if rule else [])


def test_order_namespace_and_repetition_are_named() -> None:
    of = spec()
    document = to_xml(of, [sample(of, 1, 1)], single=True).decode()
    name = document[document.index("<PersonName>"):document.index("</PersonName>") + 13]
    assert found(by_document(of, document.replace(name, "").replace("</PopulationBasic>", name + "</PopulationBasic>")
                             .encode())) == [("PersonName", "sequence")]
    assert found(by_document(of, document.replace(name, name + name).encode())) == [("PersonName", "duplicate")]
    foreign = name.replace("<PersonName>", '<PersonName xmlns="urn:other">')
    assert found(by_document(of, document.replace(name, foreign).encode())) == [("PersonName", "namespace")]


def test_a_repeated_json_name_is_refused_and_named_whatever_its_spelling() -> None:
    of = spec()
    body = to_json(sample(of, 1, 1))
    for more in (b'{"SexCode":"1",', b'{"SexCode" : "2" , ', b'{"\\u0053exCode":"2",', b'{"SexCode"\t:\n"\\u003a",'):
        judged = by_bytes(of, (more + body[1:]).replace(b"\n", b" "))
        assert ("SexCode", "duplicate") in found(judged), more
    # A colon written \u003a must not make up for the colon of a lost member.
    remark = {**sample(of, 1, 1), "Remark": "x:y"}
    assert ("SexCode", "duplicate") in found(
        by_bytes(of, b'{"SexCode":"1",' + to_json(remark)[1:].replace(b"x:y", b"x\\u003ay"))
    )
    assert isinstance(by_bytes(of, to_json(remark).replace(b"x:y", b"x\\u003ay")), Record)


def test_a_json_number_becomes_plain_text_where_a_number_belongs() -> None:
    of = spec("legal-entity-basic/1.0")
    twin = {**sample(of, 1, 1), "Capital": "@"}
    for spelling, text in {"1000000": "1000000", "1.50": "1.50", "1e3": "1000", "-0": "-0", "2.5E-1": "0.25"}.items():
        judged = by_bytes(of, to_json(twin).replace(b'"@"', spelling.encode()))
        assert isinstance(judged, Record), (spelling, found(judged))
        assert f'"Capital":"{text}"'.encode() in judged.body
    for spelling, rule in {
        "1234567890123456": "json-number", "1.0000000000000000001": "json-number", "1e16": "json-number",
        "-1": "min-inclusive", "0.125": "fraction-digits", "1e300": "json-number", "1e-300": "json-number",
    }.items():
        assert ("Capital", rule) in found(by_bytes(of, to_json(twin).replace(b'"@"', spelling.encode()))), spelling
    with soon():
        judged = by_bytes(of, to_json(twin).replace(b'"@"', b"0." + b"1" * 10_000))
    assert found(judged) == [("Capital", "json-number"), ("Capital", "digits")]


def test_numbers_booleans_and_null_are_refused_where_text_belongs() -> None:
    of = spec()
    for value, rule in ((1, "type"), (True, "type"), (None, "empty"), (["x"], "type"), ({}, "type"), (1.5, "type")):
        assert found(by_json(of, {**sample(of, 1, 1), "PersonName": value})) == [("PersonName", rule)]


def test_limits_refuse_the_whole_body() -> None:
    of, limits = spec(), Limits(octets=20_000, records=3, record_octets=5_000)
    line = to_json(sample(of, 1, 1))
    big = to_json({**sample(of, 1, 1), "Remark": "x" * 6000})
    twins = [sample(of, 1, index) for index in range(4)]
    for media, content in (
        (LINES, b"\n".join([line] * 4)), (LINES, big), (JSON, big), (XML, to_xml(of, twins)),
        (XML, to_xml(of, [{**twins[0], "Remark": "x" * 6000}])), (LINES, b" " * 20_001),
    ):
        with pytest.raises(Refused) as caught:
            read_drafts(content, media, of, limits)
        assert caught.value.code is codes.TOO_LARGE
    assert len(read_drafts(b"\n\n".join([line] * 3) + b"\r\n", LINES, of, limits)) == 3


def test_gb18030_is_read_when_declared_and_refused_when_wrong() -> None:
    of = spec()
    twin = {**sample(of, 1, 1), "PersonName": "𠮷田"}
    chinese = to_json(twin).decode().encode("gb18030")
    judged = of.judge(read_drafts(chinese, Media.parse("application/json; charset=GB18030"), of)[0], TODAY)
    assert isinstance(judged, Record) and judged.body == to_json(twin)
    text = to_xml(of, [twin], single=True).decode()
    declared = text.replace('encoding="UTF-8"', 'encoding="GB18030"').encode("gb18030")
    for media in ("application/xml", "application/xml;charset=gb18030"):
        assert of.judge(read_drafts(declared, Media.parse(media), of)[0], TODAY) == judged
    for content, media in (
        (declared, "application/xml;charset=utf-8"), (text.encode(), "application/xml;charset=gb18030"),
        (b'{"a":"\xff\xff"}', "application/json;charset=gb18030"),
    ):
        with pytest.raises(Refused) as caught:
            read_drafts(content, Media.parse(media), of)
        assert caught.value.code is codes.MALFORMED
    with pytest.raises(Refused) as caught:
        read_drafts(text.replace("UTF-8", "UTF-16").encode(), XML, of)
    assert caught.value.code is codes.MEDIA


@pytest.mark.parametrize("header", [
    "", "text/plain", "application/json; charset=latin1", "application/xml;charset=utf-16",
])
def test_other_media_are_refused(header: str) -> None:
    with pytest.raises(Refused) as caught:
        Media.parse(header)
    assert caught.value.code is codes.MEDIA


def test_many_unknown_fields_and_endless_texts_take_bounded_time() -> None:
    of = spec()
    many = {f"X{n}": "1" for n in range(50_000)}
    with soon(5):
        assert len(found(by_json(of, {**sample(of, 1, 1), **many}))) == 100
        names = ("PersonName", "Remark", "IdNumber", "MobilePhone")
        assert len(found(by_json(of, {**sample(of, 1, 1), **{name: "长" * 30_000 for name in names}}))) >= 4


def test_an_unknown_name_that_could_be_a_number_is_not_repeated() -> None:
    of = spec()
    judged = by_json(of, {**sample(of, 1, 1), "n" + "4" * 17: "x", "姓名": "x"})
    assert found(judged) == [("?", "unknown"), ("姓名", "unknown")]


@pytest.mark.parametrize("depth", [15, 200, 254, 1000, 1023, 1025, 100_000])
def test_the_second_door_refuses_any_depth(depth: int) -> None:
    """A line this deep under a good signature stopped the inbox: the library reads what it does not write again."""
    with soon():
        judged = spec().judge_body(0, b'{"Unheard":' + b'{"a":' * depth + b"1" + b"}" * (depth + 1), TODAY)
    assert isinstance(judged, Refusal) and judged.problems


def test_blank_lines_and_records_over_the_limit_are_counted_before_they_are_made() -> None:
    """8 MiB of line ends once cost 70 MiB as a list of lines."""
    few = Limits(records=3)
    read = read_drafts(b"\n" * 1000 + b' {"a":1}\r\n\n{"b":2}' + b"\n \t" * 1000, LINES, spec(), few)
    assert [draft.tree.strip() for draft in read] == [b'{"a":1}', b'{"b":2}']
    with pytest.raises(Refused) as caught:
        read_drafts(b"{}\n" * 1_000_000, LINES, spec(), few)
    assert caught.value.code is codes.TOO_LARGE
