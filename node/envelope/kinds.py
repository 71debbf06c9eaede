"""The kinds of statement and what each may say: one table (WIRE §1 to §5).

Rule 1: members are closed per kind; only `ext` is open, and a name in `crit` must be one this version understands.
Rule 2: every text has its pattern: codes, digests, times, never names or free text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from node.envelope.schema import Flag, Form, Group, Many, Number, Open, Rule, text
from node.model.parcel import NOTHING

UNDERSTOOD: frozenset[str] = frozenset()
"""Names within `ext` that this version acts upon, and so may stand in `crit`."""

LEAF = "exn.leaf.1"
"""The one leaf construction of this version."""

PARCEL_KINDS = frozenset(
    "records void heartbeat command publication query reply notice recall file-manifest file-chunk".split()
)
"""Reserved kinds of parcel; a manifest of another kind is well-formed and answered by *refused*."""

PROBE_LIMIT = 2 << 20
"""Octets of a probe: it names every lane between two nodes."""

DIGEST = text(r"[0-9a-f]{64}")
CODE = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
UUID = text(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = text(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
)
DOMAIN = text(r"[a-z0-9][a-z0-9.-]{0,63}")
BOOT = text(r"[0-9a-f]{32}")
STREAM = text(r"live|backfill|resupply")
EPOCH = Number(1)
PARTY = Group({"cert": DIGEST, "node": CODE, "org": text(r"[0-9A-HJ-NPQRTUWXY]{18}")})
SPECIFICATION = Group({"digest": DIGEST, "id": CODE, "version": text(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}")})
MOST = 65536
"""Records of one parcel: so many lines and leaves a receiver must hold at once."""
COUNT = Number(0, MOST)
LANE_HEAD = Group(
    {
        "digest": DIGEST, "epoch": Number(), "receiver": CODE, "resource": CODE, "sender": CODE, "seq": Number(),
        "stream": STREAM,
    }
)

_PARTIES: Mapping[str, Rule] = {"domain": DOMAIN, "receiver": PARTY, "sender": PARTY}
_OPEN: Mapping[str, Rule] = {"crit": Many(text(r"[a-z_]{1,64}"), 1, 16), "ext": Open()}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its members, how large its SignedData may be, and what must hold between members."""

    form: Form
    limit: int
    between: Mapping[str, Callable[[Mapping[str, Any]], bool]]


def lead(kind: str) -> bytes:
    """Return the octets every statement of `kind` begins with."""
    return b'{"@type":"exn.%s.1",' % kind.encode()


def _kind(name: str, limit: int, must: Mapping[str, Rule], may: Mapping[str, Rule], **between: Any) -> Kind:
    given = {"@type": text(rf"exn\.{name}\.1"), **_PARTIES, **must}
    return Kind(Form(Group(given, {**_OPEN, **may}), name), limit, {"crit": _crit, **between})


def _crit(said: Mapping[str, Any]) -> bool:
    named = said.get("crit", [])
    return len(set(named)) == len(named) and all(name in said.get("ext", {}) and name in UNDERSTOOD for name in named)


def _empty(said: Mapping[str, Any]) -> bool:
    nothing = said["count"] == 0
    signs = (said["root"] == NOTHING, said["bind"] == NOTHING, said["envelope"]["size"] == 0)
    if said["kind"] in ("void", "records") and nothing != (said["kind"] == "void"):
        return False
    named = said["kind"] != "void" or "supersedes" in said
    return bool(named and all(sign == nothing for sign in signs))


def _start(said: Mapping[str, Any]) -> bool:
    lane: Mapping[str, Any] = said["lane"]
    return bool(lane["seq"] == 1 or lane["prev"] != NOTHING)


def _stage(said: Mapping[str, Any]) -> bool:
    counts = said.get("counts", {})
    return bool(
        (said["stage"] == "refused") == ("code" in said)
        and (said["stage"] == "processed") == ("counts" in said)
        and (counts.get("refused", 0) > 0) == ("verdicts" in said)
    )


def _checkpoint(said: Mapping[str, Any]) -> bool:
    return bool((said["checkpoint"]["size"] == 0) == (said["checkpoint"]["head"] == NOTHING))


KINDS: Mapping[str, Kind] = {
    "parcel": _kind(
        "parcel", 64 << 10,
        {
            "bind": DIGEST, "count": COUNT, "created": TIME, "envelope": Group({"digest": DIGEST, "size": Number()}),
            "kind": text(r"[a-z][a-z-]{0,31}"), "lane": Group({"epoch": EPOCH, "prev": DIGEST, "seq": Number(1)}),
            "leaf": text(LEAF.replace(".", r"\.")), "parcel": UUID, "priority": Number(0, 9), "resource": CODE,
            "root": DIGEST, "spec": SPECIFICATION, "stream": STREAM,
        },
        {
            "batch": Group({"id": UUID, "last": Flag(), "part": Number(1)}), "expires": TIME, "supersedes": DIGEST,
            "via": Many(CODE, 1, 8),
        },
        empty=_empty, prev=_start,
    ),
    "receipt": _kind(
        "receipt", 64 << 10,
        {
            "checkpoint": Group({"head": DIGEST, "size": Number()}), "digest": DIGEST, "envelope": DIGEST,
            "lane": Group({"epoch": EPOCH, "seq": Number(1)}), "parcel": UUID, "received_at": TIME,
            "stage": text(r"accepted|processed|refused"), "validation": DIGEST,
        },
        {
            "code": text(r"EXN-[A-Z0-9-]{1,48}"), "counts": Group({"applied": COUNT, "older": COUNT, "refused": COUNT}),
            "verdicts": Group({"envelope": DIGEST, "list": DIGEST}),
        },
        stage=_stage, checkpoint=_checkpoint,
    ),
    "probe": _kind(
        "probe", PROBE_LIMIT, {"boot": BOOT, "epoch": EPOCH, "lanes": Many(LANE_HEAD, 0, 4096), "time": TIME}, {}
    ),
    "collect": _kind("collect", 64 << 10, {"boot": BOOT, "epoch": EPOCH, "time": TIME}, {}),
}
"""Kinds this version reads and writes; `checkpoint`, `snapshot` and `command` are reserved."""
