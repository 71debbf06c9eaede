"""Keys in generations: a node that rotates signs with the newest, and opens with all it ever had."""

from __future__ import annotations

import os
from functools import cache

from node.crypto.keyring import Keyring
from node.model.certificate import Role
from node.model.registry import Peer
from tests.crypto.papers import CRYPTO, Paper, make_leaf, the_authority, the_leaf
from tests.stage.desk import channel_of, peer_of


@cache
def paper(node: str, role: Role, generation: int) -> Paper:
    """Return a node's certificate and key of one generation; the TLS pair never changes."""
    if generation == 0 or role is Role.TLS:
        return the_leaf(role, node)
    return make_leaf(the_authority(), role, node)


@cache
def ring(node: str, generation: int) -> Keyring:
    """Return what a node holds in a generation: one signing key, and every encryption key so far, newest first."""
    made = Keyring(CRYPTO, os.urandom)
    for role in (Role.SIGN, Role.TLS):
        one = paper(node, role, generation)
        made.add(f"{node}-{role.value}", role, one.certificate, one.key)
    for number in range(generation, -1, -1):
        one = paper(node, Role.ENCRYPT, number)
        made.add(f"{node}-encrypt-{number}", Role.ENCRYPT, one.certificate, one.key)
    return made


@cache
def registered(node: str, generation: int) -> Peer:
    """Return how a registry that was told of a generation lists a node: every signing certificate so far."""
    signing = [paper(node, Role.SIGN, number).certificate for number in range(generation, -1, -1)]
    return peer_of(node, signing=signing, encryption=paper(node, Role.ENCRYPT, generation).certificate)


@cache
def channel(node: str) -> str:
    """Return the fingerprint of a node's TLS certificate."""
    return channel_of(node)
