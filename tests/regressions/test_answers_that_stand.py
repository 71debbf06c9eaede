"""3 and 7: what was refused stays refused, what a full receiver took is not sent again (PEERS §11.3, §11.7).

Holodeck #142: a duplicate of a message that had failed got a success receipt.  NIFI-2259: a receiver that accepted a
batch and said "I am full" had it treated as a failure, and was sent it again without end.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from node.envelope import Letter, content_of, digest_of, read_receipt, write
from node.model.parcel import Receipt, Stage
from node.model.record import Stream
from node.model.spool import Sealed
from tests.processes.exchange import CENTRE, SOURCE, until
from tests.regressions.hand import Hand, posted
from tests.regressions.standing import Standing


def final(hand: Hand, parcel: str) -> tuple[Receipt, bytes]:
    """Return the centre's final receipt of a parcel, and its octets."""

    def found() -> tuple[Receipt, bytes] | None:
        letter: Letter = hand.ask(parcel, wait=1)
        said = [(read_receipt(one.receipt, hand.means.crypto).statement, one.receipt) for one in letter.receipts]
        return next((one for one in said if one[0].stage is not Stage.ACCEPTED), None)

    receipt: tuple[Receipt, bytes] = until("the final word", found)
    return receipt


def again(hand: Hand, sealed: Sealed, given: bytes, word: bytes) -> None:
    """Assert that the identical parcel has the identical answers."""
    for _ in range(3):
        heard = hand.post_parcel(sealed)
        assert (heard.status, heard.body) == (200, given)
        assert final(hand, sealed.statement.parcel)[1] == word


def test_a_record_refused_by_its_rules_is_never_processed_by_a_retry(standing: Standing) -> None:
    before = standing.history()
    with Hand(standing, SOURCE) as hand:
        good, bad = hand.twin(1), hand.twin(2, SexCode="77")
        sealed = hand.sealed([hand.line(good, 1), hand.line(bad, 2)], stream=Stream.RESUPPLY)
        given = hand.post_parcel(sealed)
        assert given.status == 200
        receipt, word = final(hand, sealed.statement.parcel)
        assert receipt.stage is Stage.PROCESSED and receipt.counts is not None
        assert (receipt.counts["applied"], receipt.counts["refused"]) == (1, 1)
        again(hand, sealed, given.body, word)
        assert len(standing.history()) == len(before) + 1

        # A parcel whose content can never be right takes its place, and no retry makes it right.
        whole = hand.sealed([hand.line(hand.twin(3), 3)], 2, sealed.digest, stream=Stream.RESUPPLY)
        said = replace(whole.statement, root="ab" * 32)
        identity, crypto = hand.means.identity, hand.means.crypto
        signed = write(said, identity.signing, identity.sign)
        broken = Sealed(said, digest_of(content_of(said), crypto), signed, whole.payload, whole.secret)
        given = hand.post_parcel(broken)
        assert given.status == 200, given.body
        receipt, word = final(hand, said.parcel)
        assert (receipt.stage, receipt.code) == (Stage.REFUSED, "EXN-OPEN")
        again(hand, broken, given.body, word)
        assert len(standing.history()) == len(before) + 1
    with standing.ledgers(CENTRE)[0].stores.inbox.unit() as unit:
        stages = [one.stage for one in unit.given(said.parcel)]
    assert stages == [Stage.ACCEPTED, Stage.REFUSED], "and there is no success beside it"


def test_a_submission_refused_at_the_door_stays_refused_under_its_key(standing: Standing) -> None:
    body = standing.people(1)
    bad = body.octets.replace(b'"SexCode":"1"', b'"SexCode":"77"').replace(b'"SexCode":"2"', b'"SexCode":"77"')
    assert bad != body.octets
    before = standing.history()
    told = [posted(standing, bad, "application/x-ndjson", "refused-once") for _ in range(3)]
    assert told[0].status == 422 and all((one.status, one.body) == (422, told[0].body) for one in told)
    assert posted(standing, body.octets, "application/x-ndjson", "refused-once").code == "EXN-API-KEY-REUSED"
    standing.accounted()
    assert standing.history() == before


def test_what_a_full_receiver_took_is_not_sent_again_and_what_it_did_not_comes_later(standing: Standing) -> None:
    """The centre may hold one unopened parcel of this department, and its warehouse is busy, so that it opens none."""
    before, records = standing.arrived(), len(standing.history())
    limit = standing.set(CENTRE, "60-quota", "")
    standing.edit(CENTRE, f'node = "{SOURCE}"\n', f'node = "{SOURCE}"\nquota = {{ parcels = 1 }}\n')
    standing.reload(CENTRE)
    went = standing.metric(SOURCE, "exnode_delivery_attempts_total", outcome="accepted")
    turned = standing.metric(SOURCE, "exnode_delivery_attempts_total", outcome="turned")
    lock = sqlite3.connect(standing.seat(CENTRE).state / "warehouse.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        standing.submit(standing.people(2))
        (first,) = until("the last one it has room for", lambda: set(standing.arrived()) - set(before))
        standing.submit(standing.people(2))
        until("it says that it is full", lambda: standing.metric(
            SOURCE, "exnode_delivery_attempts_total", outcome="turned") >= turned + 2)
        assert "EXN-QUOTA" in standing.events(SOURCE)
        assert set(standing.arrived()) - set(before) == {first}
        lock.execute("ROLLBACK")
    finally:
        lock.close()
        standing.edit(CENTRE, "quota = { parcels = 1 }\n", "")
        limit.unlink()
    standing.reload(CENTRE)
    standing.accounted()
    new = [parcel for parcel in standing.arrived() if parcel not in before]
    assert len(new) == 2 and len(standing.history()) == records + 4
    assert standing.metric(SOURCE, "exnode_delivery_attempts_total", outcome="accepted") == went + 2, "each once"
    with standing.ledgers(SOURCE)[0].stores.outbox.unit() as unit:
        entry = unit.entry(first)
    assert entry is not None and entry.attempts == 1, "what it took was never sent again"
