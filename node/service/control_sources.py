"""What can be asked of sources, and what a named person may have done with them: read now, from the start, once more.

Rule 1: a bookmark is never shown: it may hold keys; nor is anything of a dirty row but its row id and why it is one.
Rule 2: a source that is reset begins as if it had never been read: with everything, a history behind what is new, or
        from now on, as its settings say.  Who decided stands in the log.
"""

from __future__ import annotations

from typing import Any

from node.exchange import read
from node.model import codes
from node.model.record import Stream
from node.model.source import DirtyRow, SourceState
from node.model.trouble import trouble
from node.ports import OutboxUnit
from node.service.control_acts import Act, Actor
from node.service.control_read import PAGE, Answer, Arguments, text
from node.service.control_steps import Reading, outbox
from node.service.control_view import View, when
from node.workers import Desk

MOST = 1000
WITHIN = 100.0
"""Seconds until whoever had a source read is told that it is not finished yet."""


def sources_state(here: View, given: Arguments) -> Reading[Answer]:
    """Tell how far each of the named `sources` was read, and how many of its rows are dirty."""
    names = given.get("sources")
    if not isinstance(names, list) or len(names) > MOST or not all(isinstance(one, str) for one in names):
        raise trouble(codes.BAD_REQUEST, reason="sources")
    found = yield from outbox(lambda unit: [_stands(unit, name) for name in names])
    return {"sources": found}


def _stands(unit: OutboxUnit, name: str) -> Answer:
    places = {stream: read.place_of(unit, name, stream) for stream in Stream}
    return {
        "source": name, "begun": places[Stream.LIVE].begun, "dirty": unit.dirty_count(name),
        "under_way": [stream.value for stream in (Stream.BACKFILL, Stream.RESUPPLY) if places[stream].open],
    }


def sources_dirty(here: View, given: Arguments) -> Reading[Answer]:
    """List the dirty rows of a source, after the one with a name, at most `limit`."""
    name, after, limit = text(given, "source"), given.get("after") or "", given.get("limit", 100)
    if not isinstance(limit, int) or not 1 <= limit <= PAGE or not isinstance(after, str):
        raise trouble(codes.BAD_REQUEST, reason="limit")
    found = yield from outbox(lambda unit: unit.dirty(name, after, limit))
    return {"source": name, "rows": [_dirty(one) for one in found]}


def _dirty(one: DirtyRow) -> Answer:
    problems = [{"field": p.field, "rule": p.rule, "zh": p.says.zh, "en": p.says.en} for p in one.problems]
    return {"name": one.name, "key": one.row, "seen": when(one.seen), "problems": problems}


def live(desk: Desk) -> dict[str, Any]:
    """Return how each source stands in this run of the node."""
    return {name: _live(state) for name, state in desk.sources.items()}


def _live(state: SourceState) -> Answer:
    met = state.trouble
    return {
        "begun": when(state.begun), "good": when(state.good), "rows": state.rows, "refused": state.refused,
        "total": state.total, "reading": state.reading,
        "trouble": None if met is None else {"code": met.code.name, "zh": met.sentence.zh, "en": met.sentence.en,
                                             "cure_zh": met.cure.zh, "cure_en": met.cure.en},
    }


async def run(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Have a source read now, and tell how it went.

    A read that is under way began before and may not see all: its rows count, and the one behind it is waited for.
    """
    state = _state(desk, given)
    name = state.source.name
    rounds, seen = state.rounds, desk.bell.count(f"read:{name}")
    wanted, rows, refused = rounds + 1 + state.reading, 0, 0
    desk.bell.ring(f"source:{name}")
    desk.log("info", "control.read", who=actor.who, uid=actor.uid, source=name)
    until = desk.reactor.seconds() + WITHIN
    while rounds < wanted and desk.reactor.seconds() < until and not desk.stopping:
        await desk.bell.wait((f"read:{name}",), seen, until - desk.reactor.seconds())
        seen = desk.bell.count(f"read:{name}")
        if state.rounds > rounds:
            rounds, rows, refused = state.rounds, rows + state.rows, refused + state.refused
    return {"source": name, "ended": rounds >= wanted, **_live(state), "rows": rows, "refused": refused}


async def reset(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Forget how far a source was read: it begins anew, as its `history` says, which is told."""
    source = _state(desk, given).source
    await desk.outbox.run(lambda unit: read.forget(unit, source))
    desk.log("warning", "control.reset", who=actor.who, uid=actor.uid, source=source.name)
    desk.bell.ring(f"source:{source.name}")
    return {"source": source.name, "history": None if source.history is None else source.history.value}


async def reread(desk: Desk, given: Arguments, actor: Actor) -> Answer:
    """Have the whole of a source read once more beside what is new; with `refused` only dirty rows are supplied."""
    source, refused = _state(desk, given).source, given.get("refused")
    if not isinstance(refused, bool):
        raise trouble(codes.BAD_REQUEST, reason="refused")
    now = desk.now()
    await desk.outbox.run(lambda unit: read.ask(unit, source, Stream.RESUPPLY, refused, now))
    desk.log("warning", "control.reread", who=actor.who, uid=actor.uid, source=source.name, refused=refused)
    desk.bell.ring(f"source:{source.name}")
    return {"source": source.name, "refused": refused}


def _state(desk: Desk, given: Arguments) -> SourceState:
    found = desk.sources.get(text(given, "source"))
    if found is None:
        raise trouble(codes.NOT_FOUND)
    return found


ACTS: dict[str, Act] = {"sources.run": run, "sources.reset": reset, "sources.reread": reread}
