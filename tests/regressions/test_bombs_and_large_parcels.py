"""8 and 9: many, deep and packed things cost bounded memory and get a reason; a large one survives cuts.

phase4 #382: a fixed buffer for each of 10 000 parts.  pyas2 #120: a deep body was a 500.  OpenAS2 #36: 630 MB need
more than 2 GB of heap.  Oxalis-AS4 #95: a line cut in the middle of a large message lost it (PEERS §11.8, §11.9).

Files travel as parts in a later issue; today a parcel has at most 16 MiB and a submission what `api.body` says.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pytest
import zstandard
from OpenSSL import SSL

from node.envelope import MANIFEST_LIMIT, PAYLOAD_LIMIT, frame
from node.model.record import Stream
from node.wire.media import PARCEL
from tests.processes.exchange import CENTRE, SOURCE, until
from tests.regressions.hand import Hand, posted
from tests.regressions.standing import Standing

MIB, BEGIN = 1 << 20, b"EXNP\x01"
NDJSON, JSON, XML = "application/x-ndjson", "application/json", "application/xml"
DEEP = 200_000

# what is sent, as what, with which header; the code of the answer; how much memory it may cost
BOMBS: dict[str, tuple[bytes, str, dict[str, str], str]] = {
    "10 001 tiny records": (b"{}\n" * 10_001, NDJSON, {}, "EXN-TOO-LARGE"),
    "8 MiB of tiny records": (b"{}\n" * (8 * MIB // 3), NDJSON, {}, "EXN-TOO-LARGE"),
    "8 MiB of line ends": (b"\n" * (8 * MIB - 2), NDJSON, {}, "EXN-DOCUMENT"),
    "deep arrays": (b'{"a":' + b"[" * DEEP + b"]" * DEEP + b"}", JSON, {}, "EXN-DOCUMENT"),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, JSON, {}, "EXN-DOCUMENT"),
    "deep lines": (b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n{}", NDJSON, {}, "EXN-TOO-LARGE"),
    "deep elements": (b"<a>" * DEEP + b"</a>" * DEEP, XML, {}, "EXN-DOCUMENT"),
    "10 001 elements of one": (
        b'<PersonList xmlns="urn:exn:population-basic:1">' + b"<Person/>" * 10_001 + b"</PersonList>", XML, {}, "EXN-"),
    "many attributes": (b"<a " + b" ".join(b'b%d=""' % n for n in range(300_000)) + b"/>", XML, {}, "EXN-DOCUMENT"),
    "entities of entities": (
        b'<!DOCTYPE a [<!ENTITY b "bbbbbbbb">' + b"".join(
            b'<!ENTITY b%d "&b%d;&b%d;">' % (n + 1, n, n) for n in range(1, 30)) + b"]><a>&b30;</a>",
        XML, {}, "EXN-DOCUMENT"),
    "a packed body": (zlib.compress(bytes(64 * MIB), wbits=31), NDJSON, {"Content_Encoding": "gzip"}, "EXN-API-MEDIA"),
    "a packed body of another kind": (
        zstandard.compress(bytes(64 * MIB)), NDJSON, {"Content_Encoding": "zstd"}, "EXN-API-MEDIA"),
    "one record of 2 MiB": (b'{"Remark":"' + b"x" * (2 * MIB) + b'"}', JSON, {}, "EXN-TOO-LARGE"),
}
GROWTH = 64 * MIB


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_at_the_local_door_is_a_4xx_with_its_reason_in_bounded_memory(standing: Standing, name: str) -> None:
    body, media, headers, code = BOMBS[name]
    small = standing.forget_memory(SOURCE)
    heard = posted(standing, body, media, f"bomb-{name.replace(' ', '-')}", **headers)
    told = json.loads(heard.body)
    assert 400 <= heard.status < 500 and told["code"].startswith(code), (heard.status, told["code"])
    assert told["zh"] and told["en"], "with its reason in both languages"
    # A tree of XML is some forty times its text, and one is made at a time; nothing else may be.
    assert standing.memory(SOURCE) < small + (GROWTH if media != XML else GROWTH + 48 * len(body))
    assert standing.ask(SOURCE, "/livez")[0] == 200


def test_ten_thousand_tiny_good_records_in_one_body_are_taken(standing: Standing) -> None:
    """The limit is no bug of its own: what is allowed is taken, in bounded memory."""
    small = standing.forget_memory(SOURCE)
    body = b"\n".join(json.dumps({"RecordId": f"r{n}"}).encode() for n in range(10_000))
    heard = posted(standing, body, NDJSON, "bomb-allowed")
    assert heard.status == 422 and len(json.loads(heard.body)["refused"]) > 0, "each refused by its rules, by name"
    assert standing.memory(SOURCE) < small + 2 * GROWTH


def bombs(hand: Hand) -> Iterator[tuple[str, bytes]]:
    """Yield frames that a registered sender might post, by what is wrong with them."""
    good = hand.sealed([hand.line(hand.twin(1))], stream=Stream.RESUPPLY, resource="legal")
    yield "a manifest larger than allowed", (
        BEGIN + (MANIFEST_LIMIT + 1).to_bytes(4, "big") + bytes(MANIFEST_LIMIT + 1) + (1).to_bytes(8, "big") + b"x")
    yield "a payload that says it is huge", BEGIN + (4).to_bytes(4, "big") + b"abcd" + (1 << 62).to_bytes(8, "big")
    yield "a manifest of nested structures", frame(b"\x30\x80" * 30_000, good.payload)
    yield "a manifest of one endless length", frame(b"\x30\x84\xff\xff\xff\xff" + bytes(100), good.payload)
    yield "a body after the frame", frame(good.manifest, good.payload) + bytes(MIB)


def test_a_bomb_at_the_gateway_is_a_4xx_with_its_reason_in_bounded_memory(standing: Standing) -> None:
    small = standing.forget_memory(CENTRE)
    with Hand(standing, SOURCE) as hand:
        for name, octets in bombs(hand):
            heard = hand.post("/v1/parcels", octets, PARCEL)
            assert 400 <= heard.status < 500 and heard.code.startswith("EXN-"), (name, heard.status)
            hand.close()
        for depth in (100, 20_000):
            letter = b'{"ask":' + b"[" * depth + b"]" * depth + b',"pending":[],"receipts":[],"unknown":[]}'
            heard = hand.post("/v1/receipts?wait=0", letter, b"application/vnd.exn.letter+json")
            assert 400 <= heard.status < 500, (depth, heard.status)
    assert standing.memory(CENTRE) < small + GROWTH
    assert "EXN-FAULT" not in standing.events(CENTRE)


def test_a_parcel_of_nearly_16_mib_survives_cuts_at_10_50_and_99_percent_with_one_effect(standing: Standing) -> None:
    """One good record among fourteen of a megabyte, which their rules refuse: only the transport minds their size."""
    before, records = standing.arrived(), len(standing.history())
    with Hand(standing, SOURCE) as hand:
        large = [hand.line(hand.twin(200 + n, Remark=base64.b64encode(os.urandom(MIB)).decode()), n) for n in range(14)]
        sealed = hand.sealed([hand.line(hand.twin(199), 20), *large], stream=Stream.BACKFILL)
        octets = frame(sealed.manifest, sealed.payload)
        assert 0.85 * PAYLOAD_LIMIT < len(octets) <= PAYLOAD_LIMIT
        small = standing.forget_memory(CENTRE)
        for percent in (10, 50, 99):
            cut(hand, octets, len(octets) * percent // 100)
            assert standing.arrived() == before, "a part of it is nothing"
        heard = hand.post_parcel(sealed)
        assert heard.status == 200, heard.body
        assert hand.post_parcel(sealed).body == heard.body
        until("it is opened", lambda: len(hand.ask(sealed.statement.parcel).receipts) == 2)
    assert standing.arrived() == sorted([*before, sealed.statement.parcel])
    found = standing.history()
    assert len(found) == len(set(found)) == records + 1
    grown = standing.memory(CENTRE) - small
    print(f"{grown / len(octets):.1f} octets of memory for each of the parcel")
    assert grown < 16 * len(octets)


def cut(hand: Hand, octets: bytes, most: int) -> None:
    """Post a frame whose line is gone after so many octets."""
    channel = hand.channel()
    head = f"POST /v1/parcels HTTP/1.1\nHost: x\nContent-Type: {PARCEL.decode()}\nContent-Length: {len(octets)}\n\n"
    with suppress(SSL.Error, OSError):
        channel.sendall(head.replace("\n", "\r\n").encode("ascii"))
        channel.sendall(octets[:most])
    channel.drop()


def test_a_parcel_over_the_limit_is_refused_with_its_size_before_it_is_read(standing: Standing) -> None:
    small = standing.forget_memory(CENTRE)
    with Hand(standing, SOURCE) as hand:
        heard = hand.post("/v1/parcels", bytes(PAYLOAD_LIMIT + MANIFEST_LIMIT + 65), PARCEL)
    assert (heard.status, heard.code) == (413, "EXN-TOO-LARGE")
    assert f"{PAYLOAD_LIMIT + MANIFEST_LIMIT + 64}" in heard.body.decode()
    assert standing.memory(CENTRE) < small + 8 * MIB


def test_a_submission_of_8_mib_is_cut_and_sent_again_with_one_effect_in_bounded_memory(standing: Standing) -> None:
    before = len(standing.history())
    body = standing.people(2_000)
    seat, small = standing.seat(SOURCE), standing.forget_memory(SOURCE)
    for percent in (10, 50, 99):
        line = http.client.HTTPConnection(seat.host, seat.api, timeout=20)
        line.putrequest("POST", "/v1/resources/population/records")
        for name, value in (
            ("Authorization", f"Bearer {seat.token.read_text().strip()}"), ("Content-Type", NDJSON),
            ("Idempotency-Key", "cut"), ("Content-Length", f"{len(body.octets)}"),
        ):
            line.putheader(name, value)
        line.endheaders(body.octets[: len(body.octets) * percent // 100])
        line.close()
    told = [posted(standing, body.octets, NDJSON, "cut") for _ in range(2)]
    assert told[0].status == 202 and (told[1].status, told[1].body) == (202, told[0].body)
    standing.accounted()
    found = standing.history()
    assert len(found) == len(set(found)) == before + body.count
    assert standing.memory(SOURCE) < small + GROWTH
