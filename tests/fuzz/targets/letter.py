"""Letters of `/v1/receipts`, and the verdict list beside a receipt."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import cache

from node.envelope import Attested, Enclosure, Letter, open_verdicts, read_letter, read_receipt, verify, write_letter
from node.envelope.cms.enveloped import envelop
from node.model.parcel import Outcome, Receipt, VerdictList
from tests.fuzz.mutate import any_of, armoured, asn1, json_text, members, octets
from tests.fuzz.people import ALICE, BOB, CAROL, CRYPTO, files, rows, unwrap
from tests.fuzz.target import MARKER, Target

KEY, IV = bytes(range(16)), bytes(range(16, 32))
IDS = [f"01a206c0-7316-73f6-aa3e-76256c39168{digit}" for digit in "abcd"]


def letters() -> Iterator[bytes]:
    """Yield letters of every sort."""
    receipts = [Enclosure(one, b"verdicts" if number % 2 else b"") for number, one in enumerate(files("statements"))]
    yield write_letter(Letter())
    yield write_letter(Letter(receipts[:3], IDS[:1], IDS[1:2], IDS[2:]))
    yield write_letter(Letter((), IDS * 200))


def run_letter(data: bytes) -> Hashable:
    """Read; what is read is written back as the same octets."""
    letter = read_letter(data)
    assert write_letter(letter) == data
    return tuple(len(part).bit_length() for part in (letter.receipts, letter.ask, letter.pending, letter.unknown))


def lists() -> Iterator[bytes]:
    """Yield verdict lists in clear."""
    yield b'[{"field":"PersonName","index":0,"rule":"required"}]'
    yield b'[{"field":"","index":65536,"rule":"op"},{"field":"A/B[2]","index":1,"rule":"x"}]'
    yield b'[{"field":"%b","index":1,"rule":"%b"}]' % (MARKER, MARKER)
    yield b"[]"
    yield b"x" * 40


@cache
def base() -> Attested[Receipt]:
    """Return a good receipt to change, whoever signed it."""
    row = next(row for row in rows("statements") if row["expects"] == "receipt" and row["stage"] == "good")
    signing = next(one.signing for one in (ALICE, BOB, CAROL) if one.code == row["signer"])
    return verify(read_receipt(row["octets"], CRYPTO), signing, CRYPTO)


def run_list(data: bytes) -> Hashable:
    """Seal the list for a receipt that names it, and open it."""
    clear = bytes(32) + data
    wrap = (BOB.encryption.issuer, BOB.encryption.serial, CRYPTO.sm2_wrap(BOB.encryption.public, KEY))
    envelope = envelop(CRYPTO.sm4_cbc_encrypt(KEY, IV, clear), IV, [wrap])
    listed = VerdictList(CRYPTO.sm3(envelope).hex(), CRYPTO.sm3(clear).hex())
    receipt = replace(base(), statement=replace(base().statement, verdicts=listed))
    verdicts = open_verdicts(receipt, envelope, unwrap, CRYPTO)
    assert verdicts and all(one.outcome is Outcome.REFUSED for one in verdicts)
    return len(verdicts).bit_length()


TARGETS = (
    Target("letter", "letters of receipts", letters, run_letter,
           any_of(members, json_text, octets, armoured(asn1)), rounds=200),
    Target("verdicts", "verdict lists", lists, run_list, any_of(members, json_text, octets), rounds=100),
)
