"""The few functions of libcrypto 3 and later that SM2 needs, bound by `ctypes` with every type stated.

Rule 1: every function has its `argtypes` and `restype`; without them a pointer is cut to 32 bits.
Rule 2: a configured path is the only one tried: what an operator names is used or complained about, never passed over.
Rule 3: after a failed call the thread's error queue is drained, for `ssl` and `hashlib` may share the library.
Rule 4: only names of public functions, and none that is deprecated is needed (`multiples` does without).
Rule 5: only what multiplies points gives up the interpreter's lock: for a call of a microsecond that costs more than it
        gives, and each time it is given up a busy thread may keep it for milliseconds.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_ulong, c_void_p
from functools import partial
from pathlib import Path
from typing import Any

from node.crypto.foreign import typed
from node.model import codes
from node.model.trouble import Trouble, trouble

NAMES = ("libcrypto.so.4", "libcrypto.so.3")
BUNDLED = Path(__file__).parent / "lib"
"""Where an image or a package may put its own libcrypto; empty in the source tree."""

OLDEST = 0x30000000
NID_SM2 = 1172
UNCOMPRESSED = 4
_UNSIGNED_INTEGER, _UTF8_STRING, _OCTET_STRING = 2, 4, 5  # OSSL_PARAM(3)
_LITTLE = sys.byteorder == "little"
_PUBLIC_KEY, _KEYPAIR = 0x86, 0x87  # EVP_PKEY_PUBLIC_KEY and EVP_PKEY_KEYPAIR of <openssl/evp.h>


class Param(ctypes.Structure):
    """`OSSL_PARAM`; an array of them ends with one of all zeros."""

    _fields_ = [
        ("key", c_char_p),
        ("data_type", c_uint),
        ("data", c_void_p),
        ("data_size", c_size_t),
        ("return_size", c_size_t),
    ]


class LibCrypto:
    """One loaded libcrypto with SM2; raises Hold(NO_LIBCRYPTO) if it is too old or was built without it."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._held, self._released = ctypes.PyDLL(path), ctypes.CDLL(path)
            self._bind_all()
        except (OSError, AttributeError):
            raise trouble(codes.NO_LIBCRYPTO) from None
        if self.version < OLDEST or not self._has_sm2():
            raise trouble(codes.NO_LIBCRYPTO)

    def bind(self, name: str, result: Any, *arguments: Any, lets_others_run: bool = False) -> Callable[..., Any]:
        """Return a function of the library; raise AttributeError if it has none of that name."""
        return typed(self._released if lets_others_run else self._held, name, result, *arguments)

    def _bind_all(self) -> None:
        bind, heavy, pointer, size = self.bind, partial(self.bind, lets_others_run=True), c_void_p, c_size_t
        self.version: int = bind("OpenSSL_version_num", c_ulong)()
        self.drain = bind("ERR_clear_error", None)
        self.context_from_name = bind("EVP_PKEY_CTX_new_from_name", pointer, pointer, c_char_p, c_char_p)
        self.context_from_key = bind("EVP_PKEY_CTX_new_from_pkey", pointer, pointer, pointer, c_char_p)
        self.context_free = bind("EVP_PKEY_CTX_free", None, pointer)
        self.key_free = bind("EVP_PKEY_free", None, pointer)
        self.keygen_init = bind("EVP_PKEY_keygen_init", c_int, pointer)
        self.generate = heavy("EVP_PKEY_generate", c_int, pointer, POINTER(pointer))
        self.fromdata_init = bind("EVP_PKEY_fromdata_init", c_int, pointer)
        self.fromdata = heavy("EVP_PKEY_fromdata", c_int, pointer, POINTER(pointer), c_int, POINTER(Param))
        self.get_number = bind("EVP_PKEY_get_bn_param", c_int, pointer, c_char_p, POINTER(pointer))
        self.get_octets = bind(
            "EVP_PKEY_get_octet_string_param", c_int, pointer, c_char_p, c_char_p, size, POINTER(size)
        )
        self.sign_init = bind("EVP_PKEY_sign_init", c_int, pointer)
        self.sign = heavy("EVP_PKEY_sign", c_int, pointer, c_char_p, POINTER(size), c_char_p, size)
        self.verify_init = bind("EVP_PKEY_verify_init", c_int, pointer)
        self.verify = heavy("EVP_PKEY_verify", c_int, pointer, c_char_p, size, c_char_p, size)
        self.encrypt_init = bind("EVP_PKEY_encrypt_init", c_int, pointer)
        self.encrypt = heavy("EVP_PKEY_encrypt", c_int, pointer, c_char_p, POINTER(size), c_char_p, size)
        self.decrypt_init = bind("EVP_PKEY_decrypt_init", c_int, pointer)
        self.decrypt = heavy("EVP_PKEY_decrypt", c_int, pointer, c_char_p, POINTER(size), c_char_p, size)
        self.number_from = bind("BN_bin2bn", pointer, c_char_p, c_int, pointer)
        self.number_into = bind("BN_bn2binpad", c_int, pointer, c_char_p, c_int)
        self.number_clear_free = bind("BN_clear_free", None, pointer)
        self.group_new = bind("EC_GROUP_new_by_curve_name", pointer, c_int)
        self.group_free = bind("EC_GROUP_free", None, pointer)
        self.point_new = bind("EC_POINT_new", pointer, pointer)
        self.point_free = bind("EC_POINT_free", None, pointer)
        self.point_multiply = heavy("EC_POINT_mul", c_int, *[pointer] * 6)
        self.point_octets = bind(
            "EC_POINT_point2oct", size, pointer, pointer, c_int, c_char_p, size, pointer
        )
        self.version_text = bind("OpenSSL_version", c_char_p, c_int)

    def _has_sm2(self) -> bool:
        """Some distributions build without SM2; the name alone tells."""
        context = self.context_from_name(None, b"SM2", None)
        self.context_free(context)
        self.drain()
        return context is not None

    @property
    def text(self) -> str:
        """The library's own version, such as `OpenSSL 3.0.19 …`."""
        return bytes(self.version_text(0)).decode("ascii", "replace")

    def build(self, public: bytes, scalar: bytes | None = None) -> int:
        """Return an EVP_PKEY of the point, with its scalar if given; 0 if the library refuses it."""
        group = ctypes.create_string_buffer(b"SM2", 4)
        point = ctypes.create_string_buffer(public, len(public))
        secret = ctypes.create_string_buffer(scalar[::-1] if _LITTLE else scalar, 32) if scalar else None
        params = (Param * 4)()
        params[0] = Param(b"group", _UTF8_STRING, ctypes.addressof(group), 3, 0)
        params[1] = Param(b"pub", _OCTET_STRING, ctypes.addressof(point), len(public), 0)
        if secret is not None:
            params[2] = Param(b"priv", _UNSIGNED_INTEGER, ctypes.addressof(secret), 32, 0)
        try:
            return self._made(lambda context, key: (
                self.fromdata_init(context) == 1
                and self.fromdata(context, key, _PUBLIC_KEY if secret is None else _KEYPAIR, params) == 1
            ))
        finally:
            if secret is not None:
                ctypes.memset(secret, 0, 32)

    def generated(self) -> int:
        """Return a fresh EVP_PKEY from the library's generator, which the system seeds; 0 on failure."""
        return self._made(lambda context, key: self.keygen_init(context) == 1 and self.generate(context, key) == 1)

    def _made(self, make: Callable[[Any, Any], bool]) -> int:
        key = c_void_p()
        context = self.context_from_name(None, b"SM2", None)
        try:
            if context is None or not make(context, ctypes.byref(key)):
                self.key_free(key)
                return 0
            return key.value or 0
        finally:
            self.context_free(context)
            self.drain()


def search(configured: Path | None) -> Iterator[str]:
    """Yield what to try to load, in order: the configured path alone, or bundled then system names."""
    if configured is not None:
        yield str(configured)
        return
    for name in NAMES:
        if (BUNDLED / name).is_file():
            yield str(BUNDLED / name)
    # No find_library: it needs gcc or ldconfig, which slim images lack; the loader knows the names itself.
    yield from NAMES


def find(configured: Path | None = None) -> LibCrypto:
    """Return the first libcrypto of the search that can do SM2; raise Hold(NO_LIBCRYPTO) if none can."""
    if configured is not None and not configured.is_absolute():
        raise trouble(codes.NO_LIBCRYPTO)
    for path in search(configured):
        try:
            return LibCrypto(path)
        except Trouble:
            continue
    raise trouble(codes.NO_LIBCRYPTO)
