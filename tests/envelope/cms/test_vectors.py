"""Every message of tests/vectors/cms meets its fate, at the wire's reader and in the tool, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.crypto.certificates import parse
from node.crypto.openssl import OpenSslCrypto
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.readings import STANDARD
from node.envelope.cms.signed import read_signed
from node.envelope.cms.tool import Means, inspect, open_message, verify
from node.envelope.cms.words import CAVEATS, PROBLEMS, READINGS
from node.model import codes
from node.model.trouble import Trouble, trouble
from tests.vectors.make_cms import FOLDER, index, vectors

CRYPTO = OpenSslCrypto()
INDEX: dict[str, Any] = json.loads((FOLDER / "index.json").read_bytes())
ROWS = INDEX["vectors"]
CONTENT = bytes.fromhex(INDEX["content"])
MEANS = Means(CRYPTO, lambda octets: parse(octets, CRYPTO.sm3))
SIGNER, RECIPIENT = (MEANS.certificate(bytes.fromhex(INDEX[who])) for who in ("signer", "recipient"))
KEY = CRYPTO.sm2_load(bytes.fromhex(INDEX["recipient_key"]))
ENVELOPED = bytes.fromhex("060a2a811ccf5506010402" + "03")


def _wire(octets: bytes, sealed: bool) -> str:
    """Take a message as the wire does; return the stage passed last, raising where the wire would."""
    if sealed:
        enveloped = read_enveloped(octets)
        ours = [one for one in enveloped.recipients if (one.issuer, one.serial) == (RECIPIENT.issuer, RECIPIENT.serial)]
        if not ours:
            raise trouble(codes.OPEN)
        key = KEY.unwrap(ours[0].wrapped)
        assert CRYPTO.sm4_cbc_decrypt(key, enveloped.iv, enveloped.secret) == CONTENT
        return "good"
    signed = read_signed(octets)
    assert signed.certificate_der == SIGNER.der
    if not CRYPTO.sm2_verify(SIGNER.public, signed.content, signed.signature):
        raise trouble(codes.SIGNATURE)
    return "good" if signed.content in (CONTENT, b"") else "statement"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_the_wire_stops_each_vector_at_its_stage(row: dict[str, Any]) -> None:
    octets = (FOLDER / row["file"]).read_bytes()
    if row["stage"] in ("good", "statement"):
        assert _wire(octets, ENVELOPED in octets[:24]) == row["stage"]
        return
    with pytest.raises(Trouble) as caught:
        _wire(octets, ENVELOPED in octets[:24])
    assert caught.value.code.name == row["code"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_the_tool_says_of_each_vector_what_it_is(row: dict[str, Any]) -> None:
    octets = (FOLDER / row["file"]).read_bytes()
    told = inspect(octets, MEANS)
    if "nvelopedData" in told.kind:
        report = open_message(octets, MEANS, KEY, RECIPIENT)
    else:
        lacking = not told.certificates or row["file"] == "certificate-other.der"
        content = CONTENT if told.content_size is None else None
        report = verify(octets, MEANS, content, SIGNER if lacking else None)
    problem, _, reading = row["tool"].partition("/")
    assert report.verdict == row["tool"] or (report.verdict == "failed" and report.problems == (problem,))
    if reading:
        assert [signer.reading for signer in report.signers] == [reading]
    if report.good and report.content:
        assert report.content == CONTENT or CONTENT.startswith(report.content)
    assert report.good or report.content is None
    assert ("profile" in report.caveats) == (row["stage"] != "read")
    assert {*report.caveats} <= {*CAVEATS} and {*report.problems} <= {*PROBLEMS}
    for language in ("zh", "en"):
        assert report.lines(language)
    assert CONTENT.hex() not in json.dumps(report.as_json())


def test_a_nonstandard_reading_is_good_only_when_it_is_named() -> None:
    for reading in READINGS.keys() - set(STANDARD) - {"attributes-empty-id", "attributes-no-z"}:
        file = {"attributes-not-der": "id-attributes-order"}.get(reading, f"id-{reading}")
        octets = (FOLDER / f"{file}.der").read_bytes()
        assert not verify(octets, MEANS, accept=READINGS.keys() - {reading}).good
        assert verify(octets, MEANS, accept=[reading]).verdict == "verified"


def test_the_folder_holds_exactly_what_its_maker_writes() -> None:
    assert (FOLDER / "index.json").read_bytes() == index()
    made = {f"{vector.name}.der": vector.octets for vector in vectors()}
    assert {path.name: path.read_bytes() for path in FOLDER.glob("*.der")} == made


def test_each_problem_and_each_caveat_has_a_vector_or_a_test() -> None:
    seen = {row["tool"].partition("/")[0] for row in ROWS}
    tested_elsewhere = {
        "no-content", "other-content", "not-sm2", "certificate-unused", "not-trusted", "needs-key", "not-enveloped",
        "needs-shared-key", "no-ciphertext", "not-signed", "unknown-type",
    }
    assert PROBLEMS.keys() - seen == tested_elsewhere
