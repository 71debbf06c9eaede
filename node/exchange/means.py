"""What the verbs work with: who we are, our crypto, the registry, the specifications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.ports import Chance, Crypto, Identity, Registry, Trust
from node.validate import Specifications
from node.validate.between import Betweens
from node.validate.mapping import SourceMapping


@dataclass(frozen=True, slots=True)
class Means:
    """One node's means, replaced as a whole when configuration or trust changes."""

    identity: Identity
    crypto: Crypto
    registry: Registry
    trust: Trust
    specifications: Specifications
    chance: Chance
    skew: int = 300_000
    """How far (ms) a peer's clock may differ from ours."""
    mappings: Mapping[tuple[str, str], SourceMapping] = field(default_factory=dict)
    """The mappings of sources' rows, by resource and name."""
    betweens: Betweens = field(default_factory=Betweens)
    """The rules between records."""
