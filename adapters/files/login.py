"""A session with an SFTP server whose key is known beforehand.

Rule 1: the server's key is one that the settings or a known_hosts file name; there is no trust at first use.
Rule 2: every wait ends.  What a server says in words is not passed on.
"""

from __future__ import annotations

import base64
import hmac
import io
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import Any

import paramiko

from adapters.contract import Misconfigured, Unavailable

SECONDS = 30
_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("ssh-ed25519",), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)  # it logs paths, and what a server says


def connect(given: Mapping[str, Any]) -> Any:
    """Return an open transport of a server that is the right one, logged in."""
    pins = _pins(given)
    asked = [one for one in _FAMILIES if not pins.kinds or any(_kind(name) in pins.kinds for name in one)]
    met: Misconfigured | None = None
    for family in asked:
        transport = _begin(given, family)
        if transport is None:
            continue
        try:
            key = transport.get_remote_server_key()
            if not pins.has(key.asbytes()):
                met = Misconfigured("服务器的主机密钥不是所登记的，可能有人冒充", "the server's key is not the one that is pinned")
                transport.close()
                continue
            _login(transport, given)
            return transport
        except BaseException:
            transport.close()
            raise
    raise met or Misconfigured("服务器没有所登记类型的主机密钥", "the server has no key of the kind that is pinned")


def _kind(name: str) -> str:
    return "ssh-rsa" if name.startswith("rsa-") else name


class _Pins:
    """The keys a server may have: as digests, or whole with their kinds."""

    def __init__(self, digests: list[bytes], keys: list[bytes], kinds: set[str]) -> None:
        self.digests, self.keys, self.kinds = digests, keys, kinds

    def has(self, key: bytes) -> bool:
        """Return whether a key is one of them."""
        found = [hmac.compare_digest(one, sha256(key).digest()) for one in self.digests]
        return any([*found, *(hmac.compare_digest(one, key) for one in self.keys)])


def _pins(given: Mapping[str, Any]) -> _Pins:
    said: str | None = given.get("host_key")
    if said is None and "known_hosts" not in given:
        raise Misconfigured("须设置host_key或known_hosts", "host_key or known_hosts must be set")
    try:
        if said is None:
            return _known(given)
        if said.startswith("SHA256:"):
            return _Pins([base64.b64decode(said[7:] + "=" * (-len(said[7:]) % 4), validate=True)], [], set())
        kind, key = said.split()[:2]
        return _Pins([], [base64.b64decode(key, validate=True)], {kind})
    except ValueError:
        raise Misconfigured("host_key无法识别", "host_key cannot be read") from None


def _known(given: Mapping[str, Any]) -> _Pins:
    """Return the keys that a known_hosts file has for the server."""
    host, port = given["host"], given.get("port", 22)
    try:
        found = paramiko.HostKeys(given["known_hosts"]).lookup(host if port == 22 else f"[{host}]:{port}")
    except (OSError, paramiko.SSHException, ValueError, UnicodeDecodeError):
        raise Misconfigured("known_hosts文件不可读", "the file known_hosts cannot be read") from None
    if not found:
        raise Misconfigured("known_hosts中没有此服务器", "known_hosts does not have the server")
    keys = list(found.values())
    return _Pins([], [one.asbytes() for one in keys], {one.get_name() for one in keys})


def _begin(given: Mapping[str, Any], family: tuple[str, ...]) -> Any:
    """Return a transport whose server has shown a key of this family, None if it has none."""
    seconds = given.get("seconds", SECONDS)
    try:
        plain = socket.create_connection((given["host"], given.get("port", 22)), seconds)
    except OSError:
        raise Unavailable("连不上SFTP服务器", "the SFTP server cannot be reached") from None
    try:
        transport = paramiko.Transport(plain)
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = seconds
        transport.channel_timeout = seconds
        transport.get_security_options().key_types = family
        transport.start_client(timeout=seconds)
        if transport.initial_kex_done:
            return transport
        transport.close()  # the time was over, of which it says nothing
        raise EOFError
    except paramiko.ssh_exception.IncompatiblePeer:
        plain.close()
        return None
    except (paramiko.SSHException, EOFError, OSError):
        plain.close()
        raise Unavailable("SFTP服务器没有应答", "the SFTP server does not answer") from None


def _login(transport: Any, given: Mapping[str, Any]) -> None:
    try:
        if "key" in given:
            rest = transport.auth_publickey(given["user"], _private(given["key"], given.get("passphrase")))
        elif "password" in given:
            rest = transport.auth_password(given["user"], given["password"])
        else:
            raise Misconfigured("须设置password或key", "password or key must be set")
    except paramiko.AuthenticationException:
        raise Misconfigured("SFTP服务器拒绝登录：用户、口令或密钥不对", "the SFTP server refuses the user, password or key") from None
    except (paramiko.SSHException, EOFError, OSError):
        raise Unavailable("登录时连接中断", "the connection broke while logging in") from None
    if rest:
        raise Misconfigured("SFTP服务器还要求另一种认证", "the SFTP server wants another proof beside")


def _private(text: str, passphrase: str | None) -> Any:
    for kind in _KEYS:
        with suppress(paramiko.SSHException, ValueError, IndexError):
            return kind.from_private_key(io.StringIO(text), passphrase)
    raise Misconfigured("私钥不可读，或其口令不对", "the private key cannot be read, or its passphrase is wrong")
