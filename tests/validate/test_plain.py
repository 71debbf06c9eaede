"""Plain XML is read by its form, anything else by the parser, and nobody can tell which it was."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Record, Refusal
from node.model.trouble import Refused
from node.validate import Limits, Media, Specification, document, read_drafts, sample, to_xml
from tests.validate.held import TODAY, spec

OF = spec()
TWINS = [sample(OF, 61, index) for index in range(3)]
ALONE, LIST = to_xml(OF, TWINS[:1], True), to_xml(OF, TWINS)
DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>\n'

Told = Sequence[Record | Refusal] | str


def told(of: Specification, content: bytes, parser: bool, limits: Limits = Limits()) -> Told:
    """Return what a body is judged to be, or the code it is turned away with."""
    read = document.read_drafts if parser else read_drafts
    try:
        drafts = read(content, Media("xml"), of.shape if parser else of, limits)  # type: ignore[arg-type]
    except Refused as why:
        return why.code.name
    return list(of.judge_all(drafts, TODAY))


def plain(content: bytes) -> bool:
    """Whether a body is read by its form; either way it is told as the parser tells it."""
    assert told(OF, content, False) == told(OF, content, True)
    return OF.plain.drafts(content, 10_000) is not None


def name(text: str) -> bytes:
    """Return the single record with another name of the person."""
    return to_xml(OF, [{**TWINS[0], "PersonName": "@"}], True).replace(b"@", text.encode())


def test_what_we_write_is_plain() -> None:
    assert plain(ALONE) and plain(LIST) and plain(ALONE.removeprefix(DECLARED))
    assert [one.row for one in told(OF, LIST, False)] == [one["RecordId"] for one in TWINS]  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [
    ALONE.replace(DECLARED, b"<?xml version='1.0' encoding='utf-8'?>\r\n"),
    ALONE.replace(DECLARED, b'<?xml version="1.0"?>'),
    ALONE.replace(b"><", b">\r\n\t <"),
    ALONE + b"\n",
    LIST.replace(b"><", b">\n<"),
    name(""), name(" "), name("\u3000"), name("\x7f\x85"), name("\U0001f600"), name("'\""),
])
def test_blanks_quotes_and_any_text_are_plain(content: bytes) -> None:
    assert plain(content)


@pytest.mark.parametrize("content", [
    ALONE.replace(DECLARED, b"<?xml version=\"1.0'?>"),
    ALONE.replace(DECLARED, b'<?xml version="1.1"?>'),
    ALONE.replace(DECLARED, b'<?xml version="1.0" encoding="GBK"?>'),
    ALONE.replace(DECLARED, b'<?xml version="1.0" encoding="GB18030"?>'),
    ALONE.replace(DECLARED, b'<!DOCTYPE PopulationBasic>'),
    ALONE.replace(b"><", b"><!-- --><", 1), ALONE + b"<?x y?>", ALONE + b"<a/>", ALONE[:-1], ALONE[1:],
    ALONE.replace(b" xmlns=", b" x='y' xmlns="), ALONE.replace(b" xmlns=", b" xmlns:p="),
    ALONE.replace(b":population-basic:1", b":population-basic:2"), ALONE.replace(b":population", b"?population"),
    ALONE.replace(b"<SexCode>", b"<SexCode >"), ALONE.replace(b"<SexCode>", b"<SexCode a='b'>"),
    ALONE.replace(b"SexCode", b"Sexcode"), ALONE.replace(b"</SexCode>", b"</Sexcode>"),
    ALONE.replace(b"><Sex", b">x<Sex"), ALONE.replace(b"><Sex", b">\xc2\xa0<Sex"),
    ALONE.replace(b"><Sex", b">\x0c<Sex"),
    ALONE.replace(b"<SexCode>", b"<SexCode>1</SexCode><SexCode>"),
    LIST.replace(b"List", b"Many"), LIST.replace(b"</PopulationBasic>\n", b"", 1), LIST + ALONE,
    name("a&amp;b"), name("&#65;"), name("<![CDATA[a]]>"), name("a<b"), name("a>b"), name("]]>"), name("<b/>"),
    name("a\tb"), name("a\nb"), name("a\r\nb"), name("\x01"), name("\0"), name("\ufffe"), name("\uffff"),
    name("@").replace(b"@", b"\xff"), name("@").replace(b"@", b"\xc0\x80"), name("@").replace(b"@", b"\xed\xa0\x80"),
    b"\xef\xbb\xbf" + ALONE, ALONE.decode().encode("utf-16"), b"", b"<",
    DECLARED + b'<PopulationBasicList xmlns="urn:exn:population-basic:1"></PopulationBasicList>',
])
def test_anything_else_is_the_parsers(content: bytes) -> None:
    assert not plain(content)


@settings(max_examples=400, deadline=None)
@given(body=st.sampled_from((ALONE, LIST)), at=st.integers(0, len(LIST)), cut=st.integers(0, 40), put=st.one_of(
    st.binary(max_size=3), st.text(max_size=2).map(lambda text: text.encode("utf-8", "replace")),
    st.sampled_from((b"<", b">", b"</", b"&", b"<a>", b"</SexCode>", b"<SexCode>", b"<!---->", b" ", b"\r", b"]]>")),
))
def test_whatever_is_cut_out_or_put_in_both_ways_tell_the_same(body: bytes, at: int, cut: int, put: bytes) -> None:
    content = body[:at] + put + body[at + cut:]
    assert told(OF, content, False) == told(OF, content, True)


@pytest.mark.parametrize("limits", [
    Limits(records=2), Limits(records=3), Limits(octets=len(LIST) - 1), Limits(octets=len(LIST)),
    Limits(record_octets=len(ALONE) // 2), Limits(record_octets=len(LIST) - 1),
])
def test_limits_hold_for_plain_documents_too(limits: Limits) -> None:
    assert told(OF, LIST, False, limits) == told(OF, LIST, True, limits)


def test_what_is_declared_twice_must_agree() -> None:
    assert len(read_drafts(ALONE, Media("xml", "utf-8"), OF)) == 1
    with pytest.raises(Refused):
        read_drafts(ALONE, Media("xml", "gb18030"), OF)


def test_a_nearly_plain_document_costs_time_in_proportion_to_its_length() -> None:
    spent = []
    for size in (20_000, 200_000):
        content = name("x" * size).replace(b"</PopulationBasic>", b"")
        begun = time.process_time()
        assert OF.plain.drafts(content, 10) is None
        spent.append(time.process_time() - begun)
    assert spent[1] < 100 * max(spent[0], 0.0002)
