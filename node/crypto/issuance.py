"""SM2 certificates and revocation lists written: X.509 v3 and CRL v2 over asn1crypto (GM/T 0015, RFC 5280 §4, §5).

Rule 1: a serial number is 16 random octets, so that it names the certificate and nothing else.
Rule 2: leaves carry no basicConstraints and every key usage is critical; other products trip over less (CRYPTO §4).
Rule 3: a leaf has one role, and its usage says no more.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asn1crypto import core, crl, keys, x509

from node.crypto.certificates import SM2_WITH_SM3, SPKI_HEAD, USCC_EXTENSION, Digest, inspect, moment_of
from node.crypto.curve import coordinates
from node.model import codes
from node.model.certificate import Role
from node.model.instant import Instant
from node.model.trouble import trouble
from node.ports import Chance, PrivateKey

USAGES: Mapping[Role, frozenset[str]] = {
    Role.SIGN: frozenset({"digital_signature", "non_repudiation"}),
    Role.ENCRYPT: frozenset({"key_encipherment", "data_encipherment", "key_agreement"}),
    Role.TLS: frozenset({"digital_signature"}),
}
"""Key usage by role: the bits `03 02 06 C0` and `03 02 03 38` of GM/T 0015, and TLS's own."""

REASONS = (
    "unspecified", "key_compromise", "ca_compromise", "affiliation_changed", "superseded", "cessation_of_operation",
    "certificate_hold", "privilege_withdrawn",
)
"""Reasons a revocation may state (RFC 5280 §5.3.1)."""

_AUTHORITY_USAGE = frozenset({"key_cert_sign", "crl_sign"})
_YEAR_2050 = 2_524_608_000_000


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate is for: `name` gives the subject's parts in order, `org` the unified social credit code."""

    name: Sequence[tuple[str, str]]
    public: bytes
    org: str | None = None
    hosts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when, both included, to the second."""

    not_before: Instant
    not_after: Instant


@dataclass(frozen=True, slots=True)
class Issuer:
    """An authority at work: its certificate, its key, SM3 and chance."""

    der: bytes
    key: PrivateKey
    sm3: Digest
    chance: Chance


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of a revocation list: which serial, since when, and why."""

    serial: int
    at: Instant
    reason: str = "unspecified"


def root(holder: Holder, term: Term, key: PrivateKey, sm3: Digest, chance: Chance) -> bytes:
    """Return the DER of a self-signed authority certificate."""
    extensions = [*_authority_extensions(None), _key_id(holder.public, sm3), _issuer_id(holder.public, sm3)]
    return _certificate(holder, term, _name(holder.name), key, sm3, chance, extensions)


def authority(holder: Holder, term: Term, issuer: Issuer) -> bytes:
    """Return the DER of a subordinate authority's certificate, which may sign leaves only."""
    return _issued(holder, term, issuer, _authority_extensions(0))


def leaf(holder: Holder, role: Role, term: Term, issuer: Issuer) -> bytes:
    """Return the DER of a node's certificate for one role; a TLS one states its hosts."""
    extensions = [_extension("key_usage", x509.KeyUsage(set(USAGES[role])), critical=True)]
    if role is Role.TLS:
        extensions.append(_extension("extended_key_usage", x509.ExtKeyUsageSyntax(["server_auth", "client_auth"])))
        extensions.append(_extension("subject_alt_name", x509.GeneralNames([_host(host) for host in holder.hosts])))
    if holder.org is not None:
        extensions.append(_extension(USCC_EXTENSION, core.PrintableString(holder.org)))
    return _issued(holder, term, issuer, extensions)


def revocation_list(
    issuer: Issuer, number: int, entries: Sequence[Revocation], this: Instant, following: Instant,
) -> bytes:
    """Return the DER of the issuer's complete CRL of that number, issued at `this`, next due at `following`."""
    facts = inspect(issuer.der, issuer.sm3)
    tbs = crl.TbsCertList({
        "version": "v2",
        "signature": _algorithm(),
        "issuer": x509.Name.load(facts.subject),
        "this_update": _time(this),
        "next_update": _time(following),
        "crl_extensions": [
            {"extn_id": "authority_key_identifier", "critical": False,
             "extn_value": {"key_identifier": _identifier(facts.certificate.public, issuer.sm3)}},
            {"extn_id": "crl_number", "critical": False, "extn_value": number},
        ],
    })
    if entries:  # an empty list is left out (RFC 5280 §5.1.2.6)
        tbs["revoked_certificates"] = [_entry(entry) for entry in sorted(entries, key=lambda entry: entry.serial)]
    signature = issuer.key.sign(tbs.dump())
    signed = crl.CertificateList({"tbs_cert_list": tbs, "signature_algorithm": _algorithm(), "signature": signature})
    return bytes(signed.dump())


def serial(chance: Chance) -> int:
    """Return a fresh serial: positive, 16 octets, never short (some products refuse short ones)."""
    octets = bytearray(chance(16))
    octets[0] = octets[0] & 0x3F | 0x40
    return int.from_bytes(octets, "big")


def _issued(holder: Holder, term: Term, issuer: Issuer, extensions: list[x509.Extension]) -> bytes:
    facts = inspect(issuer.der, issuer.sm3)
    if not facts.authority or facts.certificate.public != issuer.key.public:
        raise trouble(codes.KEY_ROLE, name="CA", role="CA")
    extensions += [_key_id(holder.public, issuer.sm3), _issuer_id(facts.certificate.public, issuer.sm3)]
    return _certificate(holder, term, x509.Name.load(facts.subject), issuer.key, issuer.sm3, issuer.chance, extensions)


def _certificate(
    holder: Holder, term: Term, issuer: x509.Name, key: PrivateKey, sm3: Digest, chance: Chance,
    extensions: list[x509.Extension],
) -> bytes:
    if coordinates(holder.public) is None:
        raise trouble(codes.CERT_FORM)
    tbs = x509.TbsCertificate({
        "version": "v3",
        "serial_number": serial(chance),
        "signature": _algorithm(),
        "issuer": issuer,
        "validity": {"not_before": _time(term.not_before), "not_after": _time(term.not_after)},
        "subject": _name(holder.name),
        "subject_public_key_info": keys.PublicKeyInfo.load(SPKI_HEAD + holder.public),
        "extensions": extensions,
    })
    signed = x509.Certificate({
        "tbs_certificate": tbs,
        "signature_algorithm": _algorithm(),
        "signature_value": key.sign(tbs.dump()),
    })
    return inspect(bytes(signed.dump()), sm3).certificate.der  # what cannot be read here is not given out


def _algorithm() -> x509.SignedDigestAlgorithm:
    return x509.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})


def _name(parts: Sequence[tuple[str, str]]) -> x509.Name:
    """One attribute per RDN in the order given; the country printable, all else UTF-8 (RFC 5280 §4.1.2.4)."""
    rdns = []
    for kind, text in parts:
        value: core.Asn1Value = core.PrintableString(text) if kind == "country_name" else x509.DirectoryString(
            name="utf8_string", value=core.UTF8String(text))
        rdns.append(x509.RelativeDistinguishedName([x509.NameTypeAndValue({"type": kind, "value": value})]))
    return x509.Name(name="", value=x509.RDNSequence(rdns))


def _time(at: Instant) -> x509.Time:
    if at < _YEAR_2050:
        return x509.Time(name="utc_time", value=core.UTCTime(moment_of(at)))
    return x509.Time(name="general_time", value=core.GeneralizedTime(moment_of(at)))


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.GeneralName(name="ip_address", value=x509.IPAddress(str(ipaddress.ip_address(host))))
    except ValueError:
        return x509.GeneralName(name="dns_name", value=x509.DNSName(host))


def _identifier(public: bytes, sm3: Digest) -> bytes:
    """The first 20 octets of SM3 of the point: a name for the key, not a proof (RFC 5280 §4.2.1.2)."""
    return sm3(public)[:20]


def _key_id(public: bytes, sm3: Digest) -> x509.Extension:
    return _extension("key_identifier", core.OctetString(_identifier(public, sm3)))


def _issuer_id(public: bytes, sm3: Digest) -> x509.Extension:
    value = x509.AuthorityKeyIdentifier({"key_identifier": _identifier(public, sm3)})
    return _extension("authority_key_identifier", value)


def _authority_extensions(path: int | None) -> list[x509.Extension]:
    constraints: dict[str, object] = {"ca": True}
    if path is not None:
        constraints["path_len_constraint"] = path
    return [
        _extension("basic_constraints", x509.BasicConstraints(constraints), critical=True),
        _extension("key_usage", x509.KeyUsage(set(_AUTHORITY_USAGE)), critical=True),
    ]


def _extension(name: str, value: core.Asn1Value, critical: bool = False) -> x509.Extension:
    return x509.Extension({"extn_id": name, "critical": critical, "extn_value": core.ParsableOctetString(value.dump())})


def _entry(entry: Revocation) -> dict[str, object]:
    if entry.reason not in REASONS:
        raise ValueError("unknown reason")
    fields: dict[str, object] = {"user_certificate": entry.serial, "revocation_date": _time(entry.at)}
    if entry.reason != "unspecified":  # an unspecified reason is left out (RFC 5280 §5.3.1)
        fields["crl_entry_extensions"] = [
            {"extn_id": "crl_reason", "critical": False, "extn_value": entry.reason},
        ]
    return fields
