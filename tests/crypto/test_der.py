"""Strict DER: one value, one encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.crypto import der

NUMBERS = st.integers(0, (1 << 256) - 1) | st.integers(0, 300)


@given(NUMBERS, NUMBERS)
def test_a_signature_written_is_read_again(r: int, s: int) -> None:
    assert der.read_signature(der.write_signature(r, s)) == (r, s)


@given(NUMBERS, NUMBERS, st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_a_cipher_written_is_read_again(x: int, y: int, c3: bytes, c2: bytes) -> None:
    cipher = der.Sm2Cipher(x, y, c3, c2)
    assert der.read_cipher(der.write_cipher(cipher)) == cipher


@given(NUMBERS, NUMBERS, st.data())
def test_whatever_is_read_as_a_signature_is_what_would_be_written(r: int, s: int, data: st.DataObject) -> None:
    octets = bytearray(der.write_signature(r, s))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        pair = der.read_signature(bytes(octets))
    except der.Malformed:
        return
    assert der.write_signature(*pair) == octets


@given(st.binary(max_size=200))
def test_no_octets_raise_anything_but_malformed(octets: bytes) -> None:
    for read in (der.read_signature, der.read_cipher):
        try:
            read(octets)
        except der.Malformed:
            pass


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_every_length_has_its_shortest_form(size: int) -> None:
    encoded = der.encode(der.OCTET_STRING, bytes(size))
    assert der.Reader(encoded).take(der.OCTET_STRING) == bytes(size)
    for longer in (b"\x04\x84" + size.to_bytes(4, "big"), b"\x04\x85" + size.to_bytes(5, "big"), b"\x04\x80"):
        with pytest.raises(der.Malformed):
            der.Reader(longer + bytes(size)).take(der.OCTET_STRING)


@pytest.mark.parametrize("octets", [
    b"", b"\x02", b"\x02\x01", b"\x02\x81", b"\x02\x82\x01", b"\x02\x84\xff\xff\xff\xff\x00",
])
def test_an_element_cut_off_is_malformed(octets: bytes) -> None:
    with pytest.raises(der.Malformed):
        der.Reader(octets).number()


@pytest.mark.parametrize("dotted, octets", [
    ("1.2.156.10197.1.301", "06082a811ccf5501822d"),
    ("1.2.156.10197.6.1.4.2.2", "060a2a811ccf550601040202"),
    ("1.2.840.113549.1.5.13", "06092a864886f70d01050d"),
    ("2.5.29.15", "0603551d0f"),
])
def test_object_identifiers_have_the_published_octets(dotted: str, octets: str) -> None:
    assert der.object_id(dotted).hex() == octets
