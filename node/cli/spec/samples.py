"""`spec sample`: made-up records of a specification, good ones or broken on purpose, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from node.cli.grammar import Command, as_json, misused, option
from node.cli.situation import Situation
from node.cli.spec.held import one, specification
from node.model.sentence import Sentence
from node.validate import Specification, faults, plant, sample, to_json, to_xml, warnings
from node.validate.made.faults import Fault
from node.validate.told.words import SEVERITIES

FORMATS = ("json", "ndjson", "xml")
OPERATIONS = ("I", "U", "D")
LIST = "list"
NAME, FIELD, RULE = Sentence("名称", "Name"), Sentence("字段", "Field"), Sentence("规则", "Rule")
EFFECT = Sentence("后果", "Effect")


@click.command("sample", cls=Command, says=Sentence(
    "生成样例记录（虚构，可重复）；--bad 生成有错的样例", "make sample records (made up, repeatable); --bad makes broken ones"))
@one
@option("--format", "kind", type=click.Choice(FORMATS), default="ndjson", show_default=True, says=Sentence(
    "格式；json与ndjson每行一条", "format; json and ndjson hold one record a line"))
@option("--count", type=click.IntRange(1, 10_000_000), default=1, show_default=True, says=Sentence(
    "记录数", "how many records"))
@option("--seed", type=click.IntRange(0, 2**53), default=1, show_default=True, says=Sentence(
    "种子；同一种子得到同样的记录", "the seed; of the same seed come the same records"))
@option("--operation", type=click.Choice(OPERATIONS), default="I", show_default=True, says=Sentence(
    "新增、变更或删除", "insert, update or delete"))
@option("--bad", metavar="RULE", says=Sentence(
    "植入的错误：名称（如IdNumber:citizen-check）或规则；list列出全部",
    "the fault to plant: its name, as IdNumber:citizen-check, or a rule; list lists them"))
@as_json
@click.pass_obj
def samples(
    here: Situation, name: str, kind: str, count: int, seed: int, operation: str, bad: str | None
) -> None:
    spec = specification(here, name)
    if bad == LIST:
        _list(here, (*faults(spec), *warnings(spec)))
        return
    if bad is not None and operation == "D":
        raise misused("--bad 只用于新增和变更", "--bad goes with inserts and updates")
    chosen = _chosen(spec, bad)
    try:
        for piece in _written(spec, kind, _twins(spec, count, seed, operation, chosen)):
            here.out.raw(piece)
    except (ValueError, LookupError):  # the generator knows fewer shapes than the profile allows
        raise misused(
            "样例生成器不会生成这种规范的记录", "The generator cannot make records of this specification") from None


def _list(here: Situation, found: Sequence[Fault]) -> None:
    here.out.show(
        [{"name": fault.name, "field": fault.field, "rule": fault.rule, "severity": fault.severity} for fault in found],
        lambda: here.out.table((NAME, FIELD, RULE, EFFECT), (
            (fault.name, fault.field, fault.rule, SEVERITIES[fault.severity].into(here.language)) for fault in found)),
    )


def _chosen(spec: Specification, bad: str | None) -> Sequence[Fault]:
    if bad is None:
        return ()
    found = [fault for fault in (*faults(spec), *warnings(spec)) if bad in (fault.name, fault.rule)]
    if not found:
        raise misused(
            f"没有可植入的错误 {bad}；用 --bad list 列出", f"There is no fault {bad} to plant; --bad list lists them")
    return found


def _twins(
    spec: Specification, count: int, seed: int, operation: str, chosen: Sequence[Fault]
) -> Iterator[dict[str, Any]]:
    """Yield the twins; of several faults of one rule each is planted in turn."""
    revision = 1 if operation == "U" else 0
    for index in range(count):
        twin = sample(spec, seed, index, operation=operation, revision=revision)
        yield plant(spec, twin, chosen[index % len(chosen)], seed + index) if chosen else twin


def _written(spec: Specification, kind: str, twins: Iterator[dict[str, Any]]) -> Iterator[str]:
    if kind != "xml":
        yield from (to_json(twin).decode() + "\n" for twin in twins)
        return
    name, end = spec.shape.record.name, ""
    for index, twin in enumerate(twins):
        text = to_xml(spec, [twin]).decode()
        start, stop = text.index(f"<{name}>"), text.rindex(f"</{name}List>")
        yield text[:stop] if index == 0 else text[start:stop]
        end = text[stop:]
    yield end + "\n"
