"""The outbox towards its callers: idempotency, answers, versions, bookmarks (O1, O2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from hmac import compare_digest
from typing import Any

from node.ledger.steps import group_subject
from node.model import codes
from node.model.ids import uuid_bytes, uuid_text
from node.model.record import Stream, Version
from node.model.spool import GROUP_RECORDS, Answer, EntryState, LedgerEntry, Span, Submission
from node.model.trouble import trouble
from node.store.sealing import pack, unpack
from node.store.transaction import row_key
from node.store.waiting import Waiters

_STATUS = struct.Struct(">H")


class Submissions(Waiters):
    """Who was answered what, and where their records are."""

    # --- idempotency --------------------------------------------------------------------------------------------

    def answered(self, caller: str, resource: str, key: str, body: bytes) -> Answer | None:
        """Return the answer stored under the idempotency key; Refused(KEY_REUSED) if the body differed."""
        row = self._one(
            "SELECT a.body, s.id, s.sealed FROM answers a JOIN submissions s ON s.id = a.submission WHERE a.mac = ?",
            self._key(caller, resource, key),
        )
        if row is None:
            return None
        known, id, sealed = row
        if not compare_digest(known, self._digest(body)):
            raise trouble(codes.KEY_REUSED)
        return self._open_answer(id, sealed)[1]

    def answer(self, submission: Submission, key: str, body: bytes, answer: Answer) -> None:
        """Store a submission and its answer under (caller, resource, key)."""
        id = uuid_bytes(submission.id)
        mac = self._key(submission.caller, submission.resource, key)
        sealed = self._sealing.seal(
            "submissions", id, pack([submission.caller.encode(), _STATUS.pack(answer.status), answer.body])
        )
        self._write("INSERT INTO answers (mac, body, submission) VALUES (?, ?, ?)", mac, self._digest(body), id)
        self._write(
            "INSERT INTO submissions (id, resource, stream, epoch, n, count, refused, created, mac, sealed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id, submission.resource, submission.stream.value, submission.first.epoch, submission.first.n,
            submission.count, submission.refused, submission.created, mac, sealed,
        )

    def submission(self, id: str) -> tuple[Submission, Answer] | None:
        """Return a submission and what its caller was told."""
        row = self._one(
            "SELECT id, resource, stream, epoch, n, count, refused, created, sealed FROM submissions WHERE id = ?",
            row_key(id),
        )
        if row is None:
            return None
        name, resource, stream, epoch, n, count, refused, created, sealed = row
        caller, answer = self._open_answer(name, sealed)
        first = Version(epoch, n)
        return Submission(id, caller, resource, Stream(stream), first, count, refused, created), answer

    def spans(self, submission: Submission) -> Sequence[Span]:
        """Return where its records are now, for each receiver, in version order."""
        first, end = submission.first.n, submission.first.n + submission.count
        spans: list[Span] = []
        for receiver, group in self._groups_of(submission):
            _, n, count, leaf, parcel, state = group
            low, high = max(n, first), min(n + count, end)
            spans.append(Span(
                receiver, low - first, high - low, (leaf or 0) + low - n, uuid_text(parcel) if parcel else None,
                EntryState(state) if state else None,
            ))
        return spans

    def traced(self, subject: str) -> Sequence[LedgerEntry]:
        """Return every entry about a subject; of a submission, those of the groups its records waited in."""
        known = self.submission(subject)
        if known is None:
            return super().traced(subject)
        groups = sorted(group[0] for _, group in self._groups_of(known[0]))
        return [entry for group in groups for entry in super(Submissions, self).traced(group_subject(group))]

    def _groups_of(self, submission: Submission) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield (receiver, group) for each group with records of a submission."""
        self._gather()
        first, end = submission.first.n, submission.first.n + submission.count
        lanes = self._all(
            "SELECT id, receiver FROM lanes WHERE resource = ? AND stream = ? ORDER BY receiver",
            submission.resource, submission.stream.value,
        )
        for lane, receiver in lanes:
            # No group with versions is longer than GROUP_RECORDS: none that began further back reaches this far.
            for group in self._all(
                "SELECT g.id, g.n, g.count, g.leaf, g.parcel, e.state FROM groups g"
                " LEFT JOIN entries e ON e.parcel = g.parcel"
                " WHERE g.lane = ? AND g.epoch = ? AND g.n > ? AND g.n < ? AND g.n + g.count > ? ORDER BY g.n",
                lane, submission.first.epoch, first - GROUP_RECORDS, end, first,
            ):
                yield receiver, group

    def _open_answer(self, id: bytes, sealed: bytes) -> tuple[str, Answer]:
        caller, status, body = unpack(self._sealing.open("submissions", id, sealed))
        return caller.decode(), Answer(uuid_text(id), _STATUS.unpack(status)[0], body)

    def _key(self, caller: str, resource: str, key: str) -> bytes:
        return self._sealing.mac(b"idem", caller.encode(), resource.encode(), key.encode())

    def _digest(self, body: bytes) -> bytes:
        # Asked for and stored in one unit, often: the digest of a large body is worth keeping until its end.
        known = self._digests.get(id(body))
        if known is None:
            known = self._digests[id(body)] = (body, self._sealing.mac(b"body", body))
        return known[1]

    # --- versions and bookmarks ---------------------------------------------------------------------------------

    def allot(self, resource: str, count: int) -> Version:
        """Reserve `count` versions of this origin's resource; return the first (O2)."""
        last = self._counters.get(resource)
        if last is None:
            row = self._one("SELECT n FROM counters WHERE resource = ?", resource)
            last = row[0] if row else 0
        self._counters[resource] = last + count
        self.writes += 1
        return Version(self.epoch(), last + 1)

    def bookmark(self, reader: str) -> str | None:
        """Return how far `reader` has read."""
        row = self._one("SELECT sealed FROM bookmarks WHERE reader = ?", reader)
        return self._sealing.open("bookmarks", reader, row[0]).decode() if row else None

    def mark(self, reader: str, was: str | None, now: str) -> None:
        """Move a bookmark by compare-and-set; raise Retry(FENCED) if it was not `was`."""
        if self.bookmark(reader) != was:
            raise trouble(codes.FENCED)
        sealed = self._sealing.seal("bookmarks", reader, now.encode())
        self._write("INSERT OR REPLACE INTO bookmarks (reader, sealed) VALUES (?, ?)", reader, sealed)

    def flush(self) -> None:
        """Write the counters that moved, and all that waits."""
        super().flush()
        if self._counters:
            self._write_all(
                "INSERT INTO counters (resource, n) VALUES (?, ?) ON CONFLICT (resource) DO UPDATE SET n = excluded.n",
                list(self._counters.items()),
            )
