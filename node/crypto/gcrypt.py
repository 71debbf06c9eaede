"""SM4 by libgcrypt where that is faster: counter mode, GCM, and decryption in CBC (GB/T 17964, SP 800-38D).

Measured beside `cryptography` (OpenSSL 4.0, no vector code for SM4): six times as fast on long data, and not slower
on any size down to nothing, a handle opened and closed for every call included; so there is no threshold and no handle
is kept.  CBC encryption is serial and stays where it is, ECB is used for two blocks only.

Rule 1: clear text whose tag is not good never leaves this file; the room it was written into is wiped.
Rule 2: only a tag that does not fit, or bad padding, is EXN-OPEN.  A library that fails is our own trouble (Hold): the
        sender's bytes are not to blame.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from node.crypto.foreign import typed
from node.crypto.libgcrypt import CBC, CTR, GCM, SM4, LibGcrypt, is_bad_tag
from node.crypto.openssl import OpenSslCrypto
from node.crypto.symmetric import BLOCK, NONCE, TAG, unpad
from node.model import codes
from node.model.trouble import Trouble, trouble

LONG = 16384
"""Octets from which others may run meanwhile: 30 µs of work."""


# A fresh `bytes` is written before anybody sees it, as the C interface allows: through a ctypes buffer the result would
# be zeroed first and copied afterwards, which took 40 % more time at 1 MiB.
_fresh = typed(ctypes.pythonapi, "PyBytes_FromStringAndSize", ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)
_address = typed(ctypes.pythonapi, "PyBytes_AsString", ctypes.c_void_p, ctypes.py_object)


def _broken(mode: str) -> Trouble:
    return trouble(codes.SELFTEST, item=f"libgcrypt SM4-{mode}")


class GcryptCrypto(OpenSslCrypto):
    """The suite of `OpenSslCrypto` with SM4 in GCM, CTR and CBC decryption by libgcrypt; any thread may call it."""

    name = "openssl+libgcrypt"

    def __init__(self, plain: OpenSslCrypto, library: LibGcrypt) -> None:
        super().__init__(plain.libcrypto)
        self._gcrypt = library

    @property
    def library(self) -> str:
        return f"{super().library}, {self._gcrypt.text}"

    def _opened(self, mode: int, key: bytes) -> ctypes.c_void_p:
        """Return a handle under `key`, which the caller closes; raise Hold(SELFTEST) if there is none."""
        if len(key) != BLOCK:
            raise trouble(codes.KEY_VALUE, what="SM4")
        handle = ctypes.c_void_p()
        if self._gcrypt.open(ctypes.byref(handle), SM4, mode, 0):
            raise _broken("open")
        if self._gcrypt.set_key(handle, key, BLOCK):
            self._gcrypt.close(handle)
            raise _broken("key")
        return handle

    def _encrypting(self, size: int) -> Callable[..., Any]:
        return self._gcrypt.encrypt if size < LONG else self._gcrypt.encrypt_long

    def _decrypting(self, size: int) -> Callable[..., Any]:
        return self._gcrypt.decrypt if size < LONG else self._gcrypt.decrypt_long

    def sm4_ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        if len(counter) != BLOCK:
            raise trouble(codes.KEY_VALUE, what="SM4-CTR")
        library, size = self._gcrypt, len(data)
        handle = self._opened(CTR, key)
        try:
            out: bytes = _fresh(None, size)
            if library.set_counter(handle, counter, BLOCK) or size and self._encrypting(size)(
                handle, _address(out), size, data, size
            ):
                raise _broken("CTR")
            return out
        finally:
            library.close(handle)

    def sm4_cbc_decrypt(self, key: bytes, iv: bytes, secret: bytes) -> bytes:
        size = len(secret)
        if len(iv) != BLOCK or not secret or size % BLOCK:
            raise trouble(codes.OPEN)
        library, handle = self._gcrypt, self._opened(CBC, key)
        try:
            out: bytes = _fresh(None, size)
            if library.set_iv(handle, iv, BLOCK) or self._decrypting(size)(handle, _address(out), size, secret, size):
                raise _broken("CBC")
        finally:
            library.close(handle)
        return unpad(out)

    def sm4_gcm_seal(self, key: bytes, nonce: bytes, clear: bytes, aad: bytes) -> bytes:
        if len(nonce) != NONCE:
            raise trouble(codes.KEY_VALUE, what="SM4-GCM nonce")
        library, size = self._gcrypt, len(clear)
        handle = self._opened(GCM, key)
        try:
            out: bytes = _fresh(None, size + TAG)
            at = _address(out)
            if (
                library.set_iv(handle, nonce, NONCE)
                or library.authenticate(handle, aad, len(aad))
                or self._encrypting(size)(handle, at, size, clear, size)
                or library.get_tag(handle, at + size, TAG)
            ):
                raise _broken("GCM")
            return out
        finally:
            library.close(handle)

    def sm4_gcm_open(self, key: bytes, nonce: bytes, secret: bytes, aad: bytes) -> bytes:
        size = len(secret) - TAG
        if len(nonce) != NONCE or size < 0:
            raise trouble(codes.OPEN)
        library, handle = self._gcrypt, self._opened(GCM, key)
        try:
            out: bytes = _fresh(None, size)
            error = (
                library.set_iv(handle, nonce, NONCE)
                or library.authenticate(handle, aad, len(aad))
                or size and self._decrypting(size)(handle, _address(out), size, secret, size)
                or library.check_tag(handle, secret[size:], TAG)
            )
            if error:
                ctypes.memset(_address(out), 0, size)
                if is_bad_tag(error):
                    raise trouble(codes.OPEN)
                raise _broken("GCM")
            return out
        finally:
            library.close(handle)
