"""The payload in clear: inner, compression, lines; directly, and sealed again so that all of `open` is reached."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from random import Random

import zstandard

from node.envelope import Unopened, merkle, open_parcel, read_manifest, verify, verify_bytes
from node.envelope.binding import bind
from node.envelope.cms.enveloped import envelop
from node.envelope.kinds import MOST
from node.envelope.members import members as said_by
from node.envelope.payload import expand, read_payload, split_lines
from node.envelope.statement import encode
from node.model.ids import uuid_bytes
from node.model.parcel import Envelope, Manifest
from node.model.trouble import Refused
from tests.fuzz.mutate import any_of, json_text, members, octets
from tests.fuzz.people import ALICE, BOB, CRYPTO, signed, unwrap
from tests.fuzz.target import MARKER, Target
from tests.vectors.wire_parts import Forge, line, zstd

KEY, IV = bytes(range(16)), bytes(range(16, 32))
LINES = [line(number) for number in range(3)] + [b'{"body":{"Name":"%b"},"head":{}}' % MARKER]
BASE = Forge("fuzz", LINES)


def seeds() -> Iterator[bytes]:
    """Yield payloads: plain, compressed, and every way a frame can lie about its size, window or dictionary."""
    body = b"".join(one + b"\n" for one in LINES)
    yield BASE.clear
    for packed in (
        zstandard.ZstdCompressor(write_content_size=True).compress(body), zstd(body), zstd(body, window=23),
        zstd(body, window=31), zstd(body, dictionary=7), zstd(body, size=None), zstd(body) * 2, zstd(b""),
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd" + zstd(body),
    ):
        yield replace(BASE, body=packed, compression="zstd").clear
    for run_of, size in ((1 << 20, -1), (64 << 20, -1), (3 << 30, 60 << 20), (3 << 30, -1)):
        packed = zstd(b"", run=min(run_of, 1 << 30), size=None if size == -1 else size)
        told = size if size > 0 else min(run_of, 64 << 20)
        yield replace(BASE, body=packed, compression="zstd", size=told).clear


@cache
def base() -> Manifest:
    """Return a manifest to change."""
    return read_manifest(BASE.statement, CRYPTO).statement


def run(data: bytes) -> Hashable:
    """Read the payload by its parts and through `open`: both take the same, and give the same lines."""
    try:
        payload = read_payload(data)
        lines = split_lines(expand(payload.inner.compression, payload.body, payload.inner.clear_size))
    except Refused:
        _sealed_again(data, b"", ())
        raise
    opened = _sealed_again(data, payload.secret, lines)
    assert opened is None or opened == lines
    return payload.inner.compression, len(lines).bit_length(), opened is None


def _sealed_again(data: bytes, secret: bytes, lines: Sequence[bytes]) -> Sequence[bytes] | None:
    """Return what `open` gives for a good parcel with this payload; None if it refuses."""
    octets_of = envelop(CRYPTO.sm4_cbc_encrypt(KEY, IV, data), IV, [(
        BOB.encryption.issuer, BOB.encryption.serial, CRYPTO.sm2_wrap(BOB.encryption.public, KEY)
    )])
    said = replace(base(), envelope=Envelope(len(octets_of), CRYPTO.sm3(octets_of).hex()), bind="00" * 32)
    if 0 < len(lines) <= min(MOST, 2000):
        leaves = merkle.leaves(uuid_bytes(said.parcel), merkle.salts(secret, len(lines), CRYPTO), lines, CRYPTO.sm3)
        said = replace(said, count=len(lines), root=merkle.root(leaves, CRYPTO.sm3).hex())
    said = replace(said, bind=bind(said_by(said), KEY, CRYPTO))
    attested = verify(read_manifest(signed("parcel", encode(said_by(said))), CRYPTO), ALICE.signing, CRYPTO)
    try:
        found = open_parcel(verify_bytes(attested, octets_of, CRYPTO), unwrap, CRYPTO)
    except Unopened:
        return None
    assert found.lines, "nothing was opened from something"
    return list(found.lines)


def inner(data: bytes, chance: Random) -> bytes:
    """Return the payload with its `inner` changed as JSON, its length put right."""
    size = int.from_bytes(data[32:36], "big")
    said = chance.choice((members, members, json_text))(data[36 : 36 + size], chance)
    return data[:32] + len(said).to_bytes(4, "big") + said + data[36 + size :]


TARGET = Target("payload", "payload: inner, zstd, lines", seeds, run, any_of(octets, inner), memory=256 << 20,
                most=1 << 20, rounds=60)
