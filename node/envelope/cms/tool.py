"""The acts of the `cms` command, without files or keys of their own: inspect, verify, open, sign, envelop.

Rule 1: a verdict is good only under the standard's reading of a signature, or under one the caller accepts by name.
Rule 2: every signer must be good; one good signature beside a bad one proves nothing.
Rule 3: the tool signs no statement of the exchange (WIRE §1).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from node.envelope.cms import names
from node.envelope.cms.enveloped import RECIPIENTS, envelop
from node.envelope.cms.message import Content, Signer
from node.envelope.cms.opening import Cipher, cipher_of, decrypt, unwrap
from node.envelope.cms.reading import octets_of, read_message
from node.envelope.cms.readings import judge
from node.envelope.cms.report import INSPECT, OPEN, VERIFY, RecipientTold, Report, SignerTold
from node.envelope.cms.signed import assemble
from node.envelope.cms.telling import caveats_of, is_message, names_certificate, signer_told
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.model.trouble import Trouble, trouble
from node.ports import Chance, Crypto, PrivateKey, Trust

STATEMENT_PREFIX = b'{"@type":"exn.'


@dataclass(frozen=True, slots=True)
class Means:
    """What the acts need: the provider, how a certificate is parsed, and whom to trust, if `--ca` was given."""

    crypto: Crypto
    certificate: Callable[[bytes], Certificate]
    trust: Trust | None = None
    at: Instant = 0


def inspect(file: bytes, means: Means) -> Report:
    """Return what a message is made of; nothing is verified or opened."""
    return _Act(INSPECT, file, means).report


def verify(
    file: bytes, means: Means, content: bytes | None = None, certificate: Certificate | None = None,
    accept: Collection[str] = (),
) -> Report:
    """Return whether every signature of a SignedData is good over its content, or over detached `content`.

    A signature that verifies under a nonstandard reading only is good if `accept` names that reading.
    """
    act = _Act(VERIFY, file, means)
    message = act.message
    if message.kind == 4:
        return act.failed("needs-key")
    if message.content is None:
        return act.failed("not-signed")
    enclosed = message.content
    if content is not None and enclosed.octets is not None and not hmac.compare_digest(enclosed.octets, content):
        return act.failed("other-content")
    if content is not None and enclosed.octets is None:
        enclosed = Content(enclosed.type, content)
    return act.verified(enclosed, certificate, accept)


def open_message(
    file: bytes, means: Means, key: PrivateKey, certificate: Certificate | None = None,
    signer: Certificate | None = None, accept: Collection[str] = (),
) -> Report:
    """Return the content of an EnvelopedData, or of a SignedAndEnvelopedData whose signatures are good as well.

    Recipients that `certificate` names are tried first; `content` is None in the report unless the verdict is good.
    """
    act = _Act(OPEN, file, means)
    message = act.message
    if message.secret is None or message.kind == 5:
        return act.failed("needs-shared-key" if message.secret else "not-enveloped")
    cipher = cipher_of(message.secret.algorithm)
    if cipher is None:
        return act.failed("cipher")
    if message.secret.octets is None:
        return act.failed("no-ciphertext")
    return act.opened(cipher, message.secret.octets, key, certificate, signer, accept)


def sign(content: bytes, certificate: Certificate, key: PrivateKey, detached: bool = False) -> bytes:
    """Return DER SignedData of the profile over `content`; raise Refused(CMS_STATEMENT) for a statement's prefix."""
    if content.startswith(STATEMENT_PREFIX):
        raise trouble(codes.CMS_STATEMENT)
    if Role.SIGN not in certificate.roles or key.public != certificate.public:
        raise trouble(codes.KEY_ROLE, name=certificate.fingerprint, role=Role.SIGN.value)
    return assemble(content, certificate, key.sign(content), attached=not detached)


def envelop_content(content: bytes, recipients: Sequence[Certificate], crypto: Crypto, chance: Chance) -> bytes:
    """Return DER EnvelopedData of the profile for one or two recipients, under a fresh key and IV."""
    if not 1 <= len(recipients) <= RECIPIENTS:
        raise trouble(codes.CMS_FORM, reason="recipients")
    for certificate in recipients:
        if Role.ENCRYPT not in certificate.roles:
            raise trouble(codes.KEY_ROLE, name=certificate.fingerprint, role=Role.ENCRYPT.value)
    key, iv = chance(16), chance(16)
    wrapped = [(one.issuer, one.serial, crypto.sm2_wrap(one.public, key)) for one in recipients]
    return envelop(crypto.sm4_cbc_encrypt(key, iv, content), iv, wrapped)


class _Act:
    """One command on one file: the message read, and the report as it grows."""

    def __init__(self, act: str, file: bytes, means: Means) -> None:
        form, octets = octets_of(file)
        self.means = means
        self.message = message = read_message(octets)
        self.enclosed = [self._parsed(one) for one in message.certificates]
        form = "ber" if form == "binary" and message.quirks else "der" if form == "binary" else form
        secret, content = message.secret, message.content
        cipher = None if secret is None else cipher_of(secret.algorithm)
        self.report = Report(
            act, form, len(octets), message.name, message.oid, message.version,
            names.called(content.type) if content else names.called(secret.type) if secret else None,
            None if content is None or content.octets is None else len(content.octets),
            message.digests,
            tuple(parsed or len(one) for parsed, one in zip(self.enclosed, message.certificates)),
            len(message.crls),
            tuple(signer_told(one) for one in message.signers),
            tuple(RecipientTold(one.version, one.holder, one.algorithm) for one in message.recipients),
            None if secret is None else secret.algorithm, None if cipher is None else cipher.mode,
            caveats=tuple(dict.fromkeys(caveats_of(message, octets, cipher))), quirks=tuple(sorted(message.quirks)),
        )
        if message.kind == 0:
            self.report = self.failed("unknown-type")

    def _parsed(self, octets: bytes) -> Certificate | None:
        try:
            return self.means.certificate(octets)
        except Trouble:
            return None

    def failed(self, *problems: str) -> Report:
        """Return the report with the verdict *failed*, and no content."""
        found = dict.fromkeys((*self.report.problems, *problems))
        return replace(self.report, verdict="failed", problems=tuple(found), content=None)

    def verified(self, content: Content, given: Certificate | None, accept: Collection[str]) -> Report:
        """Return the report with every signer judged over `content`."""
        signers = tuple(self._judged(one, content, given, accept) for one in self.message.signers)
        self.report = replace(self.report, signers=signers)
        problems = [told.problem for told in signers if told.problem]
        if not signers:
            problems.append("no-signer")
        elif given and all(told.certificate != given for told in signers):
            problems.append("certificate-unused")
        if problems:
            return self.failed(*problems)
        caveats = () if self.means.trust else ("no-ca",)
        return replace(
            self.report, verdict="verified", content=content.octets, content_size=len(content.octets or b""),
            caveats=(*self.report.caveats, *caveats),
        )

    def _judged(
        self, signer: Signer, content: Content, given: Certificate | None, accept: Collection[str]
    ) -> SignerTold:
        told = signer_told(signer)
        certificate = self._certificate_of(signer, given)
        if certificate is None:
            return replace(told, problem="not-sm2" if None in self.enclosed and given is None else "no-certificate")
        outcome = judge(self.means.crypto, certificate.public, signer, content)
        problem = None if outcome.reading in accept else outcome.problem
        caveats = [] if outcome.strict else ["signature-not-der"]
        if Role.SIGN not in certificate.roles:
            caveats.append("usage")
        if self.means.trust and not problem:
            try:
                self.means.trust.check(certificate, self.means.at)
            except Trouble:
                problem = "not-trusted"
        return replace(
            told, certificate=certificate, reading=outcome.reading, problem=problem,
            caveats=(*told.caveats, *caveats),
        )

    def _certificate_of(self, signer: Signer, given: Certificate | None) -> Certificate | None:
        """Return the certificate the signer names, the given one first."""
        for certificate in (given, *self.enclosed):
            if certificate and names_certificate(signer.holder, certificate):
                return certificate
        return None

    def opened(
        self, cipher: Cipher, secret: bytes, key: PrivateKey, certificate: Certificate | None,
        signer: Certificate | None, accept: Collection[str],
    ) -> Report:
        """Return the report with the content, if a recipient's key unwraps and all that follows is good."""
        found = self._unwrapped(key, certificate)
        if found is None:
            return self.failed("no-recipient")
        try:
            clears = decrypt(self.means.crypto, cipher, found, secret)
        except Trouble:
            return self.failed("ciphertext")
        if self.message.kind != 4:
            integrity = () if cipher.mode == "GCM" else ("no-integrity",)
            return self._released("opened", *clears[0], integrity)
        assert self.message.secret is not None  # `open_message` turned away a message without one
        before = self.report
        for clear, caveat in clears:  # the signature says which of them was meant
            self.report = before
            self.report = self.verified(Content(self.message.secret.type, clear), signer, accept)
            if self.report.good:
                return self._released("opened-verified", clear, caveat)
        return self.report

    def _released(self, verdict: str, clear: bytes, caveat: str | None, more: tuple[str, ...] = ()) -> Report:
        nested = ("nested",) if is_message(clear) else ()
        caveats = (*self.report.caveats, *((caveat,) if caveat else ()), *more, *nested)
        return replace(self.report, verdict=verdict, content=clear, content_size=len(clear), caveats=caveats)

    def _unwrapped(self, key: PrivateKey, certificate: Certificate | None) -> bytes | None:
        """Return the content key from the first recipient that `key` unwraps."""
        recipients = self.message.recipients
        named = [certificate is not None and names_certificate(one.holder, certificate) for one in recipients]
        tried: dict[int, bool] = {}
        found = None
        for at in sorted(range(len(recipients)), key=lambda at: not named[at]):
            found = unwrap(key, recipients[at].wrapped)
            tried[at] = found is not None
            if found:
                break
        told = tuple(replace(one, opens=tried.get(at)) for at, one in enumerate(self.report.recipients))
        caveats = (found[1],) if found and found[1] else ()
        self.report = replace(self.report, recipients=told, caveats=(*self.report.caveats, *caveats))
        return found[0] if found else None
