"""Receipts of each stage, and the verdict list beside one."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.envelope import (
    Attested,
    Enclosure,
    Letter,
    SealedVerdicts,
    Unopened,
    accepted,
    fill,
    open_verdicts,
    processed,
    read_letter,
    read_receipt,
    refused,
    seal_verdicts,
    verify,
    write,
    write_letter,
)
from node.envelope.cms.enveloped import envelop, read_enveloped
from node.model import codes
from node.model.parcel import NOTHING, Checkpoint, Outcome, Receipt, Stage, Verdict, VerdictList
from node.model.trouble import Hold, Refused
from tests.envelope.people import ALICE, AT, BOB, CAROL, CRYPTO, attested, lines_of, sealed

PARCEL = sealed(lines_of(4))
GIVEN = (attested(PARCEL.manifest), BOB.as_sender, ALICE.as_receiver, AT, Checkpoint(), "3" * 64)
VERDICTS = [
    Verdict(0, Outcome.APPLIED), Verdict(1, Outcome.REFUSED, "check-digit", "IdentityNumber"),
    Verdict(2, Outcome.OLDER),
    Verdict(3, Outcome.REFUSED, "table", "Address/Region"), Verdict(3, Outcome.REFUSED, "calendar", "Birth"),
]


def signed(receipt: Receipt) -> Attested[Receipt]:
    return verify(read_receipt(write(receipt, *BOB.signer), CRYPTO), BOB.signing.certificate, CRYPTO)


def listed(verdicts: list[Verdict]) -> SealedVerdicts:
    made = seal_verdicts(verdicts, ALICE.encryption.certificate, CRYPTO, os.urandom)
    assert made is not None
    return made


def told(made: SealedVerdicts, verdicts: list[Verdict]) -> Attested[Receipt]:
    return signed(processed(*GIVEN, verdicts, made.listed))


def test_a_receipt_of_each_stage_names_its_parcel() -> None:
    stages = [
        accepted(*GIVEN), processed(*GIVEN, VERDICTS[:1], None), refused(*GIVEN, codes.UNSUPPORTED),
    ]
    assert [one.stage for one in stages] == [Stage.ACCEPTED, Stage.PROCESSED, Stage.REFUSED]
    for receipt in stages:
        assert signed(receipt).statement == receipt
        assert (receipt.parcel, receipt.digest, receipt.envelope) == (
            PARCEL.statement.parcel, PARCEL.digest, PARCEL.statement.envelope.digest
        )


def test_verdicts_come_home() -> None:
    made = listed(VERDICTS)
    receipt = told(made, VERDICTS)
    assert receipt.statement.counts == {"applied": 1, "older": 1, "refused": 2}
    assert open_verdicts(receipt, made.envelope, ALICE.unwrap, CRYPTO) == [VERDICTS[1], *VERDICTS[3:]]


def test_nothing_refused_no_list() -> None:
    assert seal_verdicts(VERDICTS[:1], ALICE.encryption.certificate, CRYPTO, os.urandom) is None
    receipt = signed(processed(*GIVEN, VERDICTS[:1], None))
    with pytest.raises(Refused) as refusal:
        open_verdicts(receipt, b"", ALICE.unwrap, CRYPTO)
    assert refusal.value.code.name == "EXN-DIGEST"


def test_nothing_of_a_verdict_stands_in_the_receipt() -> None:
    made = listed(VERDICTS)
    content = told(made, VERDICTS).content
    for word in (b"check-digit", b"IdentityNumber", b"Region", b"index"):
        assert word not in content


def test_the_same_refusals_are_told_by_different_digests() -> None:
    """32 random octets come first, so a digest cannot be guessed back to a list."""
    first, second = listed(VERDICTS), listed(VERDICTS)
    assert first.listed.list != second.listed.list


def test_any_flipped_bit_of_the_list_is_refused(seed: int) -> None:
    dice = random.Random(seed)
    made = listed(VERDICTS)
    receipt = told(made, VERDICTS)
    for at in range(len(made.envelope)):
        broken = bytearray(made.envelope)
        broken[at] ^= 1 << dice.randrange(8)
        with pytest.raises(Refused) as refusal:
            open_verdicts(receipt, bytes(broken), ALICE.unwrap, CRYPTO)
        assert refusal.value.code.name == "EXN-DIGEST"


def test_a_list_its_issuer_broke_gives_one_answer() -> None:
    made = listed(VERDICTS)
    enveloped = read_enveloped(made.envelope)
    infos = [(one.issuer, one.serial, one.wrapped) for one in enveloped.recipients]
    for secret in (enveloped.secret[:-16], bytes(16), bytes([enveloped.secret[0] ^ 1]) + enveloped.secret[1:]):
        envelope = envelop(secret, enveloped.iv, infos)
        named = VerdictList(CRYPTO.sm3(envelope).hex(), made.listed.list)
        with pytest.raises(Unopened) as refusal:
            open_verdicts(signed(processed(*GIVEN, VERDICTS, named)), envelope, ALICE.unwrap, CRYPTO)
        assert str(refusal.value) == "EXN-OPEN: The parcel cannot be opened"


def test_a_list_is_for_its_receiver_alone() -> None:
    made = listed(VERDICTS)
    with pytest.raises(Hold):
        open_verdicts(told(made, VERDICTS), made.envelope, CAROL.unwrap, CRYPTO)
    with pytest.raises(Hold):
        seal_verdicts(VERDICTS, ALICE.signing.certificate, CRYPTO, os.urandom)


def test_content_does_not_fit_into_a_verdict() -> None:
    for verdict in (
        Verdict(1, Outcome.REFUSED, "rule", "名"), Verdict(1, Outcome.REFUSED, "a rule", "x"),
        Verdict(1, Outcome.REFUSED, "", "x"), Verdict(1, Outcome.REFUSED, "rule", 'x"y'),
    ):
        with pytest.raises(Refused):
            listed([verdict])


def test_a_letter_reads_back_as_it_was() -> None:
    ids = [PARCEL.statement.parcel]
    for letter in (
        Letter(), Letter((Enclosure(b"receipt", b"list"), Enclosure(b"other")), ids, ids, ids),
    ):
        read = read_letter(write_letter(letter))
        assert [tuple(part) for part in (read.receipts, read.ask, read.pending, read.unknown)] == [
            tuple(part) for part in (letter.receipts, letter.ask, letter.pending, letter.unknown)
        ]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b'{"ask":[],"pending":[],"receipts":[]}', b'{"ask":["x"],"pending":[],"receipts":[],"unknown":[]}',
        b'{"ask":[],"pending":[],"receipts":[{"receipt":"QR=="}],"unknown":[]}',
        b'{"ask":[],"pending":[],"receipts":[{}],"unknown":[]}',
        b'{"ask":[],"extra":1,"pending":[],"receipts":[],"unknown":[]}',
    ],
)
def test_a_letter_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read_letter(content)


def test_an_overlong_letter_is_not_written() -> None:
    with pytest.raises(Refused):
        write_letter(Letter(ask=[PARCEL.statement.parcel] * 1025))


@given(st.lists(st.tuples(st.integers(0, 4 << 20), st.integers(0, 12 << 20)), max_size=12))
@settings(max_examples=10)
def test_what_fits_into_a_letter_can_be_written(sizes: list[tuple[int, int]]) -> None:
    receipts = [Enclosure(bytes(one), bytes(other)) for one, other in sizes]
    fitting = list(fill(receipts))
    ids = [PARCEL.statement.parcel] * 1024
    write_letter(Letter(fitting, ids, ids, ids))
    assert fitting == receipts[: len(fitting)]
    if len(fitting) < len(receipts):
        with pytest.raises(Refused):
            write_letter(Letter(receipts[: len(fitting) + 1] + [Enclosure(bytes(1 << 20))], ids, ids, ids))
    assert len(fill([Enclosure(b"x")] * 2000)) == 1024


def test_a_checkpoint_goes_along() -> None:
    receipt = replace(accepted(*GIVEN), checkpoint=Checkpoint(7, "1" * 64))
    assert signed(receipt).statement.checkpoint == Checkpoint(7, "1" * 64) != Checkpoint(0, NOTHING)
