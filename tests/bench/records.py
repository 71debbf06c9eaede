"""Varied valid records of about 1 KiB, made fast: samples as moulds, a row id and a business key of its own in each.

A mould gives 500 records: the citizen number's running digits change, parity and check digit with them, so sex and
birth date still agree with it.  Identity numbers are made here and stored nowhere.

Rule 1: take more moulds than a parcel holds records (1024): text that comes again within one compresses to nothing, and
        would flatter every figure.
Rule 2: free text is prose of words that come as often as words do, not the samples' few phrases: a parcel compresses
        about threefold, as real registers do (3 to 6 times), not eighteenfold.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

import xsd
from node.crypto.openssl import OpenSslCrypto
from node.validate import Specification, Specifications
from node.validate.made.samples import sample, to_json, to_xml
from node.validate.rules import checks

RESOURCE, SPECIFICATION = "population", "population-basic/1.0"
KIB = 1024
PER_MOULD = 500
FREE = ("Remark", "SourceSystem")
WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Mould:
    """A record's octets around its row id and its citizen number; `row_first` tells which comes first."""

    pieces: tuple[bytes, bytes, bytes]
    row_first: bool
    front: str
    odd: int

    def record(self, mould: int, turn: int) -> bytes:
        """Return the record of a turn below `PER_MOULD`."""
        number = f"{self.front}{2 * turn + self.odd:03d}"
        row, key = f"row-{mould}-{turn}".encode(), (number + checks.citizen_check(number)).encode()
        first, second = (row, key) if self.row_first else (key, row)
        return b"%b%b%b%b%b" % (self.pieces[0], first, self.pieces[1], second, self.pieces[2])


class Records:
    """An endless supply of records in one form (`json` or `xml`), each with a key no other has had."""

    def __init__(self, form: str, seed: int, moulds: int) -> None:
        self._more, self._step = _moulds(form, seed), moulds
        self._moulds = list(islice(self._more, moulds))
        self._from = self._given = 0

    @property
    def octets(self) -> float:
        """The mean size of a record."""
        return sum(len(mould.record(0, 0)) for mould in self._moulds) / len(self._moulds)

    def take(self, count: int) -> list[bytes]:
        """Return the next records."""
        taken: list[bytes] = []
        while len(taken) < count:
            many = len(self._moulds)
            if self._given == many * PER_MOULD:
                self._from, self._given = self._from + many, 0
                self._moulds = list(islice(self._more, self._step))
                continue
            start, self._given = self._given, min(many * PER_MOULD, self._given + count - len(taken))
            taken += [
                self._moulds[n % many].record(self._from + n % many, n // many) for n in range(start, self._given)
            ]
        return taken


def specification() -> Specification:
    """Return the specification of the records."""
    found = Specifications.load(xsd.FOLDER, OpenSslCrypto().sm3).get(SPECIFICATION)
    assert found is not None, "it is published with the node"
    return found


class Prose:
    """Chinese text of words that come by Zipf's law."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        signs = [chr(0x4E00 + self._dice.randrange(6000)) for _ in range(3500)]
        self._words = ["".join(self._dice.choices(signs, k=self._dice.choice((1, 2, 2, 3)))) for _ in range(WORDS)]
        self._weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))

    def text(self, length: int) -> str:
        """Return so many characters."""
        return "".join(self._dice.choices(self._words, cum_weights=self._weights, k=length))[:length]


def _moulds(form: str, seed: int) -> Iterator[Mould]:
    spec, fronts, index, prose = specification(), set[str](), 0, Prose(seed)
    while True:
        index += 1
        # XML names every field twice: the shortest samples come nearest to 1 KiB.
        twin = sample(spec, seed, index * 1000, octets=KIB if form == "json" else 0)
        twin |= {name: prose.text(-(-len(twin[name].encode()) // 3)) for name in FREE if name in twin}
        octets = to_json(twin) if form == "json" else to_xml(spec, [twin], single=True)
        number, row = twin["IdNumber"], twin["RecordId"].encode()
        places = octets.find(number.encode()), octets.find(row)
        single = octets.count(number.encode()) == octets.count(row) == 1
        if not single or number[:14] in fronts or form == "xml" and abs(len(octets) - KIB) > 128:
            continue
        fronts.add(number[:14])
        (low, first), (high, second) = sorted(zip(places, (number.encode(), row), strict=True))
        pieces = octets[:low], octets[low + len(first):high], octets[high + len(second):]
        yield Mould(pieces, places[1] < places[0], number[:14], int(number[16]) % 2)
