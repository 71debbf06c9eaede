"""bind: ties a manifest to the key of its envelope (WIRE §2).

    Kb   = SM4-ECB(CEK, b1 ‖ b2)      b1, b2 = `exn.bind.1`, zero-padded to 15 octets, then 01, 02
    bind = HMAC-SM3(Kb, canonical manifest without `bind`)

Without it a member could sign a stolen envelope, altered at will, as its own, and the receipts would be a padding
oracle for CBC.  The CEK encrypts the payload under CBC with a random IV; that one of its blocks equals b1 or b2 has
the chance of a guessed key, so one key may serve both.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from node.envelope import canonical
from node.ports import Crypto

_LABEL = b"exn.bind.1".ljust(15, b"\x00")
BLOCKS = _LABEL + b"\x01" + _LABEL + b"\x02"


def binding_key(key: bytes, crypto: Crypto) -> bytes:
    """Return Kb of a content key: it binds, and opens nothing."""
    return crypto.sm4_ecb(key, BLOCKS)


def bind(said: dict[str, Any], key: bytes, crypto: Crypto) -> str:
    """Return `bind` of a manifest's members (a `bind` among them is left out) under the content key."""
    return bind_under(said, binding_key(key, crypto), crypto)


def bind_under(said: dict[str, Any], binding: bytes, crypto: Crypto) -> str:
    """As `bind`, under Kb; that the members are those of a manifest is found out when it is written with its `bind`."""
    unbound = {name: member for name, member in said.items() if name != "bind"}
    return crypto.hmac_sm3(binding, canonical.spell(unbound)).hex()


def bound(content: bytes, bind: str, key: bytes, crypto: Crypto) -> bool:
    """Return, in constant time, whether `bind` of a manifest's canonical octets was made under this content key.

    Only `batch`, which is closed, sorts before `bind`, and always something after it: the first place where the member
    is spelled is the member, and without it the octets are what `write` gives for the others.
    """
    unbound = content.replace(b'"bind":"%b",' % bind.encode("ascii"), b"", 1)
    return compare_digest(crypto.hmac_sm3(binding_key(key, crypto), unbound).hex(), bind)
