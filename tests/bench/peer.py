"""The peer we measure ourselves against: pyas2lib, one message after the other, in a process of its own.

    python -m tests.bench.peer     a record on the first line of standard input, then a number of seconds on each;
                                   `ready`, then a JSON line for each number

One message is: sign and encrypt the record (RSA-2048, SHA-256, AES-256-CBC), verify and decrypt it, build a signed MDN,
verify that.  No disk and no network: the peer promises less than we do.  One such process fills one processor.

pyas2lib does not import with the OpenSSL of today's systems: its dependency oscrypto 1.3.0 looks for a version of three
single digits.  `patched_import` widens that pattern while it is imported, and changes nothing else.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.bench.answering import answer

NARROW = r"\b(\d\.\d\.\d[a-z]*)\b"
WIDE = r"\b(\d+\.\d+\.\d+[a-z]*)\b"


def patched_import() -> Any:
    """Return `pyas2lib.as2`, with oscrypto's check of OpenSSL's version widened to more than one digit."""
    search = re.search
    re.search = lambda pattern, *rest, **named: search(  # type: ignore[assignment]  # the same but for one pattern
        WIDE if pattern == NARROW else pattern, *rest, **named
    )
    try:
        from pyas2lib import as2
    finally:
        re.search = search
    return as2


def paper(name: str) -> tuple[bytes, bytes]:
    """Return a fresh RSA-2048 key with its self-signed certificate, and the certificate alone, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    ).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"bench"),
    )
    return secret + certificate, certificate


def exchange(content: bytes) -> Callable[[], None]:
    """Return a function that takes `content` once there and its receipt back; raises if anything does not verify."""
    as2 = patched_import()
    (ours, our_certificate), (theirs, their_certificate) = paper("sender"), paper("receiver")
    sender = as2.Organization(
        as2_name="sender", sign_key=ours, sign_key_pass="bench", decrypt_key=ours, decrypt_key_pass="bench"
    )
    receiver = as2.Organization(
        as2_name="receiver", sign_key=theirs, sign_key_pass="bench", decrypt_key=theirs, decrypt_key_pass="bench"
    )
    shape = {
        "sign": True, "encrypt": True, "digest_alg": "sha256", "enc_alg": "aes_256_cbc", "validate_certs": False,
        "mdn_mode": as2.SYNCHRONOUS_MDN, "mdn_digest_alg": "sha256",
    }
    to_receiver = as2.Partner("receiver", verify_cert=their_certificate, encrypt_cert=their_certificate, **shape)
    to_sender = as2.Partner("sender", verify_cert=our_certificate, encrypt_cert=our_certificate, **shape)

    def once() -> None:
        out = as2.Message(sender, to_receiver)
        out.build(content, subject="record", content_type="application/json", disposition_notification_to="a@b")
        taken = as2.Message()
        status, _, answer = taken.parse(
            out.headers_str + b"\r\n" + out.content,
            find_org_cb=lambda name: receiver, find_partner_cb=lambda name: to_sender,
        )
        if status != "processed" or not (taken.signed and taken.encrypted) or taken.content.strip() != content:
            raise SystemExit(f"pyas2lib did not take its own message: {status}")
        receipt = as2.Mdn()
        said, _ = receipt.parse(answer.headers_str + b"\r\n" + answer.content, find_message_cb=lambda *_: out)
        if said != "processed":
            raise SystemExit(f"pyas2lib did not take its own receipt: {said}")

    return once


def main() -> None:
    """Answer each number of seconds with what was done in them."""
    answer(exchange(sys.stdin.readline().strip().encode()))


if __name__ == "__main__":
    main()
