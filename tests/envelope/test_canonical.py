"""Canonical JSON: one value, one spelling."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.envelope import canonical
from node.model.trouble import Refused

TEXTS = st.text(st.sampled_from([chr(point) for point in range(0x20, 0x7F) if chr(point) not in '"\\']), max_size=20)
NAMES = st.text(st.sampled_from("abcxyz_"), min_size=1, max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(0, canonical.MAX_NUMBER) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(NAMES, VALUES, max_size=6))
def test_what_is_written_reads_back(members: dict[str, Any]) -> None:
    content = canonical.write(members)
    assert canonical.read(content, 1 << 20) == members
    assert canonical.write(canonical.read(content, 1 << 20)) == content


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=6), st.data())
def test_another_spelling_is_refused(members: dict[str, Any], data: st.DataObject) -> None:
    content = canonical.write(members)
    at = data.draw(st.integers(0, len(content)))
    with pytest.raises(Refused) as refusal:
        canonical.read(content[:at] + b" " + content[at:] + b" ", 1 << 20)
    assert refusal.value.code.name == "EXN-STATEMENT"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b'{"a":1}x', b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{"a" :1}', b'{"a":"\\u0041"}', b'{"a":"\\n"}',
        b'{"a":1.0}', b'{"a":1.5}', b'{"a":-0}', b'{"a":-1}', b'{"a":1e3}', b'{"a":1E400}', b'{"a":NaN}',
        b'{"a":9007199254740992}', b'{"a":null}', '{"a":"名"}'.encode(), b'{"A":1}', b'{"a1":1}', b'{"a":{"@type":""}}',
        b'\xef\xbb\xbf{"a":1}', b'{"a":"\x7f"}', b'{"a":"\x01"}', b'{"a":01}', b"'a'", b'{"a":1,}', b"null",
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}", b'{"a":' + b"[" * 12 + b"]" * 12 + b"}",
    ],
)
def test_json_with_a_second_spelling_is_refused(content: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        canonical.read(content, 1 << 20)
    assert refusal.value.code.name == "EXN-STATEMENT"


@pytest.mark.parametrize(
    "value",
    [{"a": None}, {"a": 1.5}, {"a": -1}, {"a": 1 << 53}, {"a": "名"}, {"a": 'x"y'}, {"a": "x\\y"},
     {"A": 1}, {"a": "\ud800"}]
)
def test_what_canonical_json_cannot_say_is_not_written(value: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        canonical.write(value)


def test_the_limit_comes_before_the_parsing() -> None:
    with pytest.raises(Refused) as refusal:
        canonical.read(b"\xff" * 11, 10)
    assert refusal.value.code.name == "EXN-TOO-LARGE"


@given(st.binary(max_size=40))
def test_octets_have_one_base64_spelling(octets: bytes) -> None:
    assert canonical.unarmour(canonical.armour(octets)) == octets


@pytest.mark.parametrize("text", ["QR==", "QQ=", "QQ", "Q Q=", "QQ==\n", "-_==", "QQ==QQ=="])
def test_another_base64_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        canonical.unarmour(text)
