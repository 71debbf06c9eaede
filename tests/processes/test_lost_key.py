"""A centre whose encryption key is lost for good while parcels wait to be opened: nothing is, once that is said."""

from __future__ import annotations

import os
from pathlib import Path

from node.crypto import authority, keyfile
from node.crypto.authority import Request
from node.model.certificate import Role
from node.model.spool import EntryState
from tests.processes.exchange import CENTRE, CRYPTO, SOURCE, Exchange, running, until
from tests.processes.test_reload import flows, reload, seen

LANE = f"{SOURCE}/population"


def queue(exchange: Exchange, node: str, *words: str) -> None:
    """Give the order of a person at the node."""
    status, told = exchange.command(node, "queue", *words, "--who", "li", "--json")
    assert status == 0, told


def lose_key(exchange: Exchange, node: str) -> None:
    """Throw the node's encryption key away and give it another."""
    seat = exchange.seat(node)
    keys = seat.folder / "keys"
    (keys / "encrypt.crt").rename(keys / "gone.crt")
    (keys / "encrypt.key").unlink()
    passphrase = (keys / "passphrase").read_bytes().strip()
    fresh = keyfile.make_key(keys / "encrypt.key", CRYPTO, passphrase, os.urandom)
    request = Request(node, seat.org, node, [seat.host], lambda role: fresh.public, roles=(Role.ENCRYPT,))
    (keys / "encrypt.crt").write_bytes(authority.issue(exchange.site.desk, request)[Role.ENCRYPT])


def test_what_was_sealed_to_it_is_refused_and_sealed_again_to_the_next(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE) as exchange:
        arrived = flows(exchange)
        queue(exchange, CENTRE, "hold", LANE, "--inbox")
        exchange.submit(exchange.people(4))
        until("accepted", lambda: EntryState.ACCEPTED in [one.state for one in exchange.ledgers(SOURCE)[0].entries()])
        exchange.crew.kill(CENTRE)
        lose_key(exchange, CENTRE)
        exchange.start(CENTRE)
        queue(exchange, CENTRE, "release", LANE, "--inbox")
        seen(exchange, CENTRE, "EXN-KEY-ROLE")
        assert exchange.delivered(CENTRE) == arrived, "the key may be found: the parcel waits"
        exchange.edit(CENTRE, "storage = [", 'lost = ["keys/gone.crt"]\nstorage = [')
        exchange.crew.kill(CENTRE)
        exchange.start(CENTRE)
        seen(exchange, CENTRE, "EXN-OPEN")
        reload(exchange, SOURCE)
        until("they arrive", lambda: exchange.delivered(CENTRE) == arrived + 4)
        flows(exchange)
