"""A mapping's file and the tables of codes beside it: nothing else is ever opened for a mapping."""

from __future__ import annotations

import re
from pathlib import Path

from node.model import codes
from node.model.trouble import trouble
from node.validate.mapping.faults import BadMapping, fault
from node.validate.mapping.fields import Fetch
from node.validate.mapping.mapped import SourceMapping, read_mapping
from node.validate.mapping.reading import OCTETS
from node.validate.specifications import Digest, Specifications

_NAME = re.compile(r"\w[\w.-]{0,100}(?:/\w[\w.-]{0,100}){0,3}")


def load_mapping(path: Path, held: Specifications, sm3: Digest, wanted: str | None = None) -> SourceMapping:
    """Return the mapping of a file; raise Hold(MAPPING_FORM), a `BadMapping`, if it cannot be used.

    `wanted` is a version of the interface it must map to, if only one interface will do.
    """
    content = _read(path)
    if content is None:
        raise BadMapping(path.name, [fault(None, (), "unreadable")])
    mapping = read_mapping(path.name, content, held, beside(path.parent), sm3)
    if wanted is not None and wanted.partition("/")[0] != mapping.id.id:
        raise BadMapping(path.name, [fault(None, ("mapping", "specification"), "other", wanted.partition("/")[0])])
    return mapping


def beside(folder: Path) -> Fetch:
    """Return what reads a file at or below a folder by its name; it raises Hold(MAPPING_FORM) for any other."""
    def fetch(name: str) -> bytes:
        path = folder / name
        inside = _NAME.fullmatch(name) is not None and path.resolve().is_relative_to(folder.resolve())
        content = _read(path) if inside else None
        if content is None or len(content) > OCTETS:
            raise trouble(codes.MAPPING_FORM, name=name[:64], count=1, line="-", key="file")
        return content

    return fetch


def _read(path: Path) -> bytes | None:
    """Return a regular file's octets, a little more than may be at most; None if it cannot be read."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        with path.open("rb") as stream:
            return stream.read(OCTETS + 1)
    except (OSError, ValueError):
        return None
