"""The two gates' schemas, derived in memory from one XSD: for whole records, and for deletes.

In the delete form every field is optional but the control fields and the business key; what is there must be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from node.validate.profile import XS
from node.validate.shape import Group, Leaf, Shape


def xml_schema(root: etree._Element, includes: Mapping[str, etree._Element], kept: frozenset[str] | None) -> Any:
    """Return the compiled XSD; `kept` are the fields a delete must carry, None for the form of whole records.

    Included types are copied in and their references given the target's prefix, so that no file is ever opened.
    """
    whole = deepcopy(root)
    prefix = next((name for name, uri in whole.nsmap.items() if uri == whole.get("targetNamespace")), None)
    for include in whole.findall(XS + "include"):
        whole.remove(include)
    for document in includes.values():
        for simple in deepcopy(document).findall(XS + "simpleType"):
            for restriction in simple.iter(XS + "restriction"):
                base = restriction.get("base", "")
                if ":" not in base and prefix is not None:
                    restriction.set("base", f"{prefix}:{base}")
            whole.append(simple)
    for note in list(whole.iter(XS + "annotation")):
        parent = note.getparent()
        if parent is not None:
            parent.remove(note)
    if kept is not None:
        record = whole.find(XS + "element")
        inner = [] if record is None else list(record.iter(XS + "element"))[1:]
        for element in inner:
            if element.get("name") not in kept or element.getparent() is not inner[0].getparent():
                element.set("minOccurs", "0")
    return etree.XMLSchema(etree.fromstring(etree.tostring(whole)))


def compiles(root: etree._Element, includes: Mapping[str, etree._Element]) -> bool:
    """Whether libxml2 takes the schema."""
    try:
        xml_schema(root, includes, None)
    except (etree.XMLSchemaParseError, etree.XMLSyntaxError):
        return False
    return True


def json_schema(shape: Shape, kept: frozenset[str] | None = None) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record; `kept` as above."""
    schema = _group(shape.record, kept, top=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": shape.title.zh, **schema}


def _group(group: Group, kept: frozenset[str] | None, top: bool = False) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, member in group.members.items():
        inner = _leaf(member) if isinstance(member, Leaf) else _group(member, kept)
        if member.most > 1:
            inner = {"type": "array", "items": inner, "minItems": 1, "maxItems": member.most}
        properties[name] = inner
        if member.least and (kept is None or top and name in kept):
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _leaf(leaf: Leaf) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    facets = leaf.facets
    if leaf.numeric:
        return schema  # form, bounds and digits of numbers are rules: JSON Schema's bounds ignore strings
    if facets.min_length is not None:
        schema["minLength"] = facets.min_length
    if facets.max_length is not None:
        schema["maxLength"] = facets.max_length
    if facets.pattern is not None:
        schema["pattern"] = f"^(?:{facets.pattern})$"
    if facets.enumeration is not None:
        schema["enum"] = list(facets.enumeration)
    return schema
