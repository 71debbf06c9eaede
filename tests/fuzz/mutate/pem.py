"""Changes within a PEM block."""

from __future__ import annotations

import re
from base64 import b64decode, encodebytes
from binascii import Error
from random import Random

from tests.fuzz.mutate.octets import octets
from tests.fuzz.target import Mutator

_BLOCK = re.compile(rb"-----BEGIN [^-\n]*-----\n([A-Za-z0-9+/=\s]*)-----END", re.DOTALL)


def in_pem(inner: Mutator) -> Mutator:
    """Return the mutator that changes the structure in one PEM block, or the text if there is none."""

    def mutate(data: bytes, chance: Random) -> bytes:
        found = list(_BLOCK.finditer(data))
        if not found or chance.random() < 0.1:
            return octets(data, chance)
        one = chance.choice(found)
        try:
            changed = inner(b64decode(one[1]), chance)
        except Error:
            return octets(data, chance)
        return data[: one.start(1)] + encodebytes(changed) + data[one.end(1) :]

    return mutate
