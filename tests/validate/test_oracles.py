"""Slow, independent readers agree with the gates: xmlschema for XML, jsonschema for JSON, both of them with explain."""

from __future__ import annotations

import io
from functools import cache, cached_property
from typing import Any

import jsonschema
import orjson
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from xmlschema.validators.xsdbase import XsdValidator

from node.model.record import Record
from node.validate import Specification, faults, plant, sample, to_json, to_xml
from node.validate.explain import explain
from tests.validate.held import NAMES, by_json, by_xml, spec
from xsd import FOLDER

_STRUCTURE = ("required", "unknown", "empty", "type", "text", "pattern", "enumeration", "max-length", "min-length",
              "occurs", "number", "min-inclusive", "max-inclusive", "total-digits", "fraction-digits")
_RULED = ("Enterprise:empty", "Institution:empty", "SocialOrganisation:empty")  # an XSD lets an empty group pass


@pytest.fixture(autouse=True)
def _xmlschema_beside_zope(monkeypatch: pytest.MonkeyPatch) -> None:
    """zope.interface gives typing.Generic a `__provides__` that `dir` lists and heirs may not get: xmlschema falls."""

    def cached(cls: type) -> list[str]:
        return [name for name in dir(cls) if isinstance(getattr(cls, name, None), cached_property)]

    monkeypatch.setattr(XsdValidator, "_cached_properties", classmethod(cached))


@cache
def oracle(name: str) -> Any:
    """Return xmlschema's reading of the published file, annotations and all."""
    return xmlschema.XMLSchema10((FOLDER / f"{name}.xsd").read_text(), base_url=FOLDER.as_uri() + "/")


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", NAMES)
def test_xmlschema_and_jsonschema_decide_as_the_gates_do(name: str, step: int) -> None:
    of = spec(name)
    slow = jsonschema.Draft202012Validator(of.json_schema())
    for index in range(20 // step):
        twin = sample(of, 31, index)
        assert oracle(name).is_valid(io.BytesIO(to_xml(of, [twin]))) and slow.is_valid(twin)
    for index, planted in enumerate(faults(of)[len(name) % step::step]):
        broken = plant(of, sample(of, 32, index), planted, index)
        document = to_xml(of, [broken], single=True)
        gate = bool(of._xml(etree.fromstring(document)))
        assert oracle(name).is_valid(io.BytesIO(document)) == gate, planted
        assert slow.is_valid(broken) == of._json.is_valid(broken), planted
        if planted.rule in _STRUCTURE and planted.name not in _RULED:
            assert not gate, planted


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(
    st.from_regex(r"-?[0-9]{0,20}(\.[0-9]{0,5})?", fullmatch=True), st.decimals(allow_nan=False).map(str),
    st.sampled_from(["0.00", "0.000", "1.100", "0.001", "00", "-0", "-0.0", ".5", "5.", "+1", " 1", "1 ", "1e5", "１",
                     "999999999999999999", "9999999999999999.99", "99999999999999999.99", "-0.01", "1.005",
                     "9999999999999999.900", "99999999999999999.0", "0.0000"]),
))
def test_digits_and_bounds_are_counted_as_xsd_counts_them(text: str) -> None:
    of = spec("legal-entity-basic/1.0")
    twin = {**sample(of, 33, 1), "Capital": text}
    document = to_xml(of, [twin], single=True)
    form, broken = explain(of.shape, of.rules, twin, None, "20240601", "20240602")
    ours = not [one for one in (*form, *broken) if one.field == "Capital"]
    if text == text.strip():  # XSD strips numbers, the twin keeps them as written and refuses
        assert bool(of._xml(etree.fromstring(document))) == ours
        assert oracle("legal-entity-basic/1.0").is_valid(io.BytesIO(document)) == ours
    assert by_xml(of, twin) == by_json(of, twin)
    assert isinstance(by_json(of, twin), Record) == ours


def _many(of: Specification) -> dict[str, bool]:
    return {name: member.most > 1 for name, member in of.shape.record.members.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_twin_is_what_xmlschema_reads_and_the_shape_is_what_it_knows(name: str) -> None:
    of = spec(name)
    known = oracle(name).elements[of.shape.record.name].type.content
    assert [element.local_name for element in known] == list(of.shape.record.members)
    for element, member in zip(known, of.shape.record.members.values()):
        assert (element.min_occurs, element.max_occurs) == (member.least, member.most)
        labels = [entry.text.splitlines()[0] for entry in element.annotation.documentation]
        assert labels == [member.label.zh, member.label.en]
    document = to_xml(of, [sample(of, 34, 5)], single=True)
    read: dict[str, list[str | None]] = {}
    for one in etree.fromstring(document):
        if not len(one):
            read.setdefault(etree.QName(one).localname, []).append(one.text)
    record = by_xml(of, sample(of, 34, 5))
    assert isinstance(record, Record)
    held = {k: [v] if isinstance(v, str) else v for k, v in orjson.loads(record.body).items()}
    texts = {k: v for k, v in held.items() if isinstance(v, list) and isinstance(v[0], str)}
    assert texts == read and all(many or len(read[k]) == 1 for k, many in _many(of).items() if k in read)
    assert to_json(orjson.loads(record.body)) == record.body
