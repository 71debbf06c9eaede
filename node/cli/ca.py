"""`ca`: the development CA on the command line; every act says what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from node.cli import certificates, files, passphrase
from node.cli.grammar import Group, argument, as_json, file, misused, option
from node.cli.passphrase import with_passphrase
from node.cli.situation import Situation
from node.crypto import authority, keyfile
from node.crypto.authority import Desk, Request
from node.crypto.issuance import REASONS
from node.model.certificate import Role
from node.model.instant import read_stamp
from node.model.sentence import Sentence

ca = Group("ca", says=Sentence("开发用CA：签发、吊销、发布吊销列表", "the development CA: issue, revoke, publish"))

_folder = argument("folder", **file(metavar="FOLDER"), says=Sentence("CA的目录", "the folder of the CA"))
_key_passphrase = option(
    "--key-passphrase-file", **file(), says=Sentence(
        "节点私钥的口令文件；默认与CA相同", "the file of the passphrase of the node's keys; else the CA's own"
    ),
)
BUNDLES = {"ca.crt": ".crt", "ca.crl": ".crl"}
"""What a node needs of the CA, written beside its keys."""


def _noticed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have an act say, each time, that this CA is for development."""

    @wraps(function)
    def act(here: Situation, *given: Any, **named: Any) -> Any:
        here.out.note(authority.NOTICE)
        return function(here, *given, **named)

    return act


def _desk(here: Situation, folder: Path, secret: bytes) -> Desk:
    return Desk(folder, secret, here.crypto, here.chance, here.now)


@ca.command("init", says=Sentence("在空目录中建立开发用CA", "found a development CA in an empty folder"))
@_folder
@option("--flat", is_flag=True, says=Sentence("只有根，不设中间CA", "a root only, no intermediate"))
@with_passphrase
@as_json
@click.pass_obj
@_noticed
def init(here: Situation, folder: Path, flat: bool, passphrase_file: Path | None) -> None:
    secret = passphrase.new(here, passphrase_file, "CA")
    made = authority.init(_desk(here, folder, secret), intermediate=not flat)
    _tell(here, {name: der for name, der in made.items()})


@ca.command("issue", says=Sentence(
    "为一个节点签发签名、加密、TLS三张证书，缺少的私钥一并生成",
    "issue a node its three certificates, to sign, to be encrypted to and for TLS, making the keys it lacks",
))
@_folder
@option("--node", required=True, says=Sentence("节点代码", "the node's code"))
@option("--org", required=True, says=Sentence("统一社会信用代码", "the unified social credit code"))
@option("--org-name", required=True, says=Sentence("单位名称", "the organisation's name"))
@option("--host", "hosts", multiple=True, says=Sentence("节点的域名或IP地址", "a host name or IP address of the node"))
@option("--keys", "keys", required=True, **file(metavar="FOLDER"), says=Sentence(
    "存放密钥和证书的目录", "the folder for keys and certificates"))
@option("--role", "roles", multiple=True, type=click.Choice([role.value for role in Role]), says=Sentence(
    "只签发所列用途", "only for these roles"))
@option("--days", type=int, default=authority.LEAF_DAYS, show_default=True, says=Sentence(
    "有效天数", "how many days it is valid"))
@with_passphrase
@_key_passphrase
@as_json
@click.pass_obj
@_noticed
def issue(
    here: Situation, folder: Path, node: str, org: str, org_name: str, hosts: tuple[str, ...], keys: Path,
    roles: tuple[str, ...], days: int, passphrase_file: Path | None, key_passphrase_file: Path | None,
) -> None:
    desk = _desk(here, folder, passphrase.old(here, passphrase_file, "CA"))
    wanted = tuple(Role(role) for role in roles) or tuple(Role)
    _refuse_existing(keys, wanted)
    secret = passphrase.old(here, key_passphrase_file, node) if key_passphrase_file else desk.passphrase
    point = _points(here, keys, secret)
    made = authority.issue(desk, Request(node, org, org_name, hosts, point, days, wanted))
    for role, der in made.items():
        _place(keys / f"{role.value}.crt", _pem(der))
    _hand_over(folder, keys)
    _tell(here, {role.value: der for role, der in made.items()})


def _refuse_existing(keys: Path, roles: tuple[Role, ...]) -> None:
    """A certificate in use is moved away by a person first; the key stays, so that it is certified again."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = [f"{role.value}.crt" for role in roles if (keys / f"{role.value}.crt").exists()]
    if there:
        names = ", ".join(there)
        raise misused(f"{keys} 中已有 {names}，请先移走", f"There is {names} in {keys} already; move it away first")


def _points(here: Situation, keys: Path, secret: bytes) -> Callable[[Role], bytes]:
    def point(role: Role) -> bytes:
        path = keys / f"{role.value}.key"
        if path.exists():
            return keyfile.read_key(path, here.crypto, secret).public
        return keyfile.make_key(path, here.crypto, secret, here.chance).public

    return point


def _pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    return files.armoured(der, label)


def _place(path: Path, data: bytes) -> None:
    """Certificates and lists are public."""
    keyfile.write(path, data, replace=True)
    path.chmod(0o644)


def _hand_over(folder: Path, keys: Path) -> None:
    """Write the CA's certificates and lists as bundles beside the node's keys."""
    for name, ending in BUNDLES.items():
        found = [folder / f"{each}{ending}" for each in (authority.ROOT, authority.ISSUING)]
        _place(keys / name, b"".join(files.read(path) for path in found if path.exists()))


@ca.command("revoke", says=Sentence("吊销一张证书；随后用 ca crl 发布", "revoke a certificate; publish it with ca crl"))
@_folder
@option("--cert", **file(), says=Sentence("要吊销的证书文件", "the file of the certificate"))
@option("--serial", says=Sentence("或其十六进制序列号", "or its serial number in hexadecimal"))
@option("--reason", type=click.Choice(sorted(REASONS)), default="unspecified", show_default=True, says=Sentence(
    "原因", "why"))
@option("--since", metavar="TIME", says=Sentence(
    "自何时，如2026-01-31T00:00:00.000Z；默认现在", "since when, as 2026-01-31T00:00:00.000Z; else now"))
@as_json
@click.pass_obj
@_noticed
def revoke(
    here: Situation, folder: Path, cert: Path | None, serial: str | None, reason: str, since: str | None
) -> None:
    desk, at = _desk(here, folder, b""), _time(since)
    if (cert is None) == (serial is None):
        raise misused("请用 --cert 或 --serial 指明一张证书", "Name one certificate, with --cert or with --serial")
    if cert is not None:
        number = authority.revoke_certificate(desk, files.read(cert), reason, at).serial
    else:
        number = _number(serial or "")
        authority.revoke(desk, number, reason, at)
    here.out.show(
        {"revoked": f"{number:x}", "reason": reason},
        lambda: here.out.line(Sentence(f"已吊销 {number:x}", f"Revoked {number:x}")),
    )


def _time(text: str | None) -> int | None:
    try:
        return None if text is None else read_stamp(text)
    except ValueError:
        raise misused("时间应写作 2026-01-31T00:00:00.000Z", "A time is written 2026-01-31T00:00:00.000Z") from None


def _number(text: str) -> int:
    try:
        return int(text.replace(":", ""), 16)
    except ValueError:
        raise misused("序列号应为十六进制数", "A serial number is written in hexadecimal") from None


@ca.command("crl", says=Sentence("发布新的吊销列表", "publish new revocation lists"))
@_folder
@option("--days", type=int, default=authority.CRL_DAYS, show_default=True, says=Sentence("有效天数", "days it is valid"))
@option("--out", **file(), says=Sentence("另存为一个PEM文件（替换旧文件）", "also write them into one PEM file, replacing it"))
@with_passphrase
@as_json
@click.pass_obj
@_noticed
def crl(here: Situation, folder: Path, days: int, out: Path | None, passphrase_file: Path | None) -> None:
    made = authority.crl(_desk(here, folder, passphrase.old(here, passphrase_file, "CA")), days)
    if out is not None:
        _place(out, b"".join(_pem(der, "X509 CRL") for der in made.values()))
    names = [f"{name}.crl" for name in made]
    here.out.show({"published": names, "days": days}, lambda: here.out.line(", ".join(names)))


@ca.command("list", says=Sentence("列出已签发的证书", "list what was issued"))
@_folder
@as_json
@click.pass_obj
@_noticed
def listed(here: Situation, folder: Path) -> None:
    lines = authority.issued(_desk(here, folder, b""))
    heads = (*certificates.HEADS[:4], *certificates.HEADS[5:], Sentence("吊销", "Revoked"))
    rows = [
        [line["node"], line["role"], line["fingerprint"], line["serial"], line["not_after"],
         line.get("revoked", {}).get("at")] for line in lines
    ]
    here.out.show(list(lines), lambda: here.out.table(heads, rows))


def _tell(here: Situation, made: Mapping[str, bytes]) -> None:
    """Show what was issued."""
    reader = certificates.reader(here)
    found = {name: reader(der) for name, der in made.items()}
    here.out.show(
        [certificates.described(name, one) for name, one in found.items()],
        lambda: here.out.table(certificates.HEADS, [certificates.row(name, one) for name, one in found.items()]),
    )
