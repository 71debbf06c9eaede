"""The routing table, and addresses."""

from __future__ import annotations

import pytest
from twisted.internet.endpoints import HostnameEndpoint, TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.testing import MemoryReactor

from node.wire.address import client_of, server_at, split
from node.wire.message import Request, Response
from node.wire.routes import Routes


def nothing(request: Request) -> Response:
    return Response(204)


def test_a_fixed_path_wins_over_braces_and_the_first_braces_over_the_second() -> None:
    routes = Routes()
    for template in ("/a/{b}", "/a/b", "/{a}/b", "/a/{other}"):
        routes.add("GET", template, nothing)
    found = {path: routes.find(path) for path in ("/a/b", "/a/c", "/c/b", "/a", "/a/b/c", "/a/")}
    named = {path: place and place[0].template for path, place in found.items()}
    assert named == {"/a/b": "/a/b", "/a/c": "/a/{b}", "/c/b": "/{a}/b", "/a": None, "/a/b/c": None, "/a/": None}


def test_an_encoded_slash_stays_within_its_segment() -> None:
    routes = Routes()
    routes.add("GET", "/a/{b}", nothing)
    found = routes.find("/a/x%2Fy%00")
    assert found is not None and found[1] == {"b": "x/y\0"}


def test_a_route_is_defined_once() -> None:
    routes = Routes()
    routes.add("GET", "/a/{b}", nothing)
    routes.add("POST", "/a/{b}", nothing)
    for method, template in (("GET", "/a/{b}"), ("GET", "no-slash")):
        with pytest.raises(ValueError):
            routes.add(method, template, nothing)
    assert routes.templates() == [("GET", "/a/{b}"), ("POST", "/a/{b}")]


@pytest.mark.parametrize(("text", "expected"), [
    ("127.0.0.1:8700", ("127.0.0.1", 8700)), ("[::1]:8443", ("::1", 8443)),
    ("node.example.cn:1", ("node.example.cn", 1)),
    ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65535)),
])
def test_addresses_of_both_families_are_read(text: str, expected: tuple[str, int]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize("text", [
    "", "a", "a:", ":1", "::1:8443", "[::1]", "a:65536", "a:-1", "a b:1", "a:1\n", "[a]:1:2",
])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        split(text)


def test_the_family_follows_the_address() -> None:
    reactor = MemoryReactor()
    assert isinstance(server_at(reactor, "[::1]:1"), TCP6ServerEndpoint)
    assert isinstance(server_at(reactor, "127.0.0.1:1"), TCP4ServerEndpoint)
    assert isinstance(client_of(reactor, "[::1]:1"), HostnameEndpoint)
