"""Who may do what: peers, resources and grants, as the registry states them (WIRE §1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.model.certificate import Certificate
from node.model.instant import Instant
from node.model.spool import GROUP_RECORDS


@dataclass(frozen=True, slots=True)
class Quota:
    """What one peer may leave unopened on our disk, and how fast it may post."""

    parcels: int = 4096
    octets: int = 2 << 30


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node, and the authority it has here.

    `signing` holds every certificate whose signature is good now, newest first; `encryption` is what we seal to;
    `address` is `host:port` of a peer that is posted to, None of one that collects; `origins` are the nodes whose
    records it may pass on (`*` for all); `backup_interval` (ms) is how far back its restore may go.
    """

    node: str
    org: str
    signing: Sequence[Certificate]
    encryption: Certificate
    tls: Sequence[Certificate]
    address: str | None = None
    kinds: frozenset[str] = frozenset({"records", "void"})
    resources: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    suspended: bool = False
    quota: Quota = Quota()
    backup_interval: Instant = 86_400_000


@dataclass(frozen=True, slots=True)
class Term:
    """One version of an interface and when records under it are taken: from `since` on, and before `until`."""

    specification: str
    since: Instant | None = None
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A catalogue entry: what is exchanged under which specification, and to whom we supply it.

    `specification` is the version a submission is judged by that names none.  Where `versions` is not empty, it and no
    other version than theirs is taken, each in its time; else every version of the interface is.
    `parcel_records` is how many records may share a parcel: with 1 each has its own signature, key and receipt.
    """

    code: str
    specification: str
    receivers: Sequence[str] = ()
    priority: int = 5
    parcel_records: int = GROUP_RECORDS
    versions: Sequence[Term] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may have a resource, for what purpose, until when; whole records, never back to their origin."""

    resource: str
    receiver: str
    purpose: str
    until: Instant

    @property
    def name(self) -> str:
        """The grant's stable name, which its bookmark bears."""
        return f"{self.resource}:{self.receiver}:{self.purpose}"
