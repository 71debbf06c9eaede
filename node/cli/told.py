"""Files of the exchange described without a key: parcels, signed statements, proofs, as members by name.

Rule: what is told here is public; of a record nothing but its place and its ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from node.cli.situation import Situation
from node.crypto.certificates import parse
from node.envelope import Unverified, check_octets, read_manifest, unframe
from node.envelope.canonical import unarmour
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.signed import Signed, read_signed
from node.envelope.frame import MAGIC
from node.model import codes
from node.model.parcel import Manifest
from node.model.trouble import Trouble, trouble

PROOF = b'{"@type":"exn.proof.'


def described(data: bytes, here: Situation) -> dict[str, Any]:
    """Return what a file is made of; raise Refused for a file that is none of ours."""
    if data.startswith(MAGIC):
        return _parcel(data, here)
    if data.lstrip().startswith(PROOF):
        return _proof(data, here)
    return {"file": "statement", **_statement(data, here)}


def _parcel(data: bytes, here: Situation) -> dict[str, Any]:
    manifest, payload = unframe(data)
    unverified = read_manifest(manifest, here.crypto)
    told = {"file": "parcel", **_statement(manifest, here), "octets": _matches(unverified, payload, here)}
    if unverified.statement.count:
        told["recipients"] = [f"{one.serial:x}" for one in read_enveloped(payload).recipients]
    return told


def _matches(unverified: Unverified[Manifest], payload: bytes, here: Situation) -> bool:
    try:
        check_octets(unverified.statement, payload, here.crypto)
    except Trouble:
        return False
    return True


def _statement(der: bytes, here: Situation) -> dict[str, Any]:
    signed = read_signed(der)
    try:
        members = json.loads(signed.content)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict) or not str(members.get("@type", "")).startswith("exn."):
        raise trouble(codes.STATEMENT, reason="@type")
    return {
        "statement": members,
        "digest": here.crypto.sm3(signed.content).hex(),
        "signature": _signature(signed, here),
    }


def _signature(signed: Signed, here: Situation) -> dict[str, Any]:
    """Tell whether the enclosed certificate made the signature; whether it may is not asked here."""
    try:
        certificate = parse(signed.certificate_der, here.crypto.sm3)
    except Trouble as met:
        return {"good": False, "certificate": met.code.name}
    good = here.crypto.sm2_verify(certificate.public, signed.content, signed.signature)
    return {"good": good, "certificate": certificate.fingerprint, "subject": certificate.subject}


def _proof(data: bytes, here: Situation) -> dict[str, Any]:
    try:
        said = json.loads(data)
        manifest = unarmour(said["manifest"])
        counts = {name: len(said[name]) for name in ("receipts", "archives", "certificates", "path")}
        told = {"file": "proof", "index": said["index"], "n": said["n"], **counts}
    except (ValueError, LookupError, TypeError, RecursionError):
        raise trouble(codes.PROOF, reason="form") from None
    return {**told, **_statement(manifest, here)}


def flat(said: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the members of a description as names and values, inner ones after a point."""
    for name, value in said.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield f"{before}{name}", ", ".join(map(str, value)) or "-"
        else:
            yield f"{before}{name}", str(value).lower() if isinstance(value, bool) else str(value)
