"""The command `cms`: every reading of CMS met in the wild."""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Hashable, Iterator
from functools import cache

from node.crypto.certificates import parse
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.report import Report
from node.envelope.cms.signed import read_signed
from node.envelope.cms.tool import Means, inspect, open_message, verify
from node.model.certificate import Certificate
from node.model.trouble import Refused
from node.ports import PrivateKey
from tests.fuzz.mutate import any_of, armoured, asn1, octets
from tests.fuzz.people import CRYPTO, files
from tests.fuzz.target import Target
from tests.vectors.cms_parts import CONTENT, RECIPIENT_KEY


def _certificate(der: bytes) -> Certificate:
    return parse(der, CRYPTO.sm3)


MEANS = Means(CRYPTO, _certificate)


@cache
def key() -> PrivateKey:
    """Return the recipient's key of the CMS vectors."""
    return CRYPTO.sm2_load(RECIPIENT_KEY.to_bytes(32, "big"))


def seeds() -> Iterator[bytes]:
    """Yield the CMS vectors, some in PEM."""
    for number, one in enumerate(files("cms")):
        yield one
        if number % 8 == 0:
            yield b"-----BEGIN CMS-----\n" + encodebytes(one) + b"-----END CMS-----\n"


def run(data: bytes) -> Hashable:
    """Inspect, verify and open; what the strict codec takes the tool understands, and reports can be told."""
    strict = _strict(data)
    reports = [inspect(data, MEANS), verify(data, MEANS), verify(data, MEANS, CONTENT), open_message(data, MEANS,
                                                                                                     key())]
    for report in reports:
        _tellable(report)
    if strict:
        assert reports[0].kind == strict, "the tolerant reader does not understand what the strict one takes"
    if reports[2].good and reports[1].good:
        assert reports[1].content == reports[2].content == CONTENT, "it verifies over what nobody signed"
    return tuple((report.kind, report.verdict, report.problems, report.quirks) for report in reports)


def _strict(data: bytes) -> str:
    for name, reader in (("signedData", read_signed), ("envelopedData", read_enveloped)):
        try:
            reader(data)
            return name
        except Refused:
            continue
    return ""


def _tellable(report: Report) -> None:
    report.as_json()
    for language in ("zh", "en"):
        assert report.lines(language)


TARGET = Target("cms", "CMS, every reading of the command", seeds, run,
                any_of(asn1, asn1, asn1, octets, armoured(asn1)), rounds=60)
