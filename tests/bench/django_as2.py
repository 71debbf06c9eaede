"""django-pyas2 over HTTP: the sender, and the receiver that gunicorn serves, each with a SQLite database of its own.

    python -m tests.bench.django_as2 FOLDER PORT     a record on the first line of standard input, then a number of
                                                     seconds on each; `ready`, then a JSON line for each number
    gunicorn tests.bench.django_as2:receiver()       with the receiver's folder in BENCH_AS2

What its own command `sendas2message` does, again and again in one process: build, save, POST, take the signed MDN of
the answer, save.  Both sides keep payload and MDN in files, as it always does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.answering import answer
from tests.bench.peer import paper, patched_import

SENDER, RECEIVER = "sender", "receiver"
SECRET = "bench"


def write_papers(folder: Path) -> None:
    """Write a key with its certificate, and the certificate alone, for both sides."""
    for name in (SENDER, RECEIVER):
        (folder / name).mkdir(parents=True)
        secret, certificate = paper(name)
        (folder / f"{name}.key").write_bytes(secret)
        (folder / f"{name}.crt").write_bytes(certificate)


def configure(folder: Path) -> None:
    """Set Django up with what lies in `folder`, its database made."""
    from django import setup
    from django.conf import settings
    from django.core.management import call_command

    patched_import()
    settings.configure(
        SECRET_KEY=SECRET, USE_TZ=True, ROOT_URLCONF="tests.bench.django_urls", ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "as2.db"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "pyas2"],
        MEDIA_ROOT=folder, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        LOGGING_CONFIG=None,
    )
    setup()
    call_command("migrate", verbosity=0)


def introduce(folder: Path, own: str, other: str, address: str) -> tuple[Any, Any]:
    """Enter both parties on one side: ourselves with the key, the other with its certificate; return both."""
    from pyas2.models import Organization, Partner, PrivateKey, PublicCertificate

    key = PrivateKey.objects.create(name=own, key=(folder / f"{own}.key").read_bytes(), key_pass=SECRET)
    certificate = PublicCertificate.objects.create(
        name=other, certificate=(folder / f"{other}.crt").read_bytes(), verify_cert=False
    )
    organization = Organization.objects.create(name=own, as2_name=own, signature_key=key, encryption_key=key)
    partner = Partner.objects.create(
        name=other, as2_name=other, target_url=address, encryption="aes_256_cbc", encryption_cert=certificate,
        signature="sha256", signature_cert=certificate, mdn=True, mdn_mode="SYNC", mdn_sign="sha256",
        content_type="application/octet-stream",
    )
    return organization, partner


def receiver() -> Callable[..., Any]:
    """Return the receiver for gunicorn."""
    from django.core.wsgi import get_wsgi_application

    folder = Path(os.environ["BENCH_AS2"])
    configure(folder / RECEIVER)
    introduce(folder, RECEIVER, SENDER, "http://127.0.0.1:1/")
    application: Callable[..., Any] = get_wsgi_application()
    return application


def sender(folder: Path, port: int, content: bytes) -> Callable[[], None]:
    """Return a function that sends `content` once and takes its MDN; raises SystemExit if it was not taken."""
    configure(folder / SENDER)
    organization, partner = introduce(folder, SENDER, RECEIVER, f"http://127.0.0.1:{port}/as2receive")
    from pyas2.models import Message
    from pyas2lib import Message as As2Message

    def once() -> None:
        made = As2Message(sender=organization.as2org, receiver=partner.as2partner)
        made.build(
            content, filename="record", subject=partner.subject, content_type=partner.content_type,
            disposition_notification_to="a@b",
        )
        message, _ = Message.objects.create_from_as2message(
            as2message=made, payload=content, filename="record", direction="OUT", status="P"
        )
        message.send_message(made.headers, made.content)
        if message.status != "S":
            raise SystemExit(f"django-pyas2 did not take its own message: {message.status} {message.detailed_status}")

    return once


def main() -> None:
    """Answer each number of seconds with what was done in them."""
    answer(sender(Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.readline().strip().encode()))


if __name__ == "__main__":
    main()
