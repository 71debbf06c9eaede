"""What a reload takes from the settings read anew, and what of them must wait for a restart.

Rule 1: everything is read and proved good before anything changes, away from the reactor.
Rule 2: peers, grants, resources, specifications, rules between records, mappings, adapters, authorities, revocation
    lists, disk thresholds and the clock's skew change at once; names, private keys, ports, waits and retention need a
    restart, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from node.config import Settings
from node.crypto.chain import CertificateTrust
from node.ports import Crypto
from node.service.adapters import Installed, read_adapters
from node.service.mappings import read_mappings
from node.service.papers import (
    Authorities,
    authorities,
    callers_authorities,
    read_between,
    read_registry,
    read_specifications,
)
from node.service.registry import StaticRegistry
from node.validate import Specifications
from node.validate.between import Betweens
from node.validate.mapping import SourceMapping

AT_ONCE = ("peer", "resource", "specifications", "findings", "grant", "adapter", "disk", "clock")
_LISTS: Mapping[str, Any] = {"ca": (), "crl": ()}


@dataclass(frozen=True, slots=True)
class Renewal:
    """Everything a reload changes, found good; `callers` are the authorities of the local API's mutual TLS."""

    settings: Settings
    registry: StaticRegistry
    authorities: Authorities
    callers: Authorities | None
    specifications: Specifications
    mappings: Mapping[tuple[str, str], SourceMapping]
    betweens: Betweens
    adapters: tuple[Installed, ...]


def read_renewal(reread: Callable[[], Settings], crypto: Crypto) -> Renewal:
    """Return what the files say now; blocks.

    Raises Misconfigured, Hold (KEY_FILE, SPECIFICATION_FORM, MAPPING_FORM, BETWEEN_FORM, KEY_ROLE), or Refused
    (CERT_FORM, CRL_FORM).
    """
    settings = reread()
    held = read_specifications(settings, crypto)
    found = Renewal(
        settings, read_registry(settings, crypto), authorities(settings, crypto), callers_authorities(settings, crypto),
        held, read_mappings(settings, held, crypto), read_between(settings, held), read_adapters(settings),
    )
    for each in (found.authorities, found.callers):
        if each is not None:
            CertificateTrust(crypto, *each)  # so that `renew` cannot fail half way
    return found


def awaiting_restart(old: Settings, new: Settings) -> list[str]:
    """Return the tables whose change has no effect before a restart."""
    return [
        name for name in Settings.model_fields
        if name not in AT_ONCE and _lasting(old, name) != _lasting(new, name)
    ]


def _lasting(settings: Settings, name: str) -> Any:
    """Return a table without what a reload takes from it."""
    section = getattr(settings, name)
    if name == "keys":
        return section.model_copy(update=_LISTS)
    if name == "api" and section.tls is not None:
        return section.model_copy(update={"tls": section.tls.model_copy(update=_LISTS)})
    return section
