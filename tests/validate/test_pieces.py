"""XML cut into lists: the verdicts of the whole, within the limits, in the memory of one piece."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from node.model import codes
from node.model.record import Record, Refusal
from node.model.trouble import Trouble
from node.validate import Limits, Media, Specification, cut_xml, faults, overfull, plant, sample, to_xml
from node.validate.document import read_drafts
from tests.validate.held import NAMES, TODAY, spec
from tests.validate.test_stream import ODD, REGION, at_the_door, pieces
from tests.validate.workshop import workshop

SMALL = Limits(octets=6000, records=7, record_octets=5000)


def judged(of: Specification, content: bytes, charset: str | None, limits: Limits) -> list[Record | Refusal]:
    """Return the verdicts over the pieces of a document, each record with its number in the whole."""
    found: list[Record | Refusal] = []
    for first, piece in cut_xml(pieces(content, 1 << 16), charset, of.shape, limits):
        assert first == len(found)
        drafts = read_drafts(piece, Media("xml", charset), of.shape, Limits(records=limits.records))
        assert len(piece) <= limits.octets or len(drafts) == 1
        found += [of.judge(draft._replace(index=first + draft.index), TODAY) for draft in drafts]
    return found


@pytest.mark.parametrize("name", [*NAMES, "workshop/2.1"])
def test_the_pieces_get_the_verdicts_of_the_whole(name: str) -> None:
    of = workshop() if name == "workshop/2.1" else spec(name)
    good = [sample(of, 6, number) for number in range(9)]
    bad = [plant(of, good[number % 9], fault, number) for number, fault in enumerate(faults(of)[::9])]
    content = to_xml(of, [*good, *bad])
    limits = Limits(octets=20_000, records=7)
    assert judged(of, content, None, limits) == at_the_door(of, content)[0]
    assert len(list(cut_xml(pieces(content, 999), None, of.shape, limits))) > 2


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_or_broken_is_refused_in_pieces_as_in_the_whole(name: str) -> None:
    of = spec(REGION)
    wanted, code = at_the_door(of, ODD[name])
    if not code:
        assert judged(of, ODD[name], None, SMALL) == wanted
        return
    with pytest.raises(Trouble) as met:
        judged(of, ODD[name], None, SMALL)
    assert met.value.code.name == code


def test_the_charset_that_was_said_is_that_of_the_pieces() -> None:
    of = spec(REGION)
    content = to_xml(of, [sample(of, 2, number) for number in range(20)]).decode()
    plain = content.partition("?>")[2].encode("gb18030")
    assert judged(of, plain, "gb18030", SMALL) == at_the_door(of, plain, "gb18030")[0]
    declared = content.replace("UTF-8", "GB18030").encode("gb18030")  # and without one they are UTF-8
    assert judged(of, declared, None, SMALL) == at_the_door(of, declared)[0]


def test_pieces_before_the_place_where_a_document_breaks_have_been_given() -> None:
    of, found = spec(REGION), []
    content = to_xml(of, [sample(of, 2, number) for number in range(30)])
    broken = content[:-400] + b"<<" + content[-400:]
    with pytest.raises(Trouble) as met:
        for first, _ in cut_xml(pieces(broken, 1000), None, of.shape, SMALL):
            found.append(first)
    assert met.value.code is codes.MALFORMED and len(found) > 2 and int(str(met.value.details["line"])) > 25


def test_records_are_counted_by_their_ends_whatever_the_prefix() -> None:
    of = spec(REGION)
    content = to_xml(of, [sample(of, 2, number) for number in range(8)])
    prefixed = content.replace(b"</", b"</p:").replace(b"</p:Region>", b"</p:Region >")
    for one in (content, prefixed):
        assert overfull(one, of.shape, 7) and not overfull(one, of.shape, 8)


def test_memory_is_that_of_one_piece() -> None:
    of = spec(REGION)
    line = to_xml(of, [sample(of, 2, 1)]).split(b"\n")[2] + b"\n"

    def document(times: int) -> Iterator[bytes]:
        yield b'<RegionList xmlns="urn:exn:region-code:1">'
        for _ in range(times):
            yield line * 50
        yield b"</RegionList>"

    def peak(times: int) -> int:
        tracemalloc.start()
        count = sum(1 for _ in cut_xml(document(times), None, of.shape, Limits(octets=20_000)))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count > times / 2
        return found

    peak(2)
    assert peak(60) - peak(6) < 100_000
