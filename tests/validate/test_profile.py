"""An XSD outside the profile does not load, and `check_profile` says why; nothing outside the set is opened."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from node.model import codes
from node.model.trouble import Hold, Trouble
from node.validate import Fault, Files, Specifications, check_profile
from node.validate.reader import examine, read_specification
from node.validate.tables import read_table
from tests.validate.held import sm3
from tests.validate.workshop import CONTROL, FIELDS, NOTE, document, facet, group, leaf
from xsd import FOLDER

FILES = Files(FOLDER)
TEXT = facet(pattern="[a-z]{1,9}")


def faults_of(content: bytes) -> list[Fault]:
    """Return what is wrong with `workshop/2.1` of this content."""
    return list(check_profile("workshop/2.1", content, FILES.fetch, FILES.table))


def test_the_workshop_itself_fits() -> None:
    assert faults_of(document()) == []


def _field(kind: str = "xs:string", occurs: str = "", notes: str = "", facets: str = TEXT) -> bytes:
    return document(FIELDS + leaf("More", kind, occurs, notes, facets))


def _typed(types: str, kind: str, facets: str) -> bytes:
    return document(FIELDS + leaf("More", kind, "", "", facets), head=types)


def _rule(**params: str) -> str:
    return "<x:rule " + " ".join(f'{name.rstrip("_")}="{value}"' for name, value in params.items()) + "/>"


@pytest.mark.parametrize(("content", "reason"), [
    (document(FIELDS + '<xs:choice/>'), "choice"), (document(FIELDS + "<xs:any/>"), "any"),
    (document(foot='<xs:import namespace="a"/>'), "import"),
    (document(foot='<xs:redefine schemaLocation="a"/>'), "redefine"),
    (document(foot='<xs:attribute name="a"/>'), "attribute"), (document(foot="<xs:notation/>"), "notation"),
    (document().replace(b"<xs:complexType>", b'<xs:complexType mixed="true">', 1), "mixed"),
    (document().replace(b'name="Name"', b'name="Name" nillable="true"'), "nillable"),
    (document().replace(b'name="CaseNo"', b'name="CaseNo" default="AB12"'), "default"),
    (document().replace(b'name="CaseNo"', b'name="CaseNo" fixed="AB12"'), "fixed"),
    (document().replace(b'name="CaseNo"', b'name="CaseNo" abstract="true"'), "abstract"),
    (document().replace(b"<xs:sequence>", b'<xs:sequence minOccurs="0">', 1), "minOccurs"),
    (document().replace(b"qualified", b"unqualified"), "targetNamespace"),
    (document().replace(b"urn:exn:workshop:2", b"urn:exn:workshop:3"), "targetNamespace"),
    (document().replace(b'"types/1.0.xsd"', b'"../types/1.0.xsd"'), "include"),
    (document().replace(b'"types/1.0.xsd"', b'"file:///etc/passwd"'), "include"),
    (document().replace(b'"types/1.0.xsd"', b'"http://127.0.0.1:9/1.0.xsd"'), "include"),
    (document().replace(b'"types/1.0.xsd"', b'"types/9.9.xsd"'), "types/9.9.xsd"),
    (document().replace(b'"types/1.0.xsd"', b'"region-code/1.0.xsd"'), "simple types only"),
    (document().replace(b'ref="p:Job"', b'ref="p:Other"'), "XList"),
    (document().replace(b"JobList", b"Jobs"), "global elements"),
    (document(foot='<xs:element name="Z"/>'), "global elements"),
    (document(foot='<xs:complexType name="JobType"/>'), "stands by itself"),
    (document(FIELDS + leaf("name", "p:Text")), "name like"), (document(FIELDS + leaf("Na_me", "p:Text")), "name like"),
    (document(FIELDS + leaf("Name", "xs:string", "", "", TEXT)), "twice"),
    (document(FIELDS + group("Empty", "")), "at least one"),
    (document(FIELDS + group("A", group("B", group("C", group("D", leaf("E", "p:Text")))))), "deep"),
    (_field(occurs='minOccurs="2"'), "minOccurs"), (_field(occurs='maxOccurs="unbounded"'), "maxOccurs"),
    (_field(occurs='maxOccurs="1001"'), "maxOccurs"), (_field(occurs='maxOccurs="0"'), "maxOccurs"),
    (_field("xs:date"), "xs:string"), (_field("xs:anyType"), "xs:string"), (_field("p:Nothing"), "not in the set"),
    (_field(facets=facet(maxLength="9")), "pattern"), (_field(facets=facet(pattern=".*")), "pattern"),
    (_field(facets=facet(pattern="(a+)+b")), "pattern"), (_field(facets=facet(pattern="[a-z]+")), "bounded"),
    (_field("p:Text", facets=facet(pattern="[a-z]")), "one pattern"),
    (_field("p:Text", facets=facet(maxLength="x")), "number"),
    (_field("p:Text", facets=facet(maxLength="999999")), "bounded"), (_field("p:Text", facets=""), "bounded"),
    (_field("p:Text", facets=facet(minLength="9", maxLength="5")), "contradict"),
    (_field("p:Integer", facets=facet(totalDigits="3", minInclusive="9", maxInclusive="5")), "contradict"),
    (_field("p:Text", facets=facet(whiteSpace="collapse")), "whiteSpace"),
    (_field("p:Decimal", facets=""), "totalDigits"),
    (_field("p:Decimal", facets=facet(totalDigits="30")), "totalDigits"),
    (_field("xs:decimal", facets=facet(totalDigits="5")), "pattern"),
    (_field("p:Integer", facets=facet(totalDigits="5", minInclusive="NaN")), "number"),
    (_field("p:Integer", facets=facet(totalDigits="5", minInclusive="a")), "number"),
    (_field("p:Integer", facets=facet(totalDigits="5", minInclusive="1e999999")), "number"),
    (_typed(f'<xs:simpleType name="Low"><xs:restriction base="p:Integer">{facet(minInclusive="1")}</xs:restriction>'
            "</xs:simpleType>", "p:Low", facet(totalDigits="5", minInclusive="NaN")), "number"),
    (_typed("".join(
        f'<xs:simpleType name="T{n}"><xs:restriction base="{f"p:T{n - 1}" if n else "p:Text"}"/></xs:simpleType>'
        for n in range(17)
    ), "p:T16", facet(maxLength="9")), "steps"),
    (document(FIELDS + "".join(leaf(f"F{n}", "p:Date") for n in range(1000))), "too many fields"),
    (document(FIELDS + "".join(
        leaf(f"F{n}", "xs:string", "", "", facet(pattern="([a-z]{1000}){4}")) for n in range(13)
    )), "too many characters of patterns"),
    (_field(facets=facet(enumeration="a b")), "enumeration"), (_field(notes='<x:field grade="5"/>'), "grade"),
    (_field(notes='<x:field mask="none"/>'), "mask"), (_field(notes="<x:note/>"), "note"),
    (_field(notes="text"), "text outside"), (_field(notes=_rule(kind="wish")), "unknown rule"),
    (_field(notes=_rule(kind="calendar")), "goes with the types"), (_field(notes=_rule(kind="table")), "takes"),
    (_field(notes=_rule(kind="table", table="none/1.0")), "no table"),
    (_field(notes=_rule(kind="table", table="../../etc/1.0")), "no table"),
    (_field(notes=_rule(kind="table", table="sex/1.0", of="Name")), "takes"),
    (_field(notes=_rule(kind="table", table="sex/1.0", from_="0", to="1")), "places"),
    (_field(notes=_rule(kind="table", table="sex/1.0", from_="2", to="1")), "places"),
    (_field(notes=_rule(kind="table", table="sex/1.0", from_="²", to="³")), "places"),
    (_field(notes=_rule(kind="table", table="sex/1.0", from_="1" * 5000, to="9" * 5000)), "places"),
    (_field(notes=_rule(kind="table", table="sex/1.0", set="old")), "set"),
    (_field(notes=_rule(kind="table", table="sex/1.0", when="Name")), "when"),
    (_field(notes=_rule(kind="table", table="sex/1.0", when="Nowhere", in_="a")), "beside it"),
    (_field(notes=_rule(kind="table", table="sex/1.0", severity="maybe")), "severity"),
    (_field(notes=_rule(kind="excludes", of="Tags")), "beside it"),
    (_field(notes=_rule(kind="order", of="Name")), "types"),
    (_field(notes=_rule(kind="together", of="Name", field="Name")), "names its field"),
    (document(record=_rule(kind="together", of="Name")), "names its field"),
    (document(record=_rule(kind="excludes", field="Steps", of="Tags")), "beside it"),
    (document(record=_rule(kind="table", field="Steps", table="sex/1.0")), "is a group"),
    (document(FIELDS + '<xs:element name="Bare" type="p:Date"/>'), "documentation"),
    (document(note=""), "x:specification"), (document(note=NOTE.replace("workshop", "other")), "interface and version"),
    (document(note=NOTE.replace('key="CaseNo Name"', 'key=""')), "key must name"),
    (document(note=NOTE.replace('key="CaseNo Name"', 'key="Score"')), "key must name"),
    (document(note=NOTE.replace('key="CaseNo Name"', 'key="RecordId"')), "never a personal identifier"),
    (document(note=NOTE.replace('row="RecordId"', 'row="Name"')), "never a personal identifier"),
    (document(note=NOTE.replace('time="EventTime"', 'time="Name"')), "Moment"),
    (document(note=NOTE.replace('operation="Operation"', 'operation="Name"')), "I, U and D"),
    (document(note=NOTE.replace('correlation="CaseNo"', 'correlation="Tags"')), "correlation"),
    (b"<xs:element xmlns:xs='http://www.w3.org/2001/XMLSchema'/>", "root must be"),
])
def test_what_is_outside_the_profile_is_named(content: bytes, reason: str) -> None:
    found = faults_of(content)
    assert found and any(reason in one.reason for one in found), found
    with pytest.raises(Hold) as caught:
        read_specification("workshop/2.1", content, FILES.fetch, FILES.table)
    assert caught.value.code is codes.SPECIFICATION_FORM


NUMBER = facet(pattern="[0-9]{17}[0-9X]")


@pytest.mark.parametrize("personal", [
    leaf("Card", "p:CitizenNumber", "", '<x:field grade="4" mask="id"/>'),
    leaf("Card", "p:CitizenNumber"),  # however it was graded
    leaf("Card", "xs:string", "", '<x:field mask="id"/>', NUMBER),
    leaf("Card", "xs:string", "", '<x:rule kind="citizen-number" when="Name" given="yes"/>', NUMBER),
])
def test_a_row_id_bound_to_a_personal_field_is_refused(personal: str) -> None:
    bound = faults_of(document(FIELDS + personal, NOTE.replace('row="RecordId"', 'row="Card"')))
    assert "personal" in [one.wrong.name for one in bound], bound
    group = personal.replace('<x:rule kind="citizen-number" when="Name" given="yes"/>', "")
    record = '<x:rule kind="citizen-number" field="Card" when="Name" given="yes"/>'
    bound = faults_of(document(FIELDS + group, NOTE.replace('row="RecordId"', 'row="Card"'), record=record))
    assert "personal" in [one.wrong.name for one in bound], bound


EXCLUDES = '<x:rule kind="excludes" id="row-not-personal" field="RecordId" of="Card"/>'


@pytest.mark.parametrize(("record", "names"), [
    (EXCLUDES, []), ("", ["row-excludes"]), (EXCLUDES.replace("/>", ' severity="warn"/>'), ["row-excludes"]),
    (EXCLUDES.replace("Card", "Name"), ["row-excludes"]), (EXCLUDES.replace("RecordId", "CaseNo"), ["row-excludes"]),
])
def test_a_row_id_is_kept_free_of_an_identity_number_that_stands_beside_it(record: str, names: list[str]) -> None:
    content = document(FIELDS + leaf("Card", "p:CitizenNumber"), record=record)
    found = faults_of(content)
    assert [one.wrong.name for one in found] == names
    for one in found:
        assert EXCLUDES in one.wrong.cure.zh and EXCLUDES in one.wrong.cure.en  # it can be copied as it is


@pytest.mark.parametrize("content", [
    b"", b"no xml", b"<a", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"\xff\xfe<\x00", b"<a>" * 300 + b"</a>" * 300,
    b"<a>&undefined;</a>", b" " * 2_000_000,
])
def test_a_file_that_is_no_schema_is_a_clear_hold(content: bytes) -> None:
    with pytest.raises(Hold) as caught:
        faults_of(content)
    assert caught.value.code is codes.SPECIFICATION_FORM


@pytest.mark.parametrize("source", [
    "(a|a)*", "(a{0,999}){0,999}", "((a?){50}a{50})", "a*a*a*a*a*b", "(" * 500 + "a" + ")" * 500,
])
def test_a_pattern_that_could_blow_up_is_refused_soon(source: str) -> None:
    start = time.perf_counter()
    assert faults_of(_field(facets=facet(pattern=source, maxLength="900")))
    assert time.perf_counter() - start < 1


def test_nothing_outside_the_set_is_opened(tmp_path: Path) -> None:
    (tmp_path / "secret.xsd").write_text("<a/>")
    files = Files(tmp_path / "xsd")
    for name in (
        "../secret.xsd", "/etc/passwd", "types/../../secret.xsd", "tables/../../a/1.0.tsv", "types/1.0.xsd\n", "x",
    ):
        with pytest.raises(Trouble) as caught:
            files.fetch(name)
        assert caught.value.details["where"] == "name"


def test_a_folder_with_one_bad_specification_does_not_load(tmp_path: Path) -> None:
    assert Specifications.load(tmp_path, sm3).names() == []
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.0.xsd").write_bytes(document(CONTROL))
    with pytest.raises(Hold) as caught:
        Specifications.load(tmp_path, sm3)
    assert caught.value.code is codes.SPECIFICATION_FORM and "bad/1.0" in str(caught.value)


@pytest.mark.parametrize("content", [
    b"", b"code\tzh\n", b"code\tzh\n1\n", b"code\tzh\n1\ta\n1\tb\n", b"code\n\n", b"\xff\n1\n",
    b"last_revision\n200001\n", b"last_revision\tname\n200001\ta\n",
])
def test_a_malformed_table_is_refused(content: bytes) -> None:
    with pytest.raises(Hold):
        read_table("some/1.0", content)


def test_the_current_set_of_a_table_is_that_of_its_latest_revision() -> None:
    table = read_table("some/1.0", b"code\tname\tlast_revision\n1\ta\t200001\n2\tb\t201904\n3\tc\t201904\n")
    assert (table.codes("current"), table.codes("union")) == (frozenset("23"), frozenset("123"))


def test_every_fault_is_told_in_chinese_first_with_its_line_and_a_cure() -> None:
    content = document(FIELDS.replace("><", ">\n<") + leaf("More", "p:Nothing", "", _rule(kind="wish")))
    content = content.replace(b'"types/1.0.xsd"', b'"types/9.9.xsd"')
    found = faults_of(content)
    assert {"type", "included"} <= {one.wrong.name for one in found}
    for one in found:
        assert one.line > 0 and any("\u4e00" <= sign <= "\u9fff" for sign in one.says.zh + one.wrong.cure.zh)
        assert one.says.en.isascii() and one.wrong.cure.en


def test_a_fault_of_a_rule_stands_at_its_own_line_and_one_of_an_include_names_the_file() -> None:
    lines = FIELDS.replace("><", ">\n<") + "\n" + leaf("More", "xs:string", "", _rule(kind="table"), TEXT)
    content = document(lines)
    (found,) = faults_of(content)
    assert found.line == content[:content.index(b'kind="table"/>')].count(b"\n") + 1
    assert found.says.zh.startswith("规则table：应有且只有参数")
    bad = FILES.fetch("types/1.0.xsd").replace(b'xs:pattern value="[!-~]{1,50}"', b'xs:length value="x"')
    taken = [bad if name == "types/1.0.xsd" else FILES.fetch(name) for name in ("types/1.0.xsd",)]
    (found,) = (one for one in check_profile("workshop/2.1", document(), lambda name: taken[0], FILES.table)
                if one.wrong.name == "facet")
    assert found.file == "types/1.0.xsd" and found.reason.startswith("types/1.0.xsd: ")


@pytest.mark.parametrize(("content", "name", "line"), [
    (b"\n<a>\xff</a>", "charset", 2), ("<a>\u4e2d</a>".encode("gb18030"), "charset", 1), (b"<a>\n\0</a>", "nul", 2),
    (document().decode().encode("utf-16"), "nul", 1), (b"\n\n<!DOCTYPE a>", "dtd", 3), (b"<a>\n<b></a>", "xml", 2),
    (b" " * 2_000_000, "size", 1), (b"<a>" * 3000 + b"</a>" * 3000, "xml", 1), (b"", "xml", 1),
])
def test_a_file_that_is_no_xml_has_one_fault_at_its_line(content: bytes, name: str, line: int) -> None:
    (found,) = examine("workshop/2.1", content, FILES.fetch, FILES.table)
    assert (found.wrong.name, found.line) == (name, line)


def test_a_named_complex_type_is_told_once_and_read_where_it_is_used() -> None:
    body = f"<xs:complexType><xs:sequence>{FIELDS}</xs:sequence></xs:complexType>"
    named = body.replace("<xs:complexType>", '<xs:complexType name="JobType">', 1).replace('"Score"', '"score"')
    own = document(foot=named).decode().replace(body, "").replace('"Job" ', '"Job" type="p:JobType" ')
    told = [one.reason for one in faults_of(own.encode())]
    assert len(told) == 2 and "complexType JobType stands by itself" in "".join(told) and "name like" in "".join(told)


@pytest.mark.parametrize("kinds", [
    [("A", "A")], [("A", "B"), ("B", "A")], [(f"A{n}", f"A{n - 1}") for n in range(6000)],
], ids=["itself", "one another", "a long chain"])
def test_complex_types_that_name_each_other_end_in_a_refusal(kinds: list[tuple[str, str]]) -> None:
    foot = "".join(
        f'<xs:complexType name="{name}"><xs:sequence><xs:element name="In" type="p:{inner}"/></xs:sequence>'
        "</xs:complexType>" for name, inner in kinds
    )
    assert "stands by itself" in faults_of(document(foot=foot))[0].reason
