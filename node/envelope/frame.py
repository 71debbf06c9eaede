"""A parcel's frame: `EXNP` 01 ‖ u32 length ‖ manifest ‖ u64 length ‖ payload, nothing after (WIRE §2).

Rule 1: a length is held against its limit before anything is kept for it.
Rule 2: this file knows octets only; what is inside is read elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from node.model import codes
from node.model.trouble import Trouble, trouble

MAGIC = b"EXNP\x01"
MANIFEST_LIMIT = 64 << 10
PAYLOAD_LIMIT = 16 << 20
_FRONT = len(MAGIC) + 4


class Framed(NamedTuple):
    """The two parts of a parcel as they stood in its frame."""

    manifest: bytes
    payload: bytes


def frame(manifest: bytes, payload: bytes) -> bytes:
    """Return the frame of a parcel; raise Refused(TOO_LARGE) above a limit."""
    return frame_head(manifest, len(payload)) + payload


def frame_head(manifest: bytes, size: int) -> bytes:
    """Return the frame up to where a payload of `size` octets follows, so that it need not be copied."""
    _bound("manifest", len(manifest), MANIFEST_LIMIT)
    _bound("payload", size, PAYLOAD_LIMIT)
    return b"".join((MAGIC, len(manifest).to_bytes(4, "big"), manifest, size.to_bytes(8, "big")))


def unframe(data: bytes) -> Framed:
    """Return both parts of a whole frame; raise Refused(FRAME, TOO_LARGE)."""
    reader = FrameReader()
    reader.feed(data)
    payload = reader.take()
    reader.finish()
    return Framed(reader.manifest or b"", payload)


class FrameReader:
    """Reads a frame as it arrives: the manifest first, then the payload piece by piece.

    `manifest` and `size` (the payload's octets) are None until they are known.  Memory is bounded by the manifest's
    limit and by what was fed and not yet taken.
    """

    def __init__(self) -> None:
        self.manifest: bytes | None = None
        self.size: int | None = None
        self._kept = bytearray()
        self._taken = 0

    def feed(self, piece: bytes) -> None:
        """Take the next octets; raise Refused: FRAME for another frame or octets after it, TOO_LARGE."""
        self._kept += piece
        if self.manifest is None:
            self._front()
        if self.manifest is not None and self.size is None and len(self._kept) >= 8:
            self.size = int.from_bytes(self._kept[:8], "big")
            _bound("payload", self.size, PAYLOAD_LIMIT)
            del self._kept[:8]
        if self.size is not None and self._taken + len(self._kept) > self.size:
            raise _refusal("octets after the payload")

    def take(self) -> bytes:
        """Return the payload octets that arrived since the last call."""
        if self.size is None:
            return b""
        piece = bytes(self._kept)
        self._taken += len(piece)
        self._kept.clear()
        return piece

    def finish(self) -> None:
        """Return if the frame is whole and its payload was taken; raise Refused(FRAME) otherwise."""
        if self.size is None or self._taken != self.size:
            raise _refusal("it ends early")

    def _front(self) -> None:
        kept = self._kept
        if not MAGIC.startswith(bytes(kept[: len(MAGIC)])):
            raise _refusal("not a parcel of version 1")
        if len(kept) < _FRONT:
            return
        length = int.from_bytes(kept[len(MAGIC) : _FRONT], "big")
        _bound("manifest", length, MANIFEST_LIMIT)
        if len(kept) >= _FRONT + length:
            self.manifest = bytes(kept[_FRONT : _FRONT + length])
            del kept[: _FRONT + length]


def _bound(what: str, size: int, limit: int) -> None:
    if size > limit:
        raise trouble(codes.TOO_LARGE, what=what, limit=limit)


def _refusal(reason: str) -> Trouble:
    return trouble(codes.FRAME, reason=reason)
