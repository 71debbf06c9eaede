"""What has been given of a table: every key, and a digest of the rows; and what a table that is read again differs in.

All keys are kept, so that a row that is gone is known by its key.  Of the rows themselves 48 bits are kept for each
bucket of neighbours: of a row each while they fit into a bookmark, of up to 256 where they would not.

Rule 1: what is known is what was given and nothing else: it may be kept at any moment between two buckets, and whoever
        starts again from there reads the table from its start and is given what is lacking.
Rule 2: a bucket that differs is given whole: of rows that did not change too many come, never one too few.
Rule 3: rows belong to buckets by their keys; that neighbours stay neighbours saves work, and nothing depends on it.
Rule 4: a change is not seen if two sets of rows have one digest: once in 2^48 changes.
Rule 5: keys that do not fit are `Misconfigured`; none is ever left out.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import Any, NamedTuple

from adapters.contract import Dirty, Misconfigured, Row
from adapters.rows import write_row
from adapters.sql.keys import Malformed, Octets, numbers, pack, squeeze, unpack, unsqueeze
from adapters.sql.places import Place
from adapters.sql.whole import strange
from node.model.frames import STATE

ROOM = (STATE - 1024) // 5 * 4
"""Octets that a bookmark holds beside the names in it, written with the 85 signs."""

MOST = 1 << 20
"""Most rows, however well their keys can be packed."""

WIDEST = 256
"""Most rows of a bucket."""

HELD = 1 << 12
"""Most rows that are held back until their bucket is complete."""

_SUM = 6
"""Octets of a digest."""
_MASK = (1 << 8 * _SUM) - 1


class Bucket(NamedTuple):
    """So many neighbouring keys, and the sum of their rows' digests; None: the rows are not known."""

    rows: int
    sum: int | None


def digest(row: Row) -> int:
    """Return the digest of a row, by the names and the cells as they are handed on."""
    said = write_row(row)
    if isinstance(said, Dirty):  # that it cannot be given is told once, until it changes
        said = ascii({name: cell for name, cell in row.items() if isinstance(cell, str | bytes | int)}).encode()
    return int.from_bytes(blake2b(said, digest_size=_SUM).digest(), "big")


@dataclass(slots=True)
class Known:
    """The keys that were given, by the columns `by`, and the buckets they are in, one behind the other."""

    by: list[str]
    keys: list[Place] = field(default_factory=list)
    buckets: list[Bucket] = field(default_factory=list)

    def write(self) -> dict[str, Any]:
        """Return it as a bookmark holds it; raise Misconfigured if it does not fit."""
        if len(self.keys) <= MOST:
            keys, size, buckets = pack(self.keys), 1, self.buckets
            while size <= WIDEST:
                held = _octets(keys, buckets)
                if len(held) <= ROOM:
                    return {"by": self.by, "rows": len(self.keys), "known": b85encode(held).decode("ascii")}
                size *= 2
                buckets = _joined(buckets, size)
        raise too_many(len(self.keys))

    def least(self) -> int:
        """Return how many octets of `ROOM` it takes at least; raise Misconfigured if it does not fit."""
        self.write()
        return len(_octets(pack(self.keys), _joined(self.buckets, WIDEST)))

    @classmethod
    def read(cls, said: Any, by: list[str]) -> Known:
        """Return what `write` wrote; raise Misconfigured if that is no bookmark of these columns."""
        try:
            if said["by"] != by:
                raise Misconfigured("key已改变，断点不再适用，请从头读取", "key was changed: the bookmark is of no use; read anew")
            source = Octets(b85decode(said["known"]))
            keys = unpack(source.take(source.number()), MOST)
            sums, counts = Octets(source.take(source.number())), unsqueeze(source)
            buckets, left = [], len(keys)
            while left > 0:
                rows, known = divmod(counts.number(), 2)
                left -= max(rows, 1)
                buckets.append(Bucket(rows, int.from_bytes(sums.take(_SUM), "big") if known else None))
            if left or len(set(keys)) != len(keys):
                raise Malformed
        except (KeyError, TypeError, ValueError, IndexError):
            raise strange() from None
        return cls(by, keys, buckets)


def too_many(rows: int) -> Misconfigured:
    """Return that a table has more keys than a bookmark can hold."""
    return Misconfigured(
        f"表有{rows}行或更多，快照的断点放不下这么多主键；请改用sql_journal（触发器变更日志），或用where缩小范围",
        f"the table has {rows} rows or more: their keys do not fit into the bookmark of a snapshot; use sql_journal "
        "(a change table fed by triggers), or less of the table with where")


def _octets(keys: bytes, buckets: Sequence[Bucket]) -> bytes:
    sums = b"".join(total.to_bytes(_SUM, "big") for _, total in buckets if total is not None)
    if len(keys) + len(sums) > ROOM:
        return keys + sums
    counts = squeeze(numbers(2 * rows + (total is not None) for rows, total in buckets))
    return b"".join((numbers([len(keys)]), keys, numbers([len(sums)]), sums, counts))


def _joined(buckets: Sequence[Bucket], size: int) -> list[Bucket]:
    """Return the buckets with neighbours made one that have at most so many rows together."""
    made: list[Bucket] = []
    for rows, total in buckets:
        last = made[-1] if made else None
        if last is not None and last.rows + rows <= size and (last.sum is None) == (total is None):
            made[-1] = Bucket(last.rows + rows, None if last.sum is None else (last.sum + (total or 0)) & _MASK)
        else:
            made.append(Bucket(rows, total))
    return made


class Given(NamedTuple):
    """A row that is to be given, or that it cannot be, and its key."""

    key: Place
    row: Row | Dirty


class _Held(NamedTuple):
    key: Place
    sum: int
    row: Row | Dirty | None
    """None if it was given."""


class Comparison:
    """A table that is read again, row by row in its order, compared with what is known of it."""

    def __init__(self, known: Known) -> None:
        self._was = known
        self._bucket = dict(zip(known.keys, chain.from_iterable(
            [at] * bucket.rows for at, bucket in enumerate(known.buckets))))
        """In which bucket a key is that was not seen yet."""
        self._now = Known(known.by)
        self._seen: set[Place] = set()
        self._open = 0
        """The bucket that is being read; those before it are closed."""
        self._held: list[_Held] = []
        self._old = 0
        """How many of those held belong to the open bucket."""

    def until(self, key: Place) -> Iterator[Given]:
        """Close the open bucket if this key, the next one, does not belong to it; yield its rows if it differs."""
        at = self._bucket.get(key, self._open)
        if at > self._open or not self._old or len(self._held) > HELD:
            yield from self._close()
        self._open = max(self._open, at)

    def take(self, key: Place, row: Row | Dirty, total: int) -> Iterator[Given]:
        """Take the row of the next key; yield it if it is new."""
        if key in self._seen:
            raise Misconfigured("key所指的列不唯一", "the columns named by key are not unique")
        self._seen.add(key)
        if self._bucket.pop(key, -1) < self._open:
            self._held.append(_Held(key, total, None))
            yield Given(key, row)
        else:
            self._held.append(_Held(key, total, row))
            self._old += 1

    def end(self) -> Iterator[Given]:
        """Close the last bucket; yield its rows if it differs."""
        yield from self._close()
        self._open = len(self._was.buckets)

    def _close(self) -> Iterator[Given]:
        if self._old:
            old = [one for one in self._held if one.row is not None]
            if Bucket(len(old), sum(one.sum for one in old) & _MASK) != self._was.buckets[self._open]:
                yield from (Given(one.key, one.row) for one in old if one.row is not None)
            self._open += 1
        self._now.keys += [one.key for one in self._held]
        self._now.buckets += [Bucket(1, one.sum) for one in self._held]
        self._held, self._old = [], 0

    @property
    def rows(self) -> int:
        """How many rows were taken."""
        return len(self._seen)

    @property
    def between(self) -> bool:
        """Whether no row is held back: what was taken is known, or was given."""
        return not self._held

    def gone(self) -> list[Place]:
        """Return the keys that were not seen, or not yet."""
        return list(self._bucket)

    def forget(self, keys: Sequence[Place]) -> None:
        """Take it that these keys were told to be gone."""
        for key in keys:
            del self._bucket[key]

    def known(self) -> Known:
        """Return what is known now, between two buckets."""
        missed = [key for key, at in self._bucket.items() if at < self._open]
        left = sum(bucket.rows for bucket in self._was.buckets[:self._open])
        return Known(self._now.by, [*self._now.keys, *missed, *self._was.keys[left:]],
                     [*self._now.buckets, *(Bucket(1, None) for _ in missed), *self._was.buckets[self._open:]])
