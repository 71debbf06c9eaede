"""The profile of WIRE §1: what is written is read back, and any other writing of it is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.envelope.cms.enveloped import envelop, read_enveloped
from node.envelope.cms.signed import ORDER, read_signed, sign_data
from node.model import codes
from node.model.trouble import Refused, Trouble
from tests.envelope.cms.shapes import NAME, cipher, shape, signature

SIGNED = sign_data(b"content", shape(), lambda content: signature())
ENVELOPED = envelop(b"s" * 48, b"i" * 16, [(NAME, 77, cipher())])


@given(st.binary(max_size=300), st.integers(1, 2**160 - 1), st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
def test_what_is_signed_is_read_back(content: bytes, serial: int, r: int, s: int) -> None:
    certificate = shape(serial)
    signed = read_signed(sign_data(content, certificate, lambda content: signature(r, s)))
    assert (signed.content, signed.certificate_der) == (content, certificate.der)
    assert (signed.issuer, signed.serial, signed.signature) == (NAME, serial, signature(r, s))


SERIALS = st.integers(1, 2**160 - 1)


@given(st.integers(1, 40), st.binary(min_size=16, max_size=16), st.sets(SERIALS, min_size=1, max_size=2))
def test_what_is_enveloped_is_read_back(blocks: int, iv: bytes, serials: set[int]) -> None:
    told = [(NAME, serial, cipher(x=serial)) for serial in serials]
    enveloped = read_enveloped(envelop(b"c" * 16 * blocks, iv, told))
    assert sorted((r.issuer, r.serial, r.wrapped) for r in enveloped.recipients) == sorted(told)
    assert (enveloped.iv, enveloped.secret) == (iv, b"c" * 16 * blocks)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 20])
def test_every_length_of_content_is_written_in_its_shortest_form(size: int) -> None:
    assert read_signed(sign_data(bytes(size), shape(), lambda content: signature())).content == bytes(size)
    blocks = bytes(16 * (size // 16 + 1))
    assert read_enveloped(envelop(blocks, bytes(16), [(NAME, 1, cipher())])).secret == blocks


def _rewritten_signed(octets: bytes) -> bytes:
    signed = read_signed(octets)
    certificate = replace(shape(signed.serial, signed.issuer), der=signed.certificate_der)
    return sign_data(signed.content, certificate, lambda content: signed.signature)


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_is_refused_or_is_another_message_in_the_same_form(bit: int) -> None:
    for at in range(len(SIGNED)):
        touched = SIGNED[:at] + bytes((SIGNED[at] ^ 1 << bit,)) + SIGNED[at + 1:]
        try:
            signed = read_signed(touched)
        except Refused:
            continue
        assert signed != read_signed(SIGNED)
        assert _rewritten_signed(touched) == touched


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_of_an_envelope_is_refused_or_another_envelope_in_the_same_form(bit: int) -> None:
    for at in range(len(ENVELOPED)):
        touched = ENVELOPED[:at] + bytes((ENVELOPED[at] ^ 1 << bit,)) + ENVELOPED[at + 1:]
        try:
            enveloped = read_enveloped(touched)
        except Refused:
            continue
        assert enveloped != read_enveloped(ENVELOPED)
        told = [(r.issuer, r.serial, r.wrapped) for r in enveloped.recipients]
        assert envelop(enveloped.secret, enveloped.iv, told) == touched


@given(st.data())
def test_hostile_bytes_only_raise_trouble(data: st.DataObject) -> None:
    start = data.draw(st.sampled_from([b"", SIGNED, ENVELOPED]))
    cut = data.draw(st.integers(0, len(start)))
    hostile = start[:cut] + data.draw(st.binary(max_size=80)) + start[cut + data.draw(st.integers(0, 40)):]
    for read in (read_signed, read_enveloped):
        try:
            read(hostile)
        except Trouble as trouble:
            assert trouble.code is codes.CMS_FORM


@pytest.mark.parametrize("octets", [SIGNED, ENVELOPED])
def test_every_prefix_and_every_trailing_octet_is_refused(octets: bytes) -> None:
    read = read_signed if octets is SIGNED else read_enveloped
    for cut in range(len(octets)):
        with pytest.raises(Refused):
            read(octets[:cut])
    with pytest.raises(Refused):
        read(octets + b"\x00")


def test_no_recipient_three_recipients_and_one_recipient_twice_are_refused() -> None:
    for serials in ([], [1, 2, 3], [1, 1]):
        with pytest.raises(Refused) as caught:
            read_enveloped(envelop(b"s" * 16, bytes(16), [(NAME, n, cipher(x=at)) for at, n in enumerate(serials)]))
        assert caught.value.details == {"reason": "recipients"}


def test_a_flood_of_recipients_is_refused_by_its_length_before_it_is_read() -> None:
    many = envelop(b"s" * 16, bytes(16), [(NAME, n + 1, cipher()) for n in range(1000)])
    with pytest.raises(Refused) as caught:
        read_enveloped(many)
    assert caught.value.details == {"reason": "recipients"}
