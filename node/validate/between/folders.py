"""The declarations of a node: those of `xsd/between` and of its own folders, of each name the newest version."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path

from node.model.instant import Instant
from node.validate.between.declared import Between, Betweens
from node.validate.between.faults import BadBetween, fault
from node.validate.between.reading import OCTETS, numbers, read_between
from node.validate.specifications import Specifications


def load_between(
    folder: Path, held: Specifications, more: Sequence[Path] = (), wait: Instant | None = None,
    among: Container[str] | None = None,
) -> Betweens:
    """Return what `between/<name>/<version>.toml` of the folder and of `more` declare; raise Hold(BETWEEN_FORM).

    A version that is newer than a published one replaces it.  `wait` (ms) replaces the waiting period of all; `among`
    are the interfaces whose records come to this node.
    """
    found: dict[str, tuple[tuple[int, ...], Between]] = {}
    for each in (folder, *more):
        for path in sorted(each.glob("between/*/*.toml")):
            made = read_between(f"{path.parent.name}/{path.stem}", _read(path), held)
            version = numbers(path.stem)
            if path.parent.name not in found or found[path.parent.name][0] < version:
                found[path.parent.name] = (version, made)
    return Betweens([made for _, (_, made) in sorted(found.items())], wait, among)


def _read(path: Path) -> bytes:
    """Return a regular file's octets, a little more than may be at most; raise BadBetween if it cannot be read."""
    try:
        if path.is_file():  # a pipe would never end
            with path.open("rb") as stream:
                return stream.read(OCTETS + 1)
    except OSError:
        pass
    name = f"{path.parent.name}/{path.stem}"
    raise BadBetween(name, [fault(name, None, (), "unreadable", OCTETS)])
