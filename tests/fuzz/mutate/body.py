"""Changes within the body of an HTTP message, whose length is put right again."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.target import Mutator

_LENGTH = re.compile(rb"content-length:[^\r\n]*", re.IGNORECASE)


def in_body(inner: Mutator) -> Mutator:
    """Return the mutator that changes the body alone."""

    def mutate(data: bytes, chance: Random) -> bytes:
        head, end, body = data.partition(b"\r\n\r\n")
        body = inner(body, chance)
        return _LENGTH.sub(b"Content-Length: %d" % len(body), head) + end + body

    return mutate
