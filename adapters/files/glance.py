"""A first look into files: their columns and charset, without a row of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from adapters.contract import Column, Finding, Misconfigured, Table, fault, good
from adapters.files import forms
from adapters.files.archive import join
from adapters.files.charset import find
from adapters.files.flaw import Broken, Flaw
from adapters.files.folder import Entry, Folder, Gone
from adapters.files.look import Found, is_wanted
from adapters.files.marks import readable, told
from adapters.files.source import Source

ROWS = 20
KINDS = 200
"""Most kinds of files that are described."""
_DIGITS = re.compile(r"\d+")
_TEXTS = ("csv", "fixed", "ndjson")


def _source(folder: Folder, path: str, what: Mapping[str, Any], memo: str | None) -> Source:
    return Source(lambda: folder.open(path), path.lower().endswith(".gz"), forms.most(what),
                  lambda suffixes: folder.open(memo) if memo else None)


def sample(folder: Folder, what: Mapping[str, Any], found: Found) -> Finding:
    """Return what the first rows of a file look like."""
    path = what.get("folder", "")
    source = _source(folder, join(path, found.name), what, join(path, found.memo.name) if found.memo else None)
    name = told(found.name)
    try:
        charset = find(source, what.get("encoding", "auto"))[0] if what["format"] in _TEXTS else "-"
        rows = list(islice(forms.FORMATS[what["format"]](source, what, 0, 1), ROWS))
    except Broken as why:
        return fault(f"{name}不可读：{why.zh}", f"{name} cannot be read: {why.en}")
    except Gone:
        return good("文件已被取走", "the file was taken away")
    columns = list(dict.fromkeys(key for one in rows if not isinstance(one.row, Flaw) for key in one.row))
    bad = sum(isinstance(one.row, Flaw) for one in rows)
    return good(
        f"{name}：字符集{charset}，列{'、'.join(columns)[:400]}，前{len(rows)}行中{bad}行有错",
        f"{name}: charset {charset}, columns {', '.join(columns)[:400]}; {bad} of the first {len(rows)} rows are wrong")


def tables(folder: Folder) -> Iterator[Table]:
    """Yield what files of the root and of the folders in it look like, those whose names differ by digits as one."""
    kinds: dict[str, tuple[str, Entry, int]] = {}
    for path in ["", *(one.name for one in sorted(folder.entries("")) if one.folder and not one.name.startswith("."))]:
        for one in folder.entries(path):
            form = forms.format_of(one.name)
            if not form or not one.plain or not is_wanted(one.name, {"pattern": "*"}):
                continue
            kind = _DIGITS.sub("*", readable(join(path, one.name)))
            if kind not in kinds and len(kinds) >= KINDS:
                continue
            before = kinds.get(kind)
            newest = one if before is None or one.mtime > before[1].mtime else before[1]
            kinds[kind] = join(path, newest.name), newest, (before[2] if before else 0) + 1
    for kind, (path, _, number) in sorted(kinds.items()):
        yield Table(told(kind), _columns(folder, path), f"{number}个文件")


def _columns(folder: Folder, path: str) -> tuple[Column, ...]:
    what = {"format": forms.format_of(path), "pattern": "*"}
    try:
        if what["format"] == "xml":
            return ()  # which elements are rows, a person says
        rows = islice(forms.FORMATS[str(what["format"])](_source(folder, path, what, None), what, 0, 1), ROWS)
        names = dict.fromkeys(key for one in rows if not isinstance(one.row, Flaw) for key in one.row)
    except (Broken, Gone, Misconfigured):
        return ()
    return tuple(Column(name, str(what["format"])) for name in names)
