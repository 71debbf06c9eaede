"""SIGHUP: peers suspended and reinstated, revoked, added and left out; grants; faults, which change nothing."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.demo.site import Plan
from node.crypto import authority, certificates
from tests.processes.exchange import CENTRE, CRYPTO, RESOURCES, SOURCE, SUBSCRIBER, Exchange, running, until

PARTED = Plan(CENTRE, (SOURCE, SUBSCRIBER), RESOURCES, {code: (SOURCE,) for code in RESOURCES}, {})
"""Nobody subscribes yet, but the subscriber's node lets the centre send it everything."""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A centre and a department; each test leaves their settings as it found them."""
    with running(tmp_path_factory.mktemp("reload"), CENTRE, SOURCE) as exchange:
        yield exchange


def flows(exchange: Exchange, count: int = 3) -> int:
    """Submit records and wait until the centre has them; return how many it has then."""
    whole = exchange.delivered(CENTRE) + count
    exchange.submit(exchange.people(count))
    until("they arrive", lambda: exchange.delivered(CENTRE) == whole)
    return whole


def revoke(exchange: Exchange, use: str) -> None:
    """Have the CA revoke a certificate of the source and publish its lists; the centre reads them."""
    path = exchange.seat(SOURCE).folder / "keys" / f"{use}.crt"
    authority.revoke(exchange.site.desk, certificates.parse(path.read_bytes(), CRYPTO.sm3).serial)
    authority.crl(exchange.site.desk)
    reload(exchange, CENTRE)


def reload(exchange: Exchange, node: str, good: bool = True) -> None:
    """Have a node read its settings again, and wait until it has."""
    event = "config.reloaded" if good else "EXN-CONFIG"
    before = exchange.events(node).count(event)
    exchange.crew.signal(node, signal.SIGHUP)
    until(f"{node} answers to SIGHUP", lambda: exchange.events(node).count(event) > before)


def up(exchange: Exchange, node: str, peer: str) -> float:
    """Return whether a node has a peer up, as its metrics say."""
    found = re.search(rf'exnode_peer_up\{{peer="{peer}"\}} (.*)', exchange.ask(node, "/metrics")[1].decode())
    return float(found[1]) if found else -1.0


def seen(exchange: Exchange, node: str, event: str) -> None:
    until(f"{event} at {node}", lambda: event in exchange.events(node))


def test_a_suspended_peer_is_held_and_goes_on_by_itself_when_reinstated(exchange: Exchange) -> None:
    arrived = flows(exchange)
    exchange.edit(CENTRE, f'node = "{SOURCE}"\n', f'node = "{SOURCE}"\nsuspended = true\n')
    reload(exchange, CENTRE)
    seen(exchange, SOURCE, "EXN-SUSPENDED")
    exchange.submit(exchange.people(4))
    until("the source knows it is down", lambda: up(exchange, SOURCE, CENTRE) == 0.0)
    assert exchange.delivered(CENTRE) == arrived
    assert not exchange.ledgers(SOURCE)[0].idle(), "the records are kept"
    assert exchange.red(SOURCE) == set(), "the queue is for that"
    exchange.edit(CENTRE, "suspended = true\n", "")
    reload(exchange, CENTRE)
    until("the others arrive", lambda: exchange.delivered(CENTRE) == arrived + 4)


def test_a_revoked_peer_loses_its_connections_and_nothing_of_it_comes_in(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE) as exchange:
        arrived = flows(exchange)
        until("the link is up", lambda: up(exchange, SOURCE, CENTRE) == 1.0)
        revoke(exchange, "tls")
        until("the link is cut", lambda: up(exchange, SOURCE, CENTRE) == 0.0)
        exchange.submit(exchange.people(4))
        seen(exchange, CENTRE, "EXN-CERT-REVOKED")
        told = next(line for line in exchange.log(CENTRE) if line["event"] == "EXN-CERT-REVOKED")
        assert told["peer"] == SOURCE, "the centre's people see whose it is"
        assert exchange.delivered(CENTRE) == arrived and exchange.red(CENTRE) == set()


def test_a_revoked_signature_is_held_though_the_channel_is_good(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE) as exchange:
        arrived = flows(exchange)
        revoke(exchange, "sign")
        exchange.submit(exchange.people(4))
        seen(exchange, SOURCE, "EXN-CERT-REVOKED")
        assert exchange.delivered(CENTRE) == arrived


def test_a_grant_added_by_configuration_alone_gives_the_subscriber_the_history(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE, SUBSCRIBER, plan=PARTED) as exchange:
        exchange.edit(SUBSCRIBER, "resources = []\norigins", 'resources = ["population"]\norigins')
        reload(exchange, SUBSCRIBER)
        exchange.submit(exchange.people(25))
        until("the centre has all", lambda: exchange.delivered(CENTRE) == 25)
        assert exchange.delivered(SUBSCRIBER) == 0
        grant = exchange.set(CENTRE, "70-grant", (
            f'[[grant]]\nresource = "population"\nreceiver = "{SUBSCRIBER}"\npurpose = "later"\n'
            "until = 2099-01-01T00:00:00Z\n"
        ))
        reload(exchange, CENTRE)
        until("the history arrives", lambda: exchange.delivered(SUBSCRIBER) == 25)
        grant.unlink()
        reload(exchange, CENTRE)
        exchange.submit(exchange.people(5))
        until("the centre has all", lambda: exchange.delivered(CENTRE) == 30)
        assert exchange.delivered(SUBSCRIBER) == 25, "what is not granted now is not handed out"


def test_a_peer_added_while_we_run_is_connected_to_and_one_left_out_is_let_go(exchange: Exchange) -> None:
    config = exchange.seat(SOURCE).config
    whole = config.read_text(encoding="utf-8")
    start = whole.index(f'[[peer]]\nnode = "{CENTRE}"')
    end = whole.index("[[", start + 2)
    until("the link is up", lambda: up(exchange, SOURCE, CENTRE) == 1.0)
    alone = whole[:start] + whole[end:]
    config.write_text(alone.replace(f'receivers = ["{CENTRE}"]', "receivers = []"), encoding="utf-8")
    reload(exchange, SOURCE)
    until("let go", lambda: up(exchange, SOURCE, CENTRE) == 0.0)
    config.write_text(whole, encoding="utf-8")
    reload(exchange, SOURCE)
    until("connected again", lambda: up(exchange, SOURCE, CENTRE) == 1.0)
    flows(exchange)


def test_settings_with_faults_change_nothing_and_every_fault_is_told(exchange: Exchange) -> None:
    path = exchange.set(SOURCE, "80-faults", '[clock]\nskew = "soon"\n[timers]\nnonsense = "1s"\n')
    reload(exchange, SOURCE, good=False)
    told = [line for line in exchange.log(SOURCE) if line["event"] == "EXN-CONFIG"]
    assert {line["at"] for line in told} >= {"clock.skew", "timers.nonsense"}
    assert all("soon" not in str(line) for line in told), "a value is never shown"
    assert b"exnode_config_last_reload_successful 0.0" in exchange.ask(SOURCE, "/metrics")[1]
    flows(exchange)
    path.unlink()
    reload(exchange, SOURCE)
    assert b"exnode_config_last_reload_successful 1.0" in exchange.ask(SOURCE, "/metrics")[1]


def test_a_broken_revocation_list_is_refused_and_the_old_one_stays(exchange: Exchange) -> None:
    path = exchange.site.folder / "ca" / "issuing.crl"
    (crl,) = certificates.split(path.read_bytes(), "X509 CRL")
    path.write_bytes(crl[:-1] + bytes([crl[-1] ^ 1]))
    exchange.crew.signal(CENTRE, signal.SIGHUP)
    until("told", lambda: [one for one in exchange.log(CENTRE) if (one["level"], one.get("at")) == ("error", "reload")])
    flows(exchange)
    path.write_bytes(crl)


def test_what_needs_a_restart_is_said(exchange: Exchange) -> None:
    path = exchange.set(SOURCE, "90-later", '[retention]\nreceipts = "4000d"\n[log]\nlevel = "debug"\n')
    reload(exchange, SOURCE)
    path.unlink()
    told = until("said", lambda: [one for one in exchange.log(SOURCE) if one["event"] == "config.restart"])
    assert told[0]["tables"] == "retention, log"
