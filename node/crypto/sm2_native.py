"""SM2 through libcrypto: keys, signatures and key wraps (GB/T 32918.2, .4).

Rule 1: Z and e are computed here, with the signer's identity always given; libcrypto signs and verifies e alone, so
        its default identity, which changed between 3.x and 4.0, is never consulted.
Rule 2: only canonical DER of numbers in range and points of the curve reaches the library.
Rule 3: a signature found good is not computed again while key, digest and signature are octet for octet those: whether
        it is good is a function of these three.  What was found bad is not remembered: it may have been the library.
Rule 4: one context per call, freed in `finally`; keys may be used from any thread, contexts never meet two.
        (A context kept per key was measured: it gains 1 to 3 % on 250 µs, not worth a pool.)
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn

from node.crypto import curve, der, symmetric
from node.crypto.libcrypto import NID_SM2, UNCOMPRESSED, LibCrypto
from node.crypto.multiples import Multiples, arithmetic
from node.model import codes
from node.model.trouble import trouble
from node.ports import SM2_ID

CACHED_PUBLIC_KEYS = 1024
PREPARED, OFTEN = 64, 8
"""Keys with multiples at one time (100 KiB each), and good signatures before a key gets them: making them takes as long
as three verifications, so even keys that push each other out cost little."""

REMEMBERED = 1024
"""Good signatures known again: of a parcel that is opened soon after it came, of a receipt that is told twice."""

WRAPPED = 16
_ROOM = 256
"""Octets: more than any signature (72) or wrap of 16 bytes (124)."""


class Handle:
    """An EVP_PKEY, freed with the object; libcrypto counts references inside, so reading it from threads is safe."""

    __slots__ = ("library", "pointer", "seen", "multiples")

    def __init__(self, library: LibCrypto, pointer: int) -> None:
        self.library, self.pointer = library, pointer
        self.seen = 0
        self.multiples: Multiples | None = None

    def __del__(self) -> None:
        self.library.key_free(self.pointer)

    def run(self, begin: str, act: Callable[[Any], int]) -> bool:
        """Return whether `begin` and then `act` on a fresh context of this key both succeed."""
        library = self.library
        context = library.context_from_key(None, self.pointer, None)
        good = False
        try:
            good = context is not None and getattr(library, begin)(context) == 1 and act(context) == 1
        finally:
            library.context_free(context)
            if not good:
                library.drain()
        return good

    def produce(self, begin: str, act: Callable[..., int], data: bytes, room: int = _ROOM) -> bytes | None:
        """Return what `act` writes for `data`, None if it fails; `room` bounds the output in octets."""
        out = ctypes.create_string_buffer(room)
        size = ctypes.c_size_t(room)
        good = self.run(begin, lambda context: act(context, out, ctypes.byref(size), data, len(data)))
        return out.raw[: size.value] if good else None


class _Unproved(Exception):
    """A signature that is not good."""


class NativeKey:
    """A private key inside libcrypto: it signs, unwraps and tells its point; it is never printed or pickled."""

    __slots__ = ("_handle", "_public", "_z")

    def __init__(self, handle: Handle, public: bytes) -> None:
        self._handle, self._public = handle, public
        self._z = curve.z_value(symmetric.sm3, public, SM2_ID)

    def __repr__(self) -> str:
        return "<private SM2 key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a private key is not copied")

    @property
    def public(self) -> bytes:
        return self._public

    @property
    def handle(self) -> Handle:
        """The EVP_PKEY, for this room alone."""
        return self._handle

    def sign(self, data: bytes, signer: bytes = SM2_ID) -> bytes:
        z = self._z if signer == SM2_ID else z_of(self._public, signer)
        signature = self._handle.produce("sign_init", self._handle.library.sign, symmetric.sm3(z, data))
        if signature is None:
            raise trouble(codes.SELFTEST, item="SM2 sign")
        return signature

    def unwrap(self, wrapped: bytes) -> bytes:
        return self.decrypt(wrapped, WRAPPED)

    def decrypt(self, secret: bytes, size: int) -> bytes:
        """Return the `size` octets inside DER `SM2Cipher`; raise Refused(OPEN) for anything else."""
        check_cipher(secret, size)
        clear = self._handle.produce("decrypt_init", self._handle.library.decrypt, secret, size + _ROOM)
        if clear is None or len(clear) != size:
            raise trouble(codes.OPEN)
        return clear


def check_cipher(secret: bytes, size: int) -> der.Sm2Cipher:
    """Return the members of a canonical `SM2Cipher` whose C1 is on the curve and whose C2 has `size` octets.

    Raises Refused(OPEN) otherwise: 3.0 takes trailing bytes and any length, and gmssl takes any point, which gives
    the private key away bit by bit.
    """
    try:
        cipher = der.read_cipher(secret)
    except der.Malformed:
        raise trouble(codes.OPEN) from None
    if len(cipher.c2) != size or not curve.on_curve(cipher.x, cipher.y):
        raise trouble(codes.OPEN)
    return cipher


def check_signature(signature: bytes) -> tuple[int, int] | None:
    """Return r and s of a canonical `SM2Signature` in range, else None."""
    try:
        r, s = der.read_signature(signature)
    except der.Malformed:
        return None
    return (r, s) if curve.in_range(r, s) else None


def z_of(public: bytes, signer: bytes) -> bytes:
    """Return Z; raise Refused(KEY_VALUE) for an identity whose length in bits has no two octets."""
    if len(signer) > 8191:
        raise trouble(codes.KEY_VALUE, what="SM2 ID")
    return curve.z_value(symmetric.sm3, public, signer)


class NativeSm2:
    """The SM2 half of the port `Crypto` over one libcrypto; safe to call from several threads."""

    def __init__(self, library: LibCrypto) -> None:
        self._library = library
        # Building a key from its point costs as much as half a verification; peers are few and come again.
        self._point = lru_cache(maxsize=CACHED_PUBLIC_KEYS)(self._load_point)
        self._proved = lru_cache(maxsize=REMEMBERED)(self._prove)
        self._prepared: deque[Handle] = deque()
        self._arithmetic = arithmetic(library)

    def _load_point(self, public: bytes) -> Handle | None:
        if curve.coordinates(public) is None:
            return None
        pointer = self._library.build(public)
        return Handle(self._library, pointer) if pointer else None

    def sm2_generate(self) -> NativeKey:
        pointer = self._library.generated()
        if not pointer:
            raise trouble(codes.SELFTEST, item="SM2 keygen")
        handle = Handle(self._library, pointer)
        return NativeKey(handle, self._public_of(handle))

    def sm2_load(self, scalar: bytes) -> NativeKey:
        if len(scalar) != 32 or not 0 < int.from_bytes(scalar, "big") <= curve.N - 2:
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        public = self._multiply(scalar)
        pointer = self._library.build(public, scalar)
        if not pointer:
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        return NativeKey(Handle(self._library, pointer), public)

    def sm2_scalar(self, key: object) -> bytes:
        if not isinstance(key, NativeKey):
            raise trouble(codes.KEY_VALUE, what="SM2 d")
        library, number = self._library, ctypes.c_void_p()
        out = ctypes.create_string_buffer(32)
        try:
            if library.get_number(key.handle.pointer, b"priv", ctypes.byref(number)) != 1:
                raise trouble(codes.KEY_VALUE, what="SM2 d")
            library.number_into(number, out, 32)
            return out.raw
        finally:
            library.number_clear_free(number)
            ctypes.memset(out, 0, 32)
            library.drain()

    def sm2_verify(self, public: bytes, data: bytes, signature: bytes, signer: bytes = SM2_ID) -> bool:
        if len(signer) > 8191:
            return False
        try:
            self._proved(public, symmetric.sm3(z_of(public, signer), data), signature)
        except _Unproved:
            return False
        return True

    def _prove(self, public: bytes, e: bytes, signature: bytes) -> None:
        """Return if the signature is good; raise _Unproved, which is not remembered, otherwise."""
        if not self.sm2_verify_digest(public, e, signature):
            raise _Unproved

    def sm2_verify_digest(self, public: bytes, e: bytes, signature: bytes) -> bool:
        handle = self._point(public)
        if handle is None or len(e) != 32:
            return False
        numbers = check_signature(signature)
        if numbers is None:
            return False
        multiples = handle.multiples
        if multiples is not None:
            return multiples.verifies(e, *numbers)
        verify = self._library.verify
        good = handle.run("verify_init", lambda context: int(verify(context, signature, len(signature), e, 32)))
        if good:
            handle.seen += 1
            if handle.seen % OFTEN == 0:
                self._prepare(handle, public, e, *numbers)
        return good

    def _prepare(self, handle: Handle, public: bytes, e: bytes, r: int, s: int) -> None:
        """Give a key that comes often its multiples, if they agree about a signature the library found good."""
        group = self._arithmetic.group(public) if self._arithmetic is not None else 0
        if self._arithmetic is None or not group:
            return
        multiples = Multiples(self._arithmetic, group)
        if not multiples.verifies(e, r, s) or multiples.verifies(symmetric.sm3(e), r, s):
            return
        handle.multiples = multiples
        self._prepared.append(handle)
        if len(self._prepared) > PREPARED:
            self._prepared.popleft().multiples = None

    def sm2_wrap(self, public: bytes, key: bytes) -> bytes:
        handle = self._point(public)
        if handle is None or len(key) != WRAPPED:
            raise trouble(codes.KEY_VALUE, what="SM2 point" if handle is None else "SM4")
        wrapped = handle.produce("encrypt_init", self._library.encrypt, key)
        if wrapped is None:
            raise trouble(codes.SELFTEST, item="SM2 wrap")
        return wrapped

    def _public_of(self, handle: Handle) -> bytes:
        out, size = ctypes.create_string_buffer(_ROOM), ctypes.c_size_t()
        good = self._library.get_octets(handle.pointer, b"pub", out, _ROOM, ctypes.byref(size))
        public = out.raw[: size.value]
        if good != 1 or curve.coordinates(public) is None:
            raise trouble(codes.SELFTEST, item="SM2 keygen")
        return public

    def _multiply(self, scalar: bytes) -> bytes:
        """Return the point d·G; libcrypto multiplies by the generator without leaking d through time."""
        library = self._library
        group = library.group_new(NID_SM2)
        point = library.point_new(group) if group else None
        number = library.number_from(scalar, len(scalar), None)
        out = ctypes.create_string_buffer(65)
        try:
            if not point or not number or library.point_multiply(group, point, number, None, None, None) != 1:
                raise trouble(codes.SELFTEST, item="SM2 d·G")
            if library.point_octets(group, point, UNCOMPRESSED, out, 65, None) != 65:
                raise trouble(codes.SELFTEST, item="SM2 d·G")
            return out.raw
        finally:
            library.number_clear_free(number)
            library.point_free(point)
            library.group_free(group)
            library.drain()
