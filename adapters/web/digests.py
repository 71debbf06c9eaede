"""Rows known again by 64 bits each, and many of them as one short text for a bookmark."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

OCTETS = 8


def digest(tree: Any) -> int:
    """Return 64 bits of a digest of a row, or of what its `repr` tells all of; the order of names is no matter."""
    said = [(name, tree[name]) for name in sorted(tree)] if isinstance(tree, Mapping) else tree
    return int.from_bytes(blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=OCTETS).digest(), "big")


def pack(digests: Iterable[int]) -> str:
    """Return digests as a text."""
    return base64.b64encode(b"".join(one.to_bytes(OCTETS, "big") for one in digests)).decode()


def unpack(said: Any) -> list[int]:
    """Return the digests that `pack` packed; raise ValueError or TypeError for what it did not."""
    octets = base64.b64decode(said, validate=True)
    if len(octets) % OCTETS:
        raise ValueError
    return [int.from_bytes(octets[at:at + OCTETS], "big") for at in range(0, len(octets), OCTETS)]
