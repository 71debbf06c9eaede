"""SM2 by the book (GB/T 32918), slow and with the nonce as an argument: what makes test vectors, and nothing else.

Vectors need the same octets each time, signatures over other products' digests, and wrapped keys that are wrong on
purpose; no provider of the node offers any of the three.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

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


Jacobian = tuple[int, int, int]  # (X, Y, Z) for the point (X/Z², Y/Z³): one inversion for a whole multiple


def _double(point: Jacobian) -> Jacobian:
    x, y, z = point
    s, m = 4 * x * y * y % P, 3 * (x - z * z) * (x + z * z) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y * z % P


def _add(one: Jacobian, other: tuple[int, int]) -> Jacobian:
    x, y, z = one
    square = z * z % P
    h, r = (other[0] * square - x) % P, (other[1] * square * z - y) % P
    if h == 0:
        return _double(one) if r == 0 else (1, 1, 0)
    cube, v = h * h * h % P, x * h * h % P
    x3 = (r * r - cube - 2 * v) % P
    return x3, (r * (v - x3) - y * cube) % P, z * h % P


def times(scalar: int, point: Point) -> tuple[int, int]:
    """Return `scalar` times `point`; neither point nor product may be the point at infinity."""
    assert point is not None
    total: Jacobian | None = None
    if point == G:  # a sum of its powers of two, which are known
        for bit, power in zip(bin(scalar)[:1:-1], _powers()):
            if bit == "1":
                total = _add(total, power) if total else (*power, 1)
        return _affine(total)
    for bit in bin(scalar)[2:]:
        total = _double(total) if total else None
        if bit == "1":
            total = _add(total, point) if total and total[2] else (*point, 1)
    return _affine(total)


def _affine(point: Jacobian | None) -> tuple[int, int]:
    assert point is not None and point[2]
    inverse = pow(point[2], -1, P)
    return point[0] * inverse * inverse % P, point[1] * pow(inverse, 3, P) % P


@cache
def _powers() -> list[tuple[int, int]]:
    found = [G]
    while len(found) < 256:
        found.append(_affine(_double((*found[-1], 1))))
    return found


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
