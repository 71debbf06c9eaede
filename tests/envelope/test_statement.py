"""Statements: closed members per kind, one spelling, signed by the certificate they name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.envelope import (
    Statement,
    content_of,
    digest_of,
    read_collect,
    read_manifest,
    read_probe,
    read_receipt,
    verify,
    write,
)
from node.envelope.cms.signed import sign_data
from node.envelope.kinds import KINDS, LEAF, lead
from node.envelope.statement import decode
from node.model.ids import uuid_text
from node.model.parcel import (
    NOTHING,
    Batch,
    Checkpoint,
    Collect,
    Envelope,
    LaneHead,
    Manifest,
    Party,
    Place,
    Probe,
    Receipt,
    Stage,
    VerdictList,
)
from node.model.record import SpecificationId, Stream
from node.model.trouble import Hold, Refused
from tests.envelope.people import ALICE, AT, BOB, CAROL, CRYPTO

CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex).filter(lambda text: text != NOTHING)
PARTIES = st.builds(Party, st.from_regex(r"[0-9A-HJ-NPQRTUWXY]{18}", fullmatch=True), CODES, DIGESTS)
NUMBERS = st.integers(1, 2**53 - 1)
TIMES = st.integers(0, 4_000_000_000_000)
UUIDS = st.binary(min_size=16, max_size=16).map(
    lambda data: uuid_text(data[:6] + bytes([0x70 | data[6] & 15, data[7], 0x80 | data[8] & 63]) + data[9:])
)
DOMAINS = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True)
STREAMS = st.sampled_from(Stream)
BOOTS = st.binary(min_size=16, max_size=16).map(bytes.hex)
EXT = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.integers(0, 9) | st.just(["x"]), max_size=2)
OPTION = st.none

MANIFESTS = st.builds(
    Manifest, DOMAINS, PARTIES, PARTIES, UUIDS, st.just("records"), CODES, STREAMS,
    st.builds(SpecificationId, CODES, st.from_regex(r"[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True), DIGESTS),
    st.builds(Place, NUMBERS, NUMBERS, DIGESTS), TIMES, st.integers(0, 9), st.just(LEAF), st.integers(1, 65536),
    DIGESTS, st.builds(Envelope, NUMBERS, DIGESTS), DIGESTS, st.none() | TIMES, st.none() | DIGESTS,
    st.lists(CODES, max_size=8).map(tuple), st.none() | st.builds(Batch, UUIDS, NUMBERS, st.booleans()), EXT,
)
COUNTS = st.builds(lambda a, b: {"applied": a, "older": b, "refused": 0}, st.integers(0, 99), st.integers(0, 99))
_ABOUT: Any = (UUIDS, DIGESTS, DIGESTS, NUMBERS, NUMBERS, TIMES, st.builds(Checkpoint, NUMBERS, DIGESTS), DIGESTS)
RECEIPTS = st.one_of(
    st.builds(Receipt, DOMAINS, PARTIES, PARTIES, st.just(Stage.ACCEPTED), *_ABOUT),
    st.builds(Receipt, DOMAINS, PARTIES, PARTIES, st.just(Stage.REFUSED), *_ABOUT, code=st.just("EXN-OPEN")),
    st.builds(Receipt, DOMAINS, PARTIES, PARTIES, st.just(Stage.PROCESSED), *_ABOUT, counts=COUNTS),
    st.builds(
        Receipt, DOMAINS, PARTIES, PARTIES, st.just(Stage.PROCESSED), *_ABOUT,
        counts=st.just({"applied": 0, "older": 1, "refused": 2}), verdicts=st.builds(VerdictList, DIGESTS, DIGESTS),
    ),
)
HEADS = st.builds(LaneHead, CODES, CODES, CODES, STREAMS, NUMBERS, NUMBERS, DIGESTS)
PROBES = st.builds(
    Probe, DOMAINS, PARTIES, PARTIES, NUMBERS, BOOTS, TIMES, st.lists(HEADS, max_size=3).map(tuple), EXT
)
COLLECTS = st.builds(Collect, DOMAINS, PARTIES, PARTIES, NUMBERS, BOOTS, TIMES, EXT)
KIND = {Manifest: "parcel", Receipt: "receipt", Probe: "probe", Collect: "collect"}


@given(st.one_of(MANIFESTS, RECEIPTS, PROBES, COLLECTS))
def test_a_statement_reads_back_as_it_was(statement: Statement) -> None:
    content = content_of(statement)
    kind = KIND[type(statement)]
    assert content.startswith(lead(kind))
    assert decode(kind, content) == statement
    assert content_of(decode(kind, content)) == content


MANIFEST = Manifest(
    "city.test", ALICE.as_sender, BOB.as_receiver, "01964d1f-8f80-7000-8000-000000000001", "records", "population",
    Stream.LIVE, SpecificationId("population-basic", "1.0", "5" * 64), Place(7, 1, NOTHING), AT, 5, LEAF, 2, "6" * 64,
    Envelope(1000, "7" * 64), "8" * 64,
)
RECEIPT = Receipt(
    "city.test", BOB.as_sender, ALICE.as_receiver, Stage.ACCEPTED, MANIFEST.parcel, "1" * 64, "2" * 64, 7, 1, AT,
    Checkpoint(), "3" * 64,
)
PROBE = Probe("city.test", ALICE.as_sender, BOB.as_receiver, 7, "0" * 32, AT, ())
COLLECT = Collect("city.test", ALICE.as_sender, BOB.as_receiver, 7, "0" * 32, AT)
READERS = {"parcel": read_manifest, "receipt": read_receipt, "probe": read_probe, "collect": read_collect}


@pytest.mark.parametrize("statement", [MANIFEST, RECEIPT, PROBE, COLLECT], ids=lambda one: type(one).__name__)
def test_a_signed_statement_is_attested_for_its_kind_alone(statement: Any) -> None:
    signer = BOB if statement is RECEIPT else ALICE
    der = write(statement, *signer.signer)
    kind = KIND[type(statement)]
    for name, read in READERS.items():
        if name == kind:
            unverified: Any = read(der, CRYPTO)
            said = verify(unverified, signer.signing.certificate, CRYPTO)
            assert said.statement == statement
            assert said.digest == digest_of(content_of(statement), CRYPTO)
            assert unverified.claimed == signer.signing.certificate.fingerprint
        else:
            with pytest.raises(Refused) as refusal:
                read(der, CRYPTO)
            assert refusal.value.code.name == "EXN-STATEMENT"


def changed(**change: Any) -> bytes:
    said = orjson.loads(content_of(MANIFEST))
    for name, value in change.items():
        if value is None:
            del said[name]
        else:
            said[name] = value
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1}, {"root": None}, {"root": "A" * 64}, {"root": "a" * 63}, {"root": 1}, {"count": "1"}, {"count": 0},
        {"count": True}, {"priority": 10}, {"stream": "dead"}, {"kind": "Records"}, {"leaf": "exn.leaf.2"},
        {"parcel": "01964D1F-8F80-7000-8000-000000000001"}, {"parcel": "01964d1f-8f80-4000-8000-000000000001"},
        {"created": "2026-02-30T00:00:00.000Z"}, {"created": "2026-02-03T00:00:00Z"}, {"resource": "人口"},
        {"resource": "a b"}, {"resource": "../etc"}, {"via": []}, {"via": ["n"] * 9}, {"crit": []}, {"crit": ["x"]},
        {"crit": ["x"], "ext": {"x": 1}}, {"ext": []}, {"ext": {"x": None}}, {"ext": {"x": {"y": 1.5}}},
        {"lane": {"epoch": 7, "prev": NOTHING, "seq": 2}}, {"lane": {"epoch": 7, "prev": NOTHING, "seq": 0}},
        {"lane": {"epoch": 0, "prev": NOTHING, "seq": 1}}, {"lane": {"epoch": 7, "prev": NOTHING, "seq": 1, "x": 1}},
        {"envelope": {"digest": "7" * 64, "size": 0}}, {"bind": NOTHING}, {"root": NOTHING}, {"kind": "void"},
        {"batch": {"id": "x", "last": True, "part": 1}}, {"supersedes": ""}, {"domain": "City"},
        {"sender": {"cert": "1" * 64, "node": "n", "org": "91110000MA00A0000O"}}, {"@type": "exn.parcel.2"},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_member_outside_its_pattern_is_refused(change: dict[str, Any]) -> None:
    assert decode("parcel", changed()) == MANIFEST
    with pytest.raises(Refused) as refusal:
        decode("parcel", changed(**change))
    assert refusal.value.code.name == "EXN-STATEMENT"


@pytest.mark.parametrize(
    "change",
    [
        {"code": "EXN-OPEN"}, {"stage": Stage.REFUSED}, {"stage": Stage.PROCESSED}, {"counts": {"applied": 1}},
        {"stage": Stage.PROCESSED, "counts": {"applied": 1, "older": 0, "refused": 1}},
        {"stage": Stage.PROCESSED, "counts": {"applied": 1, "older": 0, "refused": 0},
         "verdicts": VerdictList("1" * 64, "2" * 64)},
        {"checkpoint": Checkpoint(1, NOTHING)}, {"checkpoint": Checkpoint(0, "1" * 64)}, {"code": "exn"},
    ],
)
def test_a_receipt_that_contradicts_itself_is_neither_written_nor_read(change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        content_of(replace(RECEIPT, **change))


def test_an_unknown_kind_of_parcel_is_well_formed() -> None:
    """It is answered by a signed *refused*, so it must be readable."""
    said = replace(MANIFEST, kind="file-of-the-future")
    assert decode("parcel", content_of(said)) == said


def test_what_stands_in_ext_is_kept() -> None:
    said = replace(MANIFEST, ext={"later": {"deep": ["x", 1, True]}})
    assert decode("parcel", content_of(said)) == said


def test_reserved_kinds_are_not_read_yet() -> None:
    for kind in ("command", "checkpoint", "snapshot"):
        assert kind not in KINDS


def test_another_certificate_another_name_or_another_key_is_refused() -> None:
    good = write(MANIFEST, *ALICE.signer)
    other_name = write(replace(MANIFEST, sender=CAROL.as_sender), *ALICE.signer)
    other_key = write(MANIFEST, ALICE.signing.certificate, CAROL.signing.key.sign)
    for der, certificate in (
        (good, CAROL.signing.certificate), (other_name, ALICE.signing.certificate),
        (other_key, ALICE.signing.certificate), (other_name, CAROL.signing.certificate),
    ):
        with pytest.raises(Refused) as refusal:
            verify(read_manifest(der, CRYPTO), certificate, CRYPTO)
        assert refusal.value.code.name == "EXN-SIGNATURE"


def test_an_encryption_certificate_signs_nothing() -> None:
    certificate = ALICE.encryption.certificate
    said = replace(MANIFEST, sender=replace(ALICE.as_sender, cert=certificate.fingerprint))
    der = write(said, certificate, ALICE.encryption.key.sign)
    with pytest.raises(Hold) as hold:
        verify(read_manifest(der, CRYPTO), certificate, CRYPTO)
    assert hold.value.code.name == "EXN-KEY-ROLE"


def test_two_wrappings_of_one_content_are_one_statement() -> None:
    first, second = (read_manifest(write(MANIFEST, *ALICE.signer), CRYPTO) for _ in range(2))
    assert first.der != second.der and first.digest == second.digest


def test_the_size_is_bounded_before_anything_is_read() -> None:
    for read in (read_manifest, read_receipt, read_collect):
        with pytest.raises(Refused) as refusal:
            read(bytes((64 << 10) + 1), CRYPTO)
        assert refusal.value.code.name == "EXN-TOO-LARGE"


def test_a_large_statement_is_not_written() -> None:
    huge = replace(MANIFEST, ext={"padding": ["x" * 1000] * 70})
    with pytest.raises(Refused) as refusal:
        write(huge, *ALICE.signer)
    assert refusal.value.code.name == "EXN-TOO-LARGE"


def test_content_of_no_known_kind_is_refused() -> None:
    command, parcel, later = b'{"@type":"exn.command.1"}', b'{"@type":"exn.parcel.1"}', b'{"@type":"exn.parcel.10",'
    for content in (b"", b"{}", command, parcel, later):
        der = sign_data(content, *ALICE.signer)
        with pytest.raises(Refused):
            read_manifest(der, CRYPTO)
