"""Whom a node works with and what it exchanges: peers, resources, grants."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from node.config.kinds import (
    Address,
    Age,
    Code,
    CodeOrAll,
    Count,
    File,
    Flag,
    MappingName,
    Moment,
    NodeCode,
    OrgCode,
    ParcelRecords,
    Priority,
    Section,
    Size,
    SpecificationName,
    several,
    wrong,
)
from node.model.instant import Instant
from node.model.registry import Grant, Quota, Resource, Term
from node.model.spool import GROUP_RECORDS

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

ParcelKind = Literal[
    "records", "void", "heartbeat", "command", "publication", "query", "reply", "notice", "recall",
    "file-manifest", "file-chunk",
]


class CertificatesSection(Section):
    """A peer's certificates: several good ones to sign and for TLS, newest first; the one we seal to."""

    sign: Annotated[tuple[File, ...], several(1)]
    encrypt: File
    tls: Annotated[tuple[File, ...], several(1)]


class QuotaSection(Section):
    """What a peer may leave unopened on our disk."""

    parcels: Count = Quota().parcels
    octets: Size = Quota().octets


class PeerSection(Section):
    """Another node and its authority here.

    One with an `address` is posted to, and what waits there for us is collected unless `collect` is false; one
    without comes to us.  `origins` are the nodes whose records it may pass on, `*` for all.  `backup_interval` is how
    far back its restore may go.
    """

    node: NodeCode
    org: OrgCode
    address: Address | None = None
    profile: Literal["rfc8998", "tls13"] = "rfc8998"
    collect: Flag | None = None
    certificates: CertificatesSection
    kinds: Annotated[tuple[ParcelKind, ...], several(1)] = ("records", "void")
    resources: Annotated[tuple[CodeOrAll, ...], several()] = ()
    origins: Annotated[tuple[CodeOrAll, ...], several()] = ()
    suspended: Flag = False
    quota: QuotaSection = QuotaSection()
    backup_interval: Age = 86_400_000

    @property
    def collects(self) -> bool:
        """Whether we ask this peer for what waits for us."""
        return self.address is not None and self.collect is not False


class VersionSection(Section):
    """One version of an interface, and when records admitted under it are taken."""

    specification: SpecificationName
    since: Moment | None = None
    until: Moment | None = None

    def term(self) -> Term:
        """Return the version as the exchange knows it."""
        return Term(self.specification, *(None if at is None else _instant(at) for at in (self.since, self.until)))


def _instant(at: datetime) -> Instant:
    return (at - _EPOCH) // timedelta(milliseconds=1)


class ResourceSection(Section):
    """A catalogue entry: what is exchanged, under which specification, and to whom we supply it.

    `versions` are those taken side by side with it, each in its time; without them every version of the interface is.

    At most `parcel_records` records share a parcel; 1 gives each its own signature, key and receipt, at the price of
    those.  What waits already keeps the parcels it was cut for.  `mappings` are files by the name with which a caller
    of the local API asks that its rows be mapped (xsd/README.md).
    """

    code: Code
    specification: SpecificationName
    receivers: Annotated[tuple[NodeCode, ...], several()] = ()
    priority: Priority = 5
    parcel_records: ParcelRecords = GROUP_RECORDS
    versions: Annotated[tuple[VersionSection, ...], several()] = ()
    mappings: dict[MappingName, File] = {}

    def resource(self) -> Resource:
        """Return the entry as the exchange knows it."""
        return Resource(
            self.code, self.specification, self.receivers, self.priority, self.parcel_records,
            tuple(version.term() for version in self.versions),
        )


def _whole(value: Any) -> None:
    raise wrong("whole_records")


class GrantSection(Section):
    """Who may have a resource, for what purpose, until when: whole records, never back to their origin."""

    resource: Code
    receiver: NodeCode
    purpose: Code
    until: Moment
    fields_: Annotated[None, PlainValidator(_whole), Field(alias="fields")] = None
    rows: Annotated[None, PlainValidator(_whole)] = None

    def grant(self) -> Grant:
        """Return the grant as the exchange knows it."""
        return Grant(self.resource, self.receiver, self.purpose, _instant(self.until))
