"""Each kind of rule over made-up fields: what breaks it, what does not, and what an XSD may not say of it."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from node.model.record import Record
from node.validate import Files, Specification, check_profile, faults, plant, sample
from node.validate.rules import checks
from node.validate.rules.kinds import KINDS
from node.validate.specifications import compile_specification
from tests.validate.held import TODAY, by_json, by_xml, draft, found, sm3
from tests.validate.workshop import CONTROL, document, facet, leaf
from xsd import FOLDER

ONCE = 'minOccurs="0"'
MONEY = facet(totalDigits="9", fractionDigits="2", minInclusive="0")
FIELDS = "".join([
    CONTROL,
    leaf("CaseNo", "p:ProjectNo"), leaf("Name", "p:Text", "", "", facet(maxLength="20")),
    leaf("Citizen", "p:CitizenEither", ONCE), leaf("Born", "p:Date8", ONCE),
    leaf("Sex", "xs:string", ONCE, "", facet(pattern="[0-9]")),
    leaf("Licence", "p:LicenceId", ONCE),
    leaf("Task", "p:TaskCode", ONCE, (
        '<x:rule kind="uscc-check" id="task-body" from="1" to="18"/>'
        '<x:rule kind="uscc-inner" id="task-inner" from="1" to="18"/>'
        '<x:rule kind="form" id="task-level" from="19" to="19" pattern="[1-7]"/>'
    )),
    leaf("Catalog", "p:CatalogCode", ONCE),
    leaf("Applied", "p:Moment", ONCE), leaf("Accepted", "p:Moment", ONCE), leaf("Published", "p:Date", ONCE),
    leaf("Fee", "p:Decimal", ONCE, "", MONEY), leaf("Tax", "p:Decimal", ONCE, "", MONEY),
    leaf("Total", "p:Decimal", ONCE, "", MONEY),
    leaf("Phone", "p:Phone", ONCE), leaf("Post", "xs:string", ONCE, "", facet(pattern="[0-9]{6}")),
    leaf("Code", "p:UnifiedCode", ONCE, '<x:rule kind="begins" id="enterprise" values="91 92 93"/>'),
    leaf("Kind", "xs:string", ONCE, "", facet(pattern="[YQM]")),
    leaf("Period", "xs:string", ONCE, "", facet(pattern="[0-9]{4}(Q[1-4]|[0-9]{2})?")),
    leaf("Counted", "p:Period", ONCE), leaf("Organisation", "p:OrganisationCode", ONCE),
    leaf("Register", "p:Text", ONCE, '<x:rule kind="register-number"/>', facet(maxLength="20")),
    leaf("Text", "p:Text", ONCE, "", facet(maxLength="300")), leaf("Fine", "p:Decimal", ONCE, "", MONEY),
    leaf("Copy", "p:Text", ONCE, "", facet(maxLength="20")),
    leaf("Begun", "p:Moment", ONCE), leaf("Ended", "p:Moment", ONCE), leaf("Town", "p:RegionTown", ONCE),
    leaf("HolderType", "xs:string", ONCE, "", facet(pattern="001|111")),
    leaf("Holder", "xs:string", ONCE, "", facet(pattern="[0-9A-Z]{1,18}")),
    leaf("One", "p:Flag", ONCE), leaf("Two", "p:Flag", ONCE),
])
RULES = "".join([
    '<x:rule kind="excludes" id="row-not-personal" field="RecordId" of="Citizen"/>',
    '<x:rule kind="birth-of" field="Born" of="Citizen"/>', '<x:rule kind="parity" field="Sex" of="Citizen"/>',
    '<x:rule kind="part" id="task-catalog" field="Catalog" of="Task" from="20" to="31" when="Task" length="31"/>',
    '<x:rule kind="time-order" field="Applied" of="Accepted"/>',
    '<x:rule kind="same-time" field="Begun" of="Ended"/>',
    '<x:rule kind="unified-number" field="Holder" when="HolderType" in="001"/>',
    '<x:rule kind="within" field="Published" of="Accepted" days="7"/>',
    '<x:rule kind="sum" field="Total" parts="Fee Tax"/>',
    '<x:rule kind="at-least-one" field="Phone" among="Phone Post"/>',
    '<x:rule kind="form" id="quarter" field="Period" when="Kind" in="Q" pattern="[0-9]{4}Q[1-4]"/>',
    '<x:rule kind="required-when" id="fine" field="Fine" when="Text" contains="罚款"/>',
    '<x:rule kind="required-when" id="kind-given" field="Kind" when="Period" given="yes"/>',
    '<x:rule kind="equals" field="Copy" of="Name"/>', '<x:rule kind="exactly-one" field="One" among="One Two"/>',
])


def compiled(fields: str = FIELDS, rules: str = RULES) -> Specification:
    with TemporaryDirectory() as name:
        folder = Path(name) / "xsd"
        shutil.copytree(FOLDER, folder)
        (folder / "workshop").mkdir()
        xsd = document(fields, record=rules).replace(b"types/1.0.xsd", b"types/1.1.xsd")
        (folder / "workshop" / "2.1.xsd").write_bytes(xsd)
        return compile_specification("workshop/2.1", Files(folder), sm3)


@cache
def spec() -> Specification:
    return compiled()


CODE = "91440300708461136T"
TASK = "11370800MB28559184" + "3" + "370117002011"
BASE: dict[str, Any] = {
    "RecordId": "r1", "Operation": "I", "EventTime": "2019-02-28T00:00:00", "CaseNo": "A-1", "Name": "名称",
    "Post": "511500", "One": "1",
}


def broken(**fields: Any) -> list[tuple[str, str]]:
    """Return what both doors say of a record with these fields; None takes one away."""
    twin = {name: value for name, value in {**BASE, **fields}.items() if value is not None}
    twin = {name: twin[name] for name in spec().shape.record.members if name in twin}
    judged = by_json(spec(), twin)
    assert by_xml(spec(), twin) == judged
    return found(judged)


def citizen(front: str) -> str:
    return front + checks.citizen_check(front)


NEW, OLD = citizen("44180019900101001"), "441800900101001"


@pytest.mark.parametrize(("fields", "rules"), [
    ({"Citizen": NEW, "Born": "19900101", "Sex": "1"}, []),
    ({"Citizen": OLD, "Born": "19900101", "Sex": "1"}, []),
    ({"Citizen": OLD, "Born": "19900102"}, [("Born", "birth-of")]),
    ({"Citizen": NEW, "Born": "19900102"}, [("Born", "birth-of")]),
    ({"Citizen": OLD, "Sex": "2"}, [("Sex", "parity")]), ({"Citizen": NEW, "Sex": "2"}, [("Sex", "parity")]),
    ({"Citizen": "441800900230001"}, [("Citizen", "citizen-either")]),
    ({"Citizen": NEW[:17] + "1X"[NEW[17] == "1"]}, [("Citizen", "citizen-either")]),
    ({"Citizen": "000000900101001"}, [("Citizen", "citizen-region")]),
    ({"Citizen": NEW[:16]}, [("Citizen", "pattern")]),
])
def test_a_citizen_number_may_be_of_the_old_form_where_a_specification_says_so(fields: Any, rules: Any) -> None:
    assert broken(**fields) == rules


GOOD_LICENCES = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
)


@pytest.mark.parametrize(("licence", "rules"), [
    *[(one, []) for one in GOOD_LICENCES],
    ("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", []),  # the issuer is a region: a warning
    ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000404.001.U", ["licence-check"]),
    ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000404.001.E", []),
    ("1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
     ["licence-check"]),
    ("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.1.U", ["pattern"]),
])
def test_the_identifiers_of_the_table_give_its_results(licence: str, rules: list[str]) -> None:
    """STANDARDS §4.6."""
    assert [rule for _, rule in broken(Licence=licence)] == rules


def test_an_issuer_that_is_no_unified_code_is_a_warning() -> None:
    twin = {**BASE, "Licence": "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"}
    warned = [(one.field, one.rule, one.severity) for one in spec().problems(draft(twin), TODAY)]
    assert warned == [("Licence", "licence-issuer", "warn")]


@pytest.mark.parametrize(("fields", "rules"), [
    ({"Task": TASK, "Catalog": TASK[19:]}, []),
    ({"Task": TASK, "Catalog": "370117002012"}, [("Catalog", "task-catalog")]),
    ({"Task": TASK[:30], "Catalog": "370117002012"}, []),  # of another length it has another structure
    ({"Task": "11370800MB28559185" + TASK[18:]}, [("Task", "task-body")]),
    ({"Task": TASK[:18] + "9" + TASK[19:]}, [("Task", "task-level")]),
])
def test_an_implementation_code_is_looked_at_in_its_parts(fields: Any, rules: Any) -> None:
    """STANDARDS §4.5."""
    assert broken(**fields) == rules


MOMENTS = ("20190228120000", "20190228T120000", "2019022812:00:00", "2019-02-28T12:00:00", "2019-02-28T04:00:00Z")


@pytest.mark.parametrize("one", MOMENTS)
@pytest.mark.parametrize("two", MOMENTS)
def test_times_are_compared_whatever_their_shapes(one: str, two: str) -> None:
    assert broken(Applied=one, Accepted=two) == []
    assert broken(Applied="2019-02-28T12:00:01+08:00", Accepted=two) == [("Applied", "time-order")]
    assert broken(Applied=one, Accepted="20190228115959") == [("Applied", "time-order")]


@pytest.mark.parametrize(("fields", "rules"), [
    ({"Accepted": "20190301000000", "Published": "2019-03-08"}, []),
    ({"Accepted": "20190301000000", "Published": "2019-03-09"}, [("Published", "within")]),
    ({"Accepted": "20190301000000", "Published": "2019-02-01"}, []),
    ({"Applied": "20190230000000", "Accepted": "20180301000000"}, [("Applied", "calendar")]),
    ({"Fee": "0.10", "Tax": "0.20", "Total": "0.3"}, []), ({"Fee": "0.1", "Total": "0.10"}, []), ({"Total": "5"}, []),
    ({"Fee": "0.10", "Tax": "0.20", "Total": "0.31"}, [("Total", "sum")]),
    ({"Fee": "x", "Tax": "0.20", "Total": "0.31"}, [("Fee", "number")]),
    ({"Post": None}, [("Phone", "at-least-one")]), ({"Phone": "13800000000"}, []),
    ({"One": None}, [("One", "exactly-one")]), ({"Two": "0"}, [("One", "exactly-one")]),
    ({"Kind": "Q", "Period": "2019Q4"}, []), ({"Kind": "Q", "Period": "201904"}, [("Period", "quarter")]),
    ({"Kind": "M", "Period": "201904"}, []), ({"Period": "2019"}, [("Kind", "kind-given")]),
    ({"Text": "警告"}, []), ({"Text": "警告并罚款"}, [("Fine", "fine")]), ({"Text": "罚款", "Fine": "2"}, []),
    ({"Begun": "2019022812:00:00", "Ended": "2019-02-28T04:00:00Z"}, []),
    ({"Begun": "20190228120000", "Ended": "20190228120001"}, [("Begun", "same-time")]),
    ({"Begun": "20190230120000", "Ended": "20190228120001"}, [("Begun", "calendar")]),
    ({"HolderType": "001", "Holder": CODE}, []), ({"HolderType": "111", "Holder": "G1234567"}, []),
    ({"HolderType": "001", "Holder": "G1234567"}, [("Holder", "unified-number")]),
    ({"HolderType": "001", "Holder": CODE[:17] + "U"}, [("Holder", "unified-number")]),
    ({"HolderType": "001", "Holder": "111000000000133390"}, [("Holder", "unified-number")]),
    ({"Town": "441802"}, []), ({"Town": "441802001"}, []), ({"Town": "449900001"}, [("Town", "region")]),
    ({"Town": "441802001001"}, [("Town", "pattern")]),
    ({"Organisation": "708461136"}, []), ({"Organisation": "708461137"}, [("Organisation", "organisation-check")]),
    ({"Register": "440301103097413"}, []), ({"Register": "440301103097414"}, [("Register", "register-number")]),
    ({"Register": "44030110309741"}, []),
    *[({"Counted": one}, []) for one in ("2024", "2024Q1", "2024Q2", "202406", "1999Q4")],
    *[({"Counted": one}, [("Counted", "period-begun")]) for one in ("2025", "2024Q3", "202407", "2999")],
    *[({"Counted": one}, [("Counted", "pattern")]) for one in ("2024Q5", "2024Q0", "202413", "202400", "24", "2024H1")],
    ({"Copy": "名称"}, []), ({"Copy": "名"}, [("Copy", "equals")]),
    ({"Code": CODE}, []), ({"Code": "11370800MB28559184"}, [("Code", "enterprise")]),
])
def test_a_rule_is_broken_by_just_that(fields: Any, rules: Any) -> None:
    assert broken(**fields) == rules


def test_a_delete_owes_nothing_but_its_key() -> None:
    twin = {name: BASE[name] for name in ("RecordId", "EventTime", "CaseNo", "Name")} | {"Operation": "D"}
    assert isinstance(by_json(spec(), twin), Record) and isinstance(by_xml(spec(), twin), Record)


def test_a_text_of_a_pattern_fits_its_length_too() -> None:
    """Cut to five characters, some of these would end in the hyphen that stands between letters."""
    fields = FIELDS + leaf("Joined", "xs:string", "", "", facet(pattern="[a-z]+-?[a-z]", minLength="3", maxLength="5"))
    of = compiled(fields)
    for index in range(300):
        assert isinstance(by_json(of, sample(of, 12, index)), Record), index


def test_samples_fulfil_every_kind_and_each_kind_can_be_broken() -> None:
    of = spec()
    for index in range(300):
        judged = by_json(of, sample(of, 11, index))
        assert isinstance(judged, Record), (found(judged), index)
    planted = faults(of)
    for index, fault in enumerate(planted):
        for seed in range(4):
            judged = by_json(of, plant(of, sample(of, seed, index), fault, seed))
            assert (fault.field, fault.rule) in found(judged), (fault.name, seed)
    kinds = {fault.use.kind for fault in planted if fault.use is not None}
    assert kinds >= {"citizen-either", "birth-of", "same-time", "unified-number", "licence-check", "period-begun",
                     "register-number", "organisation-check", "time-order", "within", "sum", "form", "begins", "equals",
                     "exactly-one", "at-least-one"} <= set(KINDS)


@pytest.mark.parametrize("rule", [
    '<x:rule kind="sum" field="Total" parts="Fee Name"/>', '<x:rule kind="sum" field="Total" parts="Fee Fee"/>',
    '<x:rule kind="sum" field="Total" parts=""/>', '<x:rule kind="sum" field="Total" parts="Nowhere"/>',
    '<x:rule kind="exactly-one" field="One" among="One"/>',
    '<x:rule kind="within" field="Published" of="Accepted" days="x"/>',
    '<x:rule kind="form" field="Period" pattern="(a+)+"/>', '<x:rule kind="form" field="Period" pattern="\\d"/>',
    '<x:rule kind="form" field="Period"/>', '<x:rule kind="required-when" field="Kind" when="Period" given="maybe"/>',
    '<x:rule kind="required-when" field="Kind" when="Period" given="yes" in="x"/>',
    '<x:rule kind="required-when" field="Kind" when="Period" length="x"/>',
    '<x:rule kind="required-when" field="Kind" when="Period" contains=" "/>',
    '<x:rule kind="begins" field="Period" values=" "/>', '<x:rule kind="time-order" field="Name" of="Accepted"/>',
    '<x:rule kind="licence-check" field="Name"/>',
])
def test_what_a_rule_cannot_mean_is_a_fault_of_the_specification(rule: str) -> None:
    files = Files(FOLDER)
    xsd = document(FIELDS, record=rule).replace(b"types/1.0.xsd", b"types/1.1.xsd")
    said = check_profile("workshop/2.1", xsd, files.fetch, files.table)
    assert said and all(one.says.zh and one.says.en for one in said)
