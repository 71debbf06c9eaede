"""Certificates as commands read and show them, and trust made of the files a person names."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from node.cli import files
from node.cli.situation import Situation
from node.crypto import certificates
from node.crypto.archive import write_archive
from node.crypto.certificates import Facts
from node.crypto.chain import CertificateTrust, Unshown
from node.model import codes
from node.model.certificate import Certificate
from node.model.instant import Instant, stamp
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.ports import Trust

HEADS = (
    Sentence("名称", "Name"), Sentence("用途", "Role"), Sentence("SM3指纹", "SM3 fingerprint"),
    Sentence("序列号", "Serial"), Sentence("生效", "From"), Sentence("失效", "Until"),
)
AUTHORITY = Sentence("签发机构", "authority")


def read(here: Situation, path: Path) -> Certificate:
    """Return the certificate in a file; raise Refused(CERT_FORM)."""
    return certificates.parse(files.read(path), here.crypto.sm3)


def read_bundle(here: Situation, path: Path) -> list[Certificate]:
    """Return the certificates of a file, which may hold several; raise Refused(CERT_FORM)."""
    return [facts.certificate for facts in _facts(files.read(path), here)]


def reader(here: Situation) -> partial[Certificate]:
    """Return what parses the octets of a certificate."""
    return partial(certificates.parse, sm3=here.crypto.sm3)


def row(name: str, certificate: Certificate) -> list[str | Sentence]:
    """Return a certificate as a row under `HEADS`."""
    roles = "+".join(sorted(role.value for role in certificate.roles))
    return [
        name, roles or AUTHORITY, certificate.fingerprint, f"{certificate.serial:x}", stamp(certificate.not_before),
        stamp(certificate.not_after),
    ]


def described(name: str, certificate: Certificate) -> dict[str, Any]:
    """Return a certificate for a program."""
    return {
        "name": name, "roles": sorted(role.value for role in certificate.roles),
        "fingerprint": certificate.fingerprint, "serial": f"{certificate.serial:x}", "subject": certificate.subject,
        "org": certificate.org, "not_before": stamp(certificate.not_before), "not_after": stamp(certificate.not_after),
    }


class Trusted:
    """Trust in the certificates of the files named with --ca, and in the lists of those named with --crl.

    As the port `Trust`, `check` asks for current lists only if lists were named: a tool for integration days must
    work without, and then says so (`lists`).
    """

    def __init__(self, here: Situation, authorities: Sequence[Path], lists: Sequence[Path]) -> None:
        sm3 = here.crypto.sm3
        found = [facts for path in authorities for facts in _facts(files.read(path), here)]
        self._ways = [facts.certificate.der for facts in found if not facts.self_issued]
        roots = [facts.certificate.der for facts in found if facts.self_issued]
        if not roots:
            raise trouble(codes.CERT_CHAIN, fingerprint=", ".join(sm3(way).hex() for way in self._ways) or "-")
        self._trust = CertificateTrust(here.crypto, roots, self._ways, [files.read(path) for path in lists])
        self.lists = bool(lists)
        self._here = here

    def read(self, der: bytes) -> Certificate:
        """Return what a certificate says; raise Refused."""
        return self._trust.read(der)

    def check(self, certificate: Certificate, at: Instant) -> None:
        """Return if the certificate is good at `at`; raise Hold."""
        if self.lists:
            self._trust.check(certificate, at)
        else:
            self._trust.check_archived(certificate, at, write_archive([certificate.der, *self._ways[:7]], []))

    def archive(self, certificate: Certificate) -> bytes:
        """Return the chain and the lists relied on."""
        return self._trust.archive(certificate)

    def judge(
        self, certificate: Certificate, at: Instant, archive: bytes | None, others: Sequence[bytes]
    ) -> Collection[str]:
        """Return what a proof does not show of a certificate (`node.envelope.proof.Judge`).

        Raises Hold for one that was not good then; without an archive the ways are what stands beside, and a chain
        that is not found is not shown, rather than bad.
        """
        if archive is not None:
            return {gap.value for gap in self._trust.check_archived(certificate, at, archive)}
        ways = [*self._ways, *(der for der in others if _is_authority(der, self._here))]
        try:
            gaps = self._trust.check_archived(certificate, at, write_archive([certificate.der, *ways[:7]], []))
        except Trouble as met:
            if met.code is not codes.CERT_CHAIN:
                raise
            return {"chain", Unshown.REVOCATION.value, Unshown.TIME.value}
        return {gap.value for gap in gaps}


def _facts(data: bytes, here: Situation) -> list[Facts]:
    try:
        ders = certificates.split(data, "CERTIFICATE")
    except ValueError:
        raise trouble(codes.CERT_FORM) from None
    return [certificates.inspect(der, here.crypto.sm3) for der in ders]


def _is_authority(der: bytes, here: Situation) -> bool:
    return certificates.inspect(der, here.crypto.sm3).authority


_: type[Trust] = Trusted
