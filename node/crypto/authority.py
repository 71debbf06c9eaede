"""The development CA: a folder that issues, revokes and publishes, so that an exchange can be built and tried.

Rule 1: it is named 开发用CA in every subject and says so in `NOTICE`; what it issues proves nothing in law (WIRE §8).
Rule 2: a folder changes under its lock, and `issued.json` is replaced in one step before a certificate is given out.
Rule 3: it sees public keys only; a private key is made, and kept, by whoever asks.

A folder holds `root.crt` and `root.key`, with an intermediate `issuing.crt` and `issuing.key` too, a `.crl` for each,
and `issued.json`.  What others need is in the `.crt` and `.crl` files.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asn1crypto import pem

from node.crypto import issuance, keyfile
from node.crypto.certificates import BUNDLE_LIMIT, LIMIT, USCC_FORM, inspect, parse
from node.crypto.issuance import Holder, Issuer, Revocation, Term
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant, read_stamp, stamp
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.ports import Chance, Clock, Crypto

NAME = "开发用CA"
NOTICE = Sentence(
    "开发用CA：仅供开发和测试，所发证书不具法律效力，不得用于正式环境",
    "Development CA: for development and tests only; its certificates have no legal force and no place in production",
)
ROOT, ISSUING = "root", "issuing"
BOOK = "issued.json"
FORMAT = "exn.ca.1"

DAY: Instant = 86_400_000
ROOT_DAYS, ISSUING_DAYS, LEAF_DAYS, CRL_DAYS = 7300, 3650, 730, 30
SKEW: Instant = 300_000
"""How long before its issue a certificate is already good, for clocks that are late."""

MOST_HOSTS = 16
_NODE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_Book = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a development CA lives, and what it works with."""

    folder: Path
    passphrase: bytes = field(repr=False)
    crypto: Crypto
    chance: Chance
    clock: Clock


@dataclass(frozen=True, slots=True)
class Request:
    """For whom to issue: node code, unified social credit code, the organisation's name, and the node's hosts.

    `public` returns the point to certify for a role; it may make the key then and there, and keep it.  Fewer `roles`
    are asked for when one key is renewed.
    """

    node: str
    org: str
    org_name: str
    hosts: Sequence[str]
    public: Callable[[Role], bytes]
    days: int = LEAF_DAYS
    roles: Sequence[Role] = tuple(Role)


def init(desk: Desk, intermediate: bool = True) -> Mapping[str, bytes]:
    """Found a CA in an empty or new folder, publish its empty CRLs, and return its certificates (DER) by name.

    Raises Refused(CA_EXISTS), and Hold(KEY_FILE) for a short passphrase or a folder that cannot be written.
    """
    try:
        desk.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise _unwritable(desk.folder.name) from None
    with _locked(desk):
        if any((desk.folder / name).exists() for name in (BOOK, "root.key", "issuing.key")):
            raise trouble(codes.CA_EXISTS)
        book: _Book = {"format": FORMAT, "crl": {}, "issued": []}
        made = {ROOT: _found(desk, ROOT, None)}
        if intermediate:
            made[ISSUING] = _found(desk, ISSUING, _issuer(desk, ROOT))
            book["issued"].append(_line(parse(made[ISSUING], desk.crypto.sm3), ROOT, "ca", ISSUING))
        book["crl"] = {name: 0 for name in made}
        _renew_lists(desk, book, CRL_DAYS)
        return made


def issue(desk: Desk, request: Request) -> Mapping[Role, bytes]:
    """Return the node's certificates (DER) by role, entered in the book.

    Raises Refused(CA_REQUEST) naming the field that is wrong or a key given for two roles, Refused(CA_MISSING).
    """
    _check(request)
    with _locked(desk):
        book = _read(desk)
        name = ISSUING if ISSUING in book["crl"] else ROOT
        issuer = _issuer(desk, name)
        points = {role: request.public(role) for role in request.roles}
        if len(set(points.values())) != len(points):
            raise trouble(codes.CA_REQUEST, field="public")
        made = {role: _leaf(desk, request, role, point, issuer) for role, point in points.items()}
        for role, der in made.items():
            book["issued"].append(_line(parse(der, desk.crypto.sm3), name, role.value, request.node))
        _write(desk, book)
        return made


def revoke(desk: Desk, serial: int, reason: str = "unspecified", at: Instant | None = None) -> None:
    """Enter a revocation in the book, since `at` or now; it takes effect with the next `crl`.

    Raises Refused(CA_UNKNOWN) for a serial never issued here, Refused(CA_REQUEST) naming `reason`, `at` (in the
    future) or `serial` (revoked already).
    """
    now = desk.clock()
    since = now if at is None else at
    if reason not in issuance.REASONS:
        raise trouble(codes.CA_REQUEST, field="reason")
    if since > now:
        raise trouble(codes.CA_REQUEST, field="at")
    with _locked(desk):
        book = _read(desk)
        line = next((line for line in book["issued"] if line["serial"] == f"{serial:x}"), None)
        if line is None:
            raise trouble(codes.CA_UNKNOWN, serial=f"{serial:x}")
        if "revoked" in line:
            raise trouble(codes.CA_REQUEST, field="serial")
        line["revoked"] = {"at": stamp(since), "reason": reason}
        _write(desk, book)


def revoke_certificate(
    desk: Desk, data: bytes, reason: str = "unspecified", at: Instant | None = None,
) -> Certificate:
    """Revoke the certificate given as DER or PEM and return it; raises as `revoke` does, and Refused(CERT_FORM)."""
    certificate = parse(data, desk.crypto.sm3)
    if not any(line["fingerprint"] == certificate.fingerprint for line in issued(desk)):
        raise trouble(codes.CA_UNKNOWN, serial=f"{certificate.serial:x}")
    revoke(desk, certificate.serial, reason, at)
    return certificate


def crl(desk: Desk, days: int = CRL_DAYS) -> Mapping[str, bytes]:
    """Publish new CRLs, each with the next number, good for so many days; return them (DER) by name of the issuer.

    Raises Refused(CA_REQUEST) for less than one day, Refused(CA_MISSING).
    """
    if not 1 <= days <= ROOT_DAYS:
        raise trouble(codes.CA_REQUEST, field="days")
    with _locked(desk):
        return _renew_lists(desk, _read(desk), days)


def issued(desk: Desk) -> Sequence[Mapping[str, Any]]:
    """Return the book's lines: serial, fingerprint, issuer, role, node, dates, and `revoked` {at, reason} if it is."""
    with _locked(desk):
        lines: list[Mapping[str, Any]] = _read(desk)["issued"]
        return lines


def _found(desk: Desk, name: str, above: Issuer | None) -> bytes:
    key = keyfile.make_key(desk.folder / f"{name}.key", desk.crypto, desk.passphrase, desk.chance)
    title = f"{NAME} Development CA {'(root)' if above is None else '(issuing)'}"
    holder = Holder(_names(NAME, title), key.public)
    if above is None:
        der = issuance.root(holder, _term(desk, ROOT_DAYS), key, desk.crypto.sm3, desk.chance)
    else:
        der = issuance.authority(holder, _term(desk, ISSUING_DAYS), above)
    _publish(desk, f"{name}.crt", pem.armor("CERTIFICATE", der))
    return der


def _leaf(desk: Desk, request: Request, role: Role, point: bytes, issuer: Issuer) -> bytes:
    """A certificate never outlives its issuer's; the role stands in the subject for whoever reads it."""
    term, above = _term(desk, request.days), parse(issuer.der, desk.crypto.sm3)
    if not above.not_before <= desk.clock() < above.not_after:
        raise trouble(codes.CERT_TIME, fingerprint=above.fingerprint)
    names, hosts = _names(request.org_name, request.node, role.value), (request.node, *request.hosts)
    holder = Holder(names, point, request.org, hosts)
    return issuance.leaf(holder, role, Term(term.not_before, min(term.not_after, above.not_after)), issuer)


def _names(organisation: str, common: str, unit: str | None = None) -> list[tuple[str, str]]:
    units = [("organizational_unit_name", unit)] if unit else []
    return [("country_name", "CN"), ("organization_name", organisation), *units, ("common_name", common)]


def _term(desk: Desk, days: int) -> Term:
    now = desk.clock()
    return Term(now - SKEW, now + days * DAY)


def _check(request: Request) -> None:
    wrong = {
        "node": not _NODE.fullmatch(request.node),
        "org": not USCC_FORM.fullmatch(request.org),
        "org_name": not 1 <= len(request.org_name) <= 64 or not request.org_name.isprintable(),
        "hosts": len(request.hosts) > MOST_HOSTS or not all(_is_host(host) for host in request.hosts),
        "roles": len(set(request.roles)) != len(request.roles) or not request.roles,
        "days": not 1 <= request.days <= ISSUING_DAYS,
    }
    for name, bad in wrong.items():
        if bad:
            raise trouble(codes.CA_REQUEST, field=name)


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
        return "%" not in host
    except ValueError:
        return bool(_DNS.fullmatch(host))


def _issuer(desk: Desk, name: str) -> Issuer:
    """The book names who signs; certificate and key must be one pair."""
    path = desk.folder / f"{name}.crt"
    try:
        facts = inspect(_octets(path, LIMIT * BUNDLE_LIMIT), desk.crypto.sm3)
    except (OSError, Trouble):
        raise trouble(codes.CA_MISSING, name=path.name) from None
    key = keyfile.read_key(desk.folder / f"{name}.key", desk.crypto, desk.passphrase, facts.certificate)
    return Issuer(facts.certificate.der, key, desk.crypto.sm3, desk.chance)


def _renew_lists(desk: Desk, book: _Book, days: int) -> Mapping[str, bytes]:
    """The numbers are in the book before a list is out: one that was lost is skipped, never given twice."""
    now, made = desk.clock(), {}
    for name in book["crl"]:
        book["crl"][name] += 1
        gone = [line for line in book["issued"] if line["issuer"] == name and "revoked" in line]
        entries = [
            Revocation(int(line["serial"], 16), read_stamp(line["revoked"]["at"]), line["revoked"]["reason"])
            for line in gone
        ]
        made[name] = issuance.revocation_list(_issuer(desk, name), book["crl"][name], entries, now, now + days * DAY)
    _write(desk, book)
    for name, der in made.items():
        _publish(desk, f"{name}.crl", pem.armor("X509 CRL", der))
    return made


def _line(certificate: Certificate, issuer: str, role: str, node: str) -> dict[str, Any]:
    return {
        "serial": f"{certificate.serial:x}", "fingerprint": certificate.fingerprint, "issuer": issuer, "role": role,
        "node": node, "not_before": stamp(certificate.not_before), "not_after": stamp(certificate.not_after),
    }


def _read(desk: Desk) -> _Book:
    try:
        book = json.loads(_octets(desk.folder / BOOK, 1 << 28))
        if book["format"] != FORMAT or not isinstance(book["issued"], list) or ROOT not in book["crl"]:
            raise ValueError
    except (OSError, ValueError, LookupError, TypeError):
        raise trouble(codes.CA_MISSING, name=BOOK) from None
    found: _Book = book
    return found


def _write(desk: Desk, book: _Book) -> None:
    text = json.dumps(book, ensure_ascii=False, indent=1)
    keyfile.write(desk.folder / BOOK, text.encode() + b"\n", replace=True)


def _publish(desk: Desk, name: str, data: bytes) -> None:
    """Certificates and lists are for everyone to read."""
    path = desk.folder / name
    keyfile.write(path, data, replace=True)
    path.chmod(0o644)


def _octets(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit)


def _unwritable(name: str) -> Trouble:
    return trouble(codes.KEY_FILE, name=name, reason="write")


@contextmanager
def _locked(desk: Desk) -> Iterator[None]:
    """One at a time per folder; the lock goes with the process, so none is ever left behind."""
    try:
        descriptor = os.open(desk.folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise trouble(codes.CA_MISSING, name=desk.folder.name) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
