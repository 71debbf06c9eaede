"""Every value of the standards' tables gives its printed result (STANDARDS §4).

Only the numbers printed in GB 11643-1999 stand here as they are; the others are put together at run time.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from node.model.record import Record
from node.validate import Specification, sample
from node.validate.rules import checks, kinds
from tests.validate.held import TODAY, by_json, by_xml, draft, found, spec


def person(number: str, **more: Any) -> list[tuple[str, str]]:
    """Return the problems of a person with this number, whose birth date and sex follow from it."""
    of = spec()
    sex = {} if not number[16:17].isdigit() else {"SexCode": "1" if int(number[16]) % 2 else "2"}
    twin = {**sample(of, 1, 1), "IdNumber": number, "BirthDate": number[6:14], **sex, **more}
    twin.pop("DeathDate", None)
    twin["PersonStatusCode"] = "1"
    judged = by_json(of, twin)
    assert by_xml(of, twin) == judged
    return found(judged)


def made(front: str, check: str) -> str:
    """Return a number put together from its 17 digits, after proving that `check` is its check character."""
    assert checks.citizen_check(front) == check
    return front + check


PRINTED = "11010519491231002X"


@pytest.mark.parametrize("number", [
    PRINTED, "440524188001010014",
    made("44180019900101" + "001", "4"), made("63010020000229" + "002", "1"), made("37150219701130" + "999", "1"),
])
def test_a_good_citizen_number_passes(number: str) -> None:
    assert person(number) == []


def test_a_number_of_the_nineteenth_century_passes_with_a_warning() -> None:
    of = spec()
    twin = {**sample(of, 1, 1), "IdNumber": "440524188001010014", "BirthDate": "18800101", "SexCode": "1"}
    twin.pop("DeathDate", None)
    twin["PersonStatusCode"] = "1"
    assert isinstance(by_json(of, twin), Record)
    warned = [(one.field, one.rule, one.severity) for one in of.problems(draft(twin), TODAY)]
    assert warned == [("IdNumber", "citizen-old", "warn")]


@pytest.mark.parametrize(("number", "rules"), [
    (PRINTED[:17] + "1", {"citizen-check"}),
    (PRINTED[:17] + "x", {"pattern"}),
    ("44180019090101001" + "4", {"citizen-check"}),
    (made("11010519491331002", "1"), {"citizen-day", "calendar"}),
    (made("11010519490229002", "9"), {"citizen-day", "calendar"}),
    (made("11010520991231002", "9"), {"citizen-future"}),
    (made("00010519491231002", "4"), {"citizen-region"}),
    ("1101051949123100", {"pattern"}),
])
def test_a_wrong_citizen_number_is_refused_by_its_rule(number: str, rules: set[str]) -> None:
    assert {rule for _, rule in person(number)} == rules


def test_sex_and_birth_date_must_be_those_of_the_number() -> None:
    assert person(PRINTED, SexCode="1") == [("SexCode", "sex-of-number")]
    assert person(PRINTED, SexCode="9") == []
    assert person(PRINTED, BirthDate="19491230") == [("BirthDate", "birth-of-number")]


def entity(code: str) -> list[tuple[str, str]]:
    """Return the problems of an organisation with this code."""
    of = spec("legal-entity-basic/1.0")
    twin = {**sample(of, 1, 1), "UnifiedCode": code, "OrgTypeCode": code[:2]}
    for group in ("Enterprise", "Institution", "SocialOrganisation"):
        twin.pop(group, None)
    judged = by_json(of, twin)
    assert by_xml(of, twin) == judged
    return [one for one in found(judged) if one[0] == "UnifiedCode"]


@pytest.mark.parametrize("code", [
    "11100000000013338W", "11370800MB28559184", "11330105002500287C", "91440300708461136T", "91230500MA1B3N1N2M",
    "91441800MA4W00011W", "114418000070123466",
])
def test_a_good_unified_code_passes(code: str) -> None:
    assert entity(code) == []


@pytest.mark.parametrize(("code", "rule"), [
    ("11100000000013338A", "uscc-check"), ("11100000000013338I", "pattern"), ("111000000000133390", "uscc-inner"),
    ("01100000000013338X", "uscc-category"), ("11100000000013338", "pattern"),
])
def test_a_wrong_unified_code_is_refused_by_its_rule(code: str, rule: str) -> None:
    assert entity(code) == [("UnifiedCode", rule)]


def _entity_with(**more: Any) -> list[tuple[str, str]]:
    of = spec("legal-entity-basic/1.0")
    return found(by_json(of, {**sample(of, 1, 1), **more}))


def test_an_old_registration_number_has_a_check_digit() -> None:
    assert _entity_with(OldRegNo="440301103097413") == []
    assert _entity_with(OldRegNo="440301103097414") == [("OldRegNo", "register-check")]


@pytest.mark.parametrize(("code", "rules"), [
    ("441800", []), ("440524", ["region"]), ("449900", ["region"]), ("44180", ["pattern"]), ("4418OO", ["pattern"]),
])
def test_an_organisation_stands_in_a_region_of_today(code: str, rules: list[str]) -> None:
    assert [rule for _, rule in _entity_with(RegionCode=code)] == rules


def _person_with(**more: Any) -> list[str]:
    of: Specification = spec()
    return [rule for _, rule in found(by_json(of, {**sample(of, 1, 1), **more}))]


@pytest.mark.parametrize(("code", "rules"), [
    ("441800", []), ("441802001", []), ("441802001002", []), ("4418020", ["pattern"]), ("440524001", ["region"]),
])
def test_an_address_has_a_region_of_six_nine_or_twelve_digits(code: str, rules: list[str]) -> None:
    assert _person_with(DomicileRegionCode=code) == rules


def test_a_place_of_birth_may_be_a_region_that_is_gone() -> None:
    assert _person_with(BirthRegionCode="440524") == []
    assert _person_with(BirthRegionCode="449900") == ["region"]


@pytest.mark.parametrize(("field", "good", "wrong"), [
    ("SexCode", "", "3 男"), ("EthnicityCode", "01 56 97 98", "00 57 汉族 1"), ("MaritalStatusCode", "10 21 90", "11 1"),
    ("IdTypeCode", "111", "112 001"), ("EducationCode", "21 31", "00"), ("RelationToHead", "02 51", "00"),
    ("PersonStatusCode", "1 4", "0 9"),
])
def test_codes_are_those_of_their_tables(field: str, good: str, wrong: str) -> None:
    assert [_person_with(**{field: code}) for code in good.split()] == [[] for _ in good.split()]
    for code in wrong.split():
        assert len(_person_with(**{field: code})) == 1, code


@pytest.mark.parametrize(("text", "rules"), [
    ("20190228101112", []), ("20190228T101112", []), ("2019022810:11:12", []), ("2019-02-28T10:11:12+08:00", []),
    ("2019-02-28T10:11:12", []), ("2019-02-28T10:11:12Z", []), ("20190229", ["pattern"]), ("2019/2/1", ["pattern"]),
    ("20190101T246000", ["pattern"]), ("10:11:12", ["pattern"]), ("20190229101112", ["calendar"]),
    ("2019-02-29T10:11:12+08:00", ["calendar"]), ("20190229T101112", ["calendar"]), ("2019022910:11:12", ["calendar"]),
    ("2019-02-28T10:11:12+25:00", ["pattern"]), ("2024-06-02T00:00:00", []), ("2024-06-03T00:00:00", ["not-future"]),
])
def test_a_moment_has_one_of_the_printed_shapes_and_is_kept_as_written(text: str, rules: list[str]) -> None:
    assert _person_with(EventTime=text) == rules
    if not rules:
        of = spec()
        judged = by_json(of, {**sample(of, 1, 1), "EventTime": text})
        assert isinstance(judged, Record) and judged.happened == text


@pytest.mark.parametrize("mark", ["", "-"])
@pytest.mark.parametrize("year", ["0000", "0001", "1900", "2000", "2023", "2024", "9999"])
def test_the_rule_of_the_calendar_is_the_calendar(year: str, mark: str) -> None:
    rule = kinds.condition("calendar", {"field": "Day"})
    names = {"year_days": checks.YEAR_DAYS, "no_day": checks.no_day}
    for month, day in product(range(14), range(33)):
        text = f"{year}{mark}{month:02d}{mark}{day:02d}"
        for moment in (text, text + "T101112"):
            assert bool(eval(rule, names, {"f_Day": moment})) is checks.no_day(moment), moment
