"""What single keys cannot tell: each check looks at several, and yields the key at fault with the rule it breaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from node.config.kinds import Endpoint
from node.config.sections import DAY
from node.config.settings import Settings

Finding = tuple[tuple[str | int, ...], str, dict[str, Any]]
Check = Callable[[Settings], Iterator[Finding]]

BODY_MOST = 64 << 20
_WITH_PASSWORD = re.compile(r"://[^/@:]*:[^/@]+@")


def _repeated(names: Iterable[Hashable]) -> Iterator[int]:
    seen: Counter[Hashable] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            yield index


def keys_have_one_role(settings: Settings) -> Iterator[Finding]:
    """Each private key and certificate has one use (WIRE §1)."""
    keys = settings.keys
    places: list[tuple[tuple[str | int, ...], object]] = []
    for role in ("sign", "encrypt", "tls"):
        pair = getattr(keys, role)
        places += [(("keys", role, "key"), pair.key), (("keys", role, "cert"), pair.cert)]
    for index, pair in enumerate(keys.old):
        places += [(("keys", "old", index, "key"), pair.key), (("keys", "old", index, "cert"), pair.cert)]
    places += [(("keys", "storage", index), file) for index, file in enumerate(keys.storage)]
    if settings.api.tls is not None:
        places.append((("api", "tls", "key"), settings.api.tls.key))
    for index in _repeated(file for _, file in places):
        yield places[index][0], "two_roles", {}


def names_are_unique(settings: Settings) -> Iterator[Finding]:
    """A peer, a resource and a grant are each described once."""
    lists: tuple[tuple[str, str, list[Hashable]], ...] = (
        ("peer", "node", [peer.node for peer in settings.peer]),
        ("resource", "code", [resource.code for resource in settings.resource]),
        ("grant", "resource", [(grant.resource, grant.receiver, grant.purpose) for grant in settings.grant]),
    )
    for table, key, names in lists:
        for index in _repeated(names):
            yield (table, index, key), "twice", {}
    files = [
        ((index, use), file)
        for index, peer in enumerate(settings.peer)
        for use, given in (("sign", peer.certificates.sign), ("encrypt", [peer.certificates.encrypt]),
                           ("tls", peer.certificates.tls))
        for file in given
    ]
    for place in _repeated(file for _, file in files):
        index, use = files[place][0]
        yield ("peer", index, "certificates", use), "two_roles", {}


def everyone_named_is_known(settings: Settings) -> Iterator[Finding]:
    """Receivers are peers, resources are in the catalogue, and nobody is sent what is his own."""
    own, peers = settings.node.code, {peer.node for peer in settings.peer}
    catalogue = {resource.code for resource in settings.resource}
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("resource", index, "receivers", place), receiver)
        for index, resource in enumerate(settings.resource) for place, receiver in enumerate(resource.receivers)
    ]
    named += [(("grant", index, "receiver"), grant.receiver) for index, grant in enumerate(settings.grant)]
    for where, node in named:
        if node == own:
            yield where, "self", {}
        elif node not in peers:
            yield where, "no_peer", {}
    for index, peer in enumerate(settings.peer):
        if peer.node == own:
            yield ("peer", index, "node"), "self", {}
        for place, code in enumerate(peer.resources):
            if code != "*" and code not in catalogue:
                yield ("peer", index, "resources", place), "no_resource", {}
    for index, grant in enumerate(settings.grant):
        if grant.resource not in catalogue:
            yield ("grant", index, "resource"), "no_resource", {}


def versions_agree(settings: Settings) -> Iterator[Finding]:
    """Versions taken side by side are of one interface, named once, end after they begin; one is right at any time."""
    for index, resource in enumerate(settings.resource):
        interface = resource.specification.partition("/")[0]
        for place in _repeated(version.specification for version in resource.versions):
            yield ("resource", index, "versions", place, "specification"), "twice", {}
        for place, version in enumerate(resource.versions):
            at = ("resource", index, "versions", place)
            if version.specification.partition("/")[0] != interface:
                yield (*at, "specification"), "other_interface", {"interface": interface}
            if version.since and version.until and version.until <= version.since:
                yield (*at, "until"), "ends_first", {}


def adapters_fit(settings: Settings) -> Iterator[Finding]:
    """Adapters and what they read are named once, resources and mappings are there, a resource is landed once."""
    catalogue = {resource.code: resource for resource in settings.resource}
    for index in _repeated(adapter.name for adapter in settings.adapter):
        yield ("adapter", index, "name"), "twice", {}
    landed: set[str] = set()
    for index, adapter in enumerate(settings.adapter):
        at = ("adapter", index)
        if adapter.settings.keys() & adapter.secrets.keys():
            yield (*at, "secrets"), "twice", {}
        yield from (((*at, "settings", name), "inline", {}) for name, said in adapter.settings.items()
                    if isinstance(said, str) and _WITH_PASSWORD.search(said))
        for place in _repeated(read.name or read.resource for read in adapter.read):
            yield (*at, "read", place, "name" if adapter.read[place].name else "resource"), "twice", {}
        for place, read in enumerate(adapter.read):
            resource = catalogue.get(read.resource)
            if resource is None:
                yield (*at, "read", place, "resource"), "no_resource", {}
            elif not resource.receivers:
                yield (*at, "read", place, "resource"), "no_receiver", {}
            elif read.mapping is not None and read.mapping not in resource.mappings:
                yield (*at, "read", place, "mapping"), "no_mapping", {}
        for place, write in enumerate(adapter.write):
            if write.resource not in catalogue:
                yield (*at, "write", place, "resource"), "no_resource", {}
            elif write.resource in landed:
                yield (*at, "write", place, "resource"), "twice", {}
            landed.add(write.resource)


def ports_are_safe(settings: Settings) -> Iterator[Finding]:
    """What other machines can reach asks for a certificate, and no port is used twice."""
    if not settings.api.listen.loopback and settings.api.tls is None:
        yield ("api", "listen"), "public_api", {}
    if not settings.admin.listen.loopback:
        yield ("admin", "listen"), "public_admin", {}
    used: list[Endpoint] = []
    for name in ("api", "admin", "gateway"):
        section = getattr(settings, name)
        if section is None:
            continue
        listen = section.listen
        if any(listen.port == other.port and (listen.host == other.host or "" in (listen.host, other.host))
               for other in used):
            yield (name, "listen"), "same_port", {}
        used.append(listen)


def peers_can_meet(settings: Settings) -> Iterator[Finding]:
    """Of two nodes one has an address for the other, unless one is known only as an origin another passes on."""
    receivers = {node for resource in settings.resource for node in resource.receivers}
    receivers |= {grant.receiver for grant in settings.grant}
    for index, peer in enumerate(settings.peer):
        if peer.address is None and peer.collect:
            yield ("peer", index, "collect"), "collect_address", {}
        meets = bool(peer.resources) or peer.node in receivers
        if meets and peer.address is None and settings.gateway is None:
            yield ("peer", index), "unreachable", {}


def measures_fit_together(settings: Settings) -> Iterator[Finding]:
    """Sizes, waits and ages that depend on each other."""
    disk, kept, api = settings.disk, settings.retention, settings.api
    for upper, lower in (("intake", "foreign"), ("foreign", "reserve")):
        above, below = getattr(disk, upper), getattr(disk, lower)
        if bool(above.percent) != bool(below.percent) or (above.octets, above.percent) < (below.octets, below.percent):
            yield ("disk", upper), "disk_order", {}
    if settings.timers.rest_first > settings.timers.rest_most:
        yield ("timers", "rest_first"), "wait_order", {}
    if api.record > api.body:
        yield ("api", "record"), "record_size", {}
    if api.body > BODY_MOST:
        yield ("api", "body"), "body_size", {}
    backup = max((peer.backup_interval for peer in settings.peer), default=0)
    for name, needed in (("answers", 30 * DAY), ("done", backup), ("receipts", kept.done)):
        if getattr(kept, name) < needed:
            yield ("retention", name), "too_brief", {"least": _days(needed)}


def _days(milliseconds: int) -> str:
    return f"{milliseconds // DAY}d" if milliseconds % DAY == 0 else f"{-(-milliseconds // 3_600_000)}h"


CHECKS: tuple[Check, ...] = (
    keys_have_one_role,
    names_are_unique,
    everyone_named_is_known,
    versions_agree,
    adapters_fit,
    ports_are_safe,
    peers_can_meet,
    measures_fit_together,
)


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield what every check finds."""
    for check in CHECKS:
        yield from check(settings)
