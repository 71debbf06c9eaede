"""1 and 2: one end dies between the durable step and the word that tells of it (PEERS §11.1, §11.2).

OpenAS2 #260: a file was visible to the back end before its MDN was sent; the sender sent again, and it was handled
twice.  The other half: the answer came, and its reader died before it wrote that down.
"""

from __future__ import annotations

import sqlite3

from node.model.parcel import Stage
from node.model.spool import EntryState
from tests.processes.exchange import CENTRE, SOURCE, until
from tests.regressions.hand import Hand
from tests.regressions.standing import Standing


def receipts(standing: Standing, node: str, parcel: str) -> dict[Stage, bytes]:
    """Return the receipts of a parcel: those the centre gave, or those the source holds."""
    (ledgers,) = standing.ledgers(node)
    if node == CENTRE:
        with ledgers.stores.inbox.unit() as unit:
            return {one.stage: one.statement for one in unit.given(parcel)}
    with ledgers.stores.outbox.unit() as unit:
        return dict(unit.receipts(parcel))


def state(standing: Standing, parcel: str) -> EntryState | None:
    """Return where the source thinks a parcel is."""
    with standing.ledgers(SOURCE)[0].stores.outbox.unit() as unit:
        entry = unit.entry(parcel)
    return entry.state if entry is not None else None


def stored(standing: Standing, before: list[str]) -> str:
    """Wait until the centre has one parcel more, and return it."""
    (parcel,) = until("stored at the centre", lambda: set(standing.arrived()) - set(before))
    return str(parcel)


def test_a_receiver_killed_before_its_receipt_left_gives_the_same_receipt_and_delivers_once(
    standing: Standing,
) -> None:
    before, records, body = standing.arrived(), len(standing.history()), standing.people(3)
    standing.relay.answering.clear()
    standing.submit(body)
    parcel = stored(standing, before)
    given = receipts(standing, CENTRE, parcel)[Stage.ACCEPTED]
    standing.crew.kill(CENTRE)
    standing.relay.cut()
    assert Stage.ACCEPTED not in receipts(standing, SOURCE, parcel), "the receipt was lost"
    standing.start(CENTRE)
    standing.relay.answering.set()
    standing.accounted()
    assert receipts(standing, SOURCE, parcel)[Stage.ACCEPTED] == given
    assert standing.arrived() == sorted([*before, parcel]), "nothing was sent under another id"
    with standing.ledgers(SOURCE)[0].stores.outbox.unit() as unit:
        kept = unit.sealed(parcel)
    with Hand(standing, SOURCE) as hand:
        again = hand.post_parcel(kept)
    assert (again.status, again.body) == (200, given), "the identical retry has the identical receipt"
    found = standing.history()
    assert len(found) == len(set(found)) == records + 3


def test_a_sender_killed_between_the_answer_and_its_commit_delivers_nothing_twice(standing: Standing) -> None:
    before, records, body = standing.arrived(), len(standing.history()), standing.people(3)
    standing.relay.answering.clear()
    standing.submit(body)
    parcel = stored(standing, before)
    busy = standing.events(SOURCE).count("EXN-STORE-BUSY")
    lock = sqlite3.connect(standing.seat(SOURCE).state / "outbox.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")  # the answer will be read, and cannot be written down
    standing.relay.answering.set()
    until("the answer was read", lambda: standing.events(SOURCE).count("EXN-STORE-BUSY") > busy)
    standing.crew.kill(SOURCE)
    lock.execute("ROLLBACK")
    lock.close()
    assert state(standing, parcel) is EntryState.SENT, "it died not knowing"
    standing.start(SOURCE)
    standing.accounted()
    assert state(standing, parcel) is EntryState.DONE
    assert standing.arrived() == sorted([*before, parcel])
    found = standing.history()
    assert len(found) == len(set(found)) == records + 3
