"""The whole configuration as one frozen value."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from node.config.adapters import AdapterSection
from node.config.kinds import Section, several
from node.config.parties import GrantSection, PeerSection, ResourceSection
from node.config.sections import (
    AdminSection,
    ApiSection,
    ClockSection,
    CryptoSection,
    DiskSection,
    FindingsSection,
    GatewaySection,
    KeysSection,
    LogSection,
    NodeSection,
    RetentionSection,
    SpecificationsSection,
    TimersSection,
)
from node.model.registry import Grant, Resource


class Settings(Section):
    """Everything a node is told; `peer`, `resource`, `grant` and `adapter` are named as their tables are written."""

    node: NodeSection
    crypto: CryptoSection = CryptoSection()
    specifications: SpecificationsSection = SpecificationsSection()
    keys: KeysSection
    api: ApiSection = ApiSection()
    gateway: GatewaySection | None = None
    admin: AdminSection = AdminSection()
    disk: DiskSection = DiskSection()
    retention: RetentionSection = RetentionSection()
    findings: FindingsSection | None = None
    clock: ClockSection = ClockSection()
    timers: TimersSection = TimersSection()
    log: LogSection = LogSection()
    peer: Annotated[tuple[PeerSection, ...], several()] = ()
    resource: Annotated[tuple[ResourceSection, ...], several()] = ()
    grant: Annotated[tuple[GrantSection, ...], several()] = ()
    adapter: Annotated[tuple[AdapterSection, ...], several()] = ()

    @property
    def token(self) -> Path:
        """The file of the local API's token, below the state folder unless it is named."""
        return self.api.token or self.node.state / "api.token"

    @property
    def control(self) -> Path:
        """The socket by which commands reach the running node."""
        return self.node.state / "control.sock"

    def resources(self) -> tuple[Resource, ...]:
        """Return the catalogue entries as the exchange knows them."""
        return tuple(section.resource() for section in self.resource)

    def grants(self) -> tuple[Grant, ...]:
        """Return the grants as the exchange knows them, ended ones included."""
        return tuple(section.grant() for section in self.grant)
