"""The report of `validate --report`: `refusals.csv` for a person's spreadsheet, `refusals.json` (NDJSON) for programs.

Rule 1: no value of a record is written: a row is named by its row id, and by no row id that breaks its own form.
Rule 2: no cell can be taken for a formula: what others chose (file names, row ids, names of fields) is quoted for that.
Rule 3: one problem is written as it is found; a report of any length needs no memory.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from node.cli import exits
from node.cli.grammar import Told, told
from node.model.record import Problem
from node.model.sentence import Sentence
from node.validate import Specification
from node.validate.told.words import SEVERITIES, members

CSV, JSON = "refusals.csv", "refusals.json"
HEADS = (
    "文件 file", "行号或记录号 line or record", "来源记录号 row id", "字段 field", "含义 label", "规则 rule", "后果 severity",
    "说明 zh", "说明 en",
)
_PLACES = re.compile(r"\[[0-9]+\]")
_FORMULA = tuple("=+-@\t\r")


class Refusals:
    """A report being written into a folder; it is made anew and never replaces another."""

    def __init__(self, folder: Path, specification: Specification) -> None:
        self._labels: Mapping[str, Sentence] = {
            path: member.label for path, member in members(specification.shape.record)
        }
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise _unwritable(folder) from None
        # The mark at the front lets Excel see that the file is UTF-8.
        self._table = _made(folder / CSV, "utf-8-sig", newline="")
        try:
            self._lines = _made(folder / JSON, "utf-8", newline="\n")
        except Told:
            self._table.close()
            (folder / CSV).unlink()
            raise
        self._folder, self._any = folder, False
        self._rows = csv.writer(self._table)
        self._rows.writerow(HEADS)

    def __enter__(self) -> Refusals:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._table.close()
        self._lines.close()
        if error is not None and not self._any:  # nothing was found out, so the next try finds the folder as it was
            for name in (CSV, JSON):
                (self._folder / name).unlink(missing_ok=True)

    def add(self, file: str, line: int | None, index: int, row: str | None, problem: Problem) -> None:
        """Write one problem; without a line of the file the record is named by its number, counted from 1."""
        self._any = True
        label = self._labels.get(_PLACES.sub("", problem.field))
        severity, says = SEVERITIES[problem.severity], problem.says
        self._rows.writerow([_cell(text) for text in (
            file, str(line if line is not None else index + 1), row or "", problem.field,
            f"{label.zh} {label.en}" if label else "", problem.rule, f"{severity.zh} {severity.en}", says.zh, says.en,
        )])
        told = {
            "file": file, "line": line, "record": index + 1, "key": row, "field": problem.field,
            "label": {"zh": label.zh, "en": label.en} if label else None, "rule": problem.rule,
            "severity": problem.severity, "zh": says.zh, "en": says.en,
        }
        self._lines.write(json.dumps(told, ensure_ascii=False) + "\n")


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _made(path: Path, encoding: str, newline: str) -> TextIOWrapper:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise told(Sentence(
            f"{path} 已存在，不会覆盖；请换一个目录", f"{path} is there already and is not replaced; name another folder"
        ), exits.USAGE) from None
    except OSError:
        raise _unwritable(path) from None
    # A name that is no UTF-8 is written with its odd octets shown, not left out.
    return open(descriptor, "w", encoding=encoding, newline=newline, errors="backslashreplace")


def _unwritable(path: Path) -> Told:
    return told(Sentence(f"无法写入 {path}", f"{path} cannot be written"), exits.PERMISSION)
