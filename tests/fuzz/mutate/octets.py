"""Changes that know no structure: bits, octets, blocks, cuts; and how several ways of changing are joined."""

from __future__ import annotations

from random import Random

from tests.fuzz.target import Mutator

EDGES = (0x00, 0x01, 0x0A, 0x0D, 0x20, 0x22, 0x2C, 0x30, 0x5C, 0x7F, 0x80, 0x81, 0x84, 0xA0, 0xFE, 0xFF)
WORDS = tuple(number.to_bytes(size, "big") for size in (2, 4, 8) for number in (
    0, 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1, (1 << 8 * size) - 1, 16 << 20 & (1 << 8 * size) - 1,
))


def octets(data: bytes, chance: Random) -> bytes:
    """Return the input with one to four small changes."""
    body = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        _change(body, chance)
    return bytes(body)


def _change(body: bytearray, chance: Random) -> None:
    at = chance.randrange(len(body) + 1)
    size = min(chance.choice((1, 1, 2, 4, 8, 32, 200)), len(body) - at)
    act = chance.randrange(8)
    if act == 0 and at < len(body):
        body[at] ^= 1 << chance.randrange(8)
    elif act == 1 and at < len(body):
        body[at] = chance.choice(EDGES)
    elif act == 2:
        del body[at : at + size]
    elif act == 3:
        body[at:at] = body[at : at + size]
    elif act == 4:
        body[at:at] = bytes(chance.choice(EDGES) for _ in range(chance.randrange(1, 5)))
    elif act == 5:
        body[at : at + size] = chance.choice(WORDS)
    elif act == 6:
        there = chance.randrange(len(body) + 1)
        body[there : there + size] = body[at : at + size]
    elif chance.random() < 0.2:
        del body[at:]
    else:
        body[at:at] = bytes([chance.choice(EDGES)]) * chance.choice((2, 16, 300, 5000))


def any_of(*mutators: Mutator) -> Mutator:
    """Return the mutator that does one of these, and now and then two."""

    def mutate(data: bytes, chance: Random) -> bytes:
        for _ in range(chance.choice((1, 1, 1, 2))):
            data = chance.choice(mutators)(data, chance)
        return data

    return mutate


def splice(first: bytes, second: bytes, chance: Random) -> bytes:
    """Return the beginning of one input and the end of another."""
    return first[: chance.randrange(len(first) + 1)] + second[chance.randrange(len(second) + 1) :]
