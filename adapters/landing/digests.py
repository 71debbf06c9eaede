"""Names of keys and rows in the ledger: what stands there tells nobody who they are.

A business key may be an identity number, and the ledger outlives the rows of the target.  It keeps BLAKE2b of the key,
keyed with a salt of 32 random octets that is made with the ledger and stands in it.

Rule 1: no secret of the node's is needed, for a secret that is lost or changed would make every version unknown, and
        history would overwrite news.  So the digest keeps a key from being read, and from being found by a list of
        digests made elsewhere; who may read both salt and ledger can still try all identity numbers.  He can read the
        target beside it anyway.
Rule 2: where a record stands at the target, its key is kept too, for its row may come back under another key and the
        old place must be found: hidden under a stream of SHAKE-256 of the row's own name, which the ledger does not
        hold.  It goes with the row.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from hashlib import blake2b, shake_256

LONGEST = 900
"""Most octets of a business key."""


class Digests:
    """Digests within one target and resource."""

    def __init__(self, salt: bytes, target: str, resource: str) -> None:
        self._place, self._row, self._lane = (
            blake2b(json.dumps([what, target, resource]).encode(), key=salt, digest_size=16)
            for what in ("place", "row", "lane")
        )
        self._hidden = shake_256(salt + json.dumps(["hidden", target, resource]).encode())

    def place(self, texts: Sequence[str]) -> str:
        """Return the digest of a place of the target."""
        made = self._place.copy()
        made.update(_one(texts))
        return made.hexdigest()

    def row(self, origin: str, row: str) -> str:
        """Return the digest of a row's own name."""
        made = self._row.copy()
        made.update(_one((origin, row)))
        return made.hexdigest()

    def lane(self, lane: str) -> str:
        """Return the digest of a lane's name; with an empty one, of the target itself."""
        made = self._lane.copy()
        made.update(lane.encode())
        return made.hexdigest()

    def hide(self, row: str, place: str, texts: Sequence[str]) -> str:
        """Return a key as it is kept beside the record that stands there; `row` is the row's own name."""
        return b64encode(self._mixed(row, place, _one(texts))).decode()

    def reveal(self, row: str, place: str, kept: str) -> tuple[str, ...] | None:
        """Return a key that was kept, None if it is not this row's."""
        try:
            return tuple(_parts(self._mixed(row, place, b64decode(kept))))
        except ValueError:
            return None

    def _mixed(self, row: str, place: str, octets: bytes) -> bytes:
        stream = self._hidden.copy()  # one for each row and place, which say what is hidden: it is never used for two
        stream.update(_one((row, place)))
        size = len(octets)
        mixed = int.from_bytes(octets, "big") ^ int.from_bytes(stream.digest(size), "big")
        return mixed.to_bytes(size, "big")


def _one(texts: Sequence[str]) -> bytes:
    if len(texts) == 1:
        octets = texts[0].encode()
        return b"%d:%b" % (len(octets), octets)
    if len(texts) == 2:
        one, other = texts[0].encode(), texts[1].encode()
        return b"%d:%b%d:%b" % (len(one), one, len(other), other)
    return b"".join(b"%d:%b" % (len(octets), octets) for octets in (text.encode() for text in texts))


def _parts(octets: bytes) -> Iterator[str]:
    while octets:
        size, _, octets = octets.partition(b":")
        yield octets[:int(size)].decode()
        octets = octets[int(size):]
