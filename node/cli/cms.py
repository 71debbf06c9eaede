"""`cms`: the codec as a tool, for integration days with other vendors' products.

Rule 1: status 0 only if the message verified or opened.
Rule 2: content is never printed; --out writes it to a new file of this account's.
Rule 3: this tool alone takes a plain private key, and one that others may read it mentions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from node.cli import certificates, exits, files, passphrase
from node.cli.grammar import Group, argument, as_json, file, misused, option
from node.cli.passphrase import with_passphrase
from node.cli.situation import Situation
from node.crypto import keyfile
from node.envelope.cms import tool
from node.envelope.cms.report import Report
from node.envelope.cms.tool import Means
from node.envelope.cms.words import READINGS
from node.model.sentence import Sentence
from node.ports import PrivateKey

PEM = "PKCS7"
ENCRYPTED = "ENCRYPTED PRIVATE KEY"

cms = Group("cms", says=Sentence(
    "GB/T 35275消息工具：查看、验签、解密、签名、加密（DER、PEM、Base64）",
    "GB/T 35275 messages: inspect, verify, open, sign, envelop (DER, PEM, base64)",
))

_file = argument("path", **file(), says=Sentence("文件，- 为标准输入", "the file, - for standard input"))
_cert = option("--cert", **file(), says=Sentence("证书文件", "the file of a certificate"))
_key = option("--key", **file(), says=Sentence("私钥文件：明文或加密的PKCS#8", "the private key: PKCS #8, plain or encrypted"))
_out = option("--out", **file(), says=Sentence("写入新文件（0600），不打印", "write it to a new file (0600); it is not printed"))
_ca = option("--ca", multiple=True, **file(), says=Sentence("信任的CA证书", "certificates of the trusted CA"))
_crl = option("--crl", multiple=True, **file(), says=Sentence(
    "吊销列表；不给出则不查吊销", "revocation lists; without, revocation is not checked"))
_reading = option(
    "--reading", "readings", multiple=True, type=click.Choice(list(READINGS)), metavar="NAME", says=Sentence(
        "接受该种非标准读法的签名", "accept a signature under this nonstandard reading"))
NO_LISTS = Sentence("未给出--crl，没有检查吊销", "Without --crl revocation was not checked")


@cms.command("inspect", says=Sentence("查看消息的构成，不验证", "tell what a message is made of; nothing is verified"))
@_file
@as_json
@click.pass_obj
def inspect(here: Situation, path: Path) -> int:
    return _tell(here, tool.inspect(files.read(path), _means(here)))


@cms.command("verify", says=Sentence("验证签名", "verify the signatures"))
@_file
@option("--content", **file(), says=Sentence("分离签名的内容", "the content of a detached signature"))
@_cert
@_ca
@_crl
@_reading
@_out
@as_json
@click.pass_obj
def verify(
    here: Situation, path: Path, content: Path | None, cert: Path | None, ca: tuple[Path, ...],
    crl: tuple[Path, ...], readings: tuple[str, ...], out: Path | None,
) -> int:
    given = None if cert is None else certificates.read(here, cert)
    octets = None if content is None else files.read(content)
    return _tell(here, tool.verify(files.read(path), _means(here, ca, crl), octets, given, readings), out)


@cms.command("open", says=Sentence("解密；带签名的一并验证", "decrypt, and verify if it is signed too"))
@_file
@_key
@_cert
@option("--signer", **file(), says=Sentence("签名者的证书，如消息中没有", "the signer's certificate, if it is not enclosed"))
@_ca
@_crl
@_reading
@_out
@with_passphrase
@as_json
@click.pass_obj
def open_(
    here: Situation, path: Path, key: Path | None, cert: Path | None, signer: Path | None, ca: tuple[Path, ...],
    crl: tuple[Path, ...], readings: tuple[str, ...], out: Path | None, passphrase_file: Path | None,
) -> int:
    private = _private(here, key, passphrase_file)
    own = None if cert is None else certificates.read(here, cert)
    named = None if signer is None else certificates.read(here, signer)
    return _tell(here, tool.open_message(files.read(path), _means(here, ca, crl), private, own, named, readings), out)


@cms.command("sign", says=Sentence("对文件签名，得SignedData", "sign a file into SignedData"))
@_file
@_cert
@_key
@option("--detached", is_flag=True, says=Sentence("签名中不含内容", "leave the content out"))
@_out
@with_passphrase
@click.pass_obj
def sign(
    here: Situation, path: Path, cert: Path | None, key: Path | None, detached: bool, out: Path | None,
    passphrase_file: Path | None,
) -> int:
    if cert is None:
        raise misused("请用 --cert 给出签名证书", "Give the signing certificate with --cert")
    private = _private(here, key, passphrase_file)
    return _hand_out(here, tool.sign(files.read(path), certificates.read(here, cert), private, detached), out)


@cms.command("envelop", says=Sentence(
    "把文件加密给一个或两个接收者，得EnvelopedData", "encrypt a file for one or two recipients into EnvelopedData"))
@_file
@option("--cert", "certs", multiple=True, required=True, **file(), says=Sentence(
    "接收者的加密证书", "a recipient's certificate"))
@_out
@click.pass_obj
def envelop(here: Situation, path: Path, certs: tuple[Path, ...], out: Path | None) -> int:
    recipients = [certificates.read(here, cert) for cert in certs]
    return _hand_out(here, tool.envelop_content(files.read(path), recipients, here.crypto, here.chance), out)


def _means(here: Situation, authorities: tuple[Path, ...] = (), lists: tuple[Path, ...] = ()) -> Means:
    if not authorities:
        if lists:
            raise misused("--crl 须与 --ca 一起给出", "--crl needs --ca")
        return Means(here.crypto, certificates.reader(here))
    trust = certificates.Trusted(here, authorities, lists)
    if not trust.lists:
        here.out.note(NO_LISTS)
    return Means(here.crypto, certificates.reader(here), trust, here.now())


def _private(here: Situation, path: Path | None, passphrase_file: Path | None) -> PrivateKey:
    if path is None:
        raise misused("请用 --key 给出私钥", "Give the private key with --key")
    data = files.read(path, keyfile.LIMIT)
    if os.stat(path).st_mode & 0o077:
        here.out.note(Sentence(f"注意：其他账户可读取私钥文件 {path}", f"Beware: others may read the private key {path}"))
    if keyfile.kind(data) == ENCRYPTED:
        return keyfile.open_key(here.crypto, data, passphrase.old(here, passphrase_file, path.name), path.name)
    return keyfile.open_plain(here.crypto, data, path.name)


def _tell(here: Situation, report: Report, out: Path | None = None) -> int:
    """Show a report, and keep the content it releases if a file was named."""
    kept = out is not None and report.good and report.content is not None
    if kept:
        assert out is not None and report.content is not None
        files.write(out, report.content)
    told: dict[str, Any] = {**report.as_json(), "out": str(out) if kept else None}
    here.out.show(told, lambda: here.out.lines(report.lines(here.language)))
    return exits.OK if report.good else exits.DATA


def _hand_out(here: Situation, der: bytes, out: Path | None) -> int:
    """Write a message: DER, or PEM to a file so named or to standard output."""
    if out is None or out == files.STANDARD:
        here.out.raw(files.armoured(der, PEM).decode("ascii"))
    else:
        files.write(out, files.armoured(der, PEM) if out.suffix == ".pem" else der)
    return exits.OK
