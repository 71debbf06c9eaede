"""A CMS message in whatever writing it was met, as parts; the values `reading` makes and the `cms` command looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.envelope.cms import der, names


@dataclass(frozen=True, slots=True)
class Algorithm:
    """An AlgorithmIdentifier; `parameters` is the whole element, None when absent (which is not NULL)."""

    oid: str
    parameters: bytes | None = None

    @property
    def name(self) -> str:
        """What the identifier is called."""
        return names.called(self.oid)

    @property
    def written(self) -> str:
        """What it is called, its identifier, and whether parameters stand beside it."""
        known = {None: "-", der.NULL: "NULL"}
        parameters = known.get(self.parameters) or (self.parameters or b"")[:32].hex()
        return f"{self.name} ({self.oid}; {parameters})"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose certificate is meant: by issuer's Name and serial, or by subject key identifier."""

    issuer: bytes | None = field(default=None, repr=False)
    serial: int | None = None
    key_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class Attributes:
    """Authenticated attributes: as sent (tag [0]), re-tagged SET OF, and re-tagged as the DER they should be."""

    sent: bytes = field(repr=False)
    retagged: bytes = field(repr=False)
    canonical: bytes = field(repr=False)
    values: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Signer:
    """A SignerInfo."""

    version: int
    holder: Holder
    digest: Algorithm
    algorithm: Algorithm
    signature: bytes = field(repr=False)
    attributes: Attributes | None = None
    unsigned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A RecipientInfo of the key transport kind; of any other kind only that it is there is known."""

    version: int
    holder: Holder
    algorithm: Algorithm
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Secret:
    """An EncryptedContentInfo; `octets` is None when the ciphertext travels apart."""

    type: str
    algorithm: Algorithm
    octets: bytes | None = field(repr=False)
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """The inner ContentInfo; `octets` is None when detached; `whole` its DER, which one product digests."""

    type: str
    octets: bytes | None = field(repr=False)
    inner: bytes = field(default=b"", repr=False)
    whole: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A ContentInfo and all that stands in it; `kind` is the number under the GB/T 35275 arc, 0 if none."""

    oid: str
    kind: int
    version: int | None = None
    content: Content | None = None
    digests: tuple[Algorithm, ...] = ()
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    crls: tuple[bytes, ...] = field(default=(), repr=False)
    signers: tuple[Signer, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    others: int = 0
    secret: Secret | None = None
    quirks: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The kind as the standard calls it."""
        return names.called(self.oid)
