"""All specifications this node holds, loaded from `xsd/` once at start.

The digest of a specification is SM3 over lines `<hex of SM3 of the file>  <name below xsd/>\\n`, one for the XSD
itself, each file it includes and each table its rules name, in the order they are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from node.model import codes
from node.model.record import SpecificationId
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.validate.profile import INCLUDE, TABLE
from node.validate.reader import Document, read_specification
from node.validate.specification import Specification
from node.validate.tables import Table, read_table

Digest = Callable[[bytes], bytes]
NOT_INTERFACES = ("types", "tables")
OCTETS = 4 << 20
"""Most that one file of the set may be long."""


class Specifications:
    """The specifications of a node by name, `population-basic/1.0`."""

    def __init__(self, held: Mapping[str, Specification]) -> None:
        self._held = dict(held)

    @classmethod
    def load(cls, folder: Path, sm3: Digest, more: Sequence[Path] = ()) -> Specifications:
        """Read every `<interface>/<version>.xsd` of the folder and of `more`, which may use its types and tables.

        Raises Hold(SPECIFICATION_FORM) for a bad one, one whose name is taken already, or a folder that is none.
        """
        folders = (folder, *more)
        files, held = Files(*folders), dict[str, Specification]()
        for each in folders:
            if not each.is_dir():
                reason = Sentence("文件夹不存在或无法读取", "the folder is not there or cannot be read")
                raise trouble(codes.SPECIFICATION_FORM, name=each.name, where="folder", reason=reason)
            for path in sorted(each.glob("*/*.xsd")):
                name = f"{path.parent.name}/{path.stem}"
                if path.parent.name in NOT_INTERFACES:
                    continue
                if name in held:
                    reason = Sentence("已有同名版本，请改用新的版本号", "there is one of this name; give it a new version")
                    raise trouble(codes.SPECIFICATION_FORM, name=name, where="name", reason=reason)
                held[name] = compile_specification(name, files, sm3)
        return cls(held)

    def get(self, name: str) -> Specification | None:
        """Return the specification of this name, `<interface>/<version>`."""
        return self._held.get(name)

    def find(self, id: SpecificationId) -> Specification:
        """Return the specification of this very digest; raise Hold(UNKNOWN_SPECIFICATION) if we do not hold it."""
        held = self._held.get(str(id))
        if held is None or held.id != id:
            raise trouble(codes.UNKNOWN_SPECIFICATION, spec=str(id))
        return held

    def names(self) -> Sequence[str]:
        """Return all names, sorted."""
        return sorted(self._held)


class Files:
    """The set of files that specifications may name, below one folder or several, of which the first that has a file
    gives it; nothing outside them is ever opened.
    """

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self.tables: dict[str, Table] = {}
        self.read: dict[str, bytes] = {}

    def fetch(self, name: str) -> bytes:
        """Return the bytes of `types/1.0.xsd`, `tables/sex/1.0.tsv`; raise Hold(SPECIFICATION_FORM) for other names."""
        inner = name.removeprefix("tables/").removesuffix(".tsv")
        fits = INCLUDE.fullmatch(name) or name == f"tables/{inner}.tsv" and TABLE.fullmatch(inner)
        if not fits:
            reason = Sentence("不是集合内的名称", "not a name of the set")
            raise trouble(codes.SPECIFICATION_FORM, name=name, where="name", reason=reason)
        if name not in self.read:
            self.read[name] = self._bytes(name)
        return self.read[name]

    def _bytes(self, name: str) -> bytes:
        reason = Sentence("不存在或无法读取", "is not there or cannot be read")
        for folder in self.folders:
            path = folder / name
            try:
                if path.is_file():  # and no pipe or device, on which a reader would wait
                    with path.open("rb") as file:
                        content = file.read(OCTETS + 1)
                    if len(content) <= OCTETS:
                        return content
                    reason = Sentence(f"超过{OCTETS}字节", f"more than {OCTETS} octets")
                    break
            except OSError:
                continue
        raise trouble(codes.SPECIFICATION_FORM, name=name, where="file", reason=reason)

    def table(self, name: str) -> Table:
        """Return a table, read once."""
        if name not in self.tables:
            self.tables[name] = read_table(name, self.fetch(f"tables/{name}.tsv"))
        return self.tables[name]


def compile_specification(name: str, files: Files, sm3: Digest) -> Specification:
    """Return the specification `name`; raise Hold(SPECIFICATION_FORM) with the first line that is wrong."""
    document = read_specification(name, files.fetch(name + ".xsd"), files.fetch, files.table)
    shape = document.shape
    assert shape is not None  # read_specification has just proved it
    return Specification(document, shape, _digest(name, document, shape.tables, files, sm3), files.tables)


def _digest(name: str, document: Document, tables: Sequence[str], files: Files, sm3: Digest) -> str:
    names = [name + ".xsd", *document.includes, *(f"tables/{table}.tsv" for table in tables)]
    lines = "".join(f"{sm3(files.fetch(one)).hex()}  {one}\n" for one in names)
    return sm3(lines.encode()).hex()
