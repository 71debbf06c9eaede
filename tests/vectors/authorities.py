"""The authorities of the wire vectors: one root that is trusted, one that is not, two with a list that is no use.

All keys are public and worthless, all serials and signatures the same each time.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache

from node.crypto.issuance import Holder, Issuer, Revocation, Term, authority, revocation_list, root
from node.model.instant import Instant
from tests.vectors import textbook
from tests.vectors.cms_parts import CA, SM3, Authority, Who, name, nonce

FROM, UNTIL = "2026-01-01", "2046-01-01"
LISTED, DUE = "2026-06-01", "2045-12-31"


def day(text: str) -> Instant:
    """Return the instant a day begins at, in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp() * 1000)


class FixedKey:
    """A private key whose signature over the same octets is the same each time."""

    def __init__(self, d: int) -> None:
        self.d = d

    @property
    def public(self) -> bytes:
        return _public(self.d)

    def sign(self, data: bytes) -> bytes:
        e = SM3(textbook.z(SM3, self.public) + data)
        return textbook.signature(*textbook.sign(self.d, e, nonce(b"issued", data)))


@cache
def _public(d: int) -> bytes:
    return textbook.public(d)


def _authority(common: str) -> Authority:
    d = int.from_bytes(SM3(common.encode()), "big") % (textbook.N - 2) + 1
    return Authority(name(common), d)


COMMON = {CA: "CMS vectors CA"}
for _common in ("Vectors CA without a list", "Vectors CA with an old list", "Vectors CA nobody trusts"):
    COMMON[_authority(_common)] = _common
ROOT, LISTLESS, LATE, STRANGER = COMMON


@cache
def certificate(one: Authority) -> bytes:
    """Return the certificate of an authority; the trusted root certified those without a useful list."""
    key, term = FixedKey(one.d), Term(day(FROM), day(UNTIL))
    holder = Holder([("country_name", "CN"), ("common_name", COMMON[one])], key.public)
    if one in (ROOT, STRANGER):
        return root(holder, term, key, SM3, _chance(one))  # type: ignore[arg-type]
    return authority(holder, term, issuer(ROOT, _chance(one)))


def issuer(one: Authority, chance: object = None) -> Issuer:
    """Return an authority at work."""
    return Issuer(certificate(one), FixedKey(one.d), SM3, chance or _chance(one))  # type: ignore[arg-type]


def _chance(one: Authority) -> object:
    return chance_of(COMMON[one])


def chance_of(label: str) -> object:
    """Return chance that depends on a label alone."""
    return lambda size: (SM3(label.encode()) * (1 + size // 32))[:size]


@cache
def revocations(
    one: Authority, *revoked: tuple[Who, str], number: int = 1, this: str = LISTED, due: str = DUE,
) -> bytes:
    """Return a list of an authority: parties and the day since when each is revoked."""
    entries = [Revocation(who.serial, day(since), "key_compromise") for who, since in revoked]
    return revocation_list(issuer(one), number, entries, day(this), day(due))
