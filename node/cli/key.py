"""`key`: the node's key files: make, list, protect by another passphrase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from node.cli import certificates, files, passphrase
from node.cli.grammar import Group, argument, as_json, file, option
from node.cli.passphrase import with_passphrase
from node.cli.situation import Situation
from node.crypto import keyfile, storage
from node.crypto.keyring import CERTIFICATE, KEY
from node.model.certificate import Certificate
from node.model.sentence import Sentence
from node.model.trouble import Trouble

key = Group("key", says=Sentence("密钥文件：生成、列出、更换口令", "key files: make, list, change the passphrase"))

_path = argument("path", **file(), says=Sentence("密钥文件", "the key file"))


@key.command("new", says=Sentence("生成一对SM2密钥", "make an SM2 key pair"))
@_path
@with_passphrase
@as_json
@click.pass_obj
def new(here: Situation, path: Path, passphrase_file: Path | None) -> None:
    secret = passphrase.new(here, passphrase_file, path.name)
    made = keyfile.make_key(path, here.crypto, secret, here.chance)
    _made(here, path, "public", made.public.hex(), Sentence("公钥", "Public point"))


@key.command("storage", says=Sentence(
    "生成存储密钥；更换时用 --after 指明现用的一把", "make a storage key; when rotating, --after names the one in use"))
@_path
@option("--after", **file(), says=Sentence("现用的存储密钥文件", "the file of the storage key in use"))
@with_passphrase
@as_json
@click.pass_obj
def make_storage(here: Situation, path: Path, after: Path | None, passphrase_file: Path | None) -> None:
    if after is None:
        secret, before = passphrase.new(here, passphrase_file, path.name), None
    else:
        secret = passphrase.old(here, passphrase_file, after.name)
        before = keyfile.read_storage(after, secret)
    made = keyfile.make_storage(path, secret, here.chance, before)
    _made(here, path, "id", made.id.hex(), Sentence("密钥编号", "Key id"))


def _made(here: Situation, path: Path, member: str, value: str, name: Sentence) -> None:
    facts = [(Sentence("文件", "File"), str(path)), (name, value)]
    here.out.show({"file": str(path), member: value}, lambda: here.out.facts(facts))


@key.command("passwd", says=Sentence("更换密钥文件的口令", "change the passphrase of a key file"))
@_path
@option("--new-passphrase-file", **file(), says=Sentence("新口令的文件", "the file of the new passphrase"))
@with_passphrase
@click.pass_obj
def passwd(
    here: Situation, path: Path, new_passphrase_file: Path | None, passphrase_file: Path | None
) -> None:
    before = passphrase.old(here, passphrase_file, path.name)
    after = passphrase.chosen(here, new_passphrase_file, path.name)
    keyfile.change_passphrase(path, here.crypto, before, after, here.chance)
    here.out.line(Sentence(f"已更换 {path} 的口令", f"{path} has another passphrase now"))


@key.command("list", says=Sentence(
    "列出配置中的密钥并逐把打开核对；或列出一个目录，不打开",
    "list the keys of the configuration, opening each to check it; or those of a folder, opening none",
))
@argument("folder", required=False, **file(metavar="FOLDER"), says=Sentence("目录", "a folder"))
@as_json
@click.pass_obj
def listed(here: Situation, folder: Path | None) -> None:
    found = list(_configured(here) if folder is None else _in_folder(here, folder))
    here.out.show(
        [
            {"name": name, "role": kind} if one is None else {**certificates.described(name, one), "role": kind}
            for name, kind, one in found
        ],
        lambda: here.out.table(certificates.HEADS, [_row(*each) for each in found]),
    )


def _configured(here: Situation) -> Iterator[tuple[str, str, Certificate | None]]:
    from node.service.papers import read_papers

    for one in read_papers(here.settings, here.out.note, here.chance).keyring.listing():
        name = one.name if one.certificate else f"{one.name} ({one.fingerprint})"
        yield name, one.role, one.certificate


def _in_folder(here: Situation, folder: Path) -> Iterator[tuple[str, str, Certificate | None]]:
    """Tell what the files of a folder are by what can be read without a passphrase."""
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        raise files.unreadable(folder, error) from None
    for path in names:
        if path.suffix == KEY:
            label = keyfile.kind(files.read(path, keyfile.LIMIT))
            yield path.name, "storage" if label == storage.LABEL else label.lower() or "?", None
        elif path.suffix == CERTIFICATE:
            try:
                for one in certificates.read_bundle(here, path):
                    yield path.name, "+".join(sorted(role.value for role in one.roles)) or "ca", one
            except Trouble as met:
                yield path.name, met.code.name, None


def _row(name: str, kind: str, one: Certificate | None) -> list[Any]:
    return [name, kind, None, None, None, None] if one is None else certificates.row(name, one)
