"""The settings that both adapters of HTTP services have, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from adapters.contract import Finding, Misconfigured, fault, good, warning
from adapters.web import tls
from adapters.web.address import LONGEST, escaped, read_url
from adapters.web.auth import SCHEMA, Auth, checked, secret_headers
from adapters.web.client import Answer, Client, Request
from adapters.web.fill import encoded
from adapters.web.line import Patience

MOST_OCTETS = 8 << 20
_SECRET = {"type": "string", "x-secret": True, "maxLength": 65536}
_SECONDS = {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}
PATH = {"type": "string", "pattern": "^/[^?#\\s]*$", "maxLength": 2000}
TEXTS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 4000}, "maxProperties": 50}

SETTINGS: Mapping[str, Any] = {
    "url": {"type": "string", "maxLength": 2000},
    "plain": {"type": "boolean", "default": False},
    "headers": TEXTS,
    "secret_headers": _SECRET,
    "auth": SCHEMA,
    "secret": _SECRET,
    "ca": {"type": "string"},
    "client_cert": {"type": "string"},
    "client_key": _SECRET,
    "client_key_password": _SECRET,
    "connect": {**_SECONDS, "default": 10}, "silence": {**_SECONDS, "default": 30},
    "total": {**_SECONDS, "default": 120},
    "most_octets": {"type": "integer", "minimum": 1024, "maximum": 256 << 20, "default": MOST_OCTETS},
    "probe": PATH,
}

SOON = 30
"""Days before a certificate's end at which a warning begins."""
_AWRY = 60
"""Seconds that two clocks may differ."""


class Service:
    """A service as the settings tell of it: where, by which keys, how patiently."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Read the settings; raise Misconfigured for what is wrong.  Nothing is connected yet."""
        address = read_url(settings["url"], settings.get("plain", False))
        context = tls.context(settings) if address.scheme == "https" else None
        patience = Patience(settings.get("connect", 10), settings.get("silence", 30), settings.get("total", 120))
        self._auth = Auth(settings)
        self._headers = [*checked(list(settings.get("headers", {}).items())),
                         *secret_headers(settings.get("secret_headers", "")), *self._auth.headers]
        self._probe: str | None = settings.get("probe")
        self.client = Client(address, context, patience, settings.get("most_octets", MOST_OCTETS))

    def ask(
        self, method: str, path: str, query: Sequence[tuple[str, str]] = (), body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        """Ask for a path below the service's own; the query is signed if it is to be."""
        said = encoded(self._auth.query(query, body))
        target = (self.client.address.base + escaped(path) or "/") + (f"?{said}" if said else "")
        return self.ask_target(method, target, body, headers)

    def ask_target(
        self, method: str, target: str, body: bytes | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> Answer:
        """Ask for a target of the origin as it is; raise Misconfigured if it is too long."""
        if len(target) > LONGEST:
            raise Misconfigured("请求的地址过长", "the address that is asked is too long")
        return self.client.ask(Request(method, target, [*headers, *self._headers], body))

    def check(self, default: str | None) -> Iterator[Finding]:
        """Yield what was found by connecting, and by asking for the probe, or for the path `default` if it is given."""
        certificate = self.client.certificate()
        yield good("已连接到服务", "the service was reached")
        if certificate is None:
            yield warning("连接未加密（plain）", "the connection is not encrypted (plain)")
        else:
            yield _ends(tls.end(certificate))
        path = self._probe or default
        if path is None:
            yield warning("未给出probe：没有试过身份认证和时钟",
                          "no `probe` is given: neither authentication nor clock was tried")
            return
        answer = self.ask("GET", "" if path == "/" else path)
        yield _accepted(answer.status, self._probe is not None)
        yield _clock(answer.clock)

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()


def _ends(at: datetime | None) -> Finding:
    if at is None:
        return warning("服务的证书没有说明有效期", "the certificate of the service tells no end")
    left = (at - datetime.now(timezone.utc)).days
    say = warning if left < SOON else good
    return say(f"服务的证书{at:%Y-%m-%d}到期，还有{left}天",
               f"the certificate of the service ends {at:%Y-%m-%d}, in {left} day(s)")


def _accepted(status: int, probe: bool) -> Finding:
    if status in (401, 403, 407):
        return fault(f"服务不接受所给的身份（{status}）", f"the service does not accept who we are ({status})")
    if 200 <= status < 300:
        return good("服务接受所给的身份", "the service accepts who we are")
    if probe:
        return fault(f"服务对probe答复{status}", f"the service answers the probe with {status}")
    return warning(f"服务答复{status}；可用probe指明一个可查询的路径",
                   f"the service answers {status}; name a path that can be asked with `probe`")


def _clock(at: datetime | None) -> Finding:
    if at is None:
        return warning("服务没有告知时间（Date）", "the service does not tell its time (Date)")
    apart = round(abs((at - datetime.now(timezone.utc)).total_seconds()))
    say = good if apart <= _AWRY else warning
    return say(f"服务的时钟与本机相差{apart}秒", f"the clock of the service differs by {apart} second(s)")
