"""The payload in clear: S ‖ u32 length of inner ‖ inner ‖ body, and the body's lines (WIRE §2).

Rule 1: the body is each line followed by one octet 0A; a line is never empty and holds no 0A.
Rule 2: a compressed body is exactly one zstd frame that states its content size, without dictionary, with a window
        of at most 8 MiB; its header is judged before one octet of output exists.
Rule 3: compressor and decompressor live for one call: shared over threads they corrupt silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import zstandard

from node.envelope.inner import CLEAR_LIMIT, Inner, read_inner, write_inner
from node.model import codes
from node.model.trouble import Trouble, trouble

SECRET = 32
WINDOW = 8 << 20
LEVEL = 1
_ZSTD = b"\x28\xb5\x2f\xfd"
_WORTH = 256
"""A body shorter than this is not compressed: the frame would hardly save an octet."""


class Payload(NamedTuple):
    """A payload in clear, its body still as it stands in it."""

    secret: bytes
    inner: Inner
    body: bytes


def join_lines(lines: Sequence[bytes]) -> bytes:
    """Return the body of these lines, uncompressed; raise ValueError for an empty line or one with a line end."""
    body = b"\n".join((*lines, b"")) if lines else b""
    if body.count(b"\n") != len(lines) or not all(lines):
        raise ValueError("a line is not empty and holds no line end")
    if len(body) > CLEAR_LIMIT:
        raise trouble(codes.TOO_LARGE, what="records in clear", limit=CLEAR_LIMIT)
    return body


def split_lines(body: bytes) -> list[bytes]:
    """Return the lines of a body; raise Refused(STATEMENT)."""
    lines = body.split(b"\n")
    if lines.pop() or not all(lines):
        raise _refusal("body: a line is empty or has no end")
    return lines


def compress(body: bytes) -> tuple[str, bytes]:
    """Return (`zstd`, one frame) if that is shorter, else (`none`, the body itself)."""
    if len(body) >= _WORTH:
        packed = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(body)
        if len(packed) < len(body):
            return "zstd", packed
    return "none", body


def expand(compression: str, packed: bytes, size: int) -> bytes:
    """Return the body of exactly `size` octets; raise Refused(STATEMENT)."""
    if compression == "none":
        if len(packed) != size:
            raise _refusal("body: not of the size stated")
        return packed
    if not packed.startswith(_ZSTD):
        raise _refusal("body: not a zstd frame")
    try:
        head = zstandard.get_frame_parameters(packed)
        if head.dict_id or head.window_size > WINDOW or head.content_size != size:
            raise _refusal("body: dictionary, window or size of the zstd frame")
        opener = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        body = opener.decompress(packed, max_output_size=size, read_across_frames=False, allow_extra_data=False)
    except zstandard.ZstdError:
        raise _refusal("body: zstd") from None
    if len(body) != size:
        raise _refusal("body: not of the size stated")
    return body


def write_payload(secret: bytes, inner: Inner, packed: bytes) -> bytes:
    """Return the payload in clear."""
    said = write_inner(inner)
    return b"".join((secret, len(said).to_bytes(4, "big"), said, packed))


def read_payload(clear: bytes) -> Payload:
    """Return the parts of a payload in clear; raise Refused(STATEMENT, TOO_LARGE)."""
    start = SECRET + 4
    length = int.from_bytes(clear[SECRET:start], "big")
    if len(clear) < start + length:
        raise _refusal("payload: too short")
    return Payload(clear[:SECRET], read_inner(clear[start : start + length]), clear[start + length :])


def _refusal(reason: str) -> Trouble:
    return trouble(codes.STATEMENT, reason=reason)
