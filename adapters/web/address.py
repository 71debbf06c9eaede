"""Where a service is: its origin, the path all requests begin with, and what lies within it.

Rule 1: https, or with `plain = true` http to an address that is loopback or private; what is sent are personal data.
Rule 2: a reference from an answer is followed within the origin alone.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from adapters.contract import Misconfigured

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
PORTS = {"http": 80, "https": 443}
_KEPT = "/%:@!$&'()*+,;=~-._"
_PRINTED = "".join(map(chr, range(0x21, 0x7f)))
LONGEST = 8000
"""Most signs of a path with its query."""


@dataclass(frozen=True, slots=True)
class Address:
    """An origin, and the path below which the service lies (without a slash at its end)."""

    scheme: str
    host: str
    port: int
    base: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    def within(self, target: str, reference: str) -> str:
        """Return the target that a reference from the answer to `target` means; raise Misconfigured if elsewhere."""
        if len(reference) > LONGEST or re.search(r"[\0-\x1f\x7f]", reference):
            raise Misconfigured("服务给出的下一地址无法识别", "the address that the service refers to cannot be read")
        # Services leave blanks and Chinese as they are; http.client hands on octets as signs of Latin-1.
        reference = quote(reference.encode("latin-1", "replace"), safe=_PRINTED)
        try:
            whole = urljoin(f"{self.scheme}://{_bracketed(self.host)}:{self.port}{target}", reference)
            there = urlsplit(whole)
            origin = there.scheme, (there.hostname or "").lower(), there.port or PORTS.get(there.scheme, 0)
        except ValueError:
            raise Misconfigured("服务给出的下一地址无法识别",
                                "the address that the service refers to cannot be read") from None
        target = (there.path or "/") + (f"?{there.query}" if there.query else "")
        if len(target) > LONGEST:
            raise Misconfigured("服务给出的下一地址过长", "the address that the service refers to is too long")
        if origin != self.origin or there.username is not None:
            raise Misconfigured("服务转向了另一台主机；未跟随，如确属同一服务请改url",
                                "the service refers to another host; not followed, change the url if it is right")
        return target


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def read_url(url: str, plain: bool) -> Address:
    """Return the address of a URL; raise Misconfigured if it is none, holds a password, or may not be http."""
    try:
        split = urlsplit(url)
        host, port = (split.hostname or "").lower(), split.port
    except ValueError:
        raise Misconfigured("url无法识别", "the url cannot be read") from None
    if split.scheme not in PORTS or not _HOST.fullmatch(host):
        raise Misconfigured("url应形如https://主机:端口/路径", "the url has the form https://host:port/path")
    if split.username is not None or split.query or split.fragment:
        raise Misconfigured("url里不写用户名、口令和查询串", "a url holds no user, password or query")
    if split.scheme == "http" and not plain:
        raise Misconfigured("明文http须写明plain = true，且只能用于本机或内网地址",
                            "plain http needs plain = true, and is for loopback and private addresses only")
    return Address(split.scheme, host, port or PORTS[split.scheme], escaped(split.path).rstrip("/"))


def escaped(path: str) -> str:
    """Return a path with everything escaped that does not stand in one."""
    return quote(path, safe=_KEPT)


def resolve(address: Address) -> list[tuple[int, tuple[str, int]]]:
    """Return families and socket addresses; raise OSError if there are none, Misconfigured if http may not go there."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    places = [(int(family), (str(at[0]), int(at[1]))) for family, _, _, _, at in found]
    if address.scheme == "http" and not all(_near(at[0]) for _, at in places):
        raise Misconfigured("明文http只能用于本机或内网地址", "plain http goes to loopback and private addresses only")
    return places


def _near(host: str) -> bool:
    at = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(at, "ipv4_mapped", None) or at
    return bool(mapped.is_loopback or mapped.is_private and not mapped.is_unspecified)
