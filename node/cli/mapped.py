"""`validate --mapping`: files of a legacy source's rows, judged as a mapping makes records of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from io import BufferedReader
from pathlib import Path

from node.cli import files
from node.cli.grammar import file, misused, option
from node.cli.situation import Situation
from node.cli.spec.held import installed, undigested
from node.model import codes
from node.model.record import Draft, Record, Refusal
from node.model.sentence import Sentence
from node.model.trouble import trouble
from node.validate import Limits, Media, Specification, Specifications, read_drafts
from node.validate.mapping import SourceMapping, load_mapping

Reads = Specification | SourceMapping
"""What judges a file: the specification of its records, or a mapping to it."""

with_mapping = option("--mapping", "mapped", **file(), says=Sentence(
    "字段映射：文件是来源系统的行（JSON、NDJSON、CSV），转换后校验；不给出 --spec 时按映射所说的接口规范",
    "a mapping: the files hold rows of a source (JSON, NDJSON, CSV) that it makes records of; without --spec by the "
    "specification it names"))
"""Declares --mapping."""


def reads(here: Situation, name: str | None, mapped: Path | None) -> Reads:
    """Return what judges the files; raise Hold(MAPPING_FORM) with every fault of the mapping."""
    if mapped is None:
        if name is None:
            raise misused("请用 --spec 给出接口规范，或用 --mapping 给出字段映射", "Give --spec, or --mapping")
        return undigested(name)
    own = None if name is None else undigested(name)
    held = installed(here) if own is None else Specifications({str(own.id): own})
    return load_mapping(mapped, held, here.crypto.sm3)


def whole(path: Path, media: Media, by: Reads, limits: Limits) -> Iterator[Draft]:
    """Yield the drafts of a file that is read at once."""
    content = files.read(path, limits.octets)
    yield from by.read_drafts(content, media, limits) if isinstance(by, SourceMapping) else read_drafts(
        content, media, by, limits)


def charset_of(by: Reads, declared: str | None) -> str | None:
    """Return the charset of a file of lines: the one declared, else the mapping's."""
    return declared or (by.writing.charset if isinstance(by, SourceMapping) else None)


def table(
    stream: BufferedReader, media: Media, by: Reads, today: date, advance: Callable[[int], None], limits: Limits
) -> Iterator[tuple[int, Draft, Record | Refusal]]:
    """Judge a table row by row; only a mapping reads one, and it reads no XML."""
    if media.kind != "csv" or not isinstance(by, SourceMapping):
        raise trouble(codes.MEDIA)
    at, seekable = 0, stream.seekable()
    for line, draft in by.read_csv(stream, media.charset, limits):
        yield line, draft, by.judge(draft, today)
        if seekable:
            before, at = at, stream.tell()
            advance(at - before)
