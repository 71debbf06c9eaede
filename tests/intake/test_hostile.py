"""Whatever a caller sends to the local API, the answer is one the description tells of, and never a fault."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.validate.made.samples import to_json
from tests.intake.api import DELIVERIES, RECORDS, TOKENS, Api, check, ndjson, operation_of, twin, xml

MEDIA = st.sampled_from(["application/json", "application/x-ndjson", "application/xml"])
CHARSETS = st.sampled_from(["", "; charset=utf-8", "; charset=GB18030"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner))
_NUMBERS = itertools.count()
VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60)


@pytest.fixture(scope="module")
def open_api() -> Iterator[Api]:
    api = Api.at()
    yield api
    api.close()


def key() -> str:
    """Return a key never used before, so that no answer is a replay."""
    return f"k-{next(_NUMBERS)}"


def hostile(api: Api, method: str, path: str, request: bytes) -> None:
    """Assert that a request is answered as described."""
    api.house.faults.clear()
    answers = api.house.say(request)
    assert not api.house.faults, api.house.faults
    for heard in answers:
        assert heard.status != 500
        if operation_of(method, path) is not None and heard.status != 400:
            check(method, path, heard)


@given(body=st.binary(max_size=400), media=MEDIA, charset=CHARSETS)
def test_any_bytes_as_a_body(open_api: Api, body: bytes, media: str, charset: str) -> None:
    request = open_api.request("POST", RECORDS, body, Idempotency_Key=key(), Content_Type=media + charset)
    hostile(open_api, "POST", RECORDS, request)


@given(tree=TREES)
def test_any_json_as_a_body(open_api: Api, tree: Any) -> None:
    try:
        body = orjson.dumps(tree)
    except orjson.JSONEncodeError:  # surrogates and large integers, which JSON of ours cannot say
        return
    for media in ("application/json", "application/x-ndjson"):
        hostile(open_api, "POST", RECORDS, open_api.request(
            "POST", RECORDS, body, Idempotency_Key=key(), Content_Type=media
        ))


@given(name=st.sampled_from(sorted(twin(0)) + ["Unknown"]), value=TREES)
def test_a_good_record_with_any_value_in_any_field(open_api: Api, name: str, value: Any) -> None:
    try:
        body = to_json(twin(0) | {name: value})
    except orjson.JSONEncodeError:
        return
    hostile(open_api, "POST", RECORDS, open_api.request(
        "POST", RECORDS, body, Idempotency_Key=key(), Content_Type="application/json"
    ))


@given(at=st.integers(0, 4000), bit=st.integers(0, 7), cut=st.booleans(), door=st.sampled_from(["xml", "ndjson"]))
def test_a_good_body_with_a_bit_flipped_or_its_end_cut_off(
    open_api: Api, at: int, bit: int, cut: bool, door: str
) -> None:
    twins = [twin(0), twin(1)]
    body = bytearray(xml(twins) if door == "xml" else ndjson(twins))
    at %= len(body)
    if cut:
        del body[at:]
    else:
        body[at] ^= 1 << bit
    media = "application/xml" if door == "xml" else "application/x-ndjson"
    hostile(open_api, "POST", RECORDS, open_api.request(
        "POST", RECORDS, bytes(body), Idempotency_Key=key(), Content_Type=media
    ))


@given(names=st.lists(st.sampled_from([
    "Content-Type", "Idempotency-Key", "Authorization", "Content-Encoding", "Accept-Language", "Expect", "Accept",
]), max_size=5), values=st.lists(VISIBLE, min_size=5, max_size=5), signed=st.booleans())
def test_any_headers(open_api: Api, names: list[str], values: list[str], signed: bool) -> None:
    given = dict(zip(names, values))
    if signed:
        given["Authorization"] = f"Bearer {TOKENS['erp'].decode()}"
    hostile(open_api, "POST", RECORDS, open_api.request("POST", RECORDS, to_json(twin(0)), caller=None, **given))


@settings(max_examples=200)
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    start=st.sampled_from(["/v1/resources/", "/v1/submissions/", "/", DELIVERIES, f"{DELIVERIES}?", f"{RECORDS}?"]),
    rest=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=60),
)
def test_any_path(open_api: Api, method: str, start: str, rest: str) -> None:
    path = start + rest
    if method == "HEAD":
        return  # its answer has no body to hold against anything
    hostile(open_api, method, path, open_api.request(method, path, Idempotency_Key=key(), Content_Type="text/xml"))


@given(limit=VISIBLE, cursor=VISIBLE)
def test_any_limit_and_cursor(open_api: Api, limit: str, cursor: str) -> None:
    quoted = "".join(f"%{octet:02X}" for octet in limit.encode()), "".join(f"%{octet:02X}" for octet in cursor.encode())
    path = f"{DELIVERIES}?limit={quoted[0]}&cursor={quoted[1]}"
    hostile(open_api, "GET", path, open_api.request("GET", path))


@pytest.mark.parametrize("body", [
    b"{" * 100_000, b"[" * 100_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"\n" * 1_000_000, b" " * 1_000_000,
    b"{}\n" * 9_000, b'{"RecordId":"' + b"x" * 500_000 + b'"}', b'{"a":1' + b"0" * 50_000 + b"}",
])
def test_bodies_made_to_cost_much(open_api: Api, body: bytes) -> None:
    for media in ("application/json", "application/x-ndjson", "application/xml"):
        hostile(open_api, "POST", RECORDS, open_api.request(
            "POST", RECORDS, body, Idempotency_Key=key(), Content_Type=media
        ))


@pytest.mark.parametrize("body", [
    b"<a>" * 50_000, b"<a b='" + b"c" * 200_000 + b"'/>", b"<?xml version='1.0' encoding='UTF-7'?><a/>",
    b"<?xml version='1.0' encoding='EBCDIC'?><a/>", b"<a xmlns='" + b"u" * 100_000 + b"'/>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", b"<a>&#0;</a>", b"<a>&#xFFFFFFFF;</a>",
    b"<?xml-stylesheet href='http://192.0.2.1/'?><PopulationBasic xmlns='urn:exn:population-basic:1'/>",
    b"<PopulationBasicList xmlns='urn:exn:population-basic:1'>" + b"<x/>" * 9_000 + b"</PopulationBasicList>",
])
def test_xml_made_to_harm(open_api: Api, body: bytes) -> None:
    hostile(open_api, "POST", RECORDS, open_api.request(
        "POST", RECORDS, body, Idempotency_Key=key(), Content_Type="application/xml"
    ))
