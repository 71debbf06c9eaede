"""Cases and findings in memory; the digest of a correlation is its octets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from node.model.finding import CaseDue, Finding, Reference
from node.model.instant import Instant
from tests.fakes.memory import Journal, Table


class CaseTables:
    """What a warehouse keeps of cases."""

    def __init__(self, journal: Journal) -> None:
        self.due: Table[bytes, tuple[int, Instant]] = Table(journal)
        self.watched: Table[bytes, frozenset[Reference]] = Table(journal)
        self.findings: Table[int, tuple[bytes, Finding]] = Table(journal)


class CasesInMemory:
    """The part of a unit that knows cases."""

    _cases: CaseTables
    writes: int

    def touch(self, cases: Iterable[bytes], block: int) -> None:
        """Note that cases changed."""
        for case in cases:
            self._cases.due[case] = (block, 0)
            self.writes += 1

    def touch_watching(self, interface: str, key: tuple[str, ...], block: int) -> None:
        """Note that the cases which watch a record changed."""
        if len(key) == 1:
            one = Reference(interface, key[0])
            self.touch([case for case, names in self._cases.watched.items() if one in names], block)

    def cases_due(self, now: Instant, limit: int) -> Sequence[CaseDue]:
        found = sorted((due, case, block) for case, (block, due) in self._cases.due.items() if due <= now)
        return [CaseDue(case, block) for _, case, block in found[:limit]]

    def rest_case(self, case: CaseDue, watched: Collection[Reference], until: Instant | None) -> bool:
        now = self._cases.due.get(case.digest)
        if now is None or now[0] != case.block:
            return False
        self.writes += 1
        if until is None:
            del self._cases.due[case.digest]
        else:
            self._cases.due[case.digest] = (case.block, until)
        self._cases.watched[case.digest] = frozenset(watched)
        return True

    def wake_cases(self) -> int:
        self.writes += 1
        for case, finding in self._cases.findings.values():
            if finding.closed is None and case not in self._cases.due:
                self._cases.due[case] = (0, 0)
        for case, (block, _) in self._cases.due.items():
            self._cases.due[case] = (block, 0)
        return len(self._cases.due.values())

    def unclosed(self, digest: bytes) -> Sequence[Finding]:
        return [one for case, one in self._cases.findings.values() if case == digest and one.closed is None]

    def keep_finding(self, digest: bytes, finding: Finding) -> int:
        id = finding.id or 1 + max(self._cases.findings, default=0)
        double = [one for one in self.unclosed(digest) if one.rule == finding.rule and one.id != id]
        assert not double or finding.closed is not None, "C3"
        self._cases.findings[id] = (digest, replace(finding, id=id))
        self.writes += 1
        return id

    def drop_finding(self, id: int) -> None:
        self.writes += 1
        if id in self._cases.findings:
            del self._cases.findings[id]

    def _told(self) -> list[Finding]:
        told = [one for _, one in self._cases.findings.values() if one.opened is not None]
        return sorted(told, key=lambda one: one.id)

    def finding(self, id: int) -> Finding | None:
        return next((one for one in self._told() if one.id == id), None)

    def findings(self, rule: str | None, unclosed: bool, after: int, limit: int) -> Sequence[Finding]:
        return [
            one for one in self._told()
            if one.id > after and rule in (None, one.rule) and not (unclosed and one.closed is not None)
        ][:limit]

    def open_findings(self) -> Mapping[str, int]:
        return dict(Counter(one.rule for one in self._told() if one.closed is None))

    def purge_findings(self, before: Instant, limit: int) -> int:
        gone = [one.id for one in self._told() if one.closed is not None and one.closed < before][:limit]
        for id in gone:
            self.drop_finding(id)
        return len(gone)
