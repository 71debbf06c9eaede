"""What a node is by itself: its name, keys, ports, disk, times.  One class per table, every default in sight."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from node.config.kinds import (
    Age,
    Code,
    Count,
    Duration,
    Endpoint,
    File,
    Flag,
    FreeRoom,
    Library,
    Listen,
    NodeCode,
    OrgCode,
    Place,
    Room,
    SecretFile,
    Section,
    Size,
    Wait,
    several,
)

DAY = 86_400_000


class NodeSection(Section):
    """Who this node is, and where it keeps its state; `domain` is one per exchange and environment (WIRE §1)."""

    code: NodeCode
    org: OrgCode
    domain: Code
    state: Place
    language: Literal["zh", "en"] = "zh"


class SpecificationsSection(Section):
    """Folders with specifications of one's own, beside the published ones; laid out as `xsd/` is."""

    folders: Annotated[tuple[Place, ...], several()] = ()


class CryptoSection(Section):
    """Which libraries are loaded; `fallback` lets the slow reference run alone, and is logged.

    `libgcrypt` makes SM4 faster and is not needed: `"auto"` takes the system's if it is there, `"none"` takes none.
    """

    libcrypto: Place | None = None
    libgcrypt: Library = "auto"
    fallback: Flag = False


class Pair(Section):
    """A private key's file and its certificate's file."""

    key: File
    cert: File


class KeysSection(Section):
    """Three key pairs with three uses, the storage keys (the first is used now), trust and revocation (WIRE §1, §7).

    `old` pairs only decrypt; `lost` are certificates of encryption keys that nobody has any more.

    `passphrase` is a file's place or `credential:NAME`; a passphrase never stands here.
    A list of revoked certificates may be late by `crl_grace`.
    """

    sign: Pair
    encrypt: Pair
    tls: Pair
    old: Annotated[tuple[Pair, ...], several()] = ()
    lost: Annotated[tuple[File, ...], several()] = ()
    storage: Annotated[tuple[File, ...], several(1)]
    passphrase: SecretFile
    ca: Annotated[tuple[File, ...], several(1)]
    crl: Annotated[tuple[File, ...], several()] = ()
    crl_grace: Duration = DAY


class MutualSection(Section):
    """TLS of the local API when other machines may reach it; `ca` signs the callers' certificates and `crl` lists.

    This trust is its own: a peer's certificate does not open the local API, nor a caller's the gateway.
    """

    key: File
    cert: File
    ca: File
    crl: Annotated[tuple[File, ...], several(1)]
    profile: Literal["rfc8998", "tls13"] = "rfc8998"


class ApiSection(Section):
    """The local API, by default for this machine alone; its token file is written at the first start."""

    listen: Listen = Endpoint("127.0.0.1", 8700)
    token: SecretFile | None = None
    tls: MutualSection | None = None
    body: Size = 8 << 20
    records: Annotated[Count, Field(le=10_000)] = 10_000
    record: Size = 1 << 20


class GatewaySection(Section):
    """The port for peers; without this table the node is reached by nobody and collects what waits for it."""

    listen: Listen = Endpoint("", 8443)
    profile: Literal["rfc8998", "tls13"] = "rfc8998"
    connections: Count = 1024


class AdminSection(Section):
    """Health and metrics, for this machine only."""

    listen: Listen = Endpoint("127.0.0.1", 8701)


class DiskSection(Section):
    """Free room below which intake stops, then foreign data; the reserve is for receipts and purges (DESIGN §8.7)."""

    intake: FreeRoom = Room(octets=2 << 30)
    foreign: FreeRoom = Room(octets=1 << 30)
    reserve: FreeRoom = Room(octets=256 << 20)


class RetentionSection(Section):
    """How long finished things are kept: idempotency answers, done parcels, receipts, closed findings."""

    answers: Age = 30 * DAY
    done: Age = 7 * DAY
    receipts: Age = 3650 * DAY
    findings: Age = 365 * DAY


class FindingsSection(Section):
    """Where it stands, the rules between records are in force: for a node that has all records of a case.

    `wait` is how long a breach may last before it is told; else as each declaration says.
    """

    wait: Duration | None = None


class ClockSection(Section):
    """How far a peer's clock may differ from ours."""

    skew: Wait = 300_000


class TimersSection(Section):
    """Waits of the exchange.

    `poll` is the long poll, `idle` a look when nothing was rung, `overdue` when a receipt is asked for, `rest_*` how
    long a peer that failed is left alone, `post` what one posting may take, `lease` what a claim lasts.
    """

    poll: Wait = 25_000
    hello: Wait = 60_000
    idle: Wait = 15_000
    overdue: Wait = 30_000
    rest_first: Wait = 1_000
    rest_most: Wait = 300_000
    post: Wait = 120_000
    drain: Wait = 25_000
    lease: Wait = 120_000
    purge: Wait = 600_000


class LogSection(Section):
    """Where log lines go: standard error unless a file is named; the journal takes them with their fields."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    file: Place | None = None
    journal: Flag = False
