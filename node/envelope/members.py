"""Statements as dataclasses and as members of canonical JSON, there and back.

`members(statement)` and the readers of `READERS` are inverse; what may stand in a member is `kinds`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Union

from node.model.instant import read_stamp, stamp
from node.model.parcel import (
    Batch,
    Checkpoint,
    Collect,
    Envelope,
    LaneHead,
    Manifest,
    Party,
    Place,
    Probe,
    Receipt,
    Stage,
    VerdictList,
)
from node.model.record import SpecificationId, Stream

Statement = Union[Manifest, Receipt, Probe, Collect]
Members = dict[str, Any]

_NAMES: Mapping[type, str] = {Manifest: "parcel", Receipt: "receipt", Probe: "probe", Collect: "collect"}


def kind_of(statement: Statement) -> str:
    """Return the kind a statement's class stands for."""
    return _NAMES[type(statement)]


def members(statement: Statement) -> Members:
    """Return the members of a statement; one that does not apply is absent."""
    said: Members = {
        "@type": f"exn.{kind_of(statement)}.1",
        "domain": statement.domain,
        "sender": party_members(statement.sender),
        "receiver": party_members(statement.receiver),
    }
    if isinstance(statement, Manifest):
        said |= _manifest(statement)
    elif isinstance(statement, Receipt):
        said |= _receipt(statement)
    else:
        said |= {"epoch": statement.epoch, "boot": statement.boot, "time": stamp(statement.time)}
        if isinstance(statement, Probe):
            said["lanes"] = [_head(head) for head in statement.lanes]
    if statement.ext:
        said["ext"] = dict(statement.ext)
    if statement.crit:
        said["crit"] = list(statement.crit)
    return said


def party_members(party: Party) -> Members:
    """Return a party's members."""
    return {"cert": party.cert, "node": party.node, "org": party.org}


def party_of(said: Mapping[str, Any]) -> Party:
    """Return the party of its members."""
    return Party(said["org"], said["node"], said["cert"])


def _manifest(manifest: Manifest) -> Members:
    said: Members = {
        "parcel": manifest.parcel,
        "kind": manifest.kind,
        "resource": manifest.resource,
        "stream": manifest.stream.value,
        "spec": {"digest": manifest.spec.digest, "id": manifest.spec.id, "version": manifest.spec.version},
        "lane": {"epoch": manifest.place.epoch, "prev": manifest.place.prev, "seq": manifest.place.seq},
        "created": stamp(manifest.created),
        "priority": manifest.priority,
        "leaf": manifest.leaf,
        "count": manifest.count,
        "root": manifest.root,
        "envelope": {"digest": manifest.envelope.digest, "size": manifest.envelope.size},
        "bind": manifest.bind,
    }
    if manifest.expires is not None:
        said["expires"] = stamp(manifest.expires)
    if manifest.supersedes is not None:
        said["supersedes"] = manifest.supersedes
    if manifest.via:
        said["via"] = list(manifest.via)
    if manifest.batch is not None:
        said["batch"] = {"id": manifest.batch.id, "last": manifest.batch.last, "part": manifest.batch.part}
    return said


def _receipt(receipt: Receipt) -> Members:
    said: Members = {
        "stage": receipt.stage.value,
        "parcel": receipt.parcel,
        "digest": receipt.digest,
        "envelope": receipt.envelope,
        "lane": {"epoch": receipt.epoch, "seq": receipt.seq},
        "received_at": stamp(receipt.received_at),
        "checkpoint": {"head": receipt.checkpoint.head, "size": receipt.checkpoint.size},
        "validation": receipt.validation,
    }
    if receipt.code is not None:
        said["code"] = receipt.code
    if receipt.counts is not None:
        said["counts"] = dict(receipt.counts)
    if receipt.verdicts is not None:
        said["verdicts"] = {"envelope": receipt.verdicts.envelope, "list": receipt.verdicts.list}
    return said


def _head(head: LaneHead) -> Members:
    return {
        "digest": head.digest, "epoch": head.epoch, "receiver": head.receiver, "resource": head.resource,
        "sender": head.sender, "seq": head.seq, "stream": head.stream.value,
    }


def _frame(said: Mapping[str, Any]) -> Members:
    return {
        "domain": said["domain"], "sender": party_of(said["sender"]), "receiver": party_of(said["receiver"]),
        "ext": said.get("ext", {}), "crit": tuple(said.get("crit", ())),
    }


def manifest_of(said: Mapping[str, Any]) -> Manifest:
    """Return the manifest of its members; raise ValueError for a day that does not exist."""
    lane, spec, envelope, batch = said["lane"], said["spec"], said["envelope"], said.get("batch")
    return Manifest(
        **_frame(said),
        parcel=said["parcel"],
        kind=said["kind"],
        resource=said["resource"],
        stream=Stream(said["stream"]),
        spec=SpecificationId(spec["id"], spec["version"], spec["digest"]),
        place=Place(lane["epoch"], lane["seq"], lane["prev"]),
        created=read_stamp(said["created"]),
        priority=said["priority"],
        leaf=said["leaf"],
        count=said["count"],
        root=said["root"],
        envelope=Envelope(envelope["size"], envelope["digest"]),
        bind=said["bind"],
        expires=read_stamp(said["expires"]) if "expires" in said else None,
        supersedes=said.get("supersedes"),
        via=tuple(said.get("via", ())),
        batch=Batch(batch["id"], batch["part"], batch["last"]) if batch else None,
    )


def receipt_of(said: Mapping[str, Any]) -> Receipt:
    """Return the receipt of its members; raise ValueError for a day that does not exist."""
    verdicts = said.get("verdicts")
    return Receipt(
        **_frame(said),
        stage=Stage(said["stage"]),
        parcel=said["parcel"],
        digest=said["digest"],
        envelope=said["envelope"],
        epoch=said["lane"]["epoch"],
        seq=said["lane"]["seq"],
        received_at=read_stamp(said["received_at"]),
        checkpoint=Checkpoint(said["checkpoint"]["size"], said["checkpoint"]["head"]),
        validation=said["validation"],
        code=said.get("code"),
        counts=said.get("counts"),
        verdicts=VerdictList(verdicts["envelope"], verdicts["list"]) if verdicts else None,
    )


def _head_of(said: Mapping[str, Any]) -> LaneHead:
    return LaneHead(
        said["sender"], said["receiver"], said["resource"], Stream(said["stream"]),
        said["epoch"], said["seq"], said["digest"],
    )


def probe_of(said: Mapping[str, Any]) -> Probe:
    """Return the probe of its members; raise ValueError for a day that does not exist."""
    lanes = tuple(_head_of(head) for head in said["lanes"])
    return Probe(
        **_frame(said), epoch=said["epoch"], boot=said["boot"], time=read_stamp(said["time"]), lanes=lanes
    )


def collect_of(said: Mapping[str, Any]) -> Collect:
    """Return the collect statement of its members; raise ValueError for a day that does not exist."""
    return Collect(**_frame(said), epoch=said["epoch"], boot=said["boot"], time=read_stamp(said["time"]))


READERS: Mapping[str, Callable[[Mapping[str, Any]], Statement]] = {
    "parcel": manifest_of, "receipt": receipt_of, "probe": probe_of, "collect": collect_of,
}
