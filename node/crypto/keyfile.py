"""Key files on disk: mode 0600, written whole or not at all, never over another, read only as they should be.

Rule 1: a file that others may read or write is refused, not repaired.
Rule 2: a passphrase is bytes given by the caller; it is never stored, never in an error.
Rule 3: d·G must equal the point in the file and the certificate's, or the key is not used (WIRE §7).
"""

from __future__ import annotations

import hmac
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from node.crypto import pkcs8, storage
from node.crypto.der import Malformed
from node.crypto.storage import StorageSecret
from node.model import codes
from node.model.certificate import Certificate
from node.model.trouble import Refused, Trouble, trouble
from node.ports import Chance, Crypto, PrivateKey

LIMIT = 65_536
SHORTEST_PASSPHRASE = 8
"""Octets: a slip of the finger, not a policy; the policy is the operator's."""


def _fault(name: str, reason: str) -> Trouble:
    """Reasons: missing, mode, size, form, passphrase, rounds, point, certificate, exists, short, write."""
    return trouble(codes.KEY_FILE, name=name, reason=reason)


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Turn what decoding raises into Hold(KEY_FILE) with the file's name and a reason."""
    try:
        yield
    except pkcs8.WrongPassphrase:
        raise _fault(name, "passphrase") from None
    except pkcs8.TooManyRounds:
        raise _fault(name, "rounds") from None
    except (Malformed, Refused):
        raise _fault(name, "form") from None


def read(path: Path) -> bytes:
    """Return the octets of a key file; raise Hold(KEY_FILE): missing, mode, size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        raise _fault(path.name, "missing") from None
    try:
        status = os.fstat(descriptor)  # of what was opened, so nothing can be swapped in between
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise _fault(path.name, "mode")
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(LIMIT + 1)
    finally:
        os.close(descriptor)
    if len(data) > LIMIT:
        raise _fault(path.name, "size")
    return data


def write(path: Path, data: bytes, replace: bool = False) -> None:
    """Write a key file with mode 0600, synced, whole or not at all; raise Hold(KEY_FILE): exists, write.

    Only with `replace` may the path exist already.
    """
    try:
        # mkstemp opens with O_EXCL and 0600, whatever the umask.
        descriptor, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError:
        raise _fault(path.name, "write") from None
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        _place(spare, path, replace)
    except FileExistsError:
        raise _fault(path.name, "exists") from None
    except OSError:
        raise _fault(path.name, "write") from None
    finally:
        Path(spare).unlink(missing_ok=True)


def _place(spare: str, path: Path, replace: bool) -> None:
    if replace:
        os.replace(spare, path)
    else:
        os.link(spare, path)  # unlike rename, fails if the name is taken
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def seal_key(crypto: Crypto, key: PrivateKey, passphrase: bytes, chance: Chance, rounds: int = pkcs8.ROUNDS) -> bytes:
    """Return an encrypted PKCS#8 PEM of the key; raise Refused(KEY_VALUE) for a key that a device keeps."""
    info = pkcs8.write_info(crypto.sm2_scalar(key), key.public)
    return pkcs8.write_pem(pkcs8.ENCRYPTED, pkcs8.seal(info, passphrase, chance, rounds))


def open_key(crypto: Crypto, data: bytes, passphrase: bytes, name: str = "key") -> PrivateKey:
    """Return the key of an encrypted PKCS#8 PEM; raise Hold(KEY_FILE): form, passphrase, rounds, point."""
    with _named(name):
        label, octets = pkcs8.read_pem(data)
        if label != pkcs8.ENCRYPTED:
            raise Malformed("not encrypted")
        info = pkcs8.unseal(octets, passphrase)
    return _load(crypto, lambda: pkcs8.read_info(info), name, "passphrase")


def open_plain(crypto: Crypto, data: bytes, name: str = "key") -> PrivateKey:
    """Return the key of an unprotected PKCS#8 or SEC1 file, PEM or DER: for the tool `cms` alone, never the node."""

    def parse() -> tuple[bytes, bytes | None]:
        if not data.lstrip().startswith(b"-----"):
            return pkcs8.read_info(data)
        label, octets = pkcs8.read_pem(data)
        if label in pkcs8.SEC1:
            return pkcs8.read_sec1(octets)
        if label != pkcs8.PLAIN:
            raise Malformed("not a plain key")
        return pkcs8.read_info(octets)

    return _load(crypto, parse, name, "form")


def plain(crypto: Crypto, key: PrivateKey) -> bytes:
    """Return DER `PrivateKeyInfo` to hand on in memory to the TLS library; it is never written anywhere."""
    return pkcs8.write_info(crypto.sm2_scalar(key), key.public)


def _load(crypto: Crypto, parse: Callable[[], tuple[bytes, bytes | None]], name: str, otherwise: str) -> PrivateKey:
    # A wrong passphrase slips through the padding once in 256 times; what is inside then tells.
    try:
        scalar, point = parse()
        key = crypto.sm2_load(scalar)
    except (Malformed, Refused):
        raise _fault(name, otherwise) from None
    if point is not None and not hmac.compare_digest(point, key.public):
        raise _fault(name, "point")
    return key


def match(key: PrivateKey, certificate: Certificate, name: str) -> None:
    """Return if the certificate is this key's; raise Hold(KEY_FILE): certificate."""
    if not hmac.compare_digest(key.public, certificate.public):
        raise _fault(name, "certificate")


def read_key(path: Path, crypto: Crypto, passphrase: bytes, certificate: Certificate | None = None) -> PrivateKey:
    """Return the key in the file, which must be the certificate's if one is given; raise Hold(KEY_FILE)."""
    key = open_key(crypto, read(path), passphrase, path.name)
    if certificate is not None:
        match(key, certificate, path.name)
    return key


def write_key(path: Path, crypto: Crypto, key: PrivateKey, passphrase: bytes, chance: Chance) -> None:
    """Write a new encrypted key file; raise Hold(KEY_FILE): short, exists, write."""
    _long_enough(passphrase, path.name)
    write(path, seal_key(crypto, key, passphrase, chance))


def make_key(path: Path, crypto: Crypto, passphrase: bytes, chance: Chance) -> PrivateKey:
    """Generate a key, write its file, and return it; raise Hold(KEY_FILE): short, exists, write."""
    key = crypto.sm2_generate()
    write_key(path, crypto, key, passphrase, chance)
    return key


def read_storage(path: Path, passphrase: bytes) -> StorageSecret:
    """Return the storage key in the file; raise Hold(KEY_FILE): form, passphrase, rounds, mode, missing."""
    data = read(path)
    with _named(path.name):
        return storage.open_secret(data, passphrase)


def make_storage(
    path: Path, passphrase: bytes, chance: Chance, before: StorageSecret | None = None
) -> StorageSecret:
    """Generate a storage key, after `before` if one is in use, write its file, and return it; raise Hold(KEY_FILE)."""
    _long_enough(passphrase, path.name)
    secret = storage.new_secret(chance, before)
    write(path, storage.seal_secret(secret, passphrase, chance))
    return secret


def change_passphrase(path: Path, crypto: Crypto, old: bytes, new: bytes, chance: Chance) -> None:
    """Protect a key file of either kind by another passphrase, in one step; raise Hold(KEY_FILE)."""
    _long_enough(new, path.name)
    data = read(path)
    if kind(data) == storage.LABEL:
        changed = storage.seal_secret(read_storage(path, old), new, chance)
    else:
        changed = seal_key(crypto, open_key(crypto, data, old, path.name), new, chance)
    write(path, changed, replace=True)


def kind(data: bytes) -> str:
    """Return the PEM label of the file's one block, empty if it has none."""
    try:
        return pkcs8.read_pem(data)[0]
    except Malformed:
        return ""


def _long_enough(passphrase: bytes, name: str) -> None:
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise _fault(name, "short")
