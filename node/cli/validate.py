"""`validate`: files of records judged by a specification, without a node; what is refused is told by row id.

Rule: NDJSON and XML are read record by record and told record by record, so that a file of any size needs the memory of
one record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from node.cli import exits
from node.cli.grammar import Command, argument, as_json, file, option
from node.cli.kinds import kind_of, lines, open_binary, size_of, with_kind
from node.cli.mapped import Reads, charset_of, reads, table, whole, with_mapping
from node.cli.refusals import Refusals
from node.cli.situation import Situation
from node.cli.spec.held import SAYS
from node.model import codes
from node.model.record import Draft, Problem, Record, Refusal
from node.model.sentence import Sentence
from node.model.trouble import Trouble
from node.validate import Limits, Media, read_records
from node.validate.mapping import SourceMapping
from node.validate.stream import CHUNK

LIMITS = Limits()
READING = Sentence("校验", "Validating")
COUNTS = Sentence("通过{accepted}条，退回{refused}条", "{accepted} accepted, {refused} refused")
BROKEN = Sentence(
    "文件从此处起无法读取（{reason}）；此前的{count}条已校验，其后的内容未校验，请修正后重新校验",
    "The file cannot be read from here on ({reason}); the {count} records before were judged, what follows was not; "
    "mend it and validate it again",
)
WRITTEN = Sentence("问题清单已写入 {folder}", "The problems were written to {folder}")
RULE, PROBLEMS = Sentence("规则", "Rule"), Sentence("问题数", "Problems")
BREAKS = {codes.TOO_LARGE: "size", codes.MEDIA: "charset"}
"""What a file that cannot be read to its end is said to have broken; any other trouble is `malformed`."""

WARNING = "warn"


@dataclass(slots=True)
class Report:
    """Counts, and the problems told so far; for a program they are one JSON document, written as they come."""

    here: Situation
    several: bool
    kept: Refusals | None = None
    started: bool = False
    accepted: int = 0
    refused: int = 0
    told: int = 0
    rules: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Open the report, unless it is open: a first file that cannot be read at all leaves no half document."""
        if not self.started and self.here.out.json:
            self.here.out.raw('{\n"problems": [')
        self.started = True

    def judged(self, path: Path, line: int | None, one: Record | Refusal, problems: tuple[Problem, ...]) -> None:
        """Count one record and tell its problems."""
        if isinstance(one, Refusal):
            self.refused += 1
        else:
            self.accepted += 1
        for problem in problems:
            self.told += 1
            self.rules[problem.rule] += 1
            if self.kept is not None:
                self.kept.add(str(path), line, one.index, one.row, problem)
            if self.here.out.json or self.kept is None:
                self._tell(path, line, one, problem)

    def _tell(self, path: Path, line: int | None, one: Record | Refusal, problem: Problem) -> None:
        if self.here.out.json:
            said: dict[str, Any] = {
                "index": one.index, "key": one.row, "field": problem.field, "rule": problem.rule,
                "severity": problem.severity, "zh": problem.says.zh, "en": problem.says.en,
            }
            if line is not None:
                said["line"] = line
            if self.several:
                said["file"] = str(path)
            self.here.out.raw(f"{',' if self.told > 1 else ''}\n{json.dumps(said, ensure_ascii=False)}")
            return
        place = f"{path}:{line}" if line is not None else f"{path}#{one.index}"
        said_here = problem.says.into(self.here.language)
        self.here.out.line("  ".join((place, one.row or "-", problem.field or "-", problem.rule, said_here)))

    def end(self, folder: Path | None) -> int:
        """Close the report; return the exit status."""
        out = self.here.out
        if out.json:
            newline = "\n" if self.told else ""
            out.raw(f'{newline}],\n"accepted": {self.accepted},\n"refused": {self.refused}\n}}\n')
        else:
            if folder is not None and self.rules:
                out.table((RULE, PROBLEMS), self.rules.most_common())
            out.line(COUNTS.fill(accepted=self.accepted, refused=self.refused))
        if folder is not None:
            out.note(WRITTEN.fill(folder=folder))
        return exits.DATA if self.refused else exits.OK


@click.command("validate", cls=Command, says=Sentence(
    "按接口规范校验记录文件，逐条列出退回原因", "judge files of records by a specification, telling every problem"))
@option("--spec", "name", metavar="ID", says=SAYS)
@with_mapping
@argument("paths", nargs=-1, required=True, **file(), says=Sentence(
    "记录文件，- 为标准输入", "files of records, - for standard input"))
@with_kind
@option("--warnings", is_flag=True, says=Sentence("也列出警告（较慢）", "tell warnings too (slower)"))
@option("--report", "folder", **file(metavar="DIR"), says=Sentence(
    "把问题清单写入此目录：refusals.csv（可用Excel打开）和refusals.json",
    "write the problems into this folder: refusals.csv (for Excel) and refusals.json"))
@as_json
@click.pass_obj
def validate(
    here: Situation, name: str | None, mapped: Path | None, paths: tuple[Path, ...], kind: str | None,
    charset: str | None, warnings: bool, folder: Path | None,
) -> int:
    by = reads(here, name, mapped)
    kinds = [kind_of(path, kind) for path in paths]
    today = datetime.fromtimestamp(here.now() / 1000).date()
    specification = by.spec if isinstance(by, SourceMapping) else by
    with Refusals(folder, specification) if folder is not None else nullcontext() as kept:
        report = Report(here, len(paths) > 1, kept)
        for path, each in zip(paths, kinds):
            judged = _judged(here, path, Media(each, charset), by, today)
            for line, draft, one in _to_the_break(judged, report):
                report.begin()
                report.judged(path, line, one, _problems(by, draft, one, today, warnings))
        report.begin()
        return report.end(folder)


_Judged = Iterator[tuple[int | None, Draft | None, Record | Refusal]]


def _to_the_break(judged: _Judged, report: Report) -> _Judged:
    """Yield what is judged; where the file cannot be read on, a refusal that says so, once anything has been told."""
    count = 0
    try:
        for one in judged:
            count += 1
            yield one
    except Trouble as met:
        if not report.started:
            raise
        says = BROKEN.fill(reason=met.sentence, count=count)
        yield None, None, Refusal(count, None, (Problem("", BREAKS.get(met.code, "malformed"), says),))


def _judged(here: Situation, path: Path, media: Media, by: Reads, today: date) -> _Judged:
    if media.kind == "json":
        yield from ((None, draft, by.judge(draft, today)) for draft in whole(path, media, by, LIMITS))
        return
    with open_binary(path) as stream, here.out.progress(READING, size_of(path)) as advance:
        if media.kind == "ndjson":
            for index, (number, line) in enumerate(lines(stream, LIMITS.record_octets, advance)):
                yield number, *_of_line(index, line, charset_of(by, media.charset), by, today)
            return
        if media.kind == "csv" or isinstance(by, SourceMapping):
            yield from table(stream, media, by, today, advance, LIMITS)
            return

        def chunks() -> Iterator[bytes]:
            for chunk in iter(partial(stream.read, CHUNK), b""):
                yield chunk
                advance(len(chunk))

        for draft in read_records(chunks(), media.charset, by.shape, LIMITS):
            yield None, draft, by.judge(draft, today)


def _of_line(
    index: int, line: bytes | None, charset: str | None, by: Reads, today: date
) -> tuple[Draft | None, Record | Refusal]:
    clear = None if line is None else _utf8(line, charset)
    if line is None or clear is None:
        return None, Refusal(index, None, (_unreadable(line is None),))
    draft = Draft(index, "json", clear)
    return draft, by.judge(draft, today)


def _utf8(line: bytes, charset: str | None) -> bytes | None:
    if charset != "gb18030":
        return line
    try:
        return line.decode("gb18030").encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None


def _unreadable(long: bool) -> Problem:
    """A line that the local API would refuse with the whole body around it."""
    if long:
        return Problem("", "size", codes.TOO_LARGE.says.fill(what="record", limit=LIMITS.record_octets))
    return Problem("", "charset", codes.MALFORMED.says.fill(reason="GB18030", line="-"))


def _problems(
    by: Reads, draft: Draft | None, one: Record | Refusal, today: date, warnings: bool
) -> tuple[Problem, ...]:
    if isinstance(one, Refusal):
        return tuple(problem for problem in one.problems if warnings or problem.severity != WARNING)
    if warnings and draft is not None:
        return tuple(by.problems(draft, today))
    return ()
