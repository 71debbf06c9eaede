"""The recommended curve of GB/T 32918.5 as numbers, and what both SM2 providers derive from it."""

from __future__ import annotations

from collections.abc import Callable

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
CURVE_OID = "1.2.156.10197.1.301"

_FIXED = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY))


def on_curve(x: int, y: int) -> bool:
    """Return whether (x, y) is a point of the curve; its order is prime, so no further group check is needed."""
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def coordinates(public: bytes) -> tuple[int, int] | None:
    """Return x and y of `04 ‖ X ‖ Y`, or None unless it is a point of the curve in exactly this form."""
    if len(public) != 65 or public[0] != 4:
        return None
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    return (x, y) if on_curve(x, y) else None


def in_range(r: int, s: int) -> bool:
    """Return whether r and s of a signature are in 1 … n−1 (GB/T 32918.2 §7.1, steps B1 and B2)."""
    return 0 < r < N and 0 < s < N


def z_value(sm3: Callable[[bytes], bytes], public: bytes, signer: bytes) -> bytes:
    """Return Z = SM3(ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA), ENTL in bits (GB/T 32918.2 §5.5).

    Z is always ours: libraries disagree about the identity that holds when none is set.
    """
    return sm3((len(signer) * 8).to_bytes(2, "big") + signer + _FIXED + public[1:])
