"""`inner`: what a parcel says to its receiver alone, beside the records (WIRE §2).

It repeats sender, receiver, resource and specification digest, so that a payload under another manifest is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from node.envelope import kinds
from node.envelope.members import party_members, party_of
from node.envelope.origins import ENTRIES, ENTRY, Origin, origin_members, origin_of
from node.envelope.schema import Form, Group, Many, Number, text
from node.model import codes
from node.model.instant import Instant, read_stamp, stamp
from node.model.parcel import Manifest, Party
from node.model.trouble import trouble

LIMIT = 8 << 20
CLEAR_LIMIT = 64 << 20

_INNER = Form(Group(
    {
        "clear_size": Number(0, CLEAR_LIMIT), "compression": text(r"zstd|none"), "receiver": kinds.PARTY,
        "resource": kinds.CODE, "sender": kinds.PARTY, "spec": kinds.DIGEST,
    },
    {
        "grant": text(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}"),
        "happened": Group({"first": kinds.TIME, "last": kinds.TIME}),
        "operator": kinds.CODE, "origins": Many(ENTRY, 1, ENTRIES), "purpose": kinds.CODE,
        "traceparent": text(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    },
), "inner")


@dataclass(frozen=True, slots=True)
class Said:
    """What the sealer adds for the receiver's eyes; `happened` is the range of business time, both ends included."""

    purpose: str = ""
    grant: str = ""
    operator: str = ""
    traceparent: str = ""
    happened: tuple[Instant, Instant] | None = None
    origins: Sequence[Origin] = ()


@dataclass(frozen=True, slots=True)
class Inner:
    """`inner` as it stands in a payload; `clear_size` is the octets of the body before compression."""

    sender: Party
    receiver: Party
    resource: str
    spec: str
    clear_size: int
    compression: str
    said: Said


def write_inner(inner: Inner) -> bytes:
    """Return canonical JSON; raise Refused: STATEMENT for what its pattern does not allow, TOO_LARGE above LIMIT."""
    said = inner.said
    members: dict[str, Any] = {
        "clear_size": inner.clear_size,
        "compression": inner.compression,
        "receiver": party_members(inner.receiver),
        "resource": inner.resource,
        "sender": party_members(inner.sender),
        "spec": inner.spec,
    }
    texts = {"purpose": said.purpose, "grant": said.grant, "operator": said.operator, "traceparent": said.traceparent}
    members |= {name: value for name, value in texts.items() if value}
    if said.happened:
        members["happened"] = {"first": stamp(said.happened[0]), "last": stamp(said.happened[1])}
    if said.origins:
        members["origins"] = [origin_members(origin) for origin in said.origins]
    return _INNER.write(members, LIMIT)


def read_inner(content: bytes) -> Inner:
    """Return `inner` of its octets; raise Refused(STATEMENT, TOO_LARGE)."""
    members = _INNER.read(content, LIMIT)
    try:
        return _inner(members)
    except ValueError:
        raise trouble(codes.STATEMENT, reason="inner: no such day, or no such base64") from None


def _inner(members: dict[str, Any]) -> Inner:
    happened = members.get("happened")
    said = Said(
        members.get("purpose", ""),
        members.get("grant", ""),
        members.get("operator", ""),
        members.get("traceparent", ""),
        (read_stamp(happened["first"]), read_stamp(happened["last"])) if happened else None,
        tuple(origin_of(entry) for entry in members.get("origins", ())),
    )
    return Inner(
        party_of(members["sender"]), party_of(members["receiver"]), members["resource"], members["spec"],
        members["clear_size"], members["compression"], said,
    )


def agree(inner: Inner, manifest: Manifest) -> bool:
    """Return whether `inner` was made for this manifest."""
    return (inner.sender, inner.receiver, inner.resource, inner.spec) == (
        manifest.sender, manifest.receiver, manifest.resource, manifest.spec.digest,
    )
