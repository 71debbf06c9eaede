"""What the `cms` command found: one value, told as JSON to programs and as lines to people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from node.envelope.cms.message import Algorithm, Holder
from node.envelope.cms.words import said
from node.model.certificate import Certificate
from node.model.instant import stamp
from node.model.sentence import Sentence

INSPECT, VERIFY, OPEN = "inspect", "verify", "open"


@dataclass(frozen=True, slots=True)
class SignerTold:
    """One signer; `reading` is None where nothing verified or nothing was tried."""

    version: int
    holder: Holder
    digest: Algorithm
    algorithm: Algorithm
    attributes: tuple[str, ...] | None
    signing_time: str | None
    certificate: Certificate | None = None
    reading: str | None = None
    problem: str | None = None
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecipientTold:
    """One recipient; `opens` is None where its key was not tried."""

    version: int
    holder: Holder
    algorithm: Algorithm
    opens: bool | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that is told of one message; `content` is what was verified or opened, and stands in no output."""

    act: str
    form: str
    size: int
    kind: str
    oid: str
    version: int | None = None
    content_type: str | None = None
    content_size: int | None = None
    digests: tuple[Algorithm, ...] = ()
    certificates: tuple[Certificate | int, ...] = ()
    crls: int = 0
    signers: tuple[SignerTold, ...] = ()
    recipients: tuple[RecipientTold, ...] = ()
    cipher: Algorithm | None = None
    mode: str | None = None
    verdict: str = "described"
    problems: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    content: bytes | None = field(default=None, repr=False)

    @property
    def good(self) -> bool:
        """Whether the command may exit 0: it verified or opened, or was only asked to describe."""
        return self.verdict != "failed"

    def as_json(self) -> dict[str, Any]:
        """Return what was found, without the content; every name in it is stable."""
        return {
            "act": self.act, "verdict": self.verdict, "good": self.good,
            "form": self.form, "size": self.size, "kind": self.kind, "oid": self.oid, "version": self.version,
            "content": {"type": self.content_type, "size": self.content_size},
            "digests": [_algorithm(one) for one in self.digests],
            "certificates": [_certificate(one) for one in self.certificates],
            "crls": self.crls,
            "signers": [_signer(one) for one in self.signers],
            "recipients": [_recipient(one) for one in self.recipients],
            "cipher": self.cipher and {**_algorithm(self.cipher), "mode": self.mode},
            "problems": [_said(name) for name in self.problems],
            "caveats": [_said(name) for name in (*self.caveats, *self.quirks)],
        }

    def lines(self, language: str) -> list[str]:
        """Return what was found, one fact a line, in `zh` or `en`."""
        facts = self._facts(language)
        return [f"{_LABELS[label].into(language)}{_COLON.into(language)}{text}" for label, text in facts]

    def _facts(self, language: str) -> Iterator[tuple[str, str]]:
        yield "kind", f"{self.kind} ({self.oid}), {self.form}, {self.size}"
        if self.content_type:
            size = "-" if self.content_size is None else str(self.content_size)
            yield "content", f"{self.content_type}, {size}"
        for certificate in self.certificates:
            yield "certificate", _certificate_line(certificate)
        if self.crls:
            yield "crls", str(self.crls)
        for signer in self.signers:
            yield "signer", _signer_line(signer, language)
        for recipient in self.recipients:
            yield "recipient", f"{_named(recipient.holder)}, {recipient.algorithm.written}{_OPENS[recipient.opens]}"
        if self.cipher:
            yield "cipher", f"{self.cipher.written} → {self.mode or '?'}"
        for name in (*self.quirks, *self.caveats):
            yield "note", f"{said(name).into(language)} [{name}]"
        for name in self.problems:
            yield "problem", f"{said(name).into(language)} [{name}]"
        yield "verdict", said(self.verdict).into(language)


_COLON = Sentence("：", ": ")
_OPENS = {None: "", True: " ✓", False: " ✗"}
_LABELS = {
    "kind": Sentence("类型", "Kind"), "content": Sentence("内容", "Content"),
    "certificate": Sentence("证书", "Certificate"), "crls": Sentence("吊销列表", "CRLs"),
    "signer": Sentence("签名者", "Signer"), "recipient": Sentence("接收者", "Recipient"),
    "cipher": Sentence("内容加密", "Content encryption"), "note": Sentence("说明", "Note"),
    "problem": Sentence("问题", "Problem"), "verdict": Sentence("结论", "Verdict"),
}


def _said(name: str) -> dict[str, str]:
    sentence = said(name)
    return {"name": name, "zh": sentence.zh, "en": sentence.en}


def _algorithm(algorithm: Algorithm) -> dict[str, Any]:
    parameters = None if algorithm.parameters is None else algorithm.parameters[:64].hex()
    return {"oid": algorithm.oid, "name": algorithm.name, "parameters": parameters}


def _holder(holder: Holder) -> dict[str, Any]:
    return {
        "issuer": None if holder.issuer is None else holder.issuer.hex(),
        "serial": None if holder.serial is None else f"{holder.serial:x}",
        "key_id": None if holder.key_id is None else holder.key_id.hex(),
    }


def _named(holder: Holder) -> str:
    if holder.serial is not None:
        return f"serial {holder.serial:x}"
    return f"key id {(holder.key_id or b'').hex()}"


def _certificate(certificate: Certificate | int) -> dict[str, Any]:
    """Tell a certificate, or the size of one that is not a usable SM2 certificate."""
    if isinstance(certificate, int):
        return {"readable": False, "size": certificate}
    return {
        "readable": True, "size": len(certificate.der), "fingerprint": certificate.fingerprint,
        "subject": certificate.subject, "serial": f"{certificate.serial:x}", "org": certificate.org,
        "roles": sorted(role.value for role in certificate.roles),
        "not_before": stamp(certificate.not_before), "not_after": stamp(certificate.not_after),
    }


def _certificate_line(certificate: Certificate | int) -> str:
    if isinstance(certificate, int):
        return f"? ({certificate})"
    roles = "+".join(sorted(role.value for role in certificate.roles)) or "-"
    until = stamp(certificate.not_after)[:10]
    name = f"{certificate.subject}, serial {certificate.serial:x}"
    return f"{name}, SM3 {certificate.fingerprint}, {roles}, –{until}"


def _signer(signer: SignerTold) -> dict[str, Any]:
    return {
        "version": signer.version, **_holder(signer.holder),
        "digest": _algorithm(signer.digest), "algorithm": _algorithm(signer.algorithm),
        "attributes": None if signer.attributes is None else list(signer.attributes),
        "signing_time": signer.signing_time,
        "certificate": signer.certificate and signer.certificate.fingerprint,
        "reading": signer.reading and _said(signer.reading),
        "problem": signer.problem and _said(signer.problem),
        "caveats": [_said(name) for name in signer.caveats],
    }


def _signer_line(signer: SignerTold, language: str) -> str:
    told = [_named(signer.holder), signer.digest.written, signer.algorithm.written]
    if signer.attributes is not None:
        told.append("+".join(signer.attributes))
    if signer.signing_time:
        told.append(signer.signing_time)
    names = [name for name in (signer.reading, signer.problem, *signer.caveats) if name]
    told += [f"{said(name).into(language)} [{name}]" for name in names]
    return ", ".join(told)


def _recipient(recipient: RecipientTold) -> dict[str, Any]:
    return {
        "version": recipient.version, **_holder(recipient.holder),
        "algorithm": _algorithm(recipient.algorithm), "opens": recipient.opens,
    }
