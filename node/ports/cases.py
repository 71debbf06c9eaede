"""What the core asks of the warehouse about cases: records that share a correlation, and findings about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from node.model.finding import CaseDue, CaseRow, Finding, Reference
from node.model.instant import Instant


class CaseUnit(Protocol):
    """The part of a warehouse's transaction that knows cases.

    C1  `apply` notes every case one of whose current records came, changed or left, in its own transaction; and every
        case that watches a record of that name.
    C2  A case stays due until it is put to rest by who has seen its last change.
    C3  Of a case and a rule at most one finding is not closed.
    C4  A record without a correlation belongs to no case.
    """

    def cases_due(self, now: Instant, limit: int) -> Sequence[CaseDue]:
        """Return the cases to be looked at: the changed ones, and those whose time has come (C1)."""

    def case_rows(self, digest: bytes, after: int, limit: int) -> Sequence[CaseRow]:
        """Return up to `limit` current records of a case after a cursor; tombstones belong to no case (C4)."""

    def stands(self, resources: Collection[str], key: str) -> bool:
        """Return whether a record of one of the resources, of any origin, stands under this business key."""

    def unclosed(self, digest: bytes) -> Sequence[Finding]:
        """Return the findings of a case that are not closed: waiting and open ones (C3)."""

    def keep_finding(self, digest: bytes, finding: Finding) -> int:
        """Keep a new finding of a case, or what changed of it; return its number (C3)."""

    def drop_finding(self, id: int) -> None:
        """Forget a finding, which was cured before it was told."""

    def rest_case(self, case: CaseDue, watched: Collection[Reference], until: Instant | None) -> bool:
        """Let a case rest until it changes, a record of a watched name does, or the time has come (C2).

        Returns False, and changes nothing, if it changed since it was found due.
        """

    def wake_cases(self) -> int:
        """Make due every case that waits for a time or has a finding not closed; return how many there are."""

    def wake_every(self, after: bytes, limit: int) -> bytes | None:
        """Make due the next `limit` cases with records, by digest; return after which to go on, None at the end."""

    def finding(self, id: int) -> Finding | None:
        """Return a finding that was told, by its number."""

    def findings(self, rule: str | None, unclosed: bool, after: int, limit: int) -> Sequence[Finding]:
        """Return findings that were told, by number: of one rule, or those not closed."""

    def open_findings(self) -> Mapping[str, int]:
        """Return how many findings are open, by rule."""

    def purge_findings(self, before: Instant, limit: int) -> int:
        """Forget findings closed before then; return how many."""
