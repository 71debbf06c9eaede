"""The suite the node runs on: SM2 by libcrypto, SM3 and SM4 by `cryptography`."""

from __future__ import annotations

from pathlib import Path

from node.crypto.libcrypto import LibCrypto, find
from node.crypto.sm2_native import NativeSm2
from node.crypto.symmetric import Symmetric
from node.ports import Crypto


class OpenSslCrypto(NativeSm2, Symmetric):
    """The port `Crypto` over libcrypto 3 or later; raises Hold(NO_LIBCRYPTO) if none is found.

    `selftest.open_crypto` is the way to get one that has proved itself.
    """

    name = "openssl"

    def __init__(self, library: LibCrypto | Path | None = None) -> None:
        super().__init__(library if isinstance(library, LibCrypto) else find(library))

    @property
    def libcrypto(self) -> LibCrypto:
        """The library that computes SM2, for a suite that shares it."""
        return self._library

    @property
    def library(self) -> str:
        """Which libraries compute, for the log."""
        return self._library.text


_: type[Crypto] = OpenSslCrypto
