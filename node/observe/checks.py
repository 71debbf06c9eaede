"""The checks every node has: it really signs, syncs a byte, opens its stores (DESIGN §8.9).

They block, so `service` runs them through `workers`; none touches anything a reader could notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from node.model import codes
from node.model.trouble import trouble
from node.ports import Chance, Crypto, Identity, Store

PROBE = ".probe"


def signing(identity: Identity, crypto: Crypto, chance: Chance) -> Callable[[], None]:
    """Return a check that signs fresh bytes with the signing key and verifies them with its certificate."""

    def check() -> None:
        data = b"exn.health.1" + chance(20)
        if not crypto.sm2_verify(identity.signing.public, data, identity.sign(data)):
            raise trouble(codes.SELFTEST, item="SM2")

    return check


def syncing(folder: Path) -> Callable[[], None]:
    """Return a check that writes one byte to a file of its own in `folder` and waits until the disk has it."""

    def check() -> None:
        try:
            descriptor = os.open(folder / PROBE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, b"1")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            raise trouble(codes.DISK_SYNC) from None

    return check


def opening(store: Store[Any]) -> Callable[[], None]:
    """Return a check that opens a transaction of a store and ends it without a change."""

    def check() -> None:
        with store.unit():
            pass

    return check
