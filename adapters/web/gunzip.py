"""What was packed by gzip, unpacked no further than is allowed."""

from __future__ import annotations

import zlib

RATIO = 200
"""So many times larger may packed rows become; a bomb grows a thousandfold."""

_FREE = 1 << 20
"""Octets below which nobody is harmed, however well they pack."""


class Bomb(Exception):
    """It unpacks to more than is allowed."""


def gunzip(packed: bytes, most: int) -> bytes:
    """Return what was packed; raise Bomb for more than `most` octets or RATIO, ValueError for what is not gzip."""
    allowed = min(most, max(_FREE, len(packed) * RATIO))
    out = bytearray()
    while packed:
        one = zlib.decompressobj(wbits=31)
        try:
            out += one.decompress(packed, allowed - len(out) + 1)
        except zlib.error:
            raise ValueError("not gzip") from None
        if len(out) > allowed:
            raise Bomb
        if not one.eof:
            raise ValueError("cut off")
        packed = one.unused_data
    return bytes(out)
