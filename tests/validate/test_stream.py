"""XML read record by record gives what the door gives, wherever the pieces are cut, in the memory of one record."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model import codes
from node.model.record import Record, Refusal
from node.model.trouble import Trouble
from node.validate import Limits, Media, Specification, faults, plant, sample, to_xml
from node.validate.document import read_drafts
from node.validate.stream import read_records
from tests.validate.held import NAMES, TODAY, spec
from tests.validate.workshop import workshop

Verdict = tuple[list[Record | Refusal], str]
REGION = "region-code/1.0"
SMALL = Limits(record_octets=5000)


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    """Cut a document."""
    return (content[at:at + size] for at in range(0, len(content), size))


def streamed(of: Specification, content: bytes, size: int, charset: str | None = None,
             limits: Limits = Limits()) -> Verdict:
    """Return what a stream of pieces gives: verdicts, and the code it ends with."""
    judged: list[Record | Refusal] = []
    try:
        for draft in read_records(pieces(content, size), charset, of.shape, limits):
            judged.append(of.judge(draft, TODAY))
    except Trouble as met:
        return judged, met.code.name
    return judged, ""


def at_the_door(of: Specification, content: bytes, charset: str | None = None, limits: Limits = Limits()) -> Verdict:
    """Return what the door gives."""
    try:
        drafts = read_drafts(content, Media("xml", charset), of.shape, limits)
    except Trouble as met:
        return [], met.code.name
    return [of.judge(draft, TODAY) for draft in drafts], ""


def agree(of: Specification, content: bytes, charset: str | None = None, limits: Limits = Limits()) -> Verdict:
    """Return the verdict on which door and stream agree, for pieces of several sizes."""
    door = at_the_door(of, content, charset, limits)
    for size in (1, 7, 600, 1 << 16, 1 << 30):
        if size > 1 or len(content) < 20_000:
            told = streamed(of, content, size, charset, limits)
            assert told[1] == door[1] and (door[1] or told[0] == door[0]), size
    return door


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", [*NAMES, "workshop/2.1"])
def test_every_sample_and_every_planted_fault_gets_the_verdict_of_the_door(name: str, step: int) -> None:
    of = workshop() if name == "workshop/2.1" else spec(name)
    good = [sample(of, 6, number, operation="IUD"[number % 3]) for number in range(9)]
    chosen = faults(of)[len(name) % step::step]
    bad = [plant(of, good[number % 3 * 3], fault, number) for number, fault in enumerate(chosen)]
    judged, end = agree(of, to_xml(of, [*good, *bad]))
    assert not end and all(isinstance(one, Record) for one in judged[:9]) and len(judged) == 9 + len(bad)
    for twin in (*good[:3], *bad[:9]):
        assert agree(of, to_xml(of, [twin], single=True))[1] == ""


def _listed(inner: str, head: str = "", attributes: str = "") -> bytes:
    return (f'{head}<RegionList xmlns="urn:exn:region-code:1"{attributes}>{inner}</RegionList>').encode()


def _one(change: str = "") -> str:
    text = to_xml(spec(REGION), [sample(spec(REGION), 1, 1)]).decode()
    return text[text.index("<Region>"):text.rindex("</RegionList>")].strip() + change


ONE = _one()
ODD: dict[str, bytes] = {
    "comment between": _listed(f"<!-- a -->{ONE}<!-- b -->\n{ONE}<?pi?>"),
    "comment in a leaf": _listed(ONE.replace("</RecordId>", "<!--x--></RecordId>") + ONE),
    "processing instruction": _listed(ONE + ONE.replace("</RecordId>", "<?x y?></RecordId>")),
    "xsi": _listed(ONE.replace(
        "<RecordId>", '<RecordId i:nil="0" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">')),
    "cdata": _listed(ONE.replace("<RegionName>", "<RegionName><![CDATA[").replace("</RegionName>", "]]></RegionName>")),
    "reference": _listed(ONE.replace("<RegionName>", "<RegionName>&#x4e2d;&amp;")),
    "other element": _listed(f"<Other><Region/></Other>{ONE}<Other/>"),
    "other namespace": _listed(f'{ONE}<Region xmlns="urn:x"/>'),
    "record in record": _listed(ONE.replace("<RecordId>", f"{ONE}<RecordId>", 1)),
    "text between": _listed(f"{ONE}x{ONE}"), "text first": _listed(f"x{ONE}"), "text last": _listed(f"{ONE} x "),
    "blanks": _listed(f" \n {ONE} \n\t{ONE}\n"), "attribute": _listed(ONE, attributes=' a="1"'),
    "declared": _listed(ONE, '<?xml version="1.0" encoding="utf-8"?>\n<!-- a -->'),
    "no record": _listed(""), "only a comment": _listed("<!-- a -->"), "nothing": b"", "blank": b"  ",
    "wrong root": b"<x/>", "wrong root with records": b"<x>" + _listed(ONE) + b"</x>",
    "prefixed": _listed(ONE).replace(b"<", b"<p:").replace(b"<p:/", b"</p:").replace(b"xmlns=", b"xmlns:p="),
    "dtd": b"<!DOCTYPE x>" + _listed(ONE), "entity": b'<!DOCTYPE x [<!ENTITY a "b">]>' + _listed(ONE + "&a;"),
    "unknown entity": _listed(ONE + "&a;"), "dtd in a comment": _listed(ONE + "<!-- <!DOCTYPE -->"),
    "cut": _listed(ONE + ONE)[:-40], "cut in a record": _listed(ONE + ONE)[:-300], "no end": _listed(ONE)[:-17],
    "mismatch": _listed(ONE + ONE.replace("</RecordId>", "</Id>")), "behind": _listed(ONE) + b"<a/>",
    "nul": _listed(ONE + "\0"), "bad octet": _listed(ONE).replace(b"row-1", b"row-\xff"),
    "mark": b"\xef\xbb\xbf" + _listed(ONE), "utf-16": _listed(ONE).decode().encode("utf-16"),
    "charset": _listed(ONE, '<?xml version="1.0" encoding="latin-1"?>'), "deep": _listed("<a>" * 3000),
    "deep in a record": _listed(ONE.replace("<RecordId>", "<a>" * 50 + "</a>" * 50 + "<RecordId>")),
    "control": _listed(ONE.replace("row-1", "row-\x01")), "two declarations": _listed(ONE, "<?xml version='1.0'?>" * 2),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_or_broken_gets_the_verdict_of_the_door(name: str) -> None:
    agree(spec(REGION), ODD[name])


def test_the_oddities_are_taken_and_refused() -> None:
    told = {name: at_the_door(spec(REGION), content) for name, content in ODD.items()}
    assert sum(1 for judged, end in told.values() if end) > 15
    assert sum(1 for judged, end in told.values() if any(isinstance(one, Refusal) for one in judged)) > 4
    assert sum(1 for judged, end in told.values() if judged and all(isinstance(one, Record) for one in judged)) > 4


def test_gb18030_is_decoded_across_the_pieces() -> None:
    of = spec()
    content = to_xml(of, [sample(of, 2, number) for number in range(3)]).decode().replace("UTF-8", "GB18030")
    assert len(agree(of, content.encode("gb18030"))[0]) == 3
    assert len(agree(of, content.replace(' encoding="GB18030"', "").encode("gb18030"), "gb18030")[0]) == 3
    assert agree(of, content.encode("gb18030"), "utf-8")[1] == codes.MALFORMED.name
    assert agree(of, content.encode("gb18030")[:-1] + b"\x81")[1] == codes.MALFORMED.name
    assert agree(of, content.encode("utf-8"))[1] in ("", codes.MALFORMED.name)


def test_a_record_and_what_is_no_record_are_bounded() -> None:
    of = spec(REGION)
    long = ONE.replace("<RegionName>", "<RegionName>" + "长" * 2000)
    for content in (
        _listed(ONE + long), _listed(ONE + " " * 6000 + ONE), to_xml(of, [{"RegionName": "长" * 2000}], single=True),
    ):
        assert agree(of, content, limits=SMALL)[1] == codes.TOO_LARGE.name
    assert agree(of, _listed(ONE * 30), limits=SMALL)[1] == ""
    assert agree(of, _listed("<Other/>" * 2000), limits=Limits(record_octets=5000, records=10**6))[1] == ""
    for endless in (b"<x", b"<x>", b"<!--", b" ", b"<x a='"):
        content = (b"".join((_listed(ONE)[:60], endless)) if endless != b"<!--" else endless)
        judged, end = streamed(of, content + b"a" * 400_000, 1 << 16, limits=SMALL)
        assert (judged, end) == ([], codes.TOO_LARGE.name)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 30), st.data())
def test_a_document_broken_anywhere_keeps_the_records_before_and_names_a_line(seed: int, data: Any) -> None:
    of = spec(REGION)
    whole = to_xml(of, [sample(of, seed, number) for number in range(4)])
    at = data.draw(st.integers(60, len(whole) - 25))
    broken = whole[:at] + b"<<" + whole[at:]
    expected = whole[:at].count(b"</Region>\n")
    assert at_the_door(of, broken)[1] == codes.MALFORMED.name
    for size in (11, 1 << 16):
        judged, end = streamed(of, broken, size)
        assert end == codes.MALFORMED.name and all(isinstance(one, Record) for one in judged)
        assert expected <= len(judged) <= expected + 1, (seed, at)
    with pytest.raises(Trouble) as caught:
        list(read_records(pieces(broken, 99), None, of.shape))
    assert abs(int(str(caught.value.details["line"])) - broken[:at].count(b"\n") - 1) <= 1


def test_memory_is_that_of_one_record_however_many_there_are() -> None:
    of = spec(REGION)
    block = b"".join(to_xml(of, [sample(of, 1, number)]).split(b"\n")[2] + b"\n" for number in range(100))

    def document(times: int) -> Iterator[bytes]:
        yield _listed("")[:-len("</RegionList>")]
        for _ in range(times):
            yield from pieces(block, 1 << 16)
        yield b"</RegionList>"

    def peak(times: int) -> int:
        tracemalloc.start()
        count = sum(
            isinstance(of.judge(draft, date(2024, 6, 1)), Record)
            for draft in read_records(document(times), None, of.shape)
        )
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 100 * times
        return found

    peak(1)
    assert peak(40) - peak(4) < 200_000
