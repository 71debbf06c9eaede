"""The tolerant reader: DER, BER, PEM or base64 in, a `Message` out (STANDARDS §3.3, with what other products do to it).

Rule 1: nothing read here is trusted; the wire has a reader of its own.
Rule 2: every departure from the profile that is tolerated is named, in `quirks` or in the parts.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from node.envelope.cms import der, names
from node.envelope.cms.ber import Element, Walk, unreadable
from node.envelope.cms.message import Algorithm, Attributes, Content, Holder, Message, Recipient, Secret, Signer
from node.model import codes
from node.model.trouble import trouble

LIMIT = 96 << 20
"""Octets of a file that are looked at."""
MEMBERS = 256
"""Certificates, CRLs, signers, recipients, attributes: of each no more than this."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_BEGIN = b"-----BEGIN "
_CMS_LABELS = re.compile(rb"(SM2 )?(PKCS ?#?7|CMS)( .*)?|SIGNED DATA|ENVELOPED DATA")
T = TypeVar("T")


def octets_of(file: bytes) -> tuple[str, bytes]:
    """Return the form of a file (`binary`, `pem`, `base64`) and the octets it stands for."""
    if len(file) > LIMIT:
        raise trouble(codes.TOO_LARGE, what="CMS", limit=LIMIT)
    if file[:1] == b"\x30" and file.translate(None, _ALPHABET):
        return "binary", file
    text = file.removeprefix(b"\xef\xbb\xbf")
    if _BEGIN in text:
        return "pem", _decoded(_armoured(text))
    if text and not text.translate(None, _ALPHABET):
        return "base64", _decoded(text)
    raise unreadable("form")


def _armoured(text: bytes) -> bytes:
    """Return the base64 between the first BEGIN line and its END line, without headers (RFC 7468, RFC 1421)."""
    label, dashes, rest = text.partition(_BEGIN)[2].partition(b"-----")
    if not dashes or not _CMS_LABELS.fullmatch(label):
        raise unreadable("pem-label")
    body, end, _ = rest.partition(b"-----END " + label + b"-----")
    if not end:
        raise unreadable("pem-label")
    return b"".join(line for line in body.splitlines() if b":" not in line)


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise unreadable("base64") from None


def read_message(octets: bytes) -> Message:
    """Return the parts of a binary message; raise Refused(CMS_UNREADABLE) where no reading is left."""
    reader = _Reader(Walk())
    message = reader.message(octets)
    return replace(message, quirks=frozenset(reader.walk.quirks))


class _Parts:
    """The children of one element, taken from the front; what is optional is taken if its tag is there."""

    def __init__(self, walk: Walk, element: Element, tag: int = der.SEQUENCE) -> None:
        if element.tag != tag:
            raise unreadable("structure")
        self._left = list(reversed(walk.children(element)))

    def take(self, *tags: int) -> Element:
        """Return the next child; raise unless it has one of `tags`."""
        child = self.maybe(*tags)
        if child is None:
            raise unreadable("structure")
        return child

    def maybe(self, *tags: int) -> Element | None:
        """Return the next child if it has one of `tags`."""
        if self._left and (not tags or self._left[-1].tag in tags):
            return self._left.pop()
        return None

    def end(self) -> None:
        """Raise unless every child was taken."""
        if self._left:
            raise unreadable("structure")


class _Reader:
    """One function per type of the standard, all over one walk."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    def message(self, octets: bytes) -> Message:
        parts = _Parts(self.walk, self.walk.root(octets))
        oid = self.walk.identifier(parts.take(der.OID))
        explicit = parts.maybe(0xA0)
        parts.end()
        arc, _, number = oid.rpartition(".")
        kind = int(number) if arc in (names.GM, names.PKCS7) else 0
        message = Message(oid, kind)
        readers = {2: self._signed, 3: self._enveloped, 4: self._signed_enveloped, 5: self._encrypted}
        if explicit is None or kind not in readers or (arc == names.PKCS7 and kind == 5):
            return message
        return readers[kind](message, self._only(explicit))

    def _only(self, explicit: Element) -> Element:
        children = self.walk.children(explicit)
        if len(children) != 1:
            raise unreadable("structure")
        return children[0]

    def _many(self, element: Element | None, read: Callable[[Element], T]) -> tuple[T, ...]:
        children: Sequence[Element] = () if element is None else self.walk.children(element)
        if len(children) > MEMBERS:
            raise unreadable("too-deep-or-many")
        return tuple(read(child) for child in children)

    def _signed(self, message: Message, element: Element) -> Message:
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        digests = self._many(parts.take(der.SET), self.algorithm)
        content = self.content(parts.take(der.SEQUENCE))
        message = replace(message, version=version, digests=digests, content=content)
        return self._signatures(message, parts)

    def _signatures(self, message: Message, parts: _Parts) -> Message:
        """Read the tail that SignedData and SignedAndEnvelopedData share."""
        certificates = self._many(parts.maybe(0xA0), self._kept)
        crls = self._many(parts.maybe(0xA1), self._kept)
        signers = self._many(parts.take(der.SET), self.signer)
        parts.end()
        return replace(message, certificates=certificates, crls=crls, signers=signers)

    def _kept(self, element: Element) -> bytes:
        return element.octets

    def _enveloped(self, message: Message, element: Element) -> Message:
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        if parts.maybe(0xA0):
            self.walk.quirks.add("originator-info")
        recipients = self._many(parts.take(der.SET), self.recipient)
        secret = self.secret(parts.take(der.SEQUENCE))
        parts.maybe(0xA1)
        parts.end()
        return self._told(message, version, recipients, secret)

    def _told(
        self, message: Message, version: int, recipients: Sequence[Recipient | None], secret: Secret
    ) -> Message:
        known = tuple(recipient for recipient in recipients if recipient)
        others = len(recipients) - len(known)
        return replace(message, version=version, recipients=known, others=others, secret=secret)

    def _signed_enveloped(self, message: Message, element: Element) -> Message:
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        recipients = self._many(parts.take(der.SET), self.recipient)
        digests = self._many(parts.take(der.SET), self.algorithm)
        secret = self.secret(parts.take(der.SEQUENCE))
        message = self._told(replace(message, digests=digests), version, recipients, secret)
        return self._signatures(message, parts)

    def _encrypted(self, message: Message, element: Element) -> Message:
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        secret = self.secret(parts.take(der.SEQUENCE))
        parts.maybe(0xA1)
        parts.end()
        return replace(message, version=version, secret=secret)

    def algorithm(self, element: Element) -> Algorithm:
        parts = _Parts(self.walk, element)
        oid = self.walk.identifier(parts.take(der.OID))
        parameters = parts.maybe()
        parts.end()
        return Algorithm(oid, None if parameters is None else self.walk.canonical(parameters))

    def content(self, element: Element) -> Content:
        parts = _Parts(self.walk, element)
        oid = self.walk.identifier(parts.take(der.OID))
        explicit = parts.maybe(0xA0)
        parts.end()
        if explicit is None:
            return Content(oid, None)
        inner = self._only(explicit)
        value = self.walk.string(inner) if inner.tag & ~0x20 == der.OCTET_STRING else inner.contents
        return Content(oid, value, inner.octets, element.octets)

    def holder(self, element: Element) -> Holder:
        if element.tag == 0x80:
            return Holder(key_id=element.contents)
        if element.tag == 0xA0:
            return Holder(key_id=self.walk.string(self._only(element)))
        parts = _Parts(self.walk, element)
        issuer = parts.take()  # one product leaves a null element where the Name should be
        serial = self.walk.integer(parts.take(der.INTEGER))
        parts.end()
        return Holder(self.walk.canonical(issuer) if issuer.tag == der.SEQUENCE else None, serial)

    def signer(self, element: Element) -> Signer:
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        holder = self.holder(parts.take(der.SEQUENCE, 0x80, 0xA0))
        digest = self.algorithm(parts.take(der.SEQUENCE))
        signed = parts.maybe(0xA0)
        algorithm = self.algorithm(parts.take(der.SEQUENCE))
        signature = self.walk.string(parts.take(der.OCTET_STRING, 0x24))
        unsigned = self._many(parts.maybe(0xA1), lambda one: self._attribute(one)[0])
        parts.end()
        attributes = None if signed is None else self.attributes(signed)
        return Signer(version, holder, digest, algorithm, signature, attributes, unsigned)

    def attributes(self, element: Element) -> Attributes:
        pairs = self._many(element, self._attribute)
        if len({oid for oid, _ in pairs}) != len(pairs):
            raise unreadable("attribute-twice")
        children = self.walk.children(element)
        retagged = der.tlv(der.SET, *(child.octets for child in children))
        canonical = der.set_of(*(self.walk.canonical(child) for child in children))
        return Attributes(element.octets, retagged, canonical, dict(pairs))

    def _attribute(self, element: Element) -> tuple[str, tuple[bytes, ...]]:
        parts = _Parts(self.walk, element)
        oid = self.walk.identifier(parts.take(der.OID))
        values = self._many(parts.take(der.SET), self.walk.canonical)
        parts.end()
        return oid, values

    def recipient(self, element: Element) -> Recipient | None:
        if element.tag != der.SEQUENCE:
            return None
        parts = _Parts(self.walk, element)
        version = self.walk.integer(parts.take(der.INTEGER))
        holder = self.holder(parts.take(der.SEQUENCE, 0x80, 0xA0))
        algorithm = self.algorithm(parts.take(der.SEQUENCE))
        wrapped = self.walk.string(parts.take(der.OCTET_STRING, 0x24))
        parts.end()
        return Recipient(version, holder, algorithm, wrapped)

    def secret(self, element: Element) -> Secret:
        parts = _Parts(self.walk, element)
        oid = self.walk.identifier(parts.take(der.OID))
        algorithm = self.algorithm(parts.take(der.SEQUENCE))
        body = parts.maybe(0x80, 0xA0)
        octets = None if body is None else self.walk.string(body)
        shared = sum(1 for tag in ((0x81, 0xA1), (0x82, 0xA2)) if parts.maybe(*tag))
        parts.end()
        return Secret(oid, algorithm, octets, shared)
