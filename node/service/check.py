"""Check: everything a node needs, looked at without starting it, and every fault told at once (`exchange-node check`).

The settings themselves were judged by `node.config`; here is what only the machine can tell: the crypto library, key
files, certificates and lists, specifications, the state folder with its stores, the disk, adapters, the clock.

Rule 1: nothing is changed, and nothing is left in the state folder by another account than its owner.
Rule 2: a grave finding means that the node would not start or not exchange; the others are told in time.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node.config import Settings
from node.config.sections import MutualSection, Pair
from node.crypto import keyfile
from node.crypto.chain import CertificateTrust
from node.crypto.revocation import parse_crls
from node.crypto.selftest import open_crypto
from node.crypto.storage import StorageKey
from node.crypto.tls import assert_pinnable
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.instant import Instant
from node.model.trouble import Code, Trouble, trouble
from node.ports import Crypto
from node.service.adapter_check import check_adapters
from node.service.papers import (
    Authorities,
    authorities,
    callers_authorities,
    read_between,
    read_certificate,
    read_public,
    read_specifications,
)
from node.service.stores import NAMES, last_written, open_stores
from node.spool.shortage import Shortage, Thresholds, shortage
from node.validate.mapping import load_mapping

DAY = 86_400_000
SOON = 30
"""Days before its end from which on a certificate is told."""

EARLIEST = 1_735_689_600_000
"""2025-01-01: a clock before that was never set."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found: the key of the settings it belongs to, the trouble with its sentence and cure, and how bad."""

    at: str
    met: Trouble
    grave: bool = True

    @property
    def code(self) -> Code:
        """Its code."""
        return self.met.code


def check(settings: Settings, now: Instant, sources: bool = False) -> list[Finding]:
    """Return everything found, in the order of the settings' tables; empty if all is well.

    With `sources` every adapter also looks at the system it reads or writes.
    """
    look = _Look(settings, now)
    for part in (look.library, look.keys, look.peers, look.callers, look.specifications, look.state, look.room):
        part()
    look.found += [Finding(*found) for found in check_adapters(settings, sources)]
    look.clock()
    return look.found


@dataclass
class _Look:
    settings: Settings
    now: Instant
    found: list[Finding] = field(default_factory=list)
    crypto: Crypto | None = None
    trust: CertificateTrust | None = None
    passphrase: bytes | None = None
    owners: dict[bytes, tuple[str, Role]] = field(default_factory=dict)
    latest: Instant = EARLIEST
    """What the clock must be past: the newest revocation list's date, the last write to a store."""

    @contextmanager
    def _told(self, at: str, grave: bool = True) -> Iterator[None]:
        try:
            yield
        except Trouble as met:
            self.found.append(Finding(at, met, grave))

    def _tell(self, at: str, code: Code, grave: bool = True, **details: object) -> None:
        self.found.append(Finding(at, trouble(code, **details), grave))

    # --- the library -------------------------------------------------------------------------------------------

    def library(self) -> None:
        """The suite gives the standards' answers, and TLS can be pinned to RFC 8998."""
        said = self.settings.crypto
        with self._told("crypto"):
            self.crypto = open_crypto(said.libcrypto, said.fallback, lambda sentence: None, said.libgcrypt)
            assert_pinnable()

    # --- keys and certificates ---------------------------------------------------------------------------------

    def keys(self) -> None:
        """Our keys open, are the certificates', serve one use each; the certificates chain, last, are not revoked."""
        keys = self.settings.keys
        with self._told("keys.passphrase"):
            self.passphrase = keyfile.read(keys.passphrase).strip()
        if self.crypto is None:
            return
        self.trust = self._trust("keys", keys.ca, keys.crl, lambda crypto: authorities(self.settings, crypto))
        for at, role, pair in self._pairs():
            self._pair(at, role, pair, self.trust)
        secrets = []
        for index, path in enumerate(keys.storage, 1):
            if self.passphrase is not None:
                with self._told(f"keys.storage[{index}]"):
                    secrets.append(keyfile.read_storage(path, self.passphrase))
        if len(secrets) == len(keys.storage):
            with self._told("keys.storage"):
                StorageKey(self.crypto, secrets, os.urandom)

    def _pairs(self) -> Iterator[tuple[str, Role, Pair]]:
        keys = self.settings.keys
        yield "keys.sign", Role.SIGN, keys.sign
        yield "keys.encrypt", Role.ENCRYPT, keys.encrypt
        yield "keys.tls", Role.TLS, keys.tls
        for index, pair in enumerate(keys.old, 1):
            yield f"keys.old[{index}]", Role.ENCRYPT, pair

    def _pair(self, at: str, role: Role, pair: Pair | MutualSection, trust: CertificateTrust | None) -> None:
        """Look at one key pair; a certificate that only opens old parcels may have ended."""
        lasting = trust if not at.startswith("keys.old") else None
        certificate = self._certificate(f"{at}.cert", role, pair.cert, lasting)
        if self.crypto is None or self.passphrase is None:
            return
        with self._told(f"{at}.key"):
            keyfile.read_key(pair.key, self.crypto, self.passphrase, certificate)

    def peers(self) -> None:
        """Every peer's certificates have their use, chain to a root we hold, last, and are nobody else's."""
        for index, peer in enumerate(self.settings.peer, 1):
            papers = peer.certificates
            at = f"peer[{index}].certificates"
            for role, paths in ((Role.SIGN, papers.sign), (Role.ENCRYPT, (papers.encrypt,)), (Role.TLS, papers.tls)):
                for path in paths:
                    self._certificate(f"{at}.{role.value}", role, path, self.trust)

    def callers(self) -> None:
        """The local API's own TLS: its key, its certificate, and who signs the callers'."""
        tls = self.settings.api.tls
        if tls is None or self.crypto is None:
            return
        trust = self._trust("api.tls", [tls.ca], tls.crl, lambda crypto: callers_authorities(self.settings, crypto))
        self._pair("api.tls", Role.TLS, tls, trust)

    def _trust(
        self, at: str, ca: Iterable[Path], crl: Iterable[Path], read: Callable[[Crypto], Authorities | None],
    ) -> CertificateTrust | None:
        """Return the trust of authorities and lists; a list that is late, but within the grace, is told."""
        grace, crypto = self.settings.keys.crl_grace, self.crypto
        assert crypto is not None, "asked for after the library was found good"
        for index, path in enumerate(crl, 1):
            with self._told(f"{at}.crl[{index}]"):
                for one in parse_crls(read_public(path), crypto.sm3):
                    self.latest = max(self.latest, one.this_update)
                    if one.next_update < self.now <= one.next_update + grace:
                        self._tell(f"{at}.crl[{index}]", codes.CRL_LATE, grave=False, name=path.name)
                    elif one.next_update < self.now:
                        self._tell(f"{at}.crl[{index}]", codes.CRL_MISSING)
        trust = None
        with self._told(f"{at}.ca"):
            known = read(crypto)
            trust = CertificateTrust(crypto, *known, grace=grace) if known is not None else None
        return trust

    def _certificate(self, at: str, role: Role, path: Path, trust: CertificateTrust | None) -> Certificate | None:
        if self.crypto is None:
            return None
        certificate = None
        with self._told(at):
            certificate = read_certificate(path, self.crypto)
            self._use(at, role, certificate, path.name)
            if trust is not None:
                trust.check(certificate, self.now)
                left = (certificate.not_after - self.now) // DAY
                if left < SOON:
                    self._tell(at, codes.CERT_ENDS, False, fingerprint=certificate.fingerprint, days=left + 1)
        return certificate

    def _use(self, at: str, role: Role, certificate: Certificate, name: str) -> None:
        """Each key has one use and one owner (WIRE §1)."""
        owner = at.partition(".")[0]
        known = self.owners.setdefault(certificate.public, (owner, role))
        if role not in certificate.roles or known != (owner, role):
            raise trouble(codes.KEY_ROLE, name=name, role=role.value)

    # --- specifications ----------------------------------------------------------------------------------------

    def specifications(self) -> None:
        """All specifications, rules between records and mappings can be used, and each resource's is there."""
        if self.crypto is None:
            return
        with self._told("resource"):
            held = read_specifications(self.settings, self.crypto)
            with self._told("specifications.folders"):
                read_between(self.settings, held)
            for index, resource in enumerate(self.settings.resource, 1):
                named = {"specification": resource.specification}
                for place, version in enumerate(resource.versions, 1):
                    named[f"versions[{place}].specification"] = version.specification
                for key, name in named.items():
                    if held.get(name) is None:
                        self._tell(f"resource[{index}].{key}", codes.UNKNOWN_SPECIFICATION, spec=name)
                for name, path in resource.mappings.items():
                    with self._told(f"resource[{index}].mappings.{name}"):
                        load_mapping(path, held, self.crypto.sm3, resource.specification)

    # --- the machine -------------------------------------------------------------------------------------------

    def state(self) -> None:
        """The state folder is ours alone, and the stores in it can be opened."""
        folder = self.settings.node.state
        above = next(each for each in (folder, *folder.parents) if each.exists())
        if above != folder:
            if not os.access(above, os.W_OK | os.X_OK):
                self._tell("node.state", codes.STATE_FOLDER, reason="cannot be made")
            return
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode):
            self._tell("node.state", codes.STATE_FOLDER, reason="no folder")
        elif found.st_uid != os.geteuid():
            self._tell("node.state", codes.STATE_FOLDER, grave=False, reason="owner")  # nothing is touched: rule 1
        elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            self._tell("node.state", codes.STATE_FOLDER, reason="mode")
        else:
            if found.st_mode & 0o077:
                self._tell("node.state", codes.STATE_FOLDER, grave=False, reason="mode")
            self._stores(folder)

    def _stores(self, folder: Path) -> None:
        files = [folder / f"{name}.db" for name in NAMES]
        self.latest = max(self.latest, last_written(folder) or self.latest)
        if self.crypto is None or self.passphrase is None or not all(file.exists() for file in files):
            return
        with self._told("node.state"):
            try:
                secrets = [keyfile.read_storage(path, self.passphrase) for path in self.settings.keys.storage]
                storage = StorageKey(self.crypto, secrets, os.urandom)
            except Trouble:
                return  # told with the keys
            open_stores(folder, storage, self.crypto, lambda: self.now, writing=False).close()

    def room(self) -> None:
        """The disk has room above every threshold."""
        folder, section = self.settings.node.state, self.settings.disk
        found = os.statvfs(next(each for each in (folder, *folder.parents) if each.exists()))
        free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        least = Thresholds(section.intake.of(total), section.foreign.of(total), section.reserve.of(total))
        grade = shortage(free, least)
        if grade is not Shortage.NONE:
            self._tell("disk", codes.DISK, grave=grade is not Shortage.INTAKE, what=grade.name.lower())

    def clock(self) -> None:
        """The clock is past everything that has certainly happened."""
        if self.now < EARLIEST:
            self._tell("clock", codes.CLOCK_WRONG, reason="never set")
        elif self.now + self.settings.clock.skew < self.latest:
            self._tell("clock", codes.CLOCK_WRONG, reason="behind its own past")
