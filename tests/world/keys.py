"""Keys in generations: a node that rotates signs with the newest, and opens with all it ever had.

Every third generation is short-lived, and any may be revoked; a list reaches each machine in its own time.
"""

from __future__ import annotations

import os
from functools import cache

from node.crypto.chain import CertificateTrust
from node.crypto.issuance import Revocation, Term
from node.crypto.keyring import Keyring
from node.model.certificate import Role
from node.model.registry import Peer
from node.ports import Crypto, PrivateKey
from tests.crypto.papers import CRYPTO, DAY, NOW, YEAR, Paper, make_leaf, the_authority, the_leaf, the_root
from tests.fakes.crypto import QUICK
from tests.stage.desk import channel_of, peer_of

BEGAN = NOW // DAY * DAY + DAY // 6
"""When every world begins: noon in China of a day the certificates are good on; no run crosses midnight."""
SHORT = Term(NOW - DAY, BEGAN + 40_000)
"""How long a short-lived generation is good."""


def is_short(generation: int) -> bool:
    """Return whether the certificates of a generation end while a world lives."""
    return generation % 3 == 2


def suite(real: bool) -> Crypto:
    """Return the suite of a world: the real one, or the quick one that keeps the same promises."""
    return CRYPTO if real else QUICK


@cache
def paper(node: str, role: Role, generation: int) -> Paper:
    """Return a node's certificate and key of one generation; the TLS pair never changes."""
    if generation == 0 or role is Role.TLS:
        made = the_leaf(role, node)
    else:
        made = make_leaf(the_authority(), role, node, SHORT if is_short(generation) else YEAR)
    _key(made, False)  # what is sealed to a certificate may be sealed before its owner took it into use
    return made


@cache
def ring(node: str, generation: int, real: bool = True, lost: bool = False, gone: int = 0) -> Keyring:
    """Return what a node holds in a generation: one signing key, and every encryption key so far, newest first.

    `lost`: the older encryption keys cannot be found; those of the first `gone` generations nobody ever finds.
    """
    made = Keyring(suite(real), os.urandom)
    for role in (Role.SIGN, Role.TLS):
        one = paper(node, role, generation)
        made.add(f"{node}-{role.value}", role, one.certificate, _key(one, real))
    for number in range(generation, generation - 1 if lost else gone - 1, -1):
        one = paper(node, Role.ENCRYPT, number)
        made.add(f"{node}-encrypt-{number}", Role.ENCRYPT, one.certificate, _key(one, real))
    for number in range(gone):
        made.declare_lost(paper(node, Role.ENCRYPT, number).certificate)
    return made


def _key(one: Paper, real: bool) -> PrivateKey:
    return one.key if real else QUICK.sm2_load(CRYPTO.sm2_scalar(one.key))


@cache
def registered(node: str, generation: int) -> Peer:
    """Return how a registry that was told of a generation lists a node: every signing certificate so far."""
    signing = [paper(node, Role.SIGN, number).certificate for number in range(generation, -1, -1)]
    return peer_of(node, signing=signing, encryption=paper(node, Role.ENCRYPT, generation).certificate)


@cache
def channel(node: str) -> str:
    """Return the fingerprint of a node's TLS certificate."""
    return channel_of(node)


@cache
def trust(revoked: frozenset[tuple[str, int]] = frozenset()) -> CertificateTrust:
    """Return the trust of a machine that was told which generations of which nodes are revoked, both pairs."""
    entries = [
        Revocation(paper(node, role, generation).certificate.serial, BEGAN, "key_compromise")
        for node, generation in sorted(revoked) for role in (Role.SIGN, Role.ENCRYPT)
    ]
    lists = [
        the_root().revoking(due=NOW + 360 * DAY),
        the_authority().revoking(*entries, number=1 + len(revoked), due=NOW + 360 * DAY),
    ]
    return CertificateTrust(CRYPTO, [the_root().der], [the_authority().der], lists)
