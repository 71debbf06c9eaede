"""Rows of a legacy source at the local API: `?mapping=` makes records of them; problems name the source's columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from node.intake.judging import LARGE
from node.validate import Limits
from node.validate.mapping import load_mapping
from tests.crypto.papers import CRYPTO
from tests.intake.api import Api, operations
from tests.stage.desk import specifications

REGIONS = "/v1/resources/region-code/records"
MAPPED = f"{REGIONS}?mapping={quote('旧系统')}"
MAPPING = """
[mapping]
specification = "region-code/1.0"
charset = "gb18030"
[fields]
RecordId = { join = ["前缀", "代码"], by = "-" }
Operation = { value = "I" }
EventTime = { from = "更新", date = "YYYY-MM-DD hh:mm:ss" }
RegionCode = "代码"
RegionName = "名称"
FirstRevision = { value = "198012" }
LastRevision = { value = "201904" }
"""
ROW = {"前缀": "qy", "代码": "441802", "名称": "清城区", "更新": "2024-05-01 09:30:00"}
OTHER = {**ROW, "代码": "441803", "名称": "", "更新": "2024-02-30 09:30:00"}


def mapped(folder: Path, limits: Limits = Limits(), mapping: str = MAPPING) -> Api:
    """Return an API whose resource of regions has the mapping."""
    api = Api.at(folder / "dept-a", limits=limits)
    path = folder / "old.toml"
    path.write_text(mapping, encoding="utf-8")
    made = load_mapping(path, specifications(), CRYPTO.sm3, "region-code/1.0")
    desk = api.staged.desk
    desk.means = replace(desk.means, mappings={("region-code", "旧系统"): made})
    return api


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Api]:
    """Return the API with the mapping."""
    api = mapped(tmp_path)
    yield api
    api.close()


def table(*rows: dict[str, str]) -> str:
    """Return rows as CSV."""
    return "\r\n".join([",".join(ROW), *(",".join(row.values()) for row in rows)]) + "\r\n"


def lines(*rows: dict[str, str]) -> str:
    """Return rows as NDJSON."""
    return "\n".join(orjson.dumps(row).decode() for row in rows)


@pytest.mark.parametrize(("media", "body"), [
    ("text/csv", table(ROW, OTHER).encode("gb18030")), ("text/csv; charset=utf-8", table(ROW, OTHER).encode()),
    ("text/csv", table(ROW, OTHER).encode("utf-8-sig")),
    ("application/x-ndjson", lines(ROW, OTHER).encode("gb18030")),
    ("application/x-ndjson; charset=UTF-8", lines(ROW, OTHER).encode()),
])
def test_rows_become_records_and_what_is_refused_names_its_columns(old: Api, media: str, body: bytes) -> None:
    heard = old.post(body, media=media, path=MAPPED)
    assert (heard.status, heard.json["accepted"]) == (202, 1)
    (refused,) = heard.json["refused"]
    assert (refused["index"], refused["key"]) == (1, "qy-441803")
    assert [(one["field"], one["rule"]) for one in refused["problems"]] == [
        ("EventTime", "mapping-date"), ("RegionName", "required"),
    ]
    assert all(one["zh"].endswith(f"（来源列：{name}）") for one, name in zip(refused["problems"], ("更新", "名称")))
    assert "02-30" not in heard.body.decode()
    with old.staged.stores.outbox.unit() as unit:
        (state,) = unit.lanes("centre")
        (group,) = unit.draw(state.lane)
    body_of_record = group.lines[0].partition(b',"head":')[0].removeprefix(b'{"body":')
    assert orjson.loads(body_of_record) == {
        "EventTime": "2024-05-01T09:30:00+08:00", "FirstRevision": "198012", "LastRevision": "201904", "Operation": "I",
        "RecordId": "qy-441802", "RegionCode": "441802", "RegionName": "清城区",
    }


def test_the_version_may_be_named_beside_the_mapping_to_it(old: Api) -> None:
    body = table(ROW).encode("gb18030")
    assert old.post(body, media="text/csv", path=f"{MAPPED}&spec=region-code/1.0").status == 202


def test_one_row_comes_as_one_object_and_is_answered_again_by_its_key(old: Api) -> None:
    body = orjson.dumps(ROW)
    heard = old.post(body, media="application/json; charset=utf-8", path=MAPPED)
    assert (heard.status, heard.json["accepted"]) == (202, 1)
    again = old.post(body, media="application/json; charset=utf-8", path=MAPPED)
    assert again.body == heard.body


def test_the_example_of_the_description_is_judged_as_it_says(tmp_path: Path) -> None:
    api = mapped(tmp_path, mapping=MAPPING.replace('{ join = ["前缀", "代码"], by = "-" }', '"代码"'))
    example = operations()["submitRecords"][2]["requestBody"]["content"]["text/csv"]["examples"]["mapped"]["value"]
    heard = api.post(example.encode(), media="text/csv; charset=utf-8", path=MAPPED)
    assert (heard.status, heard.json["accepted"], len(heard.json["refused"])) == (202, 1, 1)
    api.close()


@pytest.mark.parametrize(("path", "media", "status", "code"), [
    (f"{REGIONS}?mapping=none", "text/csv", 422, "EXN-API-MAPPING"),
    (f"{REGIONS}?mapping=", "text/csv", 422, "EXN-API-MAPPING"),
    (f"/v1/resources/population/records?mapping={quote('旧系统')}", "text/csv", 422, "EXN-API-MAPPING"),
    (f"{MAPPED}&spec=region-code/9.9", "text/csv", 422, "EXN-API-MAPPING"),
    (f"{MAPPED}&mapping=x", "text/csv", 400, "EXN-API-REQUEST"), (MAPPED, "application/xml", 415, "EXN-API-MEDIA"),
    (REGIONS, "text/csv", 415, "EXN-API-MEDIA"), (MAPPED, "text/csv; charset=gbk", 415, "EXN-API-MEDIA"),
])
def test_a_mapping_or_a_media_type_that_will_not_do_is_told(
    old: Api, path: str, media: str, status: int, code: str
) -> None:
    heard = old.post(table(ROW).encode("gb18030"), media=media, path=path)
    assert (heard.status, heard.code) == (status, code) and old.waiting() == 0


@pytest.mark.parametrize("body", [b"", b"\n", table().encode(), b"a,b\n1,2\n", b'"', table(ROW).encode("utf-16")])
def test_a_table_that_is_none_is_400(old: Api, body: bytes) -> None:
    heard = old.post(body, media="text/csv", path=MAPPED)
    assert (heard.status, heard.code) == (400, "EXN-DOCUMENT") and old.waiting() == 0


@pytest.mark.parametrize(("limits", "what"), [
    (Limits(octets=100), "body"), (Limits(records=1), "records"), (Limits(record_octets=20), "record"),
])
def test_a_table_over_a_limit_is_413_and_says_which(tmp_path: Path, limits: Limits, what: str) -> None:
    api = mapped(tmp_path, limits)
    heard = api.post(table(ROW, ROW, ROW).encode("gb18030"), media="text/csv", path=MAPPED)
    assert (heard.status, heard.code) == (413, "EXN-TOO-LARGE") and what in heard.json["en"]["detail"]
    api.close()


def test_a_large_table_is_taken_apart_away_from_the_reactor_and_judged_whole(old: Api) -> None:
    rows = [{**ROW, "前缀": f"r{number}"} for number in range(2_000)]
    body = table(*rows).encode("gb18030")
    assert len(body) >= LARGE["csv"]
    heard = old.post(body, media="text/csv", path=MAPPED)
    assert (heard.status, heard.json["accepted"]) == (202, 2_000)
