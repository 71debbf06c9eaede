"""Reissue: a receipt whose key was revoked since is signed anew (WIRE §1: a new certificate makes a new statement).

Why: whoever stole the key could have made it with any date in it, so nobody takes it any more, revoked when it may
be; and its parcel would wait for a word for ever.  What it says is as it was; only who vouches for it is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from node.envelope import read_receipt, write
from node.exchange.authority import ourselves
from node.exchange.means import Means
from node.model import codes
from node.model.instant import Instant
from node.model.spool import Given
from node.model.trouble import Hold


def revoked(given: Sequence[Given], means: Means, now: Instant) -> list[Given]:
    """Return those of our receipts whose certificate is on a revocation list by now, and is ours no more."""
    ours = means.identity.signing.fingerprint.encode("ascii")
    # The content is in the clear: the certificate it names needs no reading while it is the present one.
    return [one for one in given if ours not in one.statement and _revoked(one, means, now)]


def _revoked(one: Given, means: Means, now: Instant) -> bool:
    certificate = means.trust.read(read_receipt(one.statement, means.crypto).signed.certificate_der)
    if certificate.fingerprint == means.identity.signing.fingerprint:
        return False
    try:
        means.trust.check(certificate, min(now, certificate.not_after))
    except Hold as met:
        return met.code is codes.CERT_REVOKED
    return False


def reissue(one: Given, means: Means) -> Given:
    """Return the receipt as we say it now."""
    said = read_receipt(one.statement, means.crypto).statement
    signed = write(replace(said, sender=ourselves(means)), means.identity.signing, means.identity.sign)
    return replace(one, statement=signed)
