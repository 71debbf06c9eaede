"""Verification of SM2 for keys that come again: prepared multiples of the point take the place of most doublings.

OpenSSL has no code of its own for this curve: a verification is 256 doublings and 100 additions.  With multiples of G
and of the signer's point at hand (`EC_GROUP_precompute_mult`, 256 points each) it is 16 doublings and 100 additions,
measured 2.5 times as fast.  Everything here is public: signature, digest and point.  What is secret (signing, wrapping,
unwrapping) stays with the library's ladder, which takes the same time whatever the number.

Rule 1: the two functions that prepare are deprecated since 3.0: a library without them verifies as it always did.
Rule 2: a table is believed only after it agreed with the library's own verification, on a good signature and on that
        signature over another digest.
Rule 3: groups are only read once they are made, so threads may share them; points and numbers belong to one call.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_void_p

from node.crypto import curve
from node.crypto.libcrypto import NID_SM2, LibCrypto

_Pointers = c_void_p * 1


class Arithmetic:
    """The multiples of G, and what computes with them; raises AttributeError if the library lacks a function."""

    def __init__(self, library: LibCrypto) -> None:
        self.library = library
        bind, pointer = library.bind, c_void_p
        many = (pointer, pointer, pointer, c_size_t, POINTER(pointer), POINTER(pointer), pointer)
        self.prepare = bind("EC_GROUP_precompute_mult", c_int, pointer, pointer)
        self.multiply_held = bind("EC_POINTs_mul", c_int, *many)
        self.multiply = bind("EC_POINTs_mul", c_int, *many, lets_others_run=True)
        self.set_generator = bind("EC_GROUP_set_generator", c_int, pointer, pointer, pointer, pointer)
        self.order = bind("EC_GROUP_get0_order", pointer, pointer)
        self.cofactor = bind("EC_GROUP_get0_cofactor", pointer, pointer)
        self.read_point = bind("EC_POINT_oct2point", c_int, pointer, pointer, c_char_p, c_size_t, pointer)
        self.coordinates = bind("EC_POINT_get_affine_coordinates", c_int, *[pointer] * 5)
        self.scratch_new = bind("BN_CTX_new", pointer)
        self.scratch_free = bind("BN_CTX_free", None, pointer)
        self.zero, self.one = library.number_from(b"", 0, None), library.number_from(b"\1", 1, None)
        self.base = self.group(None)
        self.generator: int = bind("EC_GROUP_get0_generator", pointer, pointer)(self.base) if self.base else 0

    def group(self, public: bytes | None) -> int:
        """Return an EC_GROUP with prepared multiples of `public`, None for G; 0 if the library could not."""
        library = self.library
        group = library.group_new(NID_SM2)
        point = library.point_new(group) if group else None
        good = bool(group and point) and (public is None or (
            self.read_point(group, point, public, len(public), None) == 1
            and self.set_generator(group, point, self.order(group), self.cofactor(group)) == 1
        )) and self.prepare(group, None) == 1
        library.point_free(point)
        if not good:
            library.group_free(group)
            library.drain()
        return int(group) if good else 0

    def __del__(self) -> None:
        library = self.library
        library.group_free(getattr(self, "base", None))
        for number in (getattr(self, "zero", None), getattr(self, "one", None)):
            library.number_clear_free(number)


def arithmetic(library: LibCrypto) -> Arithmetic | None:
    """Return what prepares multiples, None where the library cannot."""
    try:
        made = Arithmetic(library)
    except AttributeError:
        return None
    return made if made.base else None


class Multiples:
    """The multiples of one signer's point; about 100 KiB, freed with the object."""

    __slots__ = ("_arithmetic", "_group")

    def __init__(self, arithmetic: Arithmetic, group: int) -> None:
        self._arithmetic, self._group = arithmetic, group

    def __del__(self) -> None:
        self._arithmetic.library.group_free(self._group)

    def verifies(self, e: bytes, r: int, s: int) -> bool:
        """Return whether (r, s), both in 1 … n−1, is the point's signature over e (GB/T 32918.2 §7.1, B5 to B7)."""
        t = (r + s) % curve.N
        if t == 0:
            return False
        x = self._x_of_sum(s, t)
        return x is not None and (int.from_bytes(e, "big") + x) % curve.N == r

    def _x_of_sum(self, s: int, t: int) -> int | None:
        """Return x of s·G + t·P, None if that is the point at infinity or the library fails."""
        arithmetic = self._arithmetic
        library, base, scratch = arithmetic.library, arithmetic.base, arithmetic.scratch_new()
        numbers = [library.number_from(number.to_bytes(32, "big"), 32, None) for number in (s, t, 0)]
        points = [library.point_new(base), library.point_new(base)]
        out = ctypes.create_string_buffer(32)
        try:
            if not scratch or not all(numbers) or not all(points):
                return None
            ours, whole = points
            # The second summand must be named, if only 0·G: a multiple of G alone would go up the ladder, slowly.
            good = arithmetic.multiply_held(
                base, ours, numbers[0], 1, _Pointers(arithmetic.generator), _Pointers(arithmetic.zero), scratch
            ) == 1 and arithmetic.multiply(
                self._group, whole, numbers[1], 1, _Pointers(ours), _Pointers(arithmetic.one), scratch
            ) == 1 and arithmetic.coordinates(base, whole, numbers[2], None, scratch) == 1
            if not good or library.number_into(numbers[2], out, 32) != 32:
                return None
            return int.from_bytes(out.raw, "big")
        finally:
            for point in points:
                library.point_free(point)
            for number in numbers:
                library.number_clear_free(number)
            arithmetic.scratch_free(scratch)
            library.drain()
