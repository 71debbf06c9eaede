"""What is sent and what is read: templates, authentication, JSON, XML, SOAP; nothing breaks out of its place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.contract import Bookmark, Dirty, Misconfigured, Mode, Order, Unavailable
from adapters.http_poll import HttpPoll
from adapters.rows import write_row
from adapters.schema import fit
from adapters.web import fill
from adapters.web.markup import ENVELOPES, read_xml
from adapters.web.moments import Stamps
from adapters.web.trees import flat, read_json
from tests.adapters.http_service import Asked, Told, person, settings, stamp, web
from tests.adapters.legacy import Node


def rows(told: Told, more: dict[str, Any] | None = None, **what: Any) -> list[Any]:
    """Return the rows, and what is dirty, of one answer."""
    with web(lambda asked: told) as served:
        adapter = HttpPoll(settings(served.port, **(more or {})))
        asked = {"path": "/", "rows": "", **what}
        fit(HttpPoll.reads, asked, "what", "what")
        try:
            return [one for one in adapter.read(Order(asked)) if not isinstance(one, Bookmark)]
        finally:
            adapter.close()


def sent(more: dict[str, Any] | None = None, **what: Any) -> Asked:
    """Return what a request looks like."""
    with web(lambda asked: Told([])) as served:
        adapter = HttpPoll(settings(served.port, **(more or {})))
        list(adapter.read(Order({"path": "/x", **what})))
        adapter.close()
        return served.asked[0]


# --- JSON ------------------------------------------------------------------------------------------------------------

def test_numbers_keep_every_digit_and_nesting_becomes_names() -> None:
    (row,) = rows(Told('[{"a":12345678901234567890.12345678901234567890,"b":123456789012345678901234567890,"c":{"d":'
                       '{"e":1.50}},"f":[1.10,{"g":"二"}],"h":[],"i":{},"j":1e2}]'))
    assert row == {"a": Decimal("12345678901234567890.12345678901234567890"), "b": 123456789012345678901234567890,
                   "c.d.e": Decimal("1.50"), "f": '[1.10,{"g":"二"}]', "h": "[]", "j": Decimal("1e2")}
    line = write_row(row)
    assert isinstance(line, bytes) and b'"c.d.e":1.50' in line and b'"j":100' in line


@pytest.mark.parametrize("bad", [
    '{"id":1,"id":2}', '{"a":NaN}', '{"a":-Infinity}', '{"a":1e999999999}', '{"a":1E-999999999}',
    '{"a":' + "9" * 5000 + "}",
    '{"a":"\\ud800"}', '{"\\ud800":1}', '{"a.b":1,"a":{"b":2}}', "7", '"x"', "null", "[]", "[" * 200 + "]" * 200,
    '{"a":[' + "[" * 30 + "]" * 30 + "]}", "{" + '"a":{' * 30 + "}" * 30 + "}", '{"a":[NaN]}',
    "{" + ",".join(f'"c{n}":1' for n in range(2100)) + "}", '{"a":{"b":1,"b":2}}', '{"' + "n" * 301 + '":1}',
])
def test_a_row_that_has_no_form_is_dirty_and_its_neighbours_go_on(bad: str) -> None:
    found = rows(Told(f'[{{"id":1}},{bad},{{"id":3}}]'), key=["id"])
    assert found[0] == {"id": 1} and found[2] == {"id": 3} and isinstance(found[1], Dirty)
    assert found[1].zh and found[1].en


@pytest.mark.parametrize(("charset", "header", "said"), [
    ("gb18030", "application/json; charset=GBK", None), ("gb18030", 'text/json;charset="gb2312"', None),
    ("gb18030", "", "gb18030"), ("gb18030", "application/json; charset=utf-8", "gb18030"), ("utf-8-sig", "", None),
    ("utf-8", "application/json", None),
])
def test_the_charset_is_that_declared(charset: str, header: str, said: str | None) -> None:
    told = Told('[{"姓名":"张三㐂𠮷"}]'.encode(charset), headers={"Content-Type": header})
    what: dict[str, Any] = {"charset": said} if said else {}
    assert rows(told, **what) == [{"姓名": "张三㐂𠮷"}]


def test_octets_outside_the_charset_spoil_their_row_alone() -> None:
    for charset in ("gb18030", "utf-8"):
        body = '[{"a":"好"},{"a":"?"},{"a":"末"}]'.encode(charset).replace(b"?", b"\xff\xfe")
        found = rows(Told(body), charset=charset)
        assert found[0] == {"a": "好"} and found[2] == {"a": "末"} and isinstance(found[1], Dirty)
    with pytest.raises(Misconfigured):
        rows(Told("[]", headers={"Content-Type": "application/json; charset=utf-16"}))


def test_a_code_in_the_answer_decides_and_no_number_of_a_person_is_told() -> None:
    success = {"field": "code", "values": ["0", "200"], "mend": ["401"]}
    assert rows(Told({"code": 200, "d": [{"a": 1}]}), rows="d", success=success) == [{"a": 1}]
    assert rows(Told({"code": "0", "d": None}), rows="d", success=success) == []
    for code, kind, told in (("E42", Unavailable, "E42"), (401, Misconfigured, "401"), ("张三", Unavailable, "?"),
                             ("110101199003078888", Unavailable, "?"), ("13800138000", Unavailable, "?")):
        with pytest.raises(kind) as met:
            rows(Told({"code": code, "d": [], "msg": "张三"}), rows="d", success=success)
        assert f"{told}" in str(met.value) and str(code) in (told, "401", str(code)) and "张三" not in str(met.value)
        assert told != "?" or str(code) not in str(met.value)


def test_no_content_is_no_rows() -> None:
    assert rows(Told(b"", 204, {"Content-Length": "0"})) == []


# --- XML and SOAP ----------------------------------------------------------------------------------------------------

def soap(body: str, version: str = "1.1") -> str:
    """Return an envelope."""
    return (f'<?xml version="1.0"?><s:Envelope xmlns:s="{ENVELOPES[version]}" '
            f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>{body}</s:Body></s:Envelope>')


SOAP: dict[str, Any] = {"soap": "1.1", "action": "urn:q", "body": "<q>{bookmark}</q>", "rows": "Body/resp/list/row"}


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_rows_of_soap_come_by_the_names_of_their_elements(version: str) -> None:
    body = soap("""<r:resp xmlns:r="urn:r"><list><row id="7"><xm>张三</xm><dz t="1">京<!-- x --></dz><kong xsi:nil="true"/>
        <wu/><hao>1</hao><hao>2</hao><zhi><sheng>京</sheng></zhi></row><row><xm>李&amp;四 &#x3402;</xm></row></list>
        </r:resp>""", version)
    assert rows(Told(body, headers={"Content-Type": "text/xml; charset=utf-8"}), **{**SOAP, "soap": version}) == [
        {"@id": "7", "xm": "张三", "dz.@t": "1", "dz": "京", "kong": None, "wu": "", "hao": '["1","2"]',
         "zhi.sheng": "京"},
        {"xm": "李&四 㐂"}]
    assert rows(Told(soap("<resp><list/></resp>", version)), **{**SOAP, "soap": version}) == []
    assert len(rows(Told(soap("<resp><list><row><a>1</a></row></list></resp>")), **SOAP)) == 1
    for other in ("<other/>", "<resp/>"):
        with pytest.raises(Misconfigured):
            rows(Told(soap(other, version)), **{**SOAP, "soap": version})


@pytest.mark.parametrize(("status", "body", "kind", "code"), [
    (500, "<s:Fault><faultcode>s:Client.A</faultcode><faultstring>张三</faultstring></s:Fault>", Misconfigured, "Client"),
    (500, "<s:Fault><faultcode>s:Server</faultcode><faultstring>张三</faultstring></s:Fault>", Unavailable, "Server"),
    (200, "<s:Fault><faultcode>s:Server</faultcode><faultstring>张三</faultstring></s:Fault>", Unavailable, "Server"),
    (500, "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>", Misconfigured, "Sender"),
    (500, "<s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code></s:Fault>", Unavailable, "Receiver"),
    (500, "<s:Fault><faultcode>110101199003078888</faultcode></s:Fault>", Unavailable, "?"),
    (500, "<s:Fault/>", Unavailable, "500"), (503, "", Unavailable, "503"), (401, "", Misconfigured, "401"),
])
def test_a_fault_is_told_by_its_code(status: int, body: str, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as met:
        rows(Told(soap(body), status), **SOAP)
    assert code in str(met.value) and "张三" not in str(met.value) and "1101" not in str(met.value)


def test_what_stands_as_a_text_in_an_answer_is_read_too() -> None:
    inner = '{"data":[{"a":1}]}'
    assert rows(Told(soap(f"<resp><return>{inner}</return></resp>")), **{
        **SOAP, "inside": {"path": "Body/resp/return", "format": "json"}, "rows": "data"}) == [{"a": 1}]
    text = '<![CDATA[<?xml version="1.0" encoding="GBK"?><r><row><a>张</a></row></r>]]>'
    assert rows(Told(soap(f"<resp><return>{text}</return></resp>")), **{
        **SOAP, "inside": {"path": "Body/resp/return", "format": "xml"}, "rows": "row"}) == [{"a": "张"}]
    with pytest.raises(Misconfigured):
        rows(Told(soap("<resp/>")), **{**SOAP, "inside": {"path": "Body/resp/return", "format": "xml"}})


@pytest.mark.parametrize(("body", "kind"), [
    ('<!DOCTYPE r [<!ENTITY a "' + "x" * 1000 + '"><!ENTITY b "' + "&a;" * 1000 + '">]><r><row>&b;</row></r>',
     Misconfigured),
    ('<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><r/>', Misconfigured),
    ('<?xml version="1.0"?><!-- x --><?y z?>\n<!DOCTYPE r [<!ENTITY e SYSTEM "file:///x">]><r><row>&e;</row></r>',
     Misconfigured),
    ("<r><row>&e;</row></r>", Unavailable), ("<r>" * 100 + "</r>" * 100, Misconfigured), ("<r>" * 100_000, Unavailable),
    ("<r><row>", Unavailable), ("", Unavailable), ("<!DOCTYPE html><html>", Unavailable), ("<html><br>", Unavailable),
    ("<r><row>\x0b</row></r>", Unavailable), ("<!--" * 10_000, Unavailable), ("<?x?>" * 10_000, Unavailable),
])
def test_xml_has_no_dtd_no_entities_and_no_depth(body: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        rows(Told(body), format="xml", rows="row")


def test_a_doctype_within_a_text_is_a_text() -> None:
    assert rows(Told("<r><row><a><![CDATA[<!DOCTYPE html>]]></a></row></r>"), format="xml", rows="row") == [
        {"a": "<!DOCTYPE html>"}]


def test_xml_of_gb18030_is_read_and_bad_octets_spoil_their_row_alone() -> None:
    text = ('<?xml version="1.0" encoding="GB2312"?><r><row><a>张三㐂𠮷</a></row><row><a>?</a></row>'
            "<row><a>末</a></row></r>")
    found = rows(Told(text.encode("gb18030").replace(b">?<", b">\xff\xfe<")), format="xml", rows="row")
    assert found[0] == {"a": "张三㐂𠮷"} and found[2] == {"a": "末"} and isinstance(found[1], Dirty)


def test_a_soap_service_is_followed_page_by_page() -> None:
    people = {n: person(n, 900 - n) for n in range(30)}

    def answer(asked: Asked) -> Told:
        body = etree.fromstring(asked.body)
        since, page = body.findtext(".//since") or "", int(body.findtext(".//page") or 0)
        found = sorted((one for one in people.values() if one["gxsj"] >= since), key=lambda one: one["gxsj"])
        told = "".join(f"<row><id>{one['id']}</id><gxsj>{one['gxsj']}</gxsj></row>"
                       for one in found[page * 7:page * 7 + 7])
        assert asked.headers["SOAPAction"] == '"urn:q"' and asked.headers["Content-Type"] == "text/xml; charset=utf-8"
        return Told(soap(f"<resp><n>{len(found)}</n><list>{told}</list></resp>"))

    with web(answer) as served:
        node = Node(HttpPoll(settings(served.port)), {
            **SOAP, "path": "/ws", "cursor": "gxsj", "limit": 7,
            "body": soap("<q><since>{bookmark}</since><page>{page}</page></q>"),
            "paging": {"kind": "page", "first": 0, "total": "Body/resp/n"}})
        assert len(node.read()) == 30 and node.read() == []
        people[3] = {"id": 3, "gxsj": stamp(0)}
        assert [row["id"] for row in node.read()] == ["3"]
        node.adapter.close()


# --- templates -------------------------------------------------------------------------------------------------------

SPOILT = st.text(max_size=20) | st.sampled_from(['"}', "]]>", "</q>", "&x=1", "\\", "{page}", "../", "\r\nX: y", "%00"])


@given(SPOILT)
def test_a_value_stays_a_value_in_json(value: str) -> None:
    body = fill.as_json('{"since": "{v}", "x": {"page": {n}}, "y": "\\"{v}"}', {"v": value, "n": "7"})
    assert json.loads(body.encode("utf-8", "surrogatepass")) == {"since": value, "x": {"page": 7}, "y": f'"{value}'}


@given(SPOILT)
def test_a_number_alone_stands_outside_quotes(value: str) -> None:
    try:
        body = fill.as_json('{"n": {v}}', {"v": value})
    except Misconfigured:
        return
    assert set(body) <= set('{}"n: -.0123456789')


@given(SPOILT)
def test_a_value_stays_a_value_in_xml(value: str) -> None:
    try:
        body = fill.as_xml('<q a="{v}"><b>{v}</b></q>', {"v": value})
    except fill.Illegal:
        return
    found = etree.fromstring(body)
    assert found.findtext("b") == value and len(found) == 1 and len(found.attrib) == 1


@given(SPOILT)
def test_a_value_stays_a_value_in_a_query(value: str) -> None:
    said = fill.encoded(fill.pairs({"since": "{v}", "x": "1"}, {"v": value}))
    assert dict(parse_qsl(said, keep_blank_values=True)) == {"since": value, "x": "1"} and said.isascii()


def test_what_is_sent_is_as_the_template_says() -> None:
    query = {"s": "{bookmark}", "n": "{limit}", "k": "{other}"}
    asked = sent(path="/a b/{bookmark}", start="1/2 张&", query=query, limit=9)
    assert asked.target == ("/a%20b/1%2F2%20%E5%BC%A0%26?s=1%2F2%20%E5%BC%A0%26&n=9&k=%7Bother%7D")
    assert sent(form={"s": "{bookmark}"}, start="张 三").body == b"s=%E5%BC%A0%20%E4%B8%89"
    asked = sent(body='{"s":"{bookmark}","o":{offset}}', start='"')
    assert json.loads(asked.body) == {"s": '"', "o": 0} and asked.headers["Content-Type"] == "application/json"
    for wrong in ({"body": "{}", "method": "GET"}, {"body": "{}", "form": {}}, {"soap": "1.1"},
                  {"soap": "1.1", "body": "<q/>", "action": 'a"b'}, {"body": '{"a":{bookmark}}', "start": '1,"b":2'}):
        with pytest.raises(Misconfigured):
            sent(**wrong)


# --- authentication --------------------------------------------------------------------------------------------------

def test_each_way_to_be_known() -> None:
    given_ = {"secret": "口令:1", "auth": {"kind": "basic", "user": "node"}}
    said = sent(given_).headers["Authorization"]
    assert base64.b64decode(said.removeprefix("Basic ")).decode() == "node:口令:1"
    assert sent({"secret": "t", "auth": {"kind": "bearer"}}).headers["Authorization"] == "Bearer t"
    assert sent({"secret": "t", "auth": {"kind": "header", "name": "X-Key"}}).headers["X-Key"] == "t"
    assert sent({"headers": {"X-A": "1"}, "secret_headers": "X-B: 2:3\n\nX-C:4\n"}).headers.items() >= {
        ("X-A", "1"), ("X-B", "2:3"), ("X-C", "4")}
    for wrong in ({"auth": {"kind": "bearer"}}, {"secret": "x", "auth": {"kind": "basic"}},
                  {"secret_headers": "s3cret"}, {"secret_headers": "X: s3cret\x01"},
                  {"secret": "s3cret\r\nX: y", "auth": {"kind": "bearer"}},
                  {"headers": {"X": "张"}}, {"headers": {"X Y": "1"}}):
        with pytest.raises(Misconfigured) as met:
            sent(wrong)
        assert "s3cret" not in str(met.value) + met.value.zh


@pytest.mark.parametrize("digest", ["sha256", "sm3"])
@pytest.mark.parametrize("body", [None, '{"a":"张"}'])
def test_a_query_is_signed_so_that_another_can_prove_it(digest: str, body: str | None) -> None:
    auth = {"kind": "signed", "digest": digest, "id": {"appKey": "d7"}, "time": "milliseconds", "upper": True}
    asked = sent({"secret": "k", "auth": auth}, query={"a": "张 &="}, **({"body": body} if body else {}))
    sign = asked.query.pop("sign")
    assert set(asked.query) == {"a", "appKey", "timestamp", "nonce"} and len(asked.query["timestamp"]) == 13
    signed = {**asked.query, **({"body": hashlib.new(digest, asked.body).hexdigest()} if body else {})}
    text = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    assert sign == hmac.new(b"k", text.encode(), digest).hexdigest().upper()


# --- stamps ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("said", "lag", "before"), [
    ("2026-03-01 00:00:05", 10, "2026-02-28 23:59:55"), ("20260301000005", 10, "20260228235955"),
    ("20260301", 1, "20260228"), ("2026/03/01", 1, "2026/02/28"), ("2026-03-01T00:00:05Z", 10, "2026-02-28T23:59:55Z"),
    ("2026-03-01T00:00:05.250+08:00", 10, "2026-02-28T23:59:55.250+08:00"),
    ("2026-03-01T00:00:05.123456789+0800", 10, "2026-02-28T23:59:55.123456000+0800"),
    (100, 10, 90), ("100", 10, "90"), (Decimal("1.5"), 1, Decimal("0.5")), ("第一版", 10, "第一版"),
    ("0001-01-01", 99, "0001-01-01"),
])
def test_a_stamp_is_written_back_in_its_shape(said: Any, lag: float, before: Any) -> None:
    stamps = Stamps(None, "+08:00")
    stamps.learn([said])
    assert stamps.earlier(said, lag) == before and type(stamps.earlier(said, lag)) is type(before)


def test_seconds_since_1970_know_the_lag_and_the_clock() -> None:
    with web(lambda asked: Told([{"id": 1, "t": 1_700_000_000_000}, {"id": 2, "t": 99_999_999_999_999}])) as served:
        node = Node(HttpPoll(settings(served.port)), {
            "path": "/", "rows": "", "cursor": "t", "cursor_kind": "milliseconds", "query": {"s": "{bookmark}"},
            "lag": 60})
        assert len(node.read()) == 2 and node.read() == []
        assert served.asked[-1].query == {"s": "1699999940000"}, "the one ahead of the clock moved nothing"
        node.read(mode=Mode.NONE)
        assert 1_790_000_000_000 < node.bookmark["at"] < 99_999_999_999_999
        node.adapter.close()


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-10**30, 10**30) | st.text(max_size=5) | st.decimals(
        allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=12))
def test_any_tree_becomes_a_row_that_can_be_written_or_is_dirty(tree: Any) -> None:
    row = flat({"x": tree})
    assert isinstance(row, Dirty) or isinstance(write_row(row), bytes)


@given(st.text(max_size=40) | st.text('<>/="!? &;[]CDATAr', max_size=40) | st.text('{}[]",:1eE.-', max_size=40))
def test_any_text_is_a_tree_or_told_to_be_none(text: str) -> None:
    for reads in (read_json, read_xml):
        try:
            flat(reads(text))
        except (Misconfigured, Unavailable):
            pass
