"""The wire as somebody on it sees it: RFC 8998 and nothing else, and nothing of a record even with TLS taken off.

Two departments and a centre run as real processes.  Packets are read from the loopback interface (root); where that
is forbidden the recording relay stands in, and the tests of packets are skipped by name, but fail in CI.
"""

from __future__ import annotations

import gzip
import json
import random
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import zstandard
from OpenSSL import SSL
from OpenSSL._util import lib

from node.crypto.tls import Channels, TlsKey
from node.service.build import now
from tests.conftest import IN_CI
from tests.processes import hellos
from tests.processes.clear import Search, telling, writings
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, running, until
from tests.processes.sniffer import Sniffer, by_direction, open_sniffer
from tests.processes.unwrapped import Unwrapped

RECORDS = 60
SUITE, TLS13, CURVE_SM2, SM2_SM3 = 0x00C6, 0x0304, 41, 0x0708


@dataclass
class Seen:
    """What was seen while records went from the source through the centre to the subscriber, and back as receipts."""

    exchange: Exchange
    sniffer: Sniffer | None
    gateway: int
    inside: list[bytes] = field(repr=False)
    search: Search
    twins: list[dict[str, object]] = field(repr=False)

    @property
    def packets(self) -> Sniffer:
        """The packets, where they may be read."""
        if self.sniffer is None:
            assert not IN_CI, "a packet socket is refused, and CI must run this"
            pytest.skip("a packet socket is refused: needs root or CAP_NET_RAW")
        return self.sniffer


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with running(tmp_path_factory.mktemp("seen")) as exchange:
        gateway, api = exchange.seat(CENTRE).gateway, exchange.seat(SOURCE).api
        sniffer = open_sniffer([gateway, api])
        exchange.start(CENTRE, SOURCE, SUBSCRIBER)
        people, more = exchange.people(RECORDS), exchange.people(RECORDS)
        exchange.submit(people)
        exchange.settled()
        relay = Unwrapped(exchange)
        try:
            for node in (SOURCE, SUBSCRIBER):
                exchange.edit(node, f'address = "127.0.0.1:{gateway}"', f'address = "127.0.0.1:{relay.port}"')
                exchange.crew.signal(node, signal.SIGHUP)
            # A line that was open keeps the poll that waits on it: only the next one comes through the relay.
            until("both speak through the relay", lambda: all(
                relay.speaks(node, b"POST /v1/collect") for node in (SOURCE, SUBSCRIBER)))
            exchange.submit(more)
            until("all is delivered", lambda: exchange.delivered(SUBSCRIBER) == 2 * RECORDS)
            exchange.settled()
        finally:
            relay.close()
        assert not relay.troubles, relay.troubles
        twins = [json.loads(line) for line in (people.octets + b"\n" + more.octets).splitlines()]
        search = Search(text for twin in twins for text in telling(twin))
        yield Seen(exchange, sniffer, gateway, [bytes(one) for one in relay.said], search, twins)
        if sniffer is not None:
            sniffer.close()


def offer(hello: hellos.Hello) -> tuple[object, ...]:
    """Return what a ClientHello offers."""
    return (
        hello.suites, hello.numbers(hellos.VERSIONS, 1), hello.numbers(hellos.GROUPS, 2),
        hello.numbers(hellos.SIGNATURES, 2),
    )


def test_nodes_offer_and_choose_rfc_8998_and_nothing_else(seen: Seen) -> None:
    streams = by_direction(seen.packets.streams(seen.gateway), seen.gateway)
    asking = [one for one in streams["to"] if one.octets]
    assert len(asking) >= 4 and seen.packets.dropped == 0, "both departments, several lines each"
    for one in asking:
        said = hellos.hello(one.octets, hellos.CLIENT_HELLO)
        assert offer(said) == ((SUITE,), (TLS13,), (CURVE_SM2,), (SM2_SM3,))
        assert not {hellos.PSK, hellos.EARLY, hellos.TICKET} & set(said.extensions), "no resumption, no early data"
    for one in (each for each in streams["from"] if each.octets):
        said = hellos.hello(one.octets, hellos.SERVER_HELLO)
        assert said.random != hellos.RETRY and said.suites == (SUITE,)
        assert said.numbers(hellos.VERSIONS, 0) == (TLS13,)
        assert said.numbers(hellos.KEY_SHARE, 0)[0] == CURVE_SM2
        assert hellos.PSK not in said.extensions, "every handshake is a full one"


def test_after_the_hellos_all_records_are_encrypted_and_nothing_is_outside_a_record(seen: Seen) -> None:
    for one in seen.packets.streams(seen.gateway):
        # A call that was refused, before its goal listened, has an answer without beginning and without an octet.
        assert one.whole or not one.pieces, "a gap in what was seen proves nothing"
        kinds = [kind for kind, _ in hellos.records(one.octets)]
        assert kinds[:1] in ([], [hellos.HANDSHAKE])
        assert set(kinds[1:]) <= {hellos.APPLICATION, hellos.CHANGE}
        assert kinds.count(hellos.CHANGE) <= 1


def test_no_field_of_a_record_is_in_the_packets_between_nodes(seen: Seen) -> None:
    between = [one.octets for one in seen.packets.streams(seen.gateway)]
    assert sum(map(len, between)) > RECORDS * 200, "they went by"
    assert [found for octets in between if (found := seen.search(octets))] == []


def test_the_same_search_finds_them_on_the_local_port(seen: Seen) -> None:
    """The caller's own line is no line between nodes: it is on this machine, in clear, and told apart by its port."""
    api = [one.octets for one in seen.packets.streams(seen.exchange.seat(SOURCE).api)]
    assert any("utf-8" in seen.search(octets) for octets in api)


def test_with_tls_taken_off_no_field_of_a_record_is_in_clear(seen: Seen) -> None:
    whole = b"".join(seen.inside)
    for part in (b"POST /v1/parcels", b"POST /v1/collect", b"POST /v1/receipts", b"POST /v1/hello", b"EXNP\x01"):
        assert part in whole, "what travels is what was searched"
    assert whole.count(b"EXNP\x01") >= 2, "to the centre, and on to the subscriber"
    assert [found for octets in seen.inside if (found := seen.search(octets))] == []


def test_the_search_finds_what_is_planted_in_every_writing(seen: Seen, seed: int) -> None:
    chance = random.Random(seed)
    text = str(seen.twins[7]["PersonName"]) + "街道"  # long enough for every writing
    search, inside = Search([text]), max(seen.inside, key=len)[: 1 << 17]
    assert not search(inside)
    forms = writings(text)
    assert len(forms) == 9 and all(forms.values())
    for name, octets in ((name, form) for name, some in forms.items() for form in some):
        at = chance.randrange(len(inside))
        assert name in search(inside[:at] + octets + inside[at:]), name
        for packed in (zstandard.compress(b"front" + octets), gzip.compress(octets)):
            assert f"{name}, packed" in search(inside[:at] + packed + inside[at:]), name


@pytest.mark.parametrize("what", ["suite", "version", "group", "nobody"])
def test_the_gateway_speaks_to_nobody_who_offers_anything_else(seen: Seen, what: str) -> None:
    """Standard TLS 1.3, TLS 1.2, another group, and no certificate: none gets as far as a byte of an answer."""
    context = channels(seen).client()
    if what == "suite":
        context.set_tls13_ciphersuites(b"TLS_AES_128_GCM_SHA256")
    elif what == "version":
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
    elif what == "group":
        assert lib.SSL_CTX_set1_curves_list(context._context, b"X25519:P-256") == 1
    else:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_tls13_ciphersuites(b"TLS_SM4_GCM_SM3")
        assert lib.SSL_CTX_set1_curves_list(context._context, b"curveSM2") == 1
        assert lib.SSL_CTX_set1_sigalgs_list(context._context, b"sm2sig_sm3") == 1
    with socket.create_connection(("127.0.0.1", seen.gateway)) as line:
        line.settimeout(None)
        tls = SSL.Connection(context, line)
        tls.set_connect_state()
        with pytest.raises(SSL.Error):
            tls.do_handshake()  # TLS 1.3 lets a client finish before the server has judged its certificate
            tls.sendall(b"POST /v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            tls.recv(1)


def test_a_session_cannot_be_resumed(seen: Seen) -> None:
    context = channels(seen).client()
    lib.SSL_CTX_clear_options(context._context, SSL.OP_NO_TICKET) if hasattr(lib, "SSL_CTX_clear_options") else None
    context.set_session_cache_mode(SSL.SESS_CACHE_CLIENT)
    former = None
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", seen.gateway)) as line:
            line.settimeout(None)
            tls = SSL.Connection(context, line)
            tls.set_connect_state()
            if former is not None:
                tls.set_session(former)
            tls.do_handshake()
            tls.sendall(b"GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
            assert tls.recv(12) == b"HTTP/1.1 405"  # whatever comes after the handshake has been read, tickets too
            assert not lib.SSL_session_reused(tls._ssl)
            former = tls.get_session()
            assert former is not None


def channels(seen: Seen) -> Channels:
    """Return the source's channels, new ones: a test changes their contexts."""
    papers = seen.exchange.ledgers(SOURCE)[0].papers
    return Channels(TlsKey(*papers.keyring.tls()), papers.trust, papers.crypto.sm3, now)
