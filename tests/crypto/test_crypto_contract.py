"""The port's contract over every suite we have."""

from __future__ import annotations

from node.crypto.gcrypt import GcryptCrypto
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import FallbackCrypto, ReferenceCrypto
from node.ports import Crypto
from tests.contracts.crypto_contract import CryptoContract
from tests.crypto.accelerator import system_libgcrypt
from tests.fakes.crypto import QuickCrypto


class TestOpenSsl(CryptoContract):
    @classmethod
    def make(cls) -> Crypto:
        return OpenSslCrypto()


class TestGcrypt(CryptoContract):
    @classmethod
    def make(cls) -> Crypto:
        return GcryptCrypto(OpenSslCrypto(), system_libgcrypt())


class TestReference(CryptoContract):
    @classmethod
    def make(cls) -> Crypto:
        return ReferenceCrypto()


class TestFallback(CryptoContract):
    @classmethod
    def make(cls) -> Crypto:
        return FallbackCrypto()


class TestQuick(CryptoContract):
    """The one that worlds run on: it promises what the real ones promise."""

    @classmethod
    def make(cls) -> Crypto:
        return QuickCrypto()
