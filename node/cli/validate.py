"""`validate`: files of records judged by a specification, without a node; what is refused is told by row id.

Rule: NDJSON is read line by line and told line by line, so that a file of any size needs the memory of one record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from node.cli import exits, files
from node.cli.grammar import Command, argument, as_json, file, misused, option
from node.cli.kinds import kind_of, lines, open_binary, size_of, with_kind
from node.cli.situation import Situation
from node.model import codes
from node.model.record import Draft, Problem, Record, Refusal
from node.model.sentence import Sentence
from node.validate import Limits, Media, Specification, Specifications, read_drafts

LIMITS = Limits(octets=files.LIMIT, records=1_000_000)
READING = Sentence("校验", "Validating")
COUNTS = Sentence("通过{accepted}条，退回{refused}条", "{accepted} accepted, {refused} refused")
WARNING = "warn"


@dataclass(slots=True)
class Report:
    """Counts, and the problems told so far; for a program they are one JSON document, written as they come."""

    here: Situation
    several: bool
    accepted: int = 0
    refused: int = 0
    told: int = 0

    def begin(self) -> None:
        """Open the report."""
        if self.here.out.json:
            self.here.out.raw('{\n"problems": [')

    def judged(self, path: Path, line: int | None, one: Record | Refusal, problems: tuple[Problem, ...]) -> None:
        """Count one record and tell its problems."""
        if isinstance(one, Refusal):
            self.refused += 1
        else:
            self.accepted += 1
        for problem in problems:
            self.told += 1
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

    def end(self) -> int:
        """Close the report; return the exit status."""
        if self.here.out.json:
            newline = "\n" if self.told else ""
            self.here.out.raw(f'{newline}],\n"accepted": {self.accepted},\n"refused": {self.refused}\n}}\n')
        else:
            self.here.out.line(COUNTS.fill(accepted=self.accepted, refused=self.refused))
        return exits.DATA if self.refused else exits.OK


@click.command("validate", cls=Command, says=Sentence(
    "按接口规范校验记录文件，逐条列出退回原因", "judge files of records by a specification, telling every problem"))
@option("--spec", "name", required=True, metavar="ID", says=Sentence(
    "接口规范，如population-basic/1.0", "the specification, as population-basic/1.0"))
@argument("paths", nargs=-1, required=True, **file(), says=Sentence(
    "记录文件，- 为标准输入", "files of records, - for standard input"))
@with_kind
@option("--warnings", is_flag=True, says=Sentence("也列出警告（较慢）", "tell warnings too (slower)"))
@as_json
@click.pass_obj
def validate(
    here: Situation, name: str, paths: tuple[Path, ...], kind: str | None, charset: str | None, warnings: bool
) -> int:
    specification = _specification(here, name)
    kinds = [kind_of(path, kind) for path in paths]
    today = datetime.fromtimestamp(here.now() / 1000).date()
    report = Report(here, len(paths) > 1)
    started = False
    for path, each in zip(paths, kinds):
        judged = _ndjson(here, path, specification, charset, today) if each == "ndjson" else _whole(
            path, Media(each, charset), specification, today)
        for line, draft, one in judged:
            if not started:  # only once the first file could be read: a refused body leaves no half document
                started = True
                report.begin()
            report.judged(path, line, one, _problems(specification, draft, one, today, warnings))
    if not started:
        report.begin()
    return report.end()


def _specification(here: Situation, name: str) -> Specification:
    import xsd

    held = Specifications.load(xsd.FOLDER, here.crypto.sm3)
    found = held.get(name)
    if found is None:
        listed = ", ".join(held.names())
        raise misused(f"没有接口规范 {name}；现有：{listed}", f"There is no specification {name}; there are: {listed}")
    return found


_Judged = Iterator[tuple[int | None, Draft | None, Record | Refusal]]


def _whole(path: Path, media: Media, specification: Specification, today: date) -> _Judged:
    drafts = read_drafts(files.read(path, LIMITS.octets), media, specification, LIMITS)
    for draft in drafts:
        yield None, draft, specification.judge(draft, today)


def _ndjson(here: Situation, path: Path, specification: Specification, charset: str | None, today: date) -> _Judged:
    with open_binary(path) as stream, here.out.progress(READING, size_of(path)) as advance:
        for index, (number, line) in enumerate(lines(stream, LIMITS.record_octets, advance)):
            clear = None if line is None else _utf8(line, charset)
            if line is None or clear is None:
                yield number, None, Refusal(index, None, (_unreadable(line is None),))
            else:
                draft = Draft(index, "json", clear)
                yield number, draft, specification.judge(draft, today)


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
    specification: Specification, draft: Draft | None, one: Record | Refusal, today: date, warnings: bool
) -> tuple[Problem, ...]:
    if isinstance(one, Refusal):
        return tuple(problem for problem in one.problems if warnings or problem.severity != WARNING)
    if warnings and draft is not None:
        return tuple(specification.problems(draft, today))
    return ()
