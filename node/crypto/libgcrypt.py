"""The few functions of libgcrypt 1.10 and later that SM4 needs, bound by `ctypes` with every type stated.

Rule 1: a configured path is the only one tried, as with libcrypto.
Rule 2: no secure memory is asked for (no handle is opened with that flag), so a process that may not lock pages is not
        warned; who initialised the library before us keeps what they chose.
Rule 3: short calls hold the interpreter's lock: giving it up costs more than they take, and each time it is given up
        a busy thread may keep it for milliseconds.  Only the work on long data lets others run.
Rule 4: one handle belongs to one call.  Closing it wipes the key schedule.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_void_p
from pathlib import Path
from typing import Any

from node.crypto.foreign import typed
from node.model import codes
from node.model.trouble import trouble

NAME = "libgcrypt.so.20"
OLDEST = b"1.10.0"
"""SM4 came with 1.9.0, its vector code (AVX, AVX2, ARMv8) with 1.10.0."""

SM4, CBC, CTR, GCM = 318, 3, 6, 9  # GCRY_CIPHER_SM4 and the modes of <gcrypt.h>
_DISABLE_SECMEM, _FINISH, _IS_FINISHED, _TEST = 37, 38, 39, 8  # enum gcry_ctl_cmds
_ERROR_CODE, _CHECKSUM = 0xFFFF, 10  # GPG_ERR_CODE_MASK, GPG_ERR_CHECKSUM


class LibGcrypt:
    """One loaded libgcrypt with SM4; raises Hold(NO_LIBGCRYPT) if it is absent, too old, or may not do SM4 (FIPS)."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._held, self._released = ctypes.PyDLL(path), ctypes.CDLL(path)
            self._bind_all()
        except (OSError, AttributeError):
            raise trouble(codes.NO_LIBGCRYPT) from None
        if self._check(OLDEST) is None:
            raise trouble(codes.NO_LIBGCRYPT)
        if not self._control(_IS_FINISHED, 0):
            self._control(_DISABLE_SECMEM, 0)
            self._control(_FINISH, 0)
        if self._about(SM4, _TEST, None, None):
            raise trouble(codes.NO_LIBGCRYPT)

    def _bind(self, name: str, result: Any, *arguments: Any, library: Any = None) -> Callable[..., Any]:
        return typed(library or self._held, name, result, *arguments)

    def _bind_all(self) -> None:
        bind, pointer, size, error = self._bind, c_void_p, c_size_t, c_uint
        work = (pointer, pointer, size, c_char_p, size)
        self._check = bind("gcry_check_version", c_char_p, c_char_p)
        self._control = bind("gcry_control", error, c_int, c_int)
        self._about = bind("gcry_cipher_algo_info", error, c_int, c_int, pointer, POINTER(size))
        self.open = bind("gcry_cipher_open", error, POINTER(pointer), c_int, c_int, c_uint)
        self.close = bind("gcry_cipher_close", None, pointer)
        self.set_key = bind("gcry_cipher_setkey", error, pointer, c_char_p, size)
        self.set_iv = bind("gcry_cipher_setiv", error, pointer, c_char_p, size)
        self.set_counter = bind("gcry_cipher_setctr", error, pointer, c_char_p, size)
        self.authenticate = bind("gcry_cipher_authenticate", error, pointer, c_char_p, size)
        self.get_tag = bind("gcry_cipher_gettag", error, pointer, pointer, size)
        self.check_tag = bind("gcry_cipher_checktag", error, pointer, c_char_p, size)
        self.encrypt = bind("gcry_cipher_encrypt", error, *work)
        self.decrypt = bind("gcry_cipher_decrypt", error, *work)
        self.encrypt_long = bind("gcry_cipher_encrypt", error, *work, library=self._released)
        self.decrypt_long = bind("gcry_cipher_decrypt", error, *work, library=self._released)

    @property
    def text(self) -> str:
        """The library's own version, such as `libgcrypt 1.10.1`."""
        return "libgcrypt " + bytes(self._check(None)).decode("ascii", "replace")


def is_bad_tag(error: int) -> bool:
    """Return whether an error says that the tag is not the data's, and not that the library failed."""
    return error & _ERROR_CODE == _CHECKSUM


def find(configured: Path | None = None) -> LibGcrypt:
    """Return the configured libgcrypt, or the system's; raise Hold(NO_LIBGCRYPT) if it cannot be used."""
    if configured is not None and not configured.is_absolute():
        raise trouble(codes.NO_LIBGCRYPT)
    return LibGcrypt(str(configured or NAME))
