"""How a service knows us: a password, a token in a header, or a signature over the query.

    auth = { kind = "basic", user = "node" }            # secret: the password
    auth = { kind = "bearer" }                          # secret: the token
    auth = { kind = "header", name = "X-Api-Key" }      # secret: what stands in the header
    auth = { kind = "signed", digest = "sm3", id = { appKey = "dept-7" }, time = "milliseconds" }   # secret: the key

Signed: the parameters of the query, those of `id`, the time, a nonce, and of a request with a body its digest, are
sorted by name and joined as `name=value&name=value`, nothing escaped; the HMAC of that text with the secret, in
hexadecimal digits, is added as one more parameter.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from adapters.contract import Misconfigured

Pairs = list[tuple[str, str]]

_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[ -~]{0,4000}")
_CHINA = timezone(timedelta(hours=8))
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}

SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["basic", "bearer", "header", "signed"]},
        "user": {"type": "string", "maxLength": 200},
        "name": _NAME,
        "digest": {"enum": ["sha256", "sm3"], "default": "sha256"},
        "id": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 500}, "maxProperties": 8},
        "time": {"enum": ["seconds", "milliseconds", "digits"], "default": "seconds"},
        "time_name": {**_NAME, "default": "timestamp"},
        "nonce_name": {**_NAME, "default": "nonce"},
        "sign_name": {**_NAME, "default": "sign"},
        "body_name": {**_NAME, "default": "body"},
        "upper": {"type": "boolean", "default": False},
    },
    "required": ["kind"],
    "additionalProperties": False,
}


class Auth:
    """What is added to a request; made of the settings, with their secret."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Read the settings; raise Misconfigured for what is lacking."""
        self._given: Mapping[str, Any] = settings.get("auth", {})
        self._kind = self._given.get("kind", "none")
        self._secret: str = settings.get("secret", "")
        if self._kind != "none" and not self._secret:
            raise Misconfigured("auth需要一个secret", "auth needs a `secret`")
        needed = {"basic": "user", "header": "name"}.get(self._kind)
        if needed and needed not in self._given:
            raise Misconfigured(f"auth缺少{needed}", f"auth lacks `{needed}`")
        self.headers = self._fixed()

    def _fixed(self) -> Pairs:
        if self._kind == "basic":
            both = f"{self._given['user']}:{self._secret}".encode()
            return checked([("Authorization", "Basic " + base64.b64encode(both).decode())])
        if self._kind == "bearer":
            return checked([("Authorization", f"Bearer {self._secret}")])
        return checked([(self._given["name"], self._secret)]) if self._kind == "header" else []

    def query(self, pairs: Sequence[tuple[str, str]], body: bytes | None) -> Pairs:
        """Return the parameters of a query, signed if that is how the service knows us."""
        if self._kind != "signed":
            return list(pairs)
        given, digest = self._given, self._given.get("digest", "sha256")
        added = [*given.get("id", {}).items(), (given.get("time_name", "timestamp"), self._time()),
                 (given.get("nonce_name", "nonce"), secrets.token_hex(16))]
        signed = [*pairs, *added]
        if body is not None:
            signed.append((given.get("body_name", "body"), hashlib.new(digest, body).hexdigest()))
        said = "&".join(f"{name}={value}" for name, value in sorted(signed))
        sign = hmac.new(self._secret.encode(), said.encode(), digest).hexdigest()
        return [*pairs, *added, (given.get("sign_name", "sign"), sign.upper() if given.get("upper") else sign)]

    def _time(self) -> str:
        now = datetime.now(_CHINA)
        return {"seconds": lambda: str(int(now.timestamp())), "milliseconds": lambda: str(int(now.timestamp() * 1000)),
                "digits": lambda: now.strftime("%Y%m%d%H%M%S")}[self._given.get("time", "seconds")]()


def checked(headers: Sequence[tuple[str, str]]) -> Pairs:
    """Return headers that are such; raise Misconfigured, without the value, for one that is not."""
    for name, value in headers:
        if not _HEADER.fullmatch(name):
            raise Misconfigured("请求头的名称不合格", "the name of a header is none")
        if not _VALUE.fullmatch(value):
            raise Misconfigured(f"请求头{name}的值含有不允许的字符", f"the value of the header {name} has signs it may not have")
    return list(headers)


def secret_headers(text: str) -> Pairs:
    """Return the headers of a secret file: a line `Name: value` each; raise Misconfigured for another line."""
    headers = []
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = line.partition(":")
        if line.strip() and (not colon or not _HEADER.fullmatch(name.strip())):
            raise Misconfigured(f"secret_headers第{number}行应为“名称: 值”",
                                f"line {number} of secret_headers has the form `Name: value`")
        if line.strip():
            headers.append((name.strip(), value.strip()))
    return checked(headers)
