"""TLS to a service: its certificate is verified, always; the authorities may be the customer's own.

Rule 1: of an error of OpenSSL its code is told, never its text.
Rule 2: the key of our certificate is given as a secret and stands in no file that this process makes.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from adapters.contract import Misconfigured, Unavailable

_WRONG: Mapping[int, tuple[str, str]] = {
    9: ("尚未生效", "is not valid yet"), 10: ("已过期", "has expired"),
    18: ("是自签的，不受信任", "is self-signed and not trusted"),
    19: ("不是由受信任的机构签发", "is not issued by a trusted authority"),
    20: ("不是由受信任的机构签发", "is not issued by a trusted authority"),
    21: ("不是由受信任的机构签发", "is not issued by a trusted authority"),
    62: ("不是给此主机名的", "is not for this host name"), 64: ("不是给此地址的", "is not for this address"),
}
"""OpenSSL's codes of why a certificate is not good (X509_V_ERR_*)."""

_TRANSIENT = ("EOF", "SHUTDOWN", "INTERNAL_ERROR")


def context(settings: Mapping[str, Any]) -> ssl.SSLContext:
    """Return what connections are made with; raise Misconfigured for a file that cannot be used."""
    try:
        made = ssl.create_default_context(cafile=settings.get("ca"))
    except (OSError, ssl.SSLError):
        raise Misconfigured("ca文件不存在或不是证书（PEM）", "the file `ca` is missing or holds no certificates (PEM)") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.get("client_cert") or settings.get("client_key"):
        _present(made, settings)
    return made


def _present(made: ssl.SSLContext, settings: Mapping[str, Any]) -> None:
    """Give the context our own certificate; its key comes from memory."""
    if not settings.get("client_cert") or not settings.get("client_key"):
        raise Misconfigured("client_cert和client_key须同时给出", "client_cert and client_key are given together")
    memory = os.memfd_create("key", os.MFD_CLOEXEC)
    try:
        os.write(memory, settings["client_key"].encode())
        # Without a function for the passphrase OpenSSL would ask for it at a terminal.
        made.load_cert_chain(settings["client_cert"], f"/proc/self/fd/{memory}",
                             lambda: settings.get("client_key_password", ""))
    except (OSError, ValueError, ssl.SSLError):
        raise Misconfigured("客户端证书或私钥不可用（PEM，且彼此对应）",
                            "the client certificate or its key cannot be used (PEM, belonging together)") from None
    finally:
        os.close(memory)


def told(why: ssl.SSLError) -> Misconfigured | Unavailable:
    """Return an error of TLS in our words."""
    if isinstance(why, ssl.SSLCertVerificationError):
        zh, en = _WRONG.get(why.verify_code, ("不被接受", "is not accepted"))
        return Misconfigured(f"服务的证书{zh}（{why.verify_code}）",
                             f"the certificate of the service {en} ({why.verify_code})")
    reason = why.reason if isinstance(why.reason, str) and why.reason.replace("_", "").isalnum() else "TLS"
    if isinstance(why, ssl.SSLEOFError | ssl.SSLZeroReturnError) or any(part in reason for part in _TRANSIENT):
        return Unavailable(f"TLS连接中断（{reason}）", f"the TLS connection broke ({reason})")
    return Misconfigured(f"TLS握手失败（{reason}）", f"the TLS handshake failed ({reason})")


def end(certificate: Mapping[str, Any]) -> datetime | None:
    """Return until when a verified certificate is valid."""
    said = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(said), timezone.utc) if said else None
