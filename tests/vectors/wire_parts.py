"""The parts wire vectors are put together from: three nodes with fixed keys, and a parcel with every part open.

All keys are SM3 of a sentence: public and worthless.  Chance is SM3 of a label, nonces come from what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import orjson

from node.crypto.certificates import parse
from node.crypto.issuance import Holder, Term, leaf
from node.envelope import merkle
from node.envelope.binding import bind
from node.envelope.cms.enveloped import envelop
from node.envelope.cms.signed import assemble
from node.envelope.frame import MAGIC
from node.envelope.kinds import LEAF
from node.envelope.members import party_members
from node.model.certificate import Certificate, Role
from node.model.codes import TABLE
from node.model.ids import uuid7, uuid_bytes
from node.model.instant import stamp
from node.model.parcel import NOTHING, Party
from node.validate import Specifications
from tests.house.plan import ROOT as HOUSE
from tests.vectors import textbook
from tests.vectors.authorities import FROM, ROOT, UNTIL, FixedKey, chance_of, day, issuer
from tests.vectors.cms_parts import CRYPTO, TERM, Authority, Who, nonce, signed_value

SIGNS, OPENS = bytes.fromhex("030206c0"), bytes.fromhex("03020338")
ORG = "91110000MA00A0000X"
AT = 1_780_000_000_123


def _published() -> dict[str, str]:
    found = Specifications.load(HOUSE / "xsd", CRYPTO.sm3).get("region-code/1.0")
    assert found is not None
    return {"digest": found.id.digest, "id": "region-code", "version": "1.0"}


SPEC = _published()


def fixed(label: str, size: int) -> bytes:
    """Return octets that depend on a label alone."""
    return b"".join(CRYPTO.sm3(b"%s %d" % (label.encode(), part)) for part in range(1 + size // 32))[:size]


def _key(label: str) -> int:
    return int.from_bytes(CRYPTO.sm3(f"the {label} key of the wire vectors".encode()), "big") % (textbook.N - 2) + 1


@dataclass(frozen=True)
class Node:
    """A node of the vectors; `ca` and `term` are its signing certificate's, the other two are always good."""

    code: str
    serial: int
    ca: Authority = ROOT
    term: tuple[bytes, bytes] = TERM

    @property
    def signs(self) -> Who:
        label = f"{self.code} signing"
        return Who(label, _key(label), 0x200000 + self.serial, SIGNS, self.ca, self.term)

    @property
    def opens(self) -> Who:
        label = f"{self.code} encryption"
        return Who(label, _key(label), 0x300000 + self.serial, OPENS)

    @property
    def speaks(self) -> FixedKey:
        return FixedKey(_key(f"{self.code} TLS"))

    @property
    def channel(self) -> Certificate:
        return _channel(self)

    @property
    def signing(self) -> Certificate:
        return _certificate(self.signs)

    @property
    def encryption(self) -> Certificate:
        return _certificate(self.opens)

    @property
    def as_sender(self) -> Party:
        return Party(ORG, self.code, self.signing.fingerprint)

    @property
    def as_receiver(self) -> Party:
        return Party(ORG, self.code, self.encryption.fingerprint)


@cache
def _certificate(who: Who) -> Certificate:
    return who.certificate


@cache
def _channel(node: Node) -> Certificate:
    names = [("country_name", "CN"), ("common_name", f"{node.code} TLS")]
    holder = Holder(names, node.speaks.public, ORG, (node.code, "localhost", "127.0.0.1"))
    term = Term(day(FROM), day(UNTIL))
    der = leaf(holder, Role.TLS, term, issuer(ROOT, chance_of(f"{node.code} TLS")))
    return parse(der, CRYPTO.sm3)


ALICE, BOB, CAROL = Node("dept-a", 1), Node("centre", 2), Node("dept-c", 3)


def sign(content: bytes, who: Who) -> bytes:
    """Return content as SignedData of a party."""
    return assemble(content, _certificate(who), signed_value(content, who), attached=True)


@cache
def wrap(certificate: Certificate, key: bytes) -> bytes:
    """Return the wrapped key, the same each time."""
    about = nonce(b"wrap", certificate.public, key)
    return textbook.cipher(*textbook.encrypt(CRYPTO.sm3, certificate.public, key, about))


@dataclass(frozen=True)
class Vector:
    """One file and what must become of it: `stage` is where a decoder stops, `good` where it must not."""

    file: str
    says: str
    octets: bytes = field(repr=False)
    stage: str
    code: str | None = "EXN-STATEMENT"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> dict[str, Any]:
        """Its row of the index."""
        return {"file": self.file, "says": self.says, "stage": self.stage, "code": self.code, **self.more}


def turned(code: str, stage: str, **more: Any) -> dict[str, Any]:
    """Return a gateway's answer that turns a parcel away: nothing of it is kept."""
    return {"status": TABLE[code].status, "code": code, "stage": stage, **more}


def taken(later: str = "processed", code: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a gateway's answer that takes a parcel, and how the receipt that comes later ends it."""
    return {"status": 200, "code": None, "stage": "stored", "later": {"stage": later, "code": code, **more}}


def canonical(members: object) -> bytes:
    """Return JSON as canonical JSON has it, whatever the members."""
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def zstd(body: bytes, *, size: int | None = -1, window: int | None = None, dictionary: int = 0, run: int = 0) -> bytes:
    """Return a zstd frame of raw blocks, or of `run` zeros (RFC 8878 §3.1.1); `size` None leaves the size out."""
    stated = (len(body) or run) if size == -1 else size
    single = 0x20 if window is None and stated is not None else 0
    flag = 0x80 if stated is not None else 0
    head = bytes([flag | single | (1 if dictionary else 0)])
    head += b"" if single else bytes([((window or 10) - 10) << 3])
    head += bytes([dictionary]) if dictionary else b""
    head += b"" if stated is None else stated.to_bytes(4, "little")
    if run:
        sizes = [1 << 17] * (run >> 17) + ([run & 0x1FFFF] if run & 0x1FFFF else [])
        blocks = [(1, part, b"\x00") for part in sizes]
    else:
        blocks = [(0, len(body[at : at + 1024]), body[at : at + 1024]) for at in range(0, len(body) or 1, 1024)]
    told = b""
    for number, (kind, length, data) in enumerate(blocks):
        last = number == len(blocks) - 1
        told += (last | kind << 1 | length << 3).to_bytes(3, "little") + data
    return b"\x28\xb5\x2f\xfd" + head + told


def line(number: int, text: str = "", operation: str = "U") -> bytes:
    """Return a record of the region-code table."""
    code, name = (("350200", "厦门市"), ("350203", "思明区"), ("350205", "海沧区"))[number % 3]
    body = {
        "EventTime": "2026-05-01T08:00:00+08:00", "FirstRevision": "200312", "LastRevision": "202604",
        "Operation": operation, "RecordId": f"r-{number}", "RegionCode": code, "RegionName": text or name,
    }
    head = {
        "admitted": "2026-05-28T20:26:40.000Z", "operation": {"U": "upsert", "D": "delete"}.get(operation, operation),
        "origin": "dept-a", "record": uuid7(AT, fixed(f"record {number}", 10)), "row": f"r-{number}",
        "time": "2026-05-01T08:00:00+08:00", "version": [1_780_000_000, number + 1],
    }
    return canonical({"body": body, "head": head})


@dataclass
class Forge:
    """A parcel from Alice to Bob; every part may be set to something else before `frame` puts it together."""

    label: str
    lines: Sequence[bytes] = field(default_factory=lambda: [line(0), line(1)])
    sender: Node = ALICE
    receiver: Node = BOB
    body: bytes | None = None
    size: int | None = None
    compression: str = "none"
    inner: Mapping[str, Any] = field(default_factory=dict)
    inner_octets: bytes | None = None
    inner_length: int | None = None
    manifest: dict[str, Any] = field(default_factory=dict)
    recipients: Sequence[tuple[Certificate, bytes | None]] | None = None
    bind_key: bytes | None = None
    secret_octets: bytes | None = None
    leaf_secret: bytes | None = None
    payload_octets: bytes | None = None
    resource: str = ""

    def __post_init__(self) -> None:
        self.resource = self.resource or self.label.replace(" ", "-")
        self.secret, self.key, self.iv = (fixed(f"{self.label} {what}", size) for what, size in (
            ("S", 32), ("CEK", 16), ("IV", 16)
        ))
        self.parcel = uuid7(AT, fixed(f"{self.label} parcel", 10))

    @property
    def inner_members(self) -> dict[str, Any]:
        body = b"".join(one + b"\n" for one in self.lines)
        return {
            "clear_size": len(body) if self.size is None else self.size, "compression": self.compression,
            "receiver": party_members(self.receiver.as_receiver), "resource": self.resource,
            "sender": party_members(self.sender.as_sender), "spec": SPEC["digest"], **self.inner,
        }

    @property
    def clear(self) -> bytes:
        body = b"".join(one + b"\n" for one in self.lines) if self.body is None else self.body
        inner = canonical(self.inner_members) if self.inner_octets is None else self.inner_octets
        length = len(inner) if self.inner_length is None else self.inner_length
        return self.secret + length.to_bytes(4, "big") + inner + body

    @property
    def ciphertext(self) -> bytes:
        return self.secret_octets or CRYPTO.sm4_cbc_encrypt(self.key, self.iv, self.clear)

    @property
    def payload(self) -> bytes:
        if self.payload_octets is not None:
            return self.payload_octets
        recipients = self.recipients or [(self.receiver.encryption, None)]
        wraps = [(one.issuer, one.serial, wrap(one, key or self.key)) for one, key in recipients]
        return envelop(self.ciphertext, self.iv, wraps)

    @property
    def leaves(self) -> list[bytes]:
        salts = merkle.salts(self.leaf_secret or self.secret, len(self.lines), CRYPTO)
        return merkle.leaves(uuid_bytes(self.parcel), salts, self.lines, CRYPTO.sm3)

    @property
    def members(self) -> dict[str, Any]:
        payload = self.payload
        said = {
            "@type": "exn.parcel.1", "count": len(self.lines), "created": stamp(AT), "domain": "city.example",
            "envelope": {"digest": CRYPTO.sm3(payload).hex(), "size": len(payload)}, "kind": "records",
            "lane": {"epoch": 1_780_000_000, "prev": NOTHING, "seq": 1}, "leaf": LEAF, "parcel": self.parcel,
            "priority": 5, "receiver": party_members(self.receiver.as_receiver), "resource": self.resource,
            "root": merkle.root(self.leaves, CRYPTO.sm3).hex() if self.lines else NOTHING,
            "sender": party_members(self.sender.as_sender), "spec": SPEC, "stream": "live",
        }
        said |= {name: member for name, member in self.manifest.items() if name != "bind"}
        said["bind"] = self.manifest.get("bind") or bind(said, self.bind_key or self.key, CRYPTO)
        return said

    @property
    def content(self) -> bytes:
        return canonical(self.members)

    @property
    def statement(self) -> bytes:
        return sign(self.content, self.sender.signs)

    @property
    def frame(self) -> bytes:
        statement, payload = self.statement, self.payload
        return MAGIC + len(statement).to_bytes(4, "big") + statement + len(payload).to_bytes(8, "big") + payload
