"""Parcels that a good program never makes, with every other part of them good: one failure each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from node.envelope import ParcelDraft, Said, Signer, content_of, digest_of, seal, write
from node.exchange.authority import ourselves, party
from node.exchange.means import Means
from node.model.ids import uuid7
from node.model.instant import Instant, stamp
from node.model.parcel import NOTHING, Place
from node.model.record import Head, Operation, SpecificationId, Stream, Version
from node.model.spool import Sealed
from node.validate import join_line
from node.validate.made.samples import to_json
from tests.stage.desk import peer_of, specifications

EPOCH = 1_700_000_000


def spec_id(name: str = "population-basic/1.0") -> SpecificationId:
    """Return the id of a published specification."""
    found = specifications().get(name)
    assert found is not None
    return found.id


def line_of(twin: dict[str, Any], at: Instant, origin: str = "dept-a", n: int = 1, **given: Any) -> bytes:
    """Return the line of a twin; `given` replaces members of its head."""
    head = Head(
        uuid7(at, bytes(range(n % 200, n % 200 + 10))), twin["RecordId"], origin, Version(EPOCH, n),
        Operation.DELETE if twin["Operation"] == "D" else Operation.UPSERT, twin["EventTime"], None, stamp(at),
    )
    return join_line(to_json(twin), head._replace(**given))


def signer_of(means: Means) -> Signer:
    """Return who signs for a node."""
    return Signer(means.identity.signing, means.identity.sign)


def draft_of(means: Means, at: Instant, seq: int = 1, prev: str = NOTHING, **given: Any) -> ParcelDraft:
    """Return a draft of a parcel of `population` to the centre; `given` replaces its members."""
    made = ParcelDraft(
        domain=means.identity.domain, sender=ourselves(means), receiver=party(peer_of("centre")),
        parcel=uuid7(at, means.chance(10)), resource="population", stream=Stream.LIVE, spec=spec_id(),
        place=Place(EPOCH, seq, prev), created=at, priority=5,
    )
    return replace(made, **given)


def parcel_of(means: Means, lines: Sequence[bytes], draft: ParcelDraft, said: Said = Said()) -> Sealed:
    """Return a draft sealed to the centre with lines of any kind."""
    return seal(draft, lines, said, signer_of(means), [peer_of("centre").encryption], means.crypto, means.chance)


def signed_again(means: Means, sealed: Sealed, **changed: Any) -> Sealed:
    """Return a parcel whose manifest says something else than what was sealed, well signed."""
    said = replace(sealed.statement, **changed)
    signer = signer_of(means)
    manifest = write(said, signer.certificate, signer.sign)
    return Sealed(said, digest_of(content_of(said), means.crypto), manifest, sealed.payload, sealed.secret)
