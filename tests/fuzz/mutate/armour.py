"""Changes within base64 members of a JSON text: what is inside is changed by the mutator of its own structure."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from random import Random

from tests.fuzz.mutate.octets import octets
from tests.fuzz.target import Mutator

_ARMOUR = re.compile(rb'"([A-Za-z0-9+/]{24,}={0,2})"')


def armoured(inner: Mutator) -> Mutator:
    """Return the mutator that changes one base64 member of a text by `inner`."""

    def mutate(data: bytes, chance: Random) -> bytes:
        found = list(_ARMOUR.finditer(data))
        if not found:
            return octets(data, chance)
        one = chance.choice(found)
        try:
            changed = inner(b64decode(one[1], validate=True), chance)
        except Error:
            return octets(data, chance)
        return data[: one.start(1)] + b64encode(changed) + data[one.end(1) :]

    return mutate
