"""11: evidence a node depends on is too old: it goes on for the stated grace, then holds and says why (PEERS §11.11).

X-Road's TimestamperFailed: without a time stamp for four hours every message is refused.  Our dependency is the
revocation list: late by more than `keys.crl_grace`, nothing of a peer is believed, and all goes on with a new list.
"""

from __future__ import annotations

from node.crypto import authority
from tests.processes.exchange import CENTRE, SOURCE, until
from tests.regressions.clocked import DAY, jump
from tests.regressions.standing import Standing

LATE = authority.CRL_DAYS * DAY
HOUR = 3_600_000


def both(standing: Standing, by: int) -> None:
    """Let the clocks of both stray by so much."""
    for node in (CENTRE, SOURCE):
        jump(standing.crew.clock(node), by)


def test_a_list_past_its_grace_holds_with_its_code_and_a_new_one_lets_all_go_on(standing: Standing) -> None:
    before, records = standing.arrived(), len(standing.history())
    lists = {path: path.read_bytes() for path in (standing.site.folder / "ca").glob("*.crl")}
    try:
        authority.crl(standing.site.desk, 3 * authority.CRL_DAYS)
        standing.reload(SOURCE)  # the source has the new list, the centre the one it started with
        both(standing, LATE + 12 * HOUR)
        standing.submit(standing.people(2))
        standing.accounted()
        assert len(standing.history()) == records + 2 and standing.red(CENTRE) == set(), "within the grace of a day"
        both(standing, LATE + 36 * HOUR)
        assert "certificates" in until("red", lambda: standing.red(CENTRE), 10)
        told = standing.events(CENTRE).count("EXN-CRL-MISSING")
        standing.submit(standing.people(3))
        until("held or turned away with its code", lambda: "EXN-CRL-MISSING" in standing.events(SOURCE)
              or standing.events(CENTRE).count("EXN-CRL-MISSING") > told)
        assert len(standing.arrived()) == len(before) + 1, "nothing is believed on old evidence"
        assert not standing.ledgers(SOURCE)[0].idle(), "and nothing is lost"
        assert standing.red(SOURCE) == set(), "the source can do nothing about it: its queue is for that"
        standing.reload(CENTRE)
        until("green by itself", lambda: not standing.red(CENTRE))
        standing.accounted()
        found = standing.history()
        assert len(found) == len(set(found)) == records + 5
    finally:
        both(standing, 0)
        for path, octets in lists.items():
            path.write_bytes(octets)
