"""`send`: files of records submitted to the running node through its local API.

Rule 1: a body is at most what the node takes; NDJSON is cut between lines, CSV between rows with its header before each
        piece, XML too large for one body between records, each piece a list of its own; all are read as they are sent,
        so that a file of any size needs the memory of one body.
Rule 2: every body has an idempotency key that a second call with the same --key and files repeats: nothing is
        submitted twice.  Without --key one is drawn and told, for a fresh submission is the usual wish.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from node.cli import exits, files
from node.cli.grammar import Command, argument, as_json, file, misused, option
from node.cli.kinds import kind_of, lines, open_binary, size_of, with_kind
from node.cli.local_client import LocalClient, Posted
from node.cli.situation import Situation
from node.model import codes
from node.model.ids import uuid7
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.service.papers import read_specifications
from node.validate import Limits, cut_xml, overfull
from node.validate.mapping import cut_csv
from node.validate.stream import CHUNK

if TYPE_CHECKING:
    from node.config.sections import ApiSection
    from node.validate.shape import Shape

SENDING = Sentence("提交", "Sending")
AGAIN = Sentence("再次提交时用 --key {key}，已提交的不会重复", "Send again with --key {key}: nothing is submitted twice")
COUNTS = Sentence("接受{accepted}条，退回{refused}条", "{accepted} accepted, {refused} refused")
KEY = 100
_VISIBLE = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class Body:
    """What is posted at once; `places` are the line numbers of its records, empty where there are none.

    `first` is the number of the first record in a file that was cut and has no lines to go by.
    """

    octets: bytes = field(repr=False)
    places: array[int] = field(repr=False)
    first: int = 0


def bodies(
    path: Path, kind: str, limits: ApiSection, advance: Callable[[int], None], charset: str | None = None,
    shape: Callable[[], Shape | None] = lambda: None,
) -> Iterator[Body]:
    """Yield a file as bodies the node takes; raise Refused(TOO_LARGE) for a record or a file that cannot be cut.

    `shape` is asked for that of the resource's records where XML must be cut.
    """
    if kind == "xml" and path.is_file() and (known := _must_be_cut(path, limits, shape)) is not None:
        yield from _lists(path, charset, known, limits, advance)
        return
    if kind not in ("ndjson", "csv"):
        octets = files.read(path, limits.body)
        advance(len(octets))
        yield Body(octets, array("Q"))
        return
    with open_binary(path) as stream:
        if kind == "ndjson":
            yield from _cut(lines(stream, limits.record, advance), limits)
            return
        rows = _rows(stream, charset, limits, advance)
        yield from _cut(rows, limits, next(rows, (1, b""))[1])


def _must_be_cut(path: Path, limits: ApiSection, shape: Callable[[], Shape | None]) -> Shape | None:
    """Return the shape of the records of a document that one body would not hold; None if it may go as it is."""
    large = (size_of(path) or 0) > limits.body
    if not large and files.read(path, limits.body).count(b"</") <= limits.records:
        return None
    known = shape()
    return known if known and (large or overfull(files.read(path, limits.body), known, limits.records)) else None


def _lists(
    path: Path, charset: str | None, shape: Shape, limits: ApiSection, advance: Callable[[int], None]
) -> Iterator[Body]:
    def chunks() -> Iterator[bytes]:
        for chunk in iter(partial(stream.read, CHUNK), b""):
            yield chunk
            advance(len(chunk))

    with open_binary(path) as stream:
        for first, octets in cut_xml(chunks(), charset, shape, Limits(limits.body, limits.records, limits.record)):
            yield Body(octets, array("Q"), first)


def _cut(numbered: Iterator[tuple[int, bytes | None]], limits: ApiSection, head: bytes = b"") -> Iterator[Body]:
    """Yield bodies of whole records, `head` before each; a file of a head alone is one body, which the node refuses."""
    kept, places = bytearray(head), array("Q")
    for number, line in numbered:
        if line is None:
            raise trouble(codes.TOO_LARGE, what=f"record, line {number}", limit=limits.record)
        if places and (len(kept) + len(line) + 1 > limits.body or len(places) == limits.records):
            yield Body(bytes(kept), places)
            kept, places = bytearray(head), array("Q")
        kept += line if head else line + b"\n"
        places.append(number)
    if kept:
        yield Body(bytes(kept), places)


def _rows(
    stream: BufferedReader, charset: str | None, limits: ApiSection, advance: Callable[[int], None]
) -> Iterator[tuple[int, bytes]]:
    # Without a charset each octet is a sign: quotes, line ends and separators are the same ones in UTF-8 and GB18030,
    # but a `|`, which can end a GB18030 character: rows could then be cut amiss, and the node would refuse the body.
    for number, row in cut_csv(stream, charset or "latin-1", limits.record):
        advance(len(row))
        yield number, row


@dataclass(slots=True)
class Sent:
    """What became of everything so far."""

    accepted: int = 0
    refused: int = 0
    submissions: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)

    def add(self, path: Path, key: str, body: Body, posted: Posted) -> list[dict[str, Any]]:
        """Count one answer; return its problems with the lines of the file they stand on."""
        self.accepted += posted.accepted
        self.refused += len(posted.refused)
        self.submissions.append({
            "file": str(path), "key": key, "submission": posted.submission, "accepted": posted.accepted,
            "refused": len(posted.refused),
        })
        return [_placed(path, body, one, problem) for one in posted.refused for problem in one["problems"]]


def _placed(path: Path, body: Body, one: dict[str, Any], problem: dict[str, Any]) -> dict[str, Any]:
    index = int(one["index"])
    line = body.places[index] if index < len(body.places) else None
    return {"file": str(path), "line": line, "index": body.first + index, "key": one.get("key"), **problem}


@click.command("send", cls=Command, says=Sentence(
    "把记录文件提交给运行中的节点", "submit files of records to the running node"))
@argument("resource", says=Sentence("信息资源代码", "the code of the resource"))
@argument("paths", nargs=-1, required=True, **file(), says=Sentence(
    "记录文件，- 为标准输入", "files of records, - for standard input"))
@option("--stream", type=click.Choice(["live", "backfill"]), default="live", show_default=True, says=Sentence(
    "流：日常，或历史补报", "the stream: live, or history being filled in"))
@option("--key", metavar="KEY", says=Sentence(
    "幂等键：同一键同一内容不会重复提交；默认每次新生成", "idempotency key: the same key and content is submitted once; "
    "else a fresh one"))
@option("--mapping", "mapped", metavar="NAME", says=Sentence(
    "字段映射的名称，在该资源的配置mappings中：文件是来源系统的行，也可为CSV",
    "the name of one of the resource's mappings: the files hold rows of a source, also as CSV"))
@with_kind
@as_json
@click.pass_obj
def send(
    here: Situation, resource: str, paths: tuple[Path, ...], stream: str, key: str | None, mapped: str | None,
    kind: str | None, charset: str | None,
) -> int:
    base = _key(here, key)
    kinds = [kind_of(path, kind) for path in paths]
    if "csv" in kinds and mapped is None:
        raise misused("CSV须用 --mapping 给出字段映射的名称", "CSV needs the name of a mapping: --mapping")
    asks = ({} if stream == "live" else {"stream": stream}) | ({} if mapped is None else {"mapping": mapped})
    settings, sent = here.settings, Sent()
    client = LocalClient(settings)
    sizes = [size_of(path) for path in paths]
    total = None if None in sizes else sum(size or 0 for size in sizes)
    try:
        with here.out.progress(SENDING, total) as advance:
            for path, each in zip(paths, kinds):
                for body in bodies(path, each, settings.api, advance, charset, partial(shape_of, here, resource)):
                    name = f"{base}-{len(sent.submissions) + 1}"
                    posted = client.post(_code(resource), body.octets, each, charset, name, asks)
                    _problems(here, sent, sent.add(path, name, body, posted))
    except (Trouble, click.ClickException):
        here.out.note(AGAIN.fill(key=base))
        raise
    finally:
        client.close()
    here.out.show(_told(sent), lambda: _people(here, sent))
    return exits.DATA if sent.refused else exits.OK


def shape_of(here: Situation, resource: str) -> Shape | None:
    """Return the shape of a resource's records, None where the resource or its specification is not known here."""
    name = next((one.specification for one in here.settings.resource if one.code == resource), "")
    found = read_specifications(here.settings, here.crypto).get(name)
    return None if found is None else found.shape


def _key(here: Situation, given: str | None) -> str:
    if given is None:
        return uuid7(here.now(), here.chance(10))
    if not 0 < len(given) <= KEY or not all(ord(letter) in _VISIBLE for letter in given):
        raise misused(f"--key 应为1至{KEY}个可见ASCII字符", f"--key is 1 to {KEY} visible ASCII characters")
    return given


def _code(resource: str) -> str:
    """Return the code if it can stand in a path; every code of a catalogue can."""
    if not resource.isascii() or not resource.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise trouble(codes.RESOURCE, resource="?")
    return resource


def _problems(here: Situation, sent: Sent, problems: list[dict[str, Any]]) -> None:
    """Tell problems as they come to a person; keep them for a program."""
    if here.out.json:
        sent.problems += problems
        return
    for one in problems:
        place = f"{one['file']}:{one['line']}" if one["line"] is not None else f"{one['file']}#{one['index']}"
        said = one["en" if here.language == "en" else "zh"]
        here.out.line("  ".join((place, one["key"] or "-", one["field"] or "-", one["rule"], said)))


def _told(sent: Sent) -> dict[str, Any]:
    return {
        "accepted": sent.accepted, "refused": sent.refused, "submissions": sent.submissions, "problems": sent.problems,
    }


def _people(here: Situation, sent: Sent) -> None:
    heads = (
        Sentence("文件", "File"), Sentence("提交号", "Submission"), Sentence("接受", "Accepted"),
        Sentence("退回", "Refused"), Sentence("幂等键", "Key"),
    )
    here.out.table(heads, (
        (one["file"], one["submission"], one["accepted"], one["refused"], one["key"]) for one in sent.submissions
    ))
    here.out.line(COUNTS.fill(accepted=sent.accepted, refused=sent.refused))
