"""A site: one folder with a development CA, a centre and departments, each with keys, certificates and a configuration.

The departments have no gateway: every inbound port of theirs is closed to peers, and they collect what waits for them.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from node.crypto import authority, keyfile
from node.crypto.selftest import open_crypto
from node.model.certificate import Role
from node.ports import Chance, Crypto

DOMAIN = "demo-city"
ORGS = {"centre": "11370800MB28559184", "dept-a": "11330105002500287C", "dept-b": "11100000000013338W"}
FILES = {Role.SIGN: "sign", Role.ENCRYPT: "encrypt", Role.TLS: "tls"}


@dataclass(frozen=True, slots=True)
class Seat:
    """One node of the site: where its folder is and where it listens; a department's `gateway` is 0."""

    node: str
    org: str
    folder: Path
    api: int
    admin: int
    gateway: int = 0
    host: str = "127.0.0.1"

    def at(self, port: int) -> str:
        """Return a port of this node as an address is written."""
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "node.toml"

    @property
    def state(self) -> Path:
        """Its state folder."""
        return self.folder / "state"

    @property
    def token(self) -> Path:
        """The token of its local API, written at its first start."""
        return self.state / "api.token"


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is there and what is exchanged: resources by code with their specification, who supplies, who gets them.

    `host` is the loopback address of either family on which everything listens; `own` is what stands in one node's
    configuration besides, `mappings` are files by resource and name.
    """

    centre: str
    departments: Sequence[str]
    resources: Mapping[str, str]
    suppliers: Mapping[str, Sequence[str]]
    subscribers: Mapping[str, Sequence[str]]
    extra: str = ""
    host: str = "127.0.0.1"
    own: Mapping[str, str] = field(default_factory=dict)
    mappings: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Site:
    """A laid-out site; `desk` is its development CA's."""

    folder: Path
    plan: Plan
    seats: Mapping[str, Seat]
    root: Path
    desk: authority.Desk


def lay_out(folder: Path, plan: Plan, crypto: Crypto | None = None, chance: Chance = os.urandom) -> Site:
    """Return a new site in an empty folder; nothing runs yet."""
    crypto = crypto or open_crypto(None, False, lambda said: None)
    ports = free_ports(2 * (1 + len(plan.departments)) + 1, plan.host)
    seats = {}
    for node in (plan.centre, *plan.departments):
        gateway = ports.pop() if node == plan.centre else 0
        seats[node] = Seat(node, ORGS[node], folder / node, ports.pop(), ports.pop(), gateway, plan.host)
    desk = authority.Desk(folder / "ca", chance(16).hex().encode("ascii"), crypto, chance, _now)
    authority.init(desk)
    for seat in seats.values():
        _papers(desk, seat, crypto, chance)
    site = Site(folder, plan, seats, folder / "ca" / "root.crt", desk)
    for seat in seats.values():
        seat.config.write_text(_config(site, seat), encoding="utf-8")
    return site


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports of a loopback address that nobody listens on just now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sockets = [socket.socket(family) for _ in range(count)]
    try:
        for each in sockets:
            each.bind((host, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _papers(desk: authority.Desk, seat: Seat, crypto: Crypto, chance: Chance) -> None:
    keys = seat.folder / "keys"
    keys.mkdir(mode=0o700, parents=True)
    passphrase = chance(16).hex().encode("ascii")
    keyfile.write(keys / "passphrase", passphrase + b"\n")
    pairs = {role: keyfile.make_key(keys / f"{name}.key", crypto, passphrase, chance) for role, name in FILES.items()}
    keyfile.make_storage(keys / "storage.key", passphrase, chance)
    request = authority.Request(
        seat.node, seat.org, f"演示单位 {seat.node}", ["localhost", seat.host], lambda role: pairs[role].public
    )
    for role, der in authority.issue(desk, request).items():
        (keys / f"{FILES[role]}.crt").write_bytes(der)


def _config(site: Site, seat: Seat) -> str:
    ca = site.folder / "ca"
    lines = [
        "[node]", f'code = "{seat.node}"', f'org = "{seat.org}"', f'domain = "{DOMAIN}"', f'state = "{seat.state}"', "",
        "[keys]", *(f'{name} = {{ key = "keys/{name}.key", cert = "keys/{name}.crt" }}' for name in FILES.values()),
        'storage = ["keys/storage.key"]', 'passphrase = "keys/passphrase"',
        f'ca = ["{ca}/root.crt", "{ca}/issuing.crt"]', f'crl = ["{ca}/root.crl", "{ca}/issuing.crl"]', "",
        "[api]", f'listen = "{seat.at(seat.api)}"', "", "[admin]", f'listen = "{seat.at(seat.admin)}"', "",
        "[timers]", 'rest_first = "200ms"', 'rest_most = "2s"', "",
        "[disk]", 'intake = "64MiB"', 'foreign = "48MiB"', 'reserve = "32MiB"', "",
    ]
    if seat.gateway:
        lines += ["[gateway]", f'listen = "{seat.at(seat.gateway)}"', ""]
    for other in site.seats.values():
        if other is not seat:
            lines += _peer(site, seat, other)
    for code, specification in site.plan.resources.items():
        supplies = seat.node in site.plan.suppliers.get(code, ())
        receivers = f'["{site.plan.centre}"]' if supplies else "[]"
        lines += ["[[resource]]", f'code = "{code}"', f'specification = "{specification}"']
        lines.append(f"receivers = {receivers}")
        lines += [f'mappings = {{ "{name}" = "{file}" }}' for name, file in site.plan.mappings.get(code, {}).items()]
        lines.append("")
    if seat.node == site.plan.centre:
        lines += _grants(site.plan)
    return "\n".join([*lines, site.plan.extra, site.plan.own.get(seat.node, ""), ""])


def _peer(site: Site, seat: Seat, other: Seat) -> list[str]:
    """Return the table of a peer: the centre is connected to, a department comes by itself or is known by its name."""
    keys = other.folder / "keys"
    central = other.node == site.plan.centre
    papers = ", ".join(f'{key} = {value}' for key, value in (
        ("sign", f'["{keys}/sign.crt"]'), ("encrypt", f'"{keys}/encrypt.crt"'), ("tls", f'["{keys}/tls.crt"]'),
    ))
    if central:
        codes = [code for code, nodes in site.plan.subscribers.items() if seat.node in nodes]
    else:
        codes = [code for code, nodes in site.plan.suppliers.items() if other.node in nodes]
        codes = codes if seat.node == site.plan.centre else []
    resources = ", ".join(f'"{code}"' for code in codes)
    lines = ["[[peer]]", f'node = "{other.node}"', f'org = "{other.org}"', f"certificates = {{ {papers} }}"]
    lines += [f"resources = [{resources}]"] + (['origins = ["*"]'] if central else [])
    lines += [f'address = "{other.at(other.gateway)}"'] if central else []
    return [*lines, ""]


def _grants(plan: Plan) -> list[str]:
    return [
        line
        for code, nodes in plan.subscribers.items()
        for node in nodes
        for line in (
            "[[grant]]", f'resource = "{code}"', f'receiver = "{node}"', 'purpose = "demonstration"',
            "until = 2099-01-01T00:00:00Z", "",
        )
    ]
