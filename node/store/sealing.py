"""What rests on disk: lines packed, compressed and sealed under the storage key, each bound to its place.

Rule 1: a value is bound to (store, table, primary key): moved to another row it does not open.
Rule 2: compress first, seal then: sealed octets do not compress.
Rule 3: a value of ours that does not open is damage here, never somebody's refusal.
Rule 4: what was sealed to be read once, soon, is kept in clear in memory until then, at most `KEPT` octets; it stands
        for the octets on disk only where these have its name and its place, so the disk decides what there is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from node.model import codes
from node.model.trouble import Refused, trouble
from node.ports import Storage

MAC = 16
"""Octets kept of a keyed digest: 2⁶⁴ values before two are likely to meet, and half the index."""

KEPT = 8 << 20
"""Octets kept in clear of values about to be read: eight parcels."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Return u32 count ‖ u32 length of each ‖ the parts."""
    return struct.pack(f">I{len(parts)}I", len(parts), *map(len, parts)) + b"".join(parts)


def unpack(octets: bytes) -> list[bytes]:
    """Undo `pack`."""
    (count,) = struct.unpack_from(">I", octets)
    lengths = struct.unpack_from(f">{count}I", octets, 4)
    return [octets[start:end] for start, end in pairwise(accumulate(lengths, initial=4 + 4 * count))]


def seal_name(sealed: bytes) -> bytes:
    """Return what tells a sealed value from every other: its head with key id and nonce, and its tag.

    The tag answers for all between under the storage key, so a ledger that names these names the value.
    """
    return sealed[:16] + sealed[-16:]


class Sealing:
    """The storage key at work in one store.  It holds a compressor, and so belongs to one thread."""

    def __init__(self, storage: Storage, store: str) -> None:
        self._storage, self._store = storage, store.encode()
        self._compressor = ZstdCompressor(level=1, write_checksum=False)
        self._decompressor = ZstdDecompressor()
        self._kept: dict[tuple[bytes, bytes], list[bytes]] = {}
        self._octets = 0

    def seal(self, table: str, key: object, clear: bytes) -> bytes:
        """Return `clear` sealed to its row."""
        return self._storage.seal(self._place(table, key), clear)

    def open(self, table: str, key: object, sealed: bytes) -> bytes:
        """Undo `seal`; raise Hold(STORE_DAMAGED) if it was moved or touched, Hold(KEY_FILE) if its key is missing."""
        try:
            return self._storage.open(self._place(table, key), sealed)
        except Refused:
            raise self._damaged() from None

    def seal_parts(self, table: str, key: object, parts: Sequence[bytes], *, soon: bool = False) -> bytes:
        """Return parts packed, compressed and sealed to their row; `soon` says that they are read back soon, once."""
        sealed = self.seal(table, key, self._compressor.compress(pack(parts)))
        if soon:
            self._keep(self._place(table, key), sealed, list(parts))
        return sealed

    def open_parts(self, table: str, key: object, sealed: bytes) -> list[bytes]:
        """Undo `seal_parts`; raises as `open`."""
        known = self._kept.pop((self._place(table, key), seal_name(sealed)), None) if self._kept else None
        if known is not None:
            self._octets -= sum(map(len, known))
            return known
        clear = self.open(table, key, sealed)
        try:
            return unpack(self._decompressor.decompress(clear))
        except (ZstdError, struct.error):
            raise self._damaged() from None

    def _keep(self, place: bytes, sealed: bytes, parts: list[bytes]) -> None:
        """Keep parts in clear; the oldest go when there are too many: their lane does not keep up."""
        self._kept[place, seal_name(sealed)] = parts
        self._octets += sum(map(len, parts))
        while self._octets > KEPT:
            self._octets -= sum(map(len, self._kept.pop(next(iter(self._kept)))))

    def mac(self, label: bytes, *parts: bytes) -> bytes:
        """Return a keyed digest of the parts, cut to `MAC` octets, for looking up without showing."""
        return self._storage.index(label, *parts)[:MAC]

    def macs(self, label: bytes, *first: bytes) -> Callable[..., bytes]:
        """Return `mac` for many values that share the label and the first parts: a function of the other parts."""
        index = self._storage.indexer(label, *first)
        return lambda *parts: index(*parts)[:MAC]

    def _place(self, table: str, key: object) -> bytes:
        octets = key if isinstance(key, bytes) else str(key).encode()
        return b"%b/%b/%b" % (self._store, table.encode(), octets)

    def _damaged(self) -> Exception:
        return trouble(codes.STORE_DAMAGED, name=self._store.decode())
