"""`adapter discover --draft` and `--theme`: a mapping, or a specification, drafted from a table and some of its rows.

Both are printed for a person to review.

Rule: the rows are looked at and not shown; which of their cells may stand in a draft, `node.validate` decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

from node.cli import exits
from node.cli.adapter_source import Asked
from node.cli.adapter_theme import theme
from node.cli.grammar import misused
from node.cli.situation import Situation
from node.cli.spec.held import specification
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import Trouble
from node.validate import Specification
from node.validate.mapping.drafting import Drafted, draft_mapping

SAMPLE = 200
TRIED = 8
"""Most columns by which a table without a key is tried to be read."""

UNREAD = Sentence("没有读到行，草稿只据列名和类型：{why}", "No rows were read; the draft rests on names and types alone: {why}")
TOLD = Sentence("抽样{rows}行，{good}行合格；{doubtful}处待核对", "{rows} rows sampled, {good} valid; {doubtful} places to check")


def draft(here: Situation, asked: Asked, table: str | None, named: str, key: Sequence[str] = ()) -> int:
    """Print a mapping from a table to the specification named; return the exit status."""
    spec = _specification(here, asked, named)
    described, lines = _looked(here, asked, table, key)
    today = datetime.fromtimestamp(here.now() / 1000).date()
    made = draft_mapping(spec, described, lines, today, here.crypto.sm3)
    here.out.show(_said(made), lambda: here.out.raw(made.text))
    doubtful = sum(one.doubtful for one in made.entries)
    here.out.note(TOLD.fill(rows=made.rows, good=made.good, doubtful=doubtful))
    for fault in made.faults:
        here.out.note(fault.text(here.language))
    return exits.DATA if made.faults else exits.OK


def draft_theme(here: Situation, asked: Asked, table: str | None, named: str, key: Sequence[str] = ()) -> int:
    """Print a specification of one's own for a table; return the exit status."""
    described, lines = _looked(here, asked, table, key)
    return theme(here, named, described, lines)


def _looked(
    here: Situation, asked: Asked, table: str | None, key: Sequence[str]
) -> tuple[Mapping[str, Any], list[bytes]]:
    """Return a table as it is described, with the key that is named, and some rows of it."""
    what = _what(asked, table)
    if key:
        what["key"] = list(key)
    described = _described(asked, what, table)
    unknown = set(key).difference(str(one["name"]) for one in described.get("columns") or ())
    if unknown:
        names = ", ".join(sorted(unknown))
        raise misused(f"表没有列 {names}", f"The table has no column {names}")
    return described, _sample(here, asked, what, described)


def _said(made: Drafted) -> dict[str, Any]:
    return {"mapping": made.text, "rows": made.rows, "good": made.good, "fields": [
        {"field": one.path, "columns": list(one.columns), "check": one.doubtful, "missing": one.missing,
         "valid": one.valid, "given": one.given, "zh": one.why.zh, "en": one.why.en} for one in made.entries]}


def _specification(here: Situation, asked: Asked, named: str) -> Specification:
    """Return a specification by its name: of a configured adapter also one of the node's own."""
    if asked.section is not None:
        from node.service.papers import read_specifications

        found = read_specifications(here.settings, here.crypto).get(named)
        if found is not None:
            return found
    return specification(here, named)


def _what(asked: Asked, table: str | None) -> dict[str, Any]:
    """Return what is read: of a configured read what it says, else the table."""
    if asked.section is not None and (asked.read is not None or table is None):
        return dict(asked.one_read().what)
    if table is None:
        raise misused("请用 --table 指明表或视图", "Name a table or view with --table")
    if asked.section is not None:
        found = next((one for one in asked.section.sources() if one.what.get("table") == table), None)
        return dict(found.what) if found is not None else {"table": table}
    return {"table": table, "page": SAMPLE}


def _described(asked: Asked, what: Mapping[str, Any], table: str | None) -> Mapping[str, Any]:
    """Return the table as the adapter describes it; of what it does not list, no more than a name."""
    name = table or what.get("table")
    found = next((one for one in asked.ask("discover") if one.get("name") == name), None)
    if found is None and table is not None:
        raise misused(f"没有表或视图 {table}", f"There is no table or view {table}")
    return _keyed(found, what) if found is not None else {"name": name or ""}


def _keyed(described: Mapping[str, Any], what: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a table with the key that is named; else its own."""
    columns, key = described.get("columns") or (), what.get("key")
    if not isinstance(key, list):
        return described
    return {**described, "columns": [{**one, "key": one.get("name") in key} for one in columns]}


def _sample(
    here: Situation, asked: Asked, what: Mapping[str, Any], described: Mapping[str, Any]
) -> list[bytes]:
    """Return some rows; of a table without a key those that some column orders first."""
    why: Trouble | None = None
    for one in _ways(what, described):
        try:
            with closing(asked.rows(one, SAMPLE)) as rows:
                return [row for row in islice(rows, SAMPLE) if isinstance(row, bytes)]
        except Trouble as met:
            if met.code is not codes.ADAPTER:
                raise
            why = why or met
    assert why is not None, "there is always one way"
    here.out.note(UNREAD.fill(why=why.sentence))
    return []


def _ways(what: Mapping[str, Any], described: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield dict(what)
    columns = described.get("columns") or ()
    if not columns or what.get("key") or any(one.get("key") for one in columns):
        return
    solid = [one["name"] for one in columns if not one.get("null", True)]
    first = sorted(columns, key=lambda one: not one.get("indexed"))
    for key in [*([solid] if solid else ()), *([one["name"]] for one in first[:TRIED])]:
        yield {**what, "key": key}
