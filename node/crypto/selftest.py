"""Known answers and a cross-check: no suite works before it has given every answer right.

Rule 1: an answer comes from a standard or from a published vector, never from the code under test.
Rule 2: what fails is named (`EXN-CRYPTO-SELFTEST`, item), and nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol

from node.crypto import der, libgcrypt
from node.crypto.gcrypt import GcryptCrypto
from node.crypto.openssl import OpenSslCrypto
from node.crypto.reference import FallbackCrypto, ReferenceCrypto
from node.crypto.sm2_native import OFTEN
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Refused, Trouble, trouble
from node.ports import SM2_ID, Crypto, PrivateKey

_hex = bytes.fromhex

KEY = _hex("0123456789abcdeffedcba9876543210")
"""Key and clear block of the GB/T 32907 sample, key of RFC 8998 A.1."""

D = _hex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
POINT = _hex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
E = _hex("f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
MESSAGE = b"message digest"
SIGNATURE = der.write_signature(
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
"""GB/T 32918.5 annex A: key pair, e over the default identity, and the signature of `MESSAGE`."""

CLEAR = b"encryption standard"
CIPHER = der.write_cipher(
    der.Sm2Cipher(
        0x04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73,
        0xE858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0,
        _hex("59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"),
        _hex("21886ca989ca9c7d58087307ca93092d651efa"),
    )
)
"""GB/T 32918.5 annex C: `CLEAR` encrypted to `POINT`."""

HMAC_KEY = _hex("85a7cbaae825bb82c9b6f6c5c2af5ac03d1f6daa63d2a93c189948ec41b9ded9")
HMAC_TAG = _hex("108e4785c23e3084bc62a1f7e6812931daa97168b4fc20a0357c53e5bcbf2513")
"""HMAC-SM3 of a59b: C2SP wycheproof, hmac_sm3_test, case 3."""

GCM_NONCE = _hex("00001234567800000000abcd")
GCM_AAD = _hex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
GCM_CLEAR = b"".join(bytes([octet]) * 8 for octet in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
GCM_SECRET = _hex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)
"""RFC 8998 appendix A.1."""

CTR_CLEAR = b"".join(bytes([octet]) * 8 for octet in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xAA, 0xBB))
CTR_SECRET = _hex(
    "ac3236cb970cc20791364c395a1342d1a3cbc1878c6f30cd074cce385cdd70c7"
    "f234bc0e24c11980fd1286310ce37b926e02fcd0faa0baf38b2933851d824514"
)
"""draft-ribose-cfrg-sm4-10, A.2.5.1: counter 000102…0f."""


class Sm2Key(PrivateKey, Protocol):
    """What the keys of this room's own suites can do beside the port."""

    def decrypt(self, secret: bytes, size: int) -> bytes:
        """Return `size` octets inside DER `SM2Cipher`; the standard's sample is not 16 long."""


def known_answers(crypto: Crypto) -> Iterator[tuple[str, bool]]:
    """Yield each item's name and whether the suite gave the published answer."""
    yield from _symmetric_answers(crypto)
    yield from _sm2_answers(crypto)


def _symmetric_answers(crypto: Crypto) -> Iterator[tuple[str, bool]]:
    yield "SM3", crypto.sm3(b"abc") == _hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
    yield "SM3 64", crypto.sm3(b"abcd" * 16) == _hex(
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )
    yield "HMAC-SM3", crypto.hmac_sm3(HMAC_KEY, b"\xa5\x9b") == HMAC_TAG == crypto.keyed(HMAC_KEY)(b"\xa5\x9b")
    yield "SM4-ECB", crypto.sm4_ecb(KEY, KEY) == _hex("681edf34d206965e86b3e94f536e4246")
    secret = crypto.sm4_cbc_encrypt(KEY, KEY, KEY)
    yield "SM4-CBC", secret[:16] == _hex("2677f46b09c122cc975533105bd4a22a")
    yield "SM4-CBC decrypt", crypto.sm4_cbc_decrypt(KEY, KEY, secret) == KEY
    yield "SM4-CTR", crypto.sm4_ctr(KEY, bytes(range(16)), CTR_CLEAR) == CTR_SECRET
    yield "SM4-GCM", crypto.sm4_gcm_seal(KEY, GCM_NONCE, GCM_CLEAR, GCM_AAD) == GCM_SECRET
    yield "SM4-GCM open", crypto.sm4_gcm_open(KEY, GCM_NONCE, GCM_SECRET, GCM_AAD) == GCM_CLEAR
    yield "SM4-GCM tag", _refuses(lambda: crypto.sm4_gcm_open(KEY, GCM_NONCE, _flipped(GCM_SECRET), GCM_AAD))


def _sm2_answers(crypto: Crypto) -> Iterator[tuple[str, bool]]:
    key = crypto.sm2_load(D)
    yield "SM2 d·G", key.public == POINT
    yield "SM2 verify e", crypto.sm2_verify_digest(POINT, E, SIGNATURE)
    yield "SM2 verify Z", crypto.sm2_verify(POINT, MESSAGE, SIGNATURE, SM2_ID)
    # Often enough for the prepared multiples of a key to take over, which are then tested too.
    yield "SM2 verify often", all(crypto.sm2_verify_digest(POINT, E, SIGNATURE) for _ in range(OFTEN))
    yield "SM2 verify ID", not crypto.sm2_verify(POINT, MESSAGE, SIGNATURE, b"")
    yield "SM2 verify tampered", not crypto.sm2_verify(POINT, _flipped(MESSAGE), SIGNATURE)
    if hasattr(key, "decrypt"):  # a device's key unwraps 16 bytes only
        yield "SM2 decrypt", key.decrypt(CIPHER, len(CLEAR)) == CLEAR
        yield "SM2 C3", _refuses(lambda: key.decrypt(_flipped(CIPHER), len(CLEAR)))
    yield "SM2 sign", crypto.sm2_verify(POINT, MESSAGE, key.sign(MESSAGE))
    yield "SM2 wrap", key.unwrap(crypto.sm2_wrap(POINT, KEY)) == KEY


def cross_answers(crypto: Crypto, other: Crypto) -> Iterator[tuple[str, bool]]:
    """Yield whether two suites of independent code accept each other's work, both ways, under a fresh key."""
    fresh = crypto.sm2_generate()
    twin = other.sm2_load(crypto.sm2_scalar(fresh))
    public, data = fresh.public, fresh.public * 3
    yield "SM2 d·G", twin.public == public
    for here, there, ours, theirs in ((fresh, twin, crypto, other), (twin, fresh, other, crypto)):
        pair = f"{ours.name} -> {theirs.name}"
        yield f"SM2 sign {pair}", theirs.sm2_verify(public, data, here.sign(data, b"cross"), b"cross")
        yield f"SM2 wrap {pair}", there.unwrap(ours.sm2_wrap(public, KEY)) == KEY
        secret = ours.sm4_gcm_seal(KEY, GCM_NONCE, data, public)
        yield f"SM4-GCM {pair}", theirs.sm4_gcm_open(KEY, GCM_NONCE, secret, public) == data
        secret = ours.sm4_cbc_encrypt(KEY, KEY, data)
        yield f"SM4-CBC {pair}", theirs.sm4_cbc_decrypt(KEY, KEY, secret) == data
    yield "SM3", crypto.sm3(data) == other.sm3(data)
    yield "HMAC-SM3", crypto.hmac_sm3(public, data) == other.hmac_sm3(public, data)


def long_answers(crypto: Crypto, other: Crypto) -> Iterator[tuple[str, bool]]:
    """Yield whether two suites agree on SM4 where vector code takes over from plain code, and it from a tail.

    Each length meets another way through the library: nothing, part of a block, its vectors of 4, 8, 16 and more
    blocks, and the lengths from which other threads may run; counters carry over 32 bits on the way.
    """
    stream = b"".join(crypto.sm3(bytes([part & 255, part >> 8])) for part in range(1024))
    counter = b"\xff" * 15 + b"\xf9"
    for size in (0, 1, 15, 16, 17, 63, 64, 65, 127, 129, 255, 257, 511, 513, 1023, 1025, 16383, 16384, 32768 - 16):
        clear, aad, nonce = stream[:size], stream[: size % 97], stream[:12]
        sealed = other.sm4_gcm_seal(KEY, nonce, clear, aad)
        yield f"SM4-GCM {size}", crypto.sm4_gcm_seal(KEY, nonce, clear, aad) == sealed
        yield f"SM4-GCM open {size}", crypto.sm4_gcm_open(KEY, nonce, sealed, aad) == clear
        yield f"SM4-GCM tag {size}", _refuses(lambda: crypto.sm4_gcm_open(KEY, nonce, _flipped(sealed), aad))
        yield f"SM4-CTR {size}", crypto.sm4_ctr(KEY, counter, clear) == other.sm4_ctr(KEY, counter, clear)
        secret = other.sm4_cbc_encrypt(KEY, counter, clear)
        yield f"SM4-CBC decrypt {size}", crypto.sm4_cbc_decrypt(KEY, counter, secret) == clear


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _refuses(act: Callable[[], object]) -> bool:
    try:
        act()
    except Refused:
        return True
    return False


def demand(name: str, answers: Iterator[tuple[str, bool]]) -> None:
    """Return if every answer is right; raise Hold(SELFTEST) with the suite's name and the first that is not."""
    last = "start"
    try:
        for item, good in answers:
            if not good:
                break
            last = item
        else:
            return
    except Exception as failure:  # a broken library may raise anything; whatever it is, the suite does not run
        why = failure.code.name if isinstance(failure, Trouble) else type(failure).__name__
        raise trouble(codes.SELFTEST, item=f"{name} after {last}: {why}") from None
    raise trouble(codes.SELFTEST, item=f"{name} {item}")


def check(crypto: Crypto) -> None:
    """Run the known answers; raise Hold(SELFTEST) naming what failed."""
    demand(crypto.name, known_answers(crypto))


def cross_check(crypto: Crypto, other: Crypto) -> None:
    """Run the cross-check of two suites; raise Hold(SELFTEST) naming what failed."""
    demand("cross", cross_answers(crypto, other))


FALLBACK = Sentence(
    "没有可用的SM2密码库（{why}）：按配置改用参考实现，每秒仅数十次签名，不适合生产",
    "No usable SM2 library ({why}): by configuration the reference runs instead, some dozens of signatures a second, "
    "not for production",
)


SLOWER = Sentence(
    "libgcrypt未通过自检（{item}）：SM4改由cryptography计算，较慢",
    "libgcrypt failed its self-test ({item}): SM4 is computed by cryptography instead, more slowly",
)

Accelerator = Path | Literal["auto", "none"]
"""Where the libgcrypt for SM4 is: a path, the system's if there is one, or none."""


def open_crypto(
    libcrypto: Path | None, fallback: bool, warn: Callable[[Sentence], None], accelerator: Accelerator = "auto"
) -> Crypto:
    """Return a suite that has given its known answers and agrees with the reference.

    `libcrypto` is the configured absolute path, None to search.  If that fails, the trouble is raised
    (Hold: NO_LIBCRYPTO, SELFTEST), unless the operator's switch `fallback` is set: then the fallback suite, tested
    too, is returned, and `warn` is told each time, never silently.

    SM4 comes from libgcrypt if it is there and agrees with `cryptography`; `warn` is told if it does not.  One named
    by its path must be good: Hold (NO_LIBGCRYPT, SELFTEST).
    """
    try:
        crypto = OpenSslCrypto(libcrypto)
        check(crypto)
        cross_check(crypto, ReferenceCrypto())
    except Trouble as why:
        if not fallback:
            raise
        warn(FALLBACK.fill(why=why.code.name))
    else:
        return _accelerated(crypto, accelerator, warn)
    reference = FallbackCrypto()
    check(reference)
    return reference


def _accelerated(crypto: OpenSslCrypto, accelerator: Accelerator, warn: Callable[[Sentence], None]) -> Crypto:
    """Return `crypto` with SM4 by libgcrypt, or as it is where that is unwanted, absent or wrong."""
    if accelerator == "none":
        return crypto
    named = accelerator if isinstance(accelerator, Path) else None
    try:
        faster = GcryptCrypto(crypto, libgcrypt.find(named))
        check(faster)
        demand("cross", long_answers(faster, crypto))
        return faster
    except Trouble as why:
        if named is not None:
            raise
        if why.code is codes.SELFTEST:
            warn(SLOWER.fill(item=str(why.details["item"])))
        return crypto
