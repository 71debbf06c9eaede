"""A department's own system: it has rows, changes them, posts the changes until they are answered, and remembers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from node.exchange.submit import Supply, submit
from node.model.record import Operation, Record, Stream, Version
from node.model.spool import Answer
from node.validate import sample, to_json, to_xml
from node.wire.message import Response
from tests.stage.desk import SPECIFICATIONS, specifications
from tests.world.machine import Machine

if TYPE_CHECKING:
    from tests.world.city import City

ROWS, KEYS = 8, 12
AT = "2020-01-01T00:00:00+08:00"
"""Long ago, even by a clock that is a year behind."""
AGAIN = {408, 409, 429, 500, 503, 507}
"""Answers after which a patient caller tries again with the same key and body."""


@dataclass
class Change:
    """One record as the source meant it; `bent` ones its own node let through though they break a rule."""

    row: str
    key: tuple[str, ...]
    operation: Operation
    twin: dict[str, Any]
    bent: bool = False


@dataclass
class Post:
    """One body under one idempotency key, and every final answer it got."""

    resource: str
    stream: Stream
    key: str
    media: bytes
    body: bytes
    changes: list[Change]
    planted: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    """Statuses of answers to another body under the same key."""
    first: Version | None = None
    """The version its first change was given, once remembered."""
    forgotten: bool = False
    """Its node was restored from a copy that is older: it need not be anywhere."""

    @property
    def submission(self) -> str:
        """The id it was answered with."""
        return str(json.loads(self.answers[0][1])["submission"])


class Source:
    """The rows of one department and what it told its node of them."""

    def __init__(self, city: City, machine: Machine, dice: Random) -> None:
        self.city, self.machine, self.dice = city, machine, dice
        self.posts: list[Post] = []
        self.waiting = 0
        self._homes: dict[str, str] = {}
        self._count = 0

    # --- changes ------------------------------------------------------------------------------------------------

    def change(self) -> None:
        """Post some changes."""
        dice = self.dice
        if dice.random() < 0.12:
            resource, changes = "population", list(self._people(dice.randint(1, 2)))
        else:
            resource, changes = "region-code", list(self._regions(dice.randint(1, 5)))
        stream = Stream.BACKFILL if dice.random() < 0.25 else Stream.LIVE
        self.supply(resource, stream, changes, planted=dice.choice((0, 0, 0, 0, 1)))

    def supply(self, resource: str, stream: Stream, changes: list[Change], planted: int = 0) -> Post:
        """Post these changes, and keep posting until they are answered."""
        twins = [change.twin for change in changes] + [{**changes[0].twin, "Operation": "X"}] * planted
        spec = specifications().get(SPECIFICATIONS[resource])
        assert spec is not None
        if self.dice.random() < 0.2:
            media, body = b"application/xml", to_xml(spec, twins)
        else:
            media, body = b"application/x-ndjson", b"\n".join(map(to_json, twins))
        post = Post(resource, stream, f"key-{len(self.posts)}", media, body, changes, planted)
        self.posts.append(post)
        self._keep_posting(post, post.body)
        if self.dice.random() < 0.1:
            self.city.clock.callLater(self.dice.uniform(0, 300), self._post_again, post, post.body)
        if self.dice.random() < 0.05:
            self.city.clock.callLater(self.dice.uniform(60, 300), self._post_again, post, post.body + b"\n")
        return post

    def _regions(self, number: int) -> Iterator[Change]:
        for _ in range(number):
            self._count += 1
            row = f"r{self.dice.randrange(ROWS)}"
            key = self._homes.get(row)
            if key is None or self.dice.random() < self.city.moves:
                key = f"{110000 + self.dice.randrange(KEYS)}"
            self._homes[row] = key
            yield region(row, key, f"{self.machine.name} {self._count}", self.dice.random() < 0.15)

    def _people(self, number: int) -> Iterator[Change]:
        spec = specifications().get(SPECIFICATIONS["population"])
        assert spec is not None
        for _ in range(number):
            self._count += 1
            operation = "D" if self.dice.random() < 0.1 else "U"
            twin = sample(spec, 1, self.dice.randrange(6), operation=operation, revision=self._count)
            key = tuple(twin[name] for name in spec.shape.key)
            yield Change(twin[spec.shape.row], key, _operation(twin), twin)

    # --- posting ------------------------------------------------------------------------------------------------

    def _post_again(self, post: Post, body: bytes) -> None:
        if not post.forgotten and (body == post.body or post.answers):  # otherwise it would be a new submission
            self._keep_posting(post, body)

    def _keep_posting(self, post: Post, body: bytes) -> None:
        self.waiting += 1
        Deferred.fromCoroutine(self._patiently(post, body)).addErrback(self.city.fault, "source")

    async def _patiently(self, post: Post, body: bytes) -> None:
        same = body == post.body
        while True:
            if post.forgotten:  # its node came back from an older copy: the same key would be a new submission
                self.waiting -= 1
                return
            answer = await self._once(post, body)
            if answer is not None and answer.status not in AGAIN and not _waits(answer):
                break
            await self._pause()
        if same:
            assert isinstance(answer.body, bytes)
            post.answers.append((answer.status, answer.body))
        else:
            post.others.append(answer.status)
        self.waiting -= 1

    async def _once(self, post: Post, body: bytes) -> Response | None:
        """Return the answer, None if the node went away."""
        life = self.machine.life
        if life is None or life.time.stalled:
            return None
        headers = {b"content-type": post.media, b"idempotency-key": post.key.encode("ascii")}
        heard: Deferred[Response | None] = Deferred()
        target = f"/v1/resources/{post.resource}/records?stream={post.stream.value}"
        asked = life.ask("POST", target, headers, body)
        asked.addCallbacks(
            lambda response: heard.callback(response if life.alive else None), lambda failure: heard.callback(None)
        )
        return await heard

    async def _pause(self) -> None:
        waited: Deferred[None] = Deferred()
        self.city.clock.callLater(self.dice.uniform(0.5, 5), waited.callback, None)
        await waited

    # --- a gate that fails --------------------------------------------------------------------------------------

    def bend(self) -> None:
        """Let the node take a record that breaks its specification, as if its own gate had failed."""
        life = self.machine.life
        if life is None or life.time.stalled:
            return
        self._count += 1
        change = region(f"bent-{self._count}", "119999", "bent", False)
        change.twin["RegionCode"], change.bent = "no-code", True
        post = Post("region-code", Stream.LIVE, f"bent-{len(self.posts)}", b"", b"bent", [change])
        resource = life.desk.means.registry.resource("region-code")
        spec = life.desk.means.specifications.get(SPECIFICATIONS["region-code"])
        if resource is None or spec is None:
            return  # its specification is retired
        record = Record(0, to_json(change.twin), change.row, change.operation, AT, ("no-code",))
        supply = Supply("app", post.key, post.body, resource, spec.id, post.stream, [record], [])
        desk, here = life.desk, life.desk.means.identity
        done = desk.outbox.run(
            lambda unit: submit(unit, supply, here.domain, here.node, desk.now(), desk.means.chance)
        )

        def answered(answer: Answer) -> None:
            post.answers.append((answer.status, answer.body))
            self.posts.append(post)
            desk.bell.ring("outbox:centre")

        done.addCallbacks(answered, lambda failure: None)

    # --- remembered ---------------------------------------------------------------------------------------------

    def acknowledged(self) -> Sequence[Post]:
        """Return the posts that were answered with 202, each with the version its first change was given."""
        found = [post for post in self.posts if post.answers and post.answers[0][0] == 202]
        assert self.machine.life is not None
        with self.machine.life.stores.outbox.unit() as unit:
            for post in found:
                known = unit.submission(post.submission)
                if known is None:
                    assert post.forgotten, f"{self.machine.name} forgot submission {post.submission}"
                else:
                    assert post.first in (None, known[0].first) and known[0].count == len(post.changes), known
                    post.first = known[0].first
        return found

    def forget(self) -> None:
        """The node was restored: what it does not know any more it need not know."""
        assert self.machine.life is not None
        with self.machine.life.stores.outbox.unit() as unit:
            for post in self.posts:
                post.forgotten = bool(post.answers) and unit.submission(post.submission) is None


def _waits(answer: Response) -> bool:
    """Return whether a person must change something at the node before it answers for good."""
    return isinstance(answer.body, bytes) and b'"EXN-SPECIFICATION"' in answer.body


def region(row: str, key: str, name: str, delete: bool) -> Change:
    """Return a change of one region."""
    twin = {"RecordId": row, "Operation": "D" if delete else "U", "EventTime": AT, "RegionCode": key}
    if not delete:
        twin |= {"RegionName": name, "FirstRevision": "198001", "LastRevision": "201904"}
    return Change(row, (key,), _operation(twin), twin)


def _operation(twin: dict[str, Any]) -> Operation:
    return Operation.DELETE if twin["Operation"] == "D" else Operation.UPSERT


@dataclass
class Stands:
    """What one business key should hold."""

    version: Version
    row: str
    twin: dict[str, Any] | None


def final_state(changes: Sequence[tuple[Version, Change]]) -> dict[tuple[str, ...], Stands]:
    """Return what a sink must hold after these changes of one origin and resource, in whatever order they came.

    The greatest version of a key stands, unless it is a delete, or its row has gone to another key since.
    """
    stands: dict[tuple[str, ...], Stands] = {}
    homes: dict[str, tuple[str, ...]] = {}
    for version, change in sorted(changes, key=lambda one: one[0]):
        homes[change.row] = change.key
        twin = None if change.operation is Operation.DELETE else change.twin
        stands[change.key] = Stands(version, change.row, twin)
    for key, one in stands.items():
        if homes[one.row] != key:
            one.twin = None
    return stands
