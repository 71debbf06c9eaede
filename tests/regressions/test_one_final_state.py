"""4 and 5: receipt against timeout, and a long row of refusals (PEERS §11.4, §11.5).

Holodeck #128: a receipt that came while the timeout was handled left a message both delivered and failed.
OpenAS2 #418, #322: when the last retry was used up on negative receipts, the payload was gone from the error folder,
and a resend had a new message id.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from node.envelope import Letter, write_letter
from node.exchange.seal import Outgoing
from node.model import codes
from node.model.parcel import Stage
from node.model.spool import Entry, EntryState
from node.model.trouble import Code, trouble
from node.wire.media import LETTER
from node.wire.message import Request, Response
from node.workers import Timers
from node.workers.passage import take_receipts
from tests.deliver.play import Play, says
from tests.exchange.acts import entry_of, receipt, sent, supplied
from tests.stage.desk import CENTRE, finish
from tests.stage.pair import Pair

POST = "/v1/parcels"
QUICK = Timers(rest_first=0.5, rest_most=4.0, hello=2.0, idle=1.0, poll=2.0, post=2.0, overdue_ms=1500)
STEP = 0.5
ORDERS = list(itertools.permutations(stage.value for stage in Stage))


@pytest.fixture
def play() -> Iterator[Play]:
    made = Play(timers=QUICK)
    yield made
    made.end()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Play]:
    made = Play(Pair(tmp_path), QUICK)
    yield made
    made.end()


def entries(play: Play) -> Sequence[Entry]:
    """Return everything in the department's outbox."""
    with play.dept.stores.outbox.unit() as unit:
        return unit.entries(None, "", 100)


def accepted_at(play: Play) -> int:
    """Return how many parcels the centre has."""
    with play.pair.centre.stores.inbox.unit() as unit:
        return len(unit.arrivals(None, "", 100))


@pytest.mark.parametrize("answered", [0.0, 1.5, 2.0, 2.5, 5.0], ids=lambda late: f"answered-after-{late:g}s")
@pytest.mark.parametrize("opened", [0.0, 1.5, 2.0, 2.5, 5.0], ids=lambda late: f"judged-after-{late:g}s")
def test_a_receipt_that_meets_a_timeout_leaves_one_final_state(answered: float, opened: float) -> None:
    """The line takes each answer to a posting as long as it likes: before, at and after the end of our patience (2 s),
    while the asker asks (1.5 s) and the centre judges meanwhile."""
    pair = Pair()
    takes = pair.gateway.parcels

    async def late(request: Request) -> Response:
        answer = await takes(request)
        await pair.centre.desk.sleep(answered)
        return answer

    pair.gateway.parcels = late  # type: ignore[method-assign]  # the line's own delay
    play = Play(pair, QUICK)
    supplied(play.dept, 3)
    play.link.set_up(True)
    play.start(play.greeter.run, play.pump.run, play.asker.poll)
    play.go(opened, STEP)
    pair.opened()
    play.go(12.0, STEP)
    (entry,) = entries(play)
    assert (entry.state, entry.count) == (EntryState.DONE, 3), "one parcel, one final state"
    assert accepted_at(play) == 1, "nothing was sent anew"
    tally = play.dept.tally
    assert tally.of("records_delivered") == 3 and tally.of("parcels_parked") == 0, "told once"
    lost = tally.of("delivery_attempts", outcome="lost")
    assert (lost > 0) is (answered >= QUICK.post), "the timeout was met, or not, as this case says"
    play.end()


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_of_two_final_words_the_first_stands_in_every_order_and_is_counted_once(
    play: Play, order: Sequence[str],
) -> None:
    """A receiver that says both, or a forger with its key: the state is decided once and never turns."""
    parcel = posted(play)
    hear(play, parcel, order, codes.UNSUPPORTED)
    refused_first = order.index("refused") < order.index("processed")
    found, tally = entry_of(play.dept, parcel.entry.parcel), play.dept.tally
    # What was refused and then processed was processed: the receiver's later knowledge is the greater one.
    assert found.state is EntryState.DONE
    assert tally.of("records_delivered") == 1
    assert tally.of("parcels_parked") == (1 if refused_first else 0)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_that_it_cannot_open_a_parcel_is_a_receivers_last_word_in_every_order(play: Play, order: Sequence[str]) -> None:
    """Another copy of it had opened the parcel; this one has not its records, and they are not taken for delivered."""
    parcel = posted(play)
    hear(play, parcel, order, codes.OPEN)
    found, tally = entry_of(play.dept, parcel.entry.parcel), play.dept.tally
    assert (found.state, found.code) == (EntryState.PARKED, codes.OPEN.name)
    refused_first = order.index("refused") < order.index("processed")
    assert (tally.of("records_delivered"), tally.of("parcels_parked")) == (0 if refused_first else 1, 1)


def posted(play: Play) -> Outgoing:
    supplied(play.dept)
    return sent(play.dept)


def hear(play: Play, parcel: Outgoing, order: Sequence[str], code: Code) -> None:
    """Take home receipts of all stages in this order, twice."""
    to = play.pair.dept.desk.means
    said = [receipt(parcel, play.pair.centre.desk.means, to, Stage(stage), code=code) for stage in order]
    for one in said + said:
        finish(take_receipts(play.dept.desk, CENTRE, [one]), play.clock)


def test_endless_negative_answers_lose_neither_the_payload_nor_its_id(on_disk: Play) -> None:
    play, pair = on_disk, on_disk.pair
    supplied(play.dept, 4)
    play.answers[POST] = says(trouble(codes.QUOTA, peer="dept-a"))
    play.link.set_up(True)
    play.start(play.pump.run)
    play.go(600, 2.0)
    tries = play.asked[POST]
    (entry,) = entries(play)
    assert tries > 50 and entry.state in (EntryState.SEALED, EntryState.SENT), "there is no last retry"
    with play.dept.stores.outbox.unit() as unit:
        kept, lines = unit.sealed(entry.parcel), [line for group in unit.groups(entry.parcel) for line in group.lines]
    assert len(lines) == 4
    del play.answers[POST]

    def nothing_yet(request: Request) -> Response:
        return Response(200, write_letter(Letter()), [(b"Content-Type", LETTER)])

    play.answers["/v1/receipts"] = nothing_yet
    outgoing = sent(play.dept)
    assert (outgoing.manifest, outgoing.payload) == (kept.manifest, kept.payload), "the identical bytes"
    word = receipt(outgoing, pair.centre.desk.means, pair.dept.desk.means, Stage.REFUSED)
    finish(take_receipts(play.dept.desk, CENTRE, [word]), play.clock)
    pair.dept = pair.dept.crash()
    parked = entry_of(pair.dept, entry.parcel)
    assert (parked.state, parked.code) == (EntryState.PARKED, codes.OPEN.name), "it waits for a person, with its reason"
    with pair.dept.stores.outbox.unit() as unit:
        again = unit.sealed(entry.parcel)
        assert [line for group in unit.groups(entry.parcel) for line in group.lines] == lines
    assert (again.manifest, again.payload) == (kept.manifest, kept.payload)
    play.dept = pair.dept
