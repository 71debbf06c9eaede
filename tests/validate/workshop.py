"""A specification of every shape the profile allows, made for tests: depth, repetition, numbers, correlation."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from node.validate import Files, Specification
from node.validate.specifications import compile_specification
from tests.validate.held import sm3
from xsd import FOLDER


def _doc(label: str, notes: str = "") -> str:
    app = f"<xs:appinfo>{notes}</xs:appinfo>" if notes else ""
    return (f'<xs:annotation><xs:documentation xml:lang="zh">{label}项</xs:documentation>'
            f'<xs:documentation xml:lang="en">{label}</xs:documentation>{app}</xs:annotation>')


def leaf(name: str, kind: str, occurs: str = "", notes: str = "", facets: str = "") -> str:
    """Return a leaf element; `facets` are XSD facets of its own."""
    if not facets:
        return f'<xs:element name="{name}" type="{kind}" {occurs}>{_doc(name, notes)}</xs:element>'
    return (f'<xs:element name="{name}" {occurs}>{_doc(name, notes)}<xs:simpleType><xs:restriction base="{kind}">'
            f"{facets}</xs:restriction></xs:simpleType></xs:element>")


def group(name: str, inner: str, occurs: str = "", notes: str = "") -> str:
    """Return a group element."""
    return (f'<xs:element name="{name}" {occurs}>{_doc(name, notes)}<xs:complexType><xs:sequence>{inner}'
            "</xs:sequence></xs:complexType></xs:element>")


def facet(**values: str) -> str:
    """Return facets."""
    return "".join(f'<xs:{name} value="{value}"/>' for name, value in values.items())


CONTROL = leaf("RecordId", "p:RowId") + leaf("Operation", "p:OperationCode") + leaf("EventTime", "p:Moment")
MANY = 'minOccurs="0" maxOccurs="5"'
PERSON = group(
    "Person",
    leaf("Sex", "xs:string", "", '<x:rule kind="table" table="sex/1.0"/>', facet(pattern="[0-9]"))
    + leaf("Number", "p:CitizenNumber", 'minOccurs="0"'),
    'minOccurs="0"', '<x:rule kind="parity" field="Sex" of="Number"/>',
)
STEPS = group(
    "Steps",
    leaf("From", "p:Date") + leaf("To", "p:Date", 'minOccurs="0"') + PERSON
    + group("Papers", leaf("Title", "p:Text", "", "", facet(maxLength="9")), 'minOccurs="0" maxOccurs="3"'),
    MANY,
    '<x:rule kind="order" field="From" of="To"><x:says xml:lang="zh">先{后}</x:says>'
    '<x:says xml:lang="en">first {last}</x:says></x:rule>',
)
AMOUNT = facet(totalDigits="6", fractionDigits="2", minExclusive="0", maxExclusive="1000")
FIELDS = "".join([
    CONTROL,
    leaf("CaseNo", "xs:string", "", "", facet(pattern="[0-9A-Z]{4,12}")),
    leaf("Name", "p:Text", "", "", facet(minLength="2", maxLength="20")),
    leaf("Tags", "xs:string", MANY, "", facet(pattern="[a-z]+", maxLength="5")),
    leaf("Amounts", "p:Decimal", MANY, "", AMOUNT),
    leaf("Score", "p:Integer", 'minOccurs="0"', "", facet(totalDigits="3", minInclusive="-10", maxInclusive="100")),
    leaf("Days", "p:Date", MANY),
    STEPS,
])
NOTE = ('<x:specification interface="workshop" version="2.1" row="RecordId" operation="Operation" time="EventTime" '
        'key="CaseNo Name" correlation="CaseNo"/>')


def document(fields: str = FIELDS, note: str = NOTE, head: str = "", foot: str = "", record: str = "") -> bytes:
    """Return the XSD of `workshop/2.1`."""
    return (
        '<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:x="urn:exn:annotation:1" '
        'xmlns:p="urn:exn:workshop:2" targetNamespace="urn:exn:workshop:2" elementFormDefault="qualified" '
        'version="2.1">'
        f'{_doc("Workshop", note)}<xs:include schemaLocation="types/1.0.xsd"/>{head}{group("Job", fields, "", record)}'
        '<xs:element name="JobList"><xs:complexType><xs:sequence><xs:element ref="p:Job" maxOccurs="unbounded"/>'
        f"</xs:sequence></xs:complexType></xs:element>{foot}</xs:schema>"
    ).encode()


@cache
def workshop() -> Specification:
    """Return `workshop/2.1`, compiled from a folder of its own."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "xsd"
        shutil.copytree(FOLDER, folder)
        (folder / "workshop").mkdir()
        (folder / "workshop" / "2.1.xsd").write_bytes(document())
        return compile_specification("workshop/2.1", Files(folder), sm3)
