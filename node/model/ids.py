"""Identifiers that sort by time: UUID version 7 (RFC 9562 §5.7)."""

from __future__ import annotations

import re

from node.model.instant import Instant

UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def uuid7(at: Instant, chance: bytes) -> str:
    """Return the UUIDv7 of the instant `at` with 10 random bytes `chance`, as lower-case text."""
    high = (at & 0xFFFFFFFFFFFF).to_bytes(6, "big")
    tail = bytearray(chance[:10])
    tail[0] = 0x70 | tail[0] & 0x0F
    tail[2] = 0x80 | tail[2] & 0x3F
    text = (high + bytes(tail)).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a UUID's text; raise ValueError unless it is a lower-case UUIDv7."""
    if not UUID_FORM.fullmatch(text):
        raise ValueError("not a lower-case UUIDv7")
    return bytes.fromhex(text.replace("-", ""))


def uuid_text(data: bytes) -> str:
    """Return the text of a UUID's 16 bytes."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
