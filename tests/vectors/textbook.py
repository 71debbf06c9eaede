"""SM2 by the book (GB/T 32918), slow and with the nonce as an argument: what makes test vectors, and nothing else.

Vectors need the same octets each time, signatures over other products' digests, and wrapped keys that are wrong on
purpose; no provider of the node offers any of the three.
"""

from __future__ import annotations

from collections.abc import Callable

from node.envelope.cms import der

Digest = Callable[[bytes], bytes]
Point = tuple[int, int] | None
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
ID = b"1234567812345678"


def _b(number: int) -> bytes:
    return number.to_bytes(32, "big")


def add(one: Point, other: Point) -> Point:
    """Return the sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(scalar: int, point: Point) -> tuple[int, int]:
    """Return `scalar` times `point`."""
    total: Point = None
    while scalar:
        total = add(total, point) if scalar & 1 else total
        point, scalar = add(point, point), scalar >> 1
    assert total is not None
    return total


def public(d: int) -> bytes:
    """Return `04 ‖ X ‖ Y` of the key d."""
    x, y = times(d, G)
    return b"\x04" + _b(x) + _b(y)


def z(sm3: Digest, key: bytes, signer: bytes = ID) -> bytes:
    """Return Z of GB/T 32918.2 §5.5."""
    return sm3((8 * len(signer)).to_bytes(2, "big") + signer + b"".join(map(_b, (A, B, *G))) + key[1:])


def sign(d: int, e: bytes, k: int) -> tuple[int, int]:
    """Return r and s over the 32-byte e with nonce k (GB/T 32918.2 §6.1)."""
    r = (int.from_bytes(e, "big") + times(k, G)[0]) % N
    return r, pow(1 + d, -1, N) * (k - r * d) % N


def encrypt(sm3: Digest, key: bytes, clear: bytes, k: int) -> tuple[int, int, bytes, bytes]:
    """Return x1, y1, C3 and C2 with nonce k (GB/T 32918.4 §6.1)."""
    point = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    x2, y2 = map(_b, times(k, point))
    stream = b"".join(sm3(x2 + y2 + n.to_bytes(4, "big")) for n in range(1, 2 + len(clear) // 32))
    masked = bytes(a ^ b for a, b in zip(clear, stream))
    return *times(k, G), sm3(x2 + clear + y2), masked


def signature(r: int, s: int) -> bytes:
    """Return DER SM2Signature."""
    return der.sequence(der.integer(r), der.integer(s))


def cipher(x: int, y: int, digest: bytes, text: bytes) -> bytes:
    """Return DER SM2Cipher."""
    return der.sequence(der.integer(x), der.integer(y), der.octets(digest), der.octets(text))
