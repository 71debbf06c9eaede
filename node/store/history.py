"""The warehouse read back: history in commit order, and current rows (W4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from node.model.ids import uuid_text
from node.model.record import SpecificationId, Version
from node.model.spool import Block, Row
from node.store.sealing import pack
from node.store.transaction import Transaction

BATCH = 512
"""Keys asked for in one statement."""
ROW_SHIFT = 40
"""A row's number is resource · 2⁴⁰ + a running number."""


class History(Transaction):
    """What was delivered, and what stands."""

    def history(self, resource: str, after: int, limit: int) -> Sequence[Block]:
        """Return up to `limit` deliveries of a resource after block `after`, in commit order (W4)."""
        found = self._all(
            "SELECT id, parcel, lane, spec, version, digest, at, sealed FROM blocks WHERE resource = ? AND id > ?"
            " ORDER BY id LIMIT ?", self._resource(resource), after, limit,
        )
        blocks = []
        for id, parcel, number, spec, version, digest, at, sealed in found:
            lane, (evidence, leaves, *lines) = self._lane(number), self._sealing.open_parts("blocks", id, sealed)
            blocks.append(Block(
                id, resource, uuid_text(parcel), lane.sender, lane.stream, SpecificationId(spec, version, digest), at,
                read_leaves(leaves), lines, evidence,
            ))
        return blocks

    def last(self, resource: str) -> int:
        """Return the id of the last block of a resource, 0 if none."""
        row = self._one(
            "SELECT id FROM blocks WHERE resource = ? ORDER BY id DESC LIMIT 1", self._resource(resource)
        )
        return row[0] if row else 0

    def row(self, origin: str, resource: str, key: tuple[str, ...]) -> Row | None:
        """Return the current state of one business key."""
        found = self._one(
            "SELECT origin, epoch, n, block, line FROM current WHERE key = ?", self._key(origin, resource, key)
        )
        return self._row(found, {}) if found else None

    def rows(self, resource: str, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """Return current rows with their cursor, tombstones included, for reconciliation."""
        number = self._resource(resource)
        if number is None:
            return []
        found = self._all(
            "SELECT id, origin, epoch, n, block, line FROM current WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
            max(after, number << ROW_SHIFT), (number + 1) << ROW_SHIFT, limit,
        )
        lines: dict[int, list[bytes]] = {}
        return [(id, self._row(rest, lines)) for id, *rest in found]

    def _row(self, columns: Sequence[Any], known: dict[int, list[bytes]]) -> Row:
        origin, epoch, n, block, line = columns
        (code,) = self._one("SELECT code FROM origins WHERE id = ?", origin)
        body = None if block is None or line is None else self._lines(block, known)[line]
        return Row(code, Version(epoch, n), body)

    def _lines(self, block: int, known: dict[int, list[bytes]]) -> list[bytes]:
        lines = known.get(block)
        if lines is None:
            if len(known) >= 16:  # blocks of 1 MiB: a page of rows may touch any number of them
                known.pop(next(iter(known)))
            (sealed,) = self._one("SELECT sealed FROM blocks WHERE id = ?", block)
            lines = known[block] = self._sealing.open_parts("blocks", block, sealed)[2:]
        return lines

    def _among(self, sql: str, values: Sequence[bytes]) -> Iterator[Any]:
        """Yield the rows of `sql` IN the values; the list is padded, so that few statements are ever prepared."""
        for start in range(0, len(values), BATCH):
            part = list(values[start : start + BATCH])
            size = 1 if len(part) == 1 else 16 if len(part) <= 16 else 128 if len(part) <= 128 else BATCH
            marks = ", ".join("?" * size)
            part += part[:1] * (size - len(part))
            yield from self._all(f"{sql} IN ({marks})", *part)

    def _resource(self, code: str) -> int | None:
        number = self._memory.codes.get(("resource", code))
        if number is None:
            row = self._one("SELECT id FROM resources WHERE code = ?", code)
            if row is None:
                return None
            number = self._memory.codes["resource", code] = row[0]
        return number

    def _key(self, origin: str, resource: str, key: tuple[str, ...]) -> bytes:
        return self._sealing.mac(b"key", scope(origin, resource), *map(str.encode, key))


def scope(origin: str, resource: str) -> bytes:
    """Return what keys and row ids of one origin and resource are digested with."""
    return pack([origin.encode(), resource.encode()])


def write_leaves(leaves: Sequence[int]) -> bytes:
    """Return leaf indexes as octets."""
    return struct.pack(f">{len(leaves)}I", *leaves)


def read_leaves(octets: bytes) -> Sequence[int]:
    """Undo `write_leaves`."""
    return struct.unpack(f">{len(octets) // 4}I", octets)
