"""Cases of the warehouse in SQLite: which are to be looked at, what stands of them, findings (C1 to C4).

A case is known by the keyed digest of its correlation; the correlation itself rests in sealed lines and findings only.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from node.model.finding import CaseDue, CaseRow, Finding, Reference, RowName
from node.model.instant import Instant
from node.model.record import SpecificationId
from node.store.history import ROW_SHIFT, History

_FINDING = "SELECT id, rule, seen, opened, closed, sealed FROM findings"


class Cases(History):
    """The part of a unit that knows cases."""

    # --- noted by apply -----------------------------------------------------------------------------------------

    def _touch(self, touched: Iterable[bytes], block: int) -> None:
        """Note the cases that a block changed (C1)."""
        rows = [(case, block) for case in touched]
        if rows:
            self._write_all(
                "INSERT INTO cases (correlation, block, due) VALUES (?, ?, 0)"
                " ON CONFLICT (correlation) DO UPDATE SET block = excluded.block, due = 0", rows,
            )

    def _watching(self, interface: str, keys: Iterable[Sequence[str]]) -> set[bytes]:
        """Return the cases that watch a record of an interface whose business key is one of these (C1).

        One statement tells that none watches the interface, which is so of most.
        """
        if self._one("SELECT 1 FROM watched WHERE interface = ? LIMIT 1", interface) is None:
            return set()
        name = self._sealing.macs(b"named", interface.encode())
        names = {name(key[0].encode()) for key in keys if len(key) == 1}
        return {case for (case,) in self._among("SELECT correlation FROM watched WHERE name", list(names))}

    # --- looking ------------------------------------------------------------------------------------------------

    def cases_due(self, now: Instant, limit: int) -> Sequence[CaseDue]:
        """Return the cases to be looked at: the changed ones, and those whose time has come (C1)."""
        found = self._all("SELECT correlation, block FROM cases WHERE due <= ? ORDER BY due LIMIT ?", now, limit)
        return [CaseDue(*row) for row in found]

    def case_rows(self, digest: bytes, after: int, limit: int) -> Sequence[CaseRow]:
        """Return up to `limit` current records of a case after a cursor; tombstones belong to no case (C4)."""
        found = self._all(
            "SELECT id, block, line FROM current WHERE correlation = ? AND id > ? ORDER BY id LIMIT ?",
            digest, after, limit,
        )
        lines: dict[int, list[bytes]] = {}
        return [self._case_row(id, block, line, lines) for id, block, line in found]

    def _case_row(self, id: int, block: int, line: int, known: dict[int, list[bytes]]) -> CaseRow:
        (resource,) = self._one("SELECT code FROM resources WHERE id = ?", id >> ROW_SHIFT)
        spec = self._one("SELECT spec, version, digest FROM blocks WHERE id = ?", block)
        return CaseRow(id, resource, SpecificationId(*spec), self._lines(block, known)[line])

    def stands(self, resources: Collection[str], key: str) -> bool:
        """Return whether a record of one of the resources, of any origin, stands under this business key."""
        origins = [code for (code,) in self._all("SELECT code FROM origins")]
        digests = [self._key(origin, resource, (key,)) for resource in resources for origin in origins]
        return any(line is not None for (line,) in self._among("SELECT line FROM current WHERE key", digests))

    def rest_case(self, case: CaseDue, watched: Collection[Reference], until: Instant | None) -> bool:
        """Let a case rest until it changes, a record of a watched name does, or the time has come (C2)."""
        now = self._one("SELECT block FROM cases WHERE correlation = ?", case.digest)
        if now is None or now[0] != case.block:
            return False
        if until is None:
            self._write("DELETE FROM cases WHERE correlation = ?", case.digest)
        else:
            self._write("UPDATE cases SET due = ? WHERE correlation = ?", until, case.digest)
        wanted = {(one.interface, self._named(one)) for one in watched}
        known = set(self._all("SELECT interface, name FROM watched WHERE correlation = ?", case.digest))
        for interface, name in known - wanted:
            self._write("DELETE FROM watched WHERE name = ? AND correlation = ?", name, case.digest)
        if wanted - known:
            self._write_all("INSERT INTO watched (interface, name, correlation) VALUES (?, ?, ?)",
                            [(*one, case.digest) for one in wanted - known])
        return True

    def _named(self, one: Reference) -> bytes:
        return self._sealing.mac(b"named", one.interface.encode(), one.key.encode())

    def wake_cases(self) -> int:
        """Make due every case that waits for a time or has a finding not closed; return how many there are."""
        self._write("INSERT OR IGNORE INTO cases (correlation, block, due)"
                    " SELECT correlation, 0, 0 FROM findings WHERE closed IS NULL")
        return self._write("UPDATE cases SET due = 0").rowcount

    def wake_every(self, after: bytes, limit: int) -> bytes | None:
        """Make due the next `limit` cases with records, by digest; return after which to go on, None at the end."""
        found = self._all(
            "SELECT DISTINCT correlation FROM current WHERE correlation > ? ORDER BY correlation LIMIT ?", after, limit
        )
        if found:
            self._write_all(
                "INSERT INTO cases (correlation, block, due) VALUES (?, 0, 0)"
                " ON CONFLICT (correlation) DO UPDATE SET due = 0", found,
            )
        return found[-1][0] if len(found) == limit else None

    # --- findings -----------------------------------------------------------------------------------------------

    def unclosed(self, digest: bytes) -> Sequence[Finding]:
        """Return the findings of a case that are not closed: waiting and open ones (C3)."""
        return self._findings(f"{_FINDING} WHERE correlation = ? AND closed IS NULL ORDER BY id", digest)

    def keep_finding(self, digest: bytes, finding: Finding) -> int:
        """Keep a new finding of a case, or what changed of it; return its number (C3)."""
        id = finding.id
        if not id:
            (last,) = self._one("SELECT coalesce(max(id), 0) FROM findings")
            id = last + 1
        said = [finding.correlation, *(part for row in finding.rows for part in row)]
        parts = [struct.pack(">I", finding.count), *map(str.encode, said)]
        self._write(
            "INSERT INTO findings (id, correlation, rule, seen, opened, closed, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, opened = excluded.opened,"
            " closed = excluded.closed, sealed = excluded.sealed",
            id, digest, finding.rule, finding.seen, finding.opened, finding.closed,
            self._sealing.seal_parts("findings", id, parts),
        )
        return id

    def drop_finding(self, id: int) -> None:
        """Forget a finding, which was cured before it was told."""
        self._write("DELETE FROM findings WHERE id = ?", id)

    def finding(self, id: int) -> Finding | None:
        """Return a finding that was told, by its number."""
        found = self._findings(f"{_FINDING} WHERE id = ? AND opened IS NOT NULL", id)
        return found[0] if found else None

    def findings(self, rule: str | None, unclosed: bool, after: int, limit: int) -> Sequence[Finding]:
        """Return findings that were told, by number: of one rule, or those not closed."""
        wanted = " AND rule = ?" if rule is not None else ""
        wanted += " AND closed IS NULL" if unclosed else ""
        given = (rule,) if rule is not None else ()
        return self._findings(
            f"{_FINDING} WHERE id > ? AND opened IS NOT NULL{wanted} ORDER BY id LIMIT ?", after, *given, limit
        )

    def _findings(self, sql: str, *values: object) -> list[Finding]:
        return [self._finding(*row) for row in self._all(sql, *values)]

    def _finding(self, id: int, rule: str, seen: int, opened: Any, closed: Any, sealed: bytes) -> Finding:
        count, *said = self._sealing.open_parts("findings", id, sealed)
        correlation, *parts = [part.decode() for part in said]
        rows = tuple(RowName(*parts[start : start + 3]) for start in range(0, len(parts), 3))
        return Finding(id, rule, correlation, rows, struct.unpack(">I", count)[0], seen, opened, closed)

    def open_findings(self) -> Mapping[str, int]:
        """Return how many findings are open, by rule."""
        return dict(self._all(
            "SELECT rule, count(*) FROM findings WHERE closed IS NULL AND opened IS NOT NULL GROUP BY rule"
        ))

    def purge_findings(self, before: Instant, limit: int) -> int:
        """Forget findings closed before then; return how many."""
        return self._write(
            "DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE closed < ? ORDER BY closed LIMIT ?)",
            before, limit,
        ).rowcount
