"""Which specification a person means: the id of one that is installed, or an XSD file of their own.

Rule: an own file may lie anywhere.  If its folder has the layout of `xsd/`, what it includes is looked for there first.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import xsd
from node.cli import exits, files
from node.cli.grammar import argument, misused, told
from node.cli.kinds import open_binary
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.validate import Files, Specification, Specifications, compile_specification, examine
from node.validate.profile import INCLUDE, OCTETS, XS, Fault, X, read_tree

ENDING = ".xsd"
SAYS = Sentence("接口规范的编号，或XSD文件", "the id of a specification, or an XSD file")
FAULTS = Sentence(
    "{file} 第{line}行：{says}；共{count}处问题，用 spec check 查看",
    "{file}, line {line}: {says}; spec check tells all {count} faults",
)
one = argument("name", metavar="ID", says=SAYS)
"""Declares the argument that names a specification."""


def installed(here: Situation) -> Specifications:
    """Return every specification that is installed."""
    return Specifications.load(xsd.FOLDER, here.crypto.sm3)


def specification(here: Situation, name: str) -> Specification:
    """Return the specification a person means; an error of the command line if there is none or it has faults."""
    return _compiled(name, lambda content: here.crypto.sm3(content))


def undigested(name: str) -> Specification:
    """Return the specification a person means without its digest, for which no library need be loaded."""
    return _compiled(name, lambda content: b"")


def _compiled(name: str, sm3: Callable[[bytes], bytes]) -> Specification:
    if name.endswith(ENDING):
        place, content, found = own(Path(name))
        faults = examine(place, content, found.fetch, found.table)
        if faults:
            raise told(FAULTS.fill(file=name, line=faults[0].line, says=faults[0].says, count=len(faults)), exits.DATA)
        return compile_specification(place, found, sm3)
    if INCLUDE.fullmatch(name + ENDING) and (xsd.FOLDER / (name + ENDING)).is_file():
        return compile_specification(name, Files(xsd.FOLDER), sm3)
    listed = ", ".join(Specifications.load(xsd.FOLDER, sm3).names())
    raise misused(f"没有接口规范 {name}；现有：{listed}", f"There is no specification {name}; there are: {listed}")


def own(path: Path) -> tuple[str, bytes, Files]:
    """Return an own XSD's name `<interface>/<version>`, its content, and the files it may name.

    The name is that of the file's place if its folder has the layout of `xsd/`, else the one it gives itself; it is
    empty if that is no name.  Not more than a specification may be long is read.
    """
    with open_binary(path) as stream:
        try:
            content = stream.read(OCTETS + 1)
        except OSError as error:
            raise files.unreadable(path, error) from None
    place = path.absolute()
    folder = place.parent.parent
    if path != files.STANDARD and any((folder / inner).is_dir() for inner in ("types", "tables")):
        name, held = f"{place.parent.name}/{place.stem}", Files(folder, xsd.FOLDER)
    else:
        name, held = _own_name(content), Files(xsd.FOLDER)
    if not INCLUDE.fullmatch(name + ENDING):
        name = ""
    held.read[name + ENDING] = content
    return name, content, held


def _own_name(content: bytes) -> str:
    root = read_tree(content)
    head = None if isinstance(root, Fault) else root.find(f"{XS}annotation/{XS}appinfo/{X}specification")
    return "" if head is None else f"{head.get('interface')}/{head.get('version')}"
