"""Identifiers that sort by time: UUID version 7 (RFC 9562 §5.7)."""

from __future__ import annotations

import re

from node.model.instant import Instant

UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def uuid7(at: Instant, chance: bytes) -> str:
    """Return the UUIDv7 of the instant `at` with 10 random bytes `chance`, as lower-case text."""
    return uuids7(at, chance[:10])[0]


def uuids7(at: Instant, chance: bytes) -> list[str]:
    """Return a UUIDv7 of the instant `at` for each 10 random bytes of `chance`."""
    time, drawn = (at & 0xFFFFFFFFFFFF).to_bytes(6, "big").hex(), chance.hex()
    front, variant = f"{time[:8]}-{time[8:]}-7", _VARIANT
    return [
        f"{front}{drawn[n + 1:n + 4]}-{variant[drawn[n + 4]]}{drawn[n + 5:n + 8]}-{drawn[n + 8:n + 20]}"
        for n in range(0, len(drawn), 20)
    ]


def uuid_bytes(text: str) -> bytes:
    """Return the 16 bytes of a UUID's text; raise ValueError unless it is a lower-case UUIDv7."""
    if not UUID_FORM.fullmatch(text):
        raise ValueError("not a lower-case UUIDv7")
    return bytes.fromhex(text.replace("-", ""))


def uuid_text(data: bytes) -> str:
    """Return the text of a UUID's 16 bytes."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
