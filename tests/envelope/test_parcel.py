"""A parcel whole: sealed, framed, verified, opened; and every way to break one."""

from __future__ import annotations

import ast
import os
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node import envelope
from node.envelope import (
    Said,
    Unopened,
    content_of,
    frame,
    open_parcel,
    read_manifest,
    reseal,
    unframe,
    verify,
    verify_bytes,
    void,
)
from node.envelope.binding import bind
from node.envelope.cms.enveloped import envelop, read_enveloped
from node.envelope.members import members
from node.envelope.opening import Opened
from node.model.parcel import NOTHING, Envelope
from node.model.spool import Sealed
from node.model.trouble import Hold, Refused, Trouble
from tests.crypto.papers import ORG
from tests.envelope.people import ALICE, BOB, CAROL, CRYPTO, Person, attested, draft, lines_of, opened, sealed


def receive(data: bytes, sender: Person = ALICE, receiver: Person = BOB) -> Opened:
    """What a receiver does with a frame, in the order of WIRE §2."""
    manifest, payload = unframe(data)
    said = verify(read_manifest(manifest, CRYPTO), sender.signing.certificate, CRYPTO)
    return open_parcel(verify_bytes(said, payload, CRYPTO), receiver.unwrap, CRYPTO)


@given(st.lists(st.binary(min_size=1, max_size=200).filter(lambda line: b"\n" not in line), min_size=1, max_size=20))
@settings(max_examples=25)
def test_what_is_sealed_opens_byte_for_byte(lines: list[bytes]) -> None:
    parcel = sealed(lines)
    found = receive(frame(parcel.manifest, parcel.payload))
    assert found.lines == lines
    assert (found.secret, found.manifest.digest, found.manifest.statement) == (
        parcel.secret, parcel.digest, parcel.statement
    )


def test_what_the_sender_adds_reaches_the_receiver() -> None:
    said = Said(purpose="statistics", grant="population:centre:statistics", operator="op", happened=(1, 2))
    found = opened(sealed(lines_of(2), said=said))
    assert found.inner is not None and found.inner.said == said


@pytest.mark.parametrize("lines", [lines_of(1, 100), lines_of(3, 2000)], ids=["plain", "zstd"])
def test_any_flipped_bit_is_refused_and_nothing_released(lines: list[bytes], seed: int) -> None:
    """One bit of every octet of the frame, the bit drawn by the seed; then pairs of them."""
    dice = random.Random(seed)
    parcel = sealed(lines, copy_to_self=True)
    data = frame(parcel.manifest, parcel.payload)
    spots = [[at] for at in range(len(data))] + [dice.sample(range(len(data)), 2) for _ in range(100)]
    for spot in spots:
        broken = bytearray(data)
        for at in spot:
            broken[at] ^= 1 << dice.randrange(8)
        with pytest.raises(Trouble):
            receive(bytes(broken))
    assert receive(data).lines == lines


def test_any_flipped_bit_of_the_ciphertext_fails_alike(seed: int) -> None:
    """Even one who could sign: whatever is wrong from unwrap to root, the answer is EXN-OPEN and no more."""
    dice = random.Random(seed)
    parcel = sealed(lines_of(1, 60))
    enveloped = read_enveloped(parcel.payload)
    answers = set()
    for at in range(len(enveloped.secret)):
        broken = bytearray(enveloped.secret)
        broken[at] ^= 1 << dice.randrange(8)
        infos = [(one.issuer, one.serial, one.wrapped) for one in enveloped.recipients]
        payload = envelop(bytes(broken), enveloped.iv, infos)
        key = BOB.unwrap(*infos[0])
        resigned = signed_again(parcel, payload, key)
        with pytest.raises(Unopened) as refusal:
            opened(resigned)
        answers.add((refusal.value.code.name, str(refusal.value), refusal.value.details == {}))
    assert answers == {("EXN-OPEN", "EXN-OPEN: The parcel cannot be opened", True)}


def signed_again(was: Sealed, payload: bytes, key: bytes | None, signer: Person = ALICE, **change: Any) -> Sealed:
    """Return the parcel with another payload, bound again under `key` if there is one, and signed again."""
    manifest = replace(was.statement, envelope=Envelope(len(payload), CRYPTO.sm3(payload).hex()), **change)
    if key is not None:
        manifest = replace(manifest, bind=bind(members(manifest), key, CRYPTO))
    der = envelope.write(manifest, *signer.signer)
    digest = envelope.digest_of(content_of(manifest), CRYPTO)
    return Sealed(manifest, digest, der, payload, was.secret)


def test_a_stolen_envelope_under_another_signature_is_refused_before_it_is_decrypted() -> None:
    parcel = sealed(lines_of(2))
    enveloped = read_enveloped(parcel.payload)
    torn = envelop(enveloped.secret[:-16], enveloped.iv, [recipient(parcel)])
    for payload in (parcel.payload, torn):
        stolen = signed_again(parcel, payload, None, CAROL, sender=CAROL.as_sender)
        with pytest.raises(Unopened) as refusal:
            opened(stolen, CAROL)
        assert refusal.value.reason == "bind"


def test_recipients_with_different_keys_do_not_open_alike() -> None:
    parcel = sealed(lines_of(2), copy_to_self=True)
    enveloped = read_enveloped(parcel.payload)
    infos = [
        (one.issuer, one.serial, CRYPTO.sm2_wrap(BOB.encryption.certificate.public, os.urandom(16)))
        if one.serial == BOB.encryption.certificate.serial else (one.issuer, one.serial, one.wrapped)
        for one in enveloped.recipients
    ]
    key = ALICE.unwrap(*next(info for info in infos if info[1] == ALICE.encryption.certificate.serial))
    forged = signed_again(parcel, envelop(enveloped.secret, enveloped.iv, infos), key)
    assert opened(forged, receiver=ALICE).lines
    with pytest.raises(Unopened) as refusal:
        opened(forged)
    assert refusal.value.reason == "bind"


@pytest.mark.parametrize("change", ["resource", "spec", "sender", "receiver"])
def test_an_inner_made_for_another_manifest_is_refused(change: str) -> None:
    """Signed and bound by its own sender: `inner` still says what the payload was sealed for."""
    parcel = sealed(lines_of(2))
    statement = parcel.statement
    changes: dict[str, Any] = {
        "resource": "legal-entity", "spec": replace(statement.spec, digest="1" * 64),
        "sender": CAROL.as_sender, "receiver": replace(statement.receiver, node="other"),
    }
    key = BOB.unwrap(*recipient(parcel))
    signer = CAROL if change == "sender" else ALICE
    forged = signed_again(parcel, parcel.payload, key, signer, **{change: changes[change]})
    with pytest.raises(Unopened) as refusal:
        opened(forged, signer)
    assert refusal.value.reason == "inner"


def recipient(parcel: Sealed) -> tuple[bytes, int, bytes]:
    one = read_enveloped(parcel.payload).recipients[0]
    return one.issuer, one.serial, one.wrapped


@pytest.mark.parametrize(("change", "reason"), [("count", "count"), ("root", "root"), ("parcel", "root")])
def test_a_count_or_root_of_other_records_is_refused(change: str, reason: str) -> None:
    parcel = sealed(lines_of(3))
    changes: dict[str, Any] = {"count": 2, "root": "1" * 64, "parcel": draft().parcel}
    forged = signed_again(parcel, parcel.payload, BOB.unwrap(*recipient(parcel)), **{change: changes[change]})
    with pytest.raises(Unopened) as refusal:
        opened(forged)
    assert refusal.value.reason == reason


def test_a_parcel_for_another_is_held_and_not_refused() -> None:
    with pytest.raises(Hold) as hold:
        opened(sealed(lines_of(1)), receiver=CAROL)
    assert hold.value.code.name == "EXN-KEY-ROLE"


def test_the_sender_opens_its_own_copy() -> None:
    lines = lines_of(2)
    parcel = sealed(lines, copy_to_self=True)
    assert opened(parcel).lines == opened(parcel, receiver=ALICE).lines == lines


def test_a_void_has_no_records_and_no_key() -> None:
    gone = sealed(lines_of(1))
    made = void(draft(), gone.digest, ALICE.signer, CRYPTO)
    assert (made.payload, made.statement.root, made.statement.bind) == (b"", NOTHING, NOTHING)
    found = receive(frame(made.manifest, made.payload))
    assert (found.lines, found.inner, found.manifest.statement.supersedes) == ((), None, gone.digest)
    with pytest.raises(Refused) as refusal:
        verify_bytes(attested(made.manifest), b"x", CRYPTO)
    assert refusal.value.code.name == "EXN-DIGEST"


def test_a_resealed_parcel_names_what_it_replaces() -> None:
    lines = lines_of(2)
    first = sealed(lines)
    again = reseal(
        draft(), first.digest, lines, Said(), ALICE.signer, [BOB.encryption.certificate], CRYPTO, os.urandom
    )
    assert again.statement.supersedes == first.digest and again.digest != first.digest
    assert opened(again).lines == lines


def test_sealing_keeps_its_rules() -> None:
    lines, bob = lines_of(1), BOB.encryption.certificate
    for made, recipients in (
        (draft(), []), (draft(), [CAROL.encryption.certificate]), (draft(CAROL), [bob]), (draft(kind="void"), [bob]),
        (draft(), [bob] * 3),
    ):
        with pytest.raises(ValueError):
            envelope.seal(made, lines, Said(), ALICE.signer, recipients, CRYPTO, os.urandom)
    for none_or_many in ([], [b"x"] * 65537):
        with pytest.raises(ValueError):
            sealed(none_or_many)
    to_signing = replace(BOB.as_receiver, cert=BOB.signing.certificate.fingerprint)
    with pytest.raises(Hold):
        envelope.seal(
            replace(draft(), receiver=to_signing), lines, Said(), ALICE.signer, [BOB.signing.certificate], CRYPTO,
            os.urandom,
        )
    with pytest.raises(Refused):
        sealed(lines, resource="no such/resource")


def test_a_parcel_over_a_limit_is_not_sealed() -> None:
    with pytest.raises(Refused) as refusal:
        sealed([b"x" * (1 << 20)] * 64)
    assert refusal.value.details["what"] == "records in clear"
    with pytest.raises(Refused) as refusal:
        sealed([os.urandom(1 << 20).replace(b"\n", b" ") for _ in range(17)])
    assert refusal.value.details["what"] == "payload"


def test_stages_are_made_in_one_place_only() -> None:
    """What a class says was proved is true only if nobody else makes one."""
    makers = {"Attested": "statement.py", "Verified": "opening.py", "Opened": "opening.py"}
    room = Path(envelope.__file__).parent
    for path in sorted(room.parent.rglob("*.py")):
        for spot in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(spot, ast.Call):
                name = getattr(spot.func, "attr", getattr(spot.func, "id", ""))
                assert name not in makers or path == room / makers[name], f"{path.name}:{spot.lineno} makes {name}"


def test_secrets_are_not_shown() -> None:
    parcel = sealed(lines_of(1))
    shown = repr(parcel) + repr(opened(parcel)) + repr(read_manifest(parcel.manifest, CRYPTO))
    assert parcel.secret.hex() not in shown and repr(parcel.secret)[2:20] not in shown
    assert ORG in shown
