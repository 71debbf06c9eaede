"""What the `openssl` command can say of our messages: SM3, SM2 under the ID, the key wrap, SM4-CBC, chains.

What it cannot, in the 3.0 of Debian 12: read GB/T 35275 (`cms` knows no GM type), check a list signed with SM2 (a CRL
cannot be given an ID), a chain of three (`-vfyopt` reaches the leaf alone), and RFC 8998 (`s_client` has neither
suite nor group).  The first is Bouncy Castle's in `test_castle.py`; lists, long chains and TLS are checked by the
OpenSSL 4 inside `cryptography`, which is also what the node uses for them.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from node.crypto.certificates import SPKI_HEAD
from node.crypto.keyfile import plain
from node.envelope import unframe
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.signed import read_signed
from tests.crypto.papers import CRYPTO
from tests.vectors import wire_world
from tests.vectors.cms_parts import RECIPIENT, SIGNER
from tests.vectors.play import FOLDER, index
from tests.vectors.wire_parts import ALICE, BOB

ID = "distid:1234567812345678"
Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def openssl(server: Callable[[str, str], str], tmp_path: Path) -> Run:
    """Return `run(*words, **files)`: a word that names a file given is replaced by that file's path."""
    binary = server("openssl", "openssl")

    def run(*words: str, **files: bytes) -> subprocess.CompletedProcess[bytes]:
        for name, octets in files.items():
            (tmp_path / name).write_bytes(octets)
        told = [str(tmp_path / word) if word in files else word for word in words]
        return subprocess.run([binary, *told], capture_output=True, timeout=60)

    return run


def test_sm3_of_every_vector(openssl: Run) -> None:
    paths = sorted(path for path in FOLDER.glob("*/*") if path.suffix in (".der", ".exnp", ".json"))
    told = openssl("dgst", "-sm3", "-r", *map(str, paths)).stdout.decode().splitlines()
    assert [line.split()[0] for line in told] == [CRYPTO.sm3(path.read_bytes()).hex() for path in paths]


def verified(openssl: Run, public: bytes, content: bytes, signature: bytes, who: str = ID) -> bool:
    words = ("pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pkeyopt", who, "-pubin", "-keyform", "DER", "-inkey",
             "key", "-in", "content", "-sigfile", "signature")
    return openssl(*words, key=SPKI_HEAD + public, content=content, signature=signature).returncode == 0


@pytest.mark.parametrize("file", [
    "manifest", "probe", "collect", "receipt-accepted", "receipt-processed", "receipt-processed-refusals",
    "receipt-refused",
])
def test_the_signature_of_each_kind_of_statement(openssl: Run, file: str) -> None:
    signed = read_signed((FOLDER / "statements" / f"{file}.der").read_bytes())
    public = ALICE.signing.public
    assert verified(openssl, public, signed.content, signed.signature)
    assert not verified(openssl, public, signed.content[:-1] + b" ", signed.signature)
    assert not verified(openssl, public, signed.content, signed.signature, "distid:TLSv1.3+GM+Cipher+Suite")


def test_each_reading_of_the_id_is_what_its_vector_says(openssl: Run) -> None:
    signed = read_signed((FOLDER / "cms" / "id-content-tls-id.der").read_bytes())
    assert not verified(openssl, SIGNER.public, signed.content, signed.signature)
    assert verified(openssl, SIGNER.public, signed.content, signed.signature, "distid:TLSv1.3+GM+Cipher+Suite")
    signed = read_signed((FOLDER / "cms" / "signature-other.der").read_bytes())
    assert not verified(openssl, SIGNER.public, signed.content, signed.signature)


def test_a_signature_and_a_key_wrap_of_this_run(openssl: Run, seed: int) -> None:
    chance, key = random.Random(seed), CRYPTO.sm2_generate()
    content, cek = chance.randbytes(chance.randrange(1, 2000)), chance.randbytes(16)
    assert verified(openssl, key.public, content, key.sign(content))
    assert unwrapped(openssl, plain(CRYPTO, key), CRYPTO.sm2_wrap(key.public, cek)) == cek


def unwrapped(openssl: Run, key: bytes, wrapped: bytes) -> bytes | None:
    ran = openssl("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", "key", "-in", "wrapped", key=key, wrapped=wrapped)
    return ran.stdout if ran.returncode == 0 else None


@pytest.mark.parametrize("file", ["cms/enveloped.der", "cms/enveloped-two.der", "parcels/good-3.exnp"])
def test_an_envelope_opens_to_what_was_sealed(openssl: Run, file: str) -> None:
    octets = (FOLDER / file).read_bytes()
    who = BOB.opens if file.startswith("parcels") else RECIPIENT
    envelope = read_enveloped(unframe(octets).payload if file.startswith("parcels") else octets)
    own = next(one for one in envelope.recipients if (one.issuer, one.serial) == (who.ca.name, who.serial))
    key = plain(CRYPTO, CRYPTO.sm2_load(who.d.to_bytes(32, "big")))
    cek = unwrapped(openssl, key, own.wrapped)
    assert cek is not None and len(cek) == 16
    words = ("enc", "-d", "-sm4-cbc", "-K", cek.hex(), "-iv", envelope.iv.hex(), "-in", "secret")
    assert openssl(*words, secret=envelope.secret).stdout == CRYPTO.sm4_cbc_decrypt(cek, envelope.iv, envelope.secret)


@pytest.mark.parametrize("name", ["off-curve", "c3", "c2"])
def test_a_spoilt_key_wrap_does_not_open(openssl: Run, name: str) -> None:
    envelope = read_enveloped((FOLDER / "cms" / f"cipher-{name}.der").read_bytes())
    key = plain(CRYPTO, CRYPTO.sm2_load(RECIPIENT.d.to_bytes(32, "big")))
    assert unwrapped(openssl, key, envelope.recipients[0].wrapped) is None


def chained(openssl: Run, leaf: bytes, at: int) -> bool:
    root = wire_world.papers()["root"]
    words = ("verify", "-CAfile", "root", "-vfyopt", ID, "-attime", str(at), "leaf")
    return openssl(*words, root=_pem(openssl, root), leaf=_pem(openssl, leaf)).returncode == 0


def _pem(openssl: Run, der: bytes) -> bytes:
    return openssl("x509", "-inform", "DER", "-in", "der", der=der).stdout


def test_chains_of_two(openssl: Run) -> None:
    summer = 1_782_000_000  # 2026-06-21
    for node in (ALICE, BOB):
        for certificate in (node.signing, node.encryption, node.channel):
            assert chained(openssl, certificate.der, summer)
    assert not chained(openssl, wire_world.EXPIRED.signing.der, summer)
    assert chained(openssl, wire_world.EXPIRED.signing.der, 1_770_000_000)  # 2026-02-02
    assert not chained(openssl, wire_world.EARLY.signing.der, summer)
    assert not chained(openssl, wire_world.FOREIGN.signing.der, summer)
    spoilt = bytearray(ALICE.signing.der)
    spoilt[-1] ^= 1
    assert not chained(openssl, bytes(spoilt), summer)


def test_every_good_message_is_asn1_to_its_last_octet(openssl: Run) -> None:
    good = [row["file"] for row in index("cms")["vectors"] if row["stage"] in ("good", "verify")]
    for file in good:
        octets = (FOLDER / "cms" / file).read_bytes()
        ran = openssl("asn1parse", "-inform", "DER", "-in", str(FOLDER / "cms" / file))
        outermost = ran.stdout.decode().splitlines()[0]
        head, length = (int(word) for word in outermost.replace("hl=", "").replace("l=", "").split() if word.isdigit())
        assert ran.returncode == 0 and head + length == len(octets), file
