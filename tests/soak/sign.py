"""The signature under a report: a development CA, the node's `cms sign`, and `cms verify` as a buyer runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from node.crypto import authority, keyfile
from node.crypto.openssl import OpenSslCrypto
from node.model.certificate import Role

ORG = "11370800MB28559184"


def sign(report: Path) -> tuple[Path, Path]:
    """Sign a report apart; return the signature and the certificate of the CA that vouches for its key.

    The keys live for this one signature: who trusts it trusts that this CA file came with the release.
    """
    crypto = OpenSslCrypto()
    signature, trusted = report.with_name(f"{report.name}.p7s"), report.with_name(f"{report.stem}.ca.crt")
    for path in (signature, trusted):
        path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="sign-") as name:
        folder = Path(name)
        passphrase = os.urandom(16).hex().encode("ascii")
        (folder / "passphrase").touch(mode=0o600)
        (folder / "passphrase").write_bytes(passphrase + b"\n")
        desk = authority.Desk(folder / "ca", passphrase, crypto, os.urandom, lambda: time.time_ns() // 1_000_000)
        authority.init(desk)
        pairs = {role: keyfile.make_key(folder / f"{role.value}.key", crypto, passphrase, os.urandom) for role in Role}
        request = authority.Request("soak", ORG, "开发签名 soak", ["localhost"], lambda role: pairs[role].public)
        (folder / "sign.crt").write_bytes(authority.issue(desk, request)[Role.SIGN])
        ran = _node(
            "cms", "sign", f"{report}", "--cert", f"{folder / 'sign.crt'}", "--key",
            f"{folder / Role.SIGN.value}.key", "--passphrase-file", f"{folder / 'passphrase'}", "--detached",
            "--out", f"{signature}",
        )
        assert ran.returncode == 0, ran.stderr
        shutil.copy(folder / "ca" / "root.crt", trusted)
        trusted.write_bytes(trusted.read_bytes() + (folder / "ca" / "issuing.crt").read_bytes())
    return signature, trusted


def verify(report: Path, signature: Path, trusted: Path) -> bool:
    """Return whether the signature is good, as the command says."""
    return _node("cms", "verify", f"{signature}", "--content", f"{report}", "--ca", f"{trusted}").returncode == 0


def _node(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "node", *words], capture_output=True, text=True, check=False)
