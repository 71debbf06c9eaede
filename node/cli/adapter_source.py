"""Whom `adapter check|discover|preview` ask: a database by its URL, or a configured adapter by its name.

Rule 1: of a configured adapter, kind, settings, secrets, folder and bounds are the configuration's.
Rule 2: rows are read whole and from the beginning, and no bookmark is ever given back: the source stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from node.cli.grammar import argument, file, misused, option
from node.cli.situation import Situation
from node.crypto import keyfile
from node.hosts import Child, Limits
from node.model.frames import FrameKind
from node.model.record import Problem
from node.model.sentence import Sentence
from node.model.source import Source

if TYPE_CHECKING:
    from node.config.adapters import AdapterSection

SQL = "sql_table"
PATIENCE = Limits(silence=120.0)
GIVEN_AT = 200
"""Most characters of a column's name in what a source says of a row."""

with_source = argument("source", metavar="URL|NAME", says=Sentence(
    "数据库地址，写明驱动，如 postgresql+psycopg://reader@10.0.0.5/hukou，不写口令；或配置中的适配器，或 适配器/读取项",
    "a database with its driver, as postgresql+psycopg://reader@10.0.0.5/hukou, without a password; or a configured "
    "adapter, or ADAPTER/READ"))
with_password = option("--password-file", "password", **file(), says=Sentence(
    "口令所在文件，权限0600；仅用于地址", "the file of the password, mode 0600; with a URL only"))


def is_url(source: str) -> bool:
    """Whether a source is named by its URL; no name has a colon."""
    return ":" in source


class Asked:
    """The process of an adapter, with what the configuration says of it; `section` is None for a URL."""

    def __init__(self, here: Situation, source: str, password: Path | None) -> None:
        """Start it; raise what the configuration, a secret's file or the process has against it."""
        self.section: AdapterSection | None = None
        self.read: Source | None = None
        if is_url(source):
            settings = {"url": source}
            if password is not None:
                settings["password"] = keyfile.read(password).strip().decode("utf-8", "replace")
            self._child = Child(SQL, settings, PATIENCE)
            return
        if password is not None:
            raise misused("--password-file 只用于数据库地址", "--password-file goes with a URL")
        self._child = self._configured(here, source)

    def _configured(self, here: Situation, name: str) -> Child:
        from node.service.adapter_check import child_of
        from node.service.adapters import read_adapter

        adapter, _, read = name.partition("/")
        self.section = next((one for one in here.settings.adapter if one.name == adapter), None)
        if self.section is None:
            raise misused(f"配置中没有适配器 {adapter}", f"No adapter {adapter} is configured")
        if read:
            self.read = next((one for one in self.section.sources() if one.name == name), None)
            if self.read is None:
                raise misused(f"适配器 {adapter} 没有读取项 {read}", f"The adapter {adapter} has no read {read}")
        return child_of(read_adapter(self.section).instance)

    @property
    def child(self) -> Child:
        """The process."""
        return self._child

    def one_read(self) -> Source:
        """Return the read that is meant: the one named, or the only one."""
        assert self.section is not None, "a URL has no reads"
        sources = (self.read,) if self.read is not None else self.section.sources()
        if len(sources) != 1 or sources[0] is None:
            names = ", ".join(one.name for one in sources if one is not None) or "-"
            raise misused(f"请指明读取项：{names}", f"Name one read: {names}")
        return sources[0]

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *why: object) -> None:
        self._child.close()

    def ask(self, do: str) -> Any:
        """Have one act done that gives no rows."""
        return self._child.ask(do)

    def rows(self, what: Mapping[str, Any], limit: int) -> Generator[bytes | Problem, None, None]:
        """Yield the rows of a whole read, as lines of JSON; of one that the source cannot give, why."""
        for frame in self._child.act("read", what=dict(what), mode="whole", limit=limit):
            if frame.kind is FrameKind.RECORDS:
                yield from frame.lines
            elif frame.kind is FrameKind.DIRTY:
                yield _problem(json.loads(frame.body))


def _problem(said: Any) -> Problem:
    said = said if isinstance(said, dict) else {}
    column = str(said.get("field", ""))[:GIVEN_AT]
    zh, en = (" ".join(f"{column} {said.get(language, '')}".split()) for language in ("zh", "en"))
    return Problem("", "source", Sentence(zh, en))
