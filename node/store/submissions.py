"""The outbox towards its callers: idempotency, answers, versions, bookmarks (O1, O2)."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from node.ledger.steps import group_subject
from node.model import codes
from node.model.ids import uuid_bytes, uuid_text
from node.model.instant import Instant
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
        mac = self._key(caller, resource, key)
        row = self._told.get(mac) or self._one("SELECT body, submission FROM answers WHERE mac = ?", mac)
        if row is None:
            return None
        if not compare_digest(row[0], self._digest(body)):
            raise trouble(codes.KEY_REUSED)
        known = self.submission(uuid_text(row[1]))
        return known[1] if known else None

    def answer(self, submission: Submission, key: str, body: bytes, answer: Answer) -> None:
        """Store a submission and its answer under (caller, resource, key)."""
        mac, id = self._key(submission.caller, submission.resource, key), uuid_bytes(submission.id)
        assert mac not in self._told, "answered twice"
        self._told[mac] = (self._digest(body), id)
        self._replies[submission.id] = (submission, answer, mac, id)
        self.writes += 1

    def submission(self, id: str) -> tuple[Submission, Answer] | None:
        """Return a submission and what its caller was told."""
        pending = self._replies.get(id)
        if pending is not None:
            return pending[:2]
        row = self._one(
            "SELECT resource, stream, epoch, n, count, refused, created, reply, part FROM submissions WHERE id = ?",
            row_key(id),
        )
        if row is None:
            return None
        resource, stream, epoch, n, count, refused, created, reply, part = row
        (sealed,) = self._one("SELECT sealed FROM replies WHERE id = ?", reply)
        caller, status, body = unpack(self._sealing.open_parts("replies", reply, sealed)[part])
        known = Submission(id, caller.decode(), resource, Stream(stream), Version(epoch, n), count, refused, created)
        return known, Answer(id, _STATUS.unpack(status)[0], body)

    def _save_replies(self) -> None:
        """Write what callers were told in this unit: one seal for all of them."""
        pending, told = list(self._replies.values()), self._told
        if not pending:
            return
        self._replies, self._told = {}, {}
        newest = self._one("SELECT id, written FROM replies ORDER BY id DESC LIMIT 1")
        last, written = newest or (0, self.epoch() * 1000)
        reply, written = last + 1, max(written, *(submission.created for submission, *_ in pending))
        parts = [
            pack([submission.caller.encode(), _STATUS.pack(answer.status), answer.body])
            for submission, answer, _, _ in pending
        ]
        self._write(
            "INSERT INTO replies (id, live, written, sealed) VALUES (?, ?, ?, ?)",
            reply, len(parts), written, self._sealing.seal_parts("replies", reply, parts),
        )
        self._write_all(
            "INSERT INTO answers (mac, body, submission) VALUES (?, ?, ?)",
            [(mac, body, id) for mac, (body, id) in sorted(told.items())],
        )
        self._write_all(
            "INSERT INTO submissions (id, resource, stream, epoch, n, count, refused, created, mac, reply, part)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (id, one.resource, one.stream.value, *one.first, one.count, one.refused, one.created, mac, reply, part)
                for part, (one, _, mac, id) in enumerate(pending)
            ],
        )

    def _forget_answers(self, before: Instant, limit: int) -> int:
        """Forget submissions older than an instant, and than all that came before them; return how many.

        Those that a clock dated too early stand first, by id, and are passed over: at worst `limit` of them let the
        rest wait until they are old themselves.
        """
        self._save_replies()
        first = self._all("SELECT id, mac, reply FROM submissions ORDER BY id LIMIT ?", limit)
        replies = {reply for _, _, reply in first}
        written = {reply: self._one("SELECT written FROM replies WHERE id = ?", reply)[0] for reply in replies}
        old = [row for row in first if written[row[2]] < before]
        if old:
            self._write_all("DELETE FROM answers WHERE mac = ?", [(mac,) for _, mac, _ in old])
            self._write_all("DELETE FROM submissions WHERE id = ?", [(id,) for id, *_ in old])
            gone = list(Counter(reply for *_, reply in old).items())
            self._write_all("UPDATE replies SET live = live - ?2 WHERE id = ?1", gone)
            self._write_all("DELETE FROM replies WHERE id = ? AND live = 0", [(reply,) for reply, _ in gone])
        return len(old)

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

    def _key(self, caller: str, resource: str, key: str) -> bytes:
        name = (caller, resource, key)
        mac = self._macs.get(name)
        if mac is None:
            keyed = self._keyed.get((caller, resource))
            if keyed is None:
                keyed = self._sealing.macs(b"idem", caller.encode(), resource.encode())
                self._keyed[caller, resource] = keyed
            mac = self._macs[name] = keyed(key.encode())
        return mac

    def _digest(self, body: bytes) -> bytes:
        # Asked for and stored in one unit, often: the digest of a large body is worth keeping until its end.
        known = self._digests.get(id(body))
        if known is None:
            # SM3 is the keyed digest; before it goes a plain one six times as fast, of which nothing is stored.
            known = self._digests[id(body)] = (body, self._sealing.mac(b"body", sha256(body).digest()))
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
        """Write the counters that moved, what was told, and all that waits."""
        super().flush()
        self._save_replies()
        if self._counters:
            self._write_all(
                "INSERT INTO counters (resource, n) VALUES (?, ?) ON CONFLICT (resource) DO UPDATE SET n = excluded.n",
                list(self._counters.items()),
            )
