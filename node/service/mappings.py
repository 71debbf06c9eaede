"""The mappings that resources name, read when a node starts, is checked or reloads."""

from __future__ import annotations

from collections.abc import Mapping

from node.config import Settings
from node.ports import Crypto
from node.validate import Specifications
from node.validate.mapping import SourceMapping, load_mapping


def read_mappings(settings: Settings, held: Specifications, crypto: Crypto) -> Mapping[tuple[str, str], SourceMapping]:
    """Return every mapping by its resource and name; raise Hold(MAPPING_FORM) for the first that cannot be used."""
    return {
        (resource.code, name): load_mapping(path, held, crypto.sm3, resource.specification)
        for resource in settings.resource for name, path in resource.mappings.items()
    }
