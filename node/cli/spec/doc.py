"""`spec doc`: the page of an interface, or of all of them with an index; works offline and prints well."""

from __future__ import annotations

import os
from pathlib import Path

import click

import xsd
from node.cli import exits, files
from node.cli.grammar import Command, argument, file, misused, option, told
from node.cli.situation import Situation
from node.cli.spec.held import SAYS, installed, specification
from node.model.sentence import Sentence
from node.validate import Specification
from node.validate.told.page import index, page

INDEX = "index.html"
WRITTEN = Sentence("已写入 {path}", "Written: {path}")


@click.command("doc", cls=Command, says=Sentence(
    "生成接口说明网页：可离线阅读、打印", "make the page of an interface, to read offline or print"))
@argument("name", metavar="ID", required=False, says=SAYS)
@option("--out", **file(), says=Sentence("写入此文件；默认写到标准输出", "write this file; else standard output"))
@option("--all", "folder", **file(metavar="DIR"), says=Sentence(
    "把全部规范连同目录写入此目录", "write those of all specifications and an index into this folder"))
@click.pass_obj
def doc(here: Situation, name: str | None, out: Path | None, folder: Path | None) -> None:
    if (name is None) == (folder is None) or folder is not None and out is not None:
        raise misused("请给出一个接口规范，或用 --all 指定目录", "Name one specification, or a folder with --all")
    if folder is not None:
        _all(here, folder)
        return
    assert name is not None, "one of the two was given"
    spec = specification(here, name)
    made = page(spec, _older(here, spec))
    if out is None:
        here.out.raw(made)
    else:
        _write(here, out, made)


def _all(here: Situation, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise _unwritable(folder) from None
    held = installed(here)
    every = [spec for name in held.names() if (spec := held.get(name)) is not None]
    named = [(f"{spec.id.id}-{spec.id.version}.html", spec) for spec in every]
    for name, spec in named:
        _write(here, folder / name, page(spec, _older(here, spec), INDEX))
    _write(here, folder / INDEX, index(named))


def _older(here: Situation, spec: Specification) -> Specification | None:
    """Return the greatest version of the interface that is installed and less than this."""
    def number(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(".")))

    versions = [path.stem for path in xsd.FOLDER.glob(f"{spec.id.id}/*.xsd")]
    lesser = sorted((one for one in versions if number(one) < number(spec.id.version)), key=number)
    return specification(here, f"{spec.id.id}/{lesser[-1]}") if lesser else None


def _write(here: Situation, path: Path, text: str) -> None:
    """Write a page whole or not at all; it can always be made again, so an older one is replaced."""
    if path == files.STANDARD:
        here.out.raw(text)
        return
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
    except OSError:
        raise _unwritable(path) from None
    here.out.note(WRITTEN.fill(path=path))


def _unwritable(path: Path) -> Exception:
    return told(Sentence(f"无法写入 {path}", f"{path} cannot be written"), exits.PERMISSION)
