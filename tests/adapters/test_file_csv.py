"""CSV and lines of fixed width, NDJSON: charsets, quotes, Excel's ways, and what is hostile."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from secrets import randbits
from typing import Any

import pytest

from adapters.files import csv_rows, fixed_rows, forms, json_rows
from adapters.files.flaw import LONGEST, Broken, Flaw
from adapters.files.source import Source


def source(content: bytes, packed: bool = False, most: int = 1 << 30) -> Source:
    """Return a file of these octets."""
    return Source(lambda: io.BufferedReader(io.BytesIO(content)), packed, most)


def read(content: bytes | str, form: str = "csv", packed: bool = False, **what: Any) -> list[Any]:
    """Return the rows of a file, a flawed one as its line and field."""
    octets = content.encode() if isinstance(content, str) else content
    return [
        (one.line, one.row.field) if isinstance(one.row, Flaw) else dict(one.row)
        for one in forms.FORMATS[form](source(octets, packed), {"format": form, **what}, 0, 1)
    ]


def resumed(octets: bytes, form: str, what: Mapping[str, Any]) -> None:
    """Demand that a file can be read on from behind each of its rows."""
    whole = list(forms.FORMATS[form](source(octets), what, 0, 1))
    for number, one in enumerate(whole, 1):
        assert list(forms.FORMATS[form](source(octets), what, one.at, one.following)) == whole[number:]


@pytest.mark.parametrize(("octets", "encoding"), [
    ("姓名,号\n张三㐂𠮷,1\n".encode("gb18030"), "auto"), ("姓名,号\n张三㐂𠮷,1\n".encode("gb18030"), "gbk"),
    ("姓名,号\n张三㐂𠮷,1\n".encode(), "auto"), ("姓名,号\r\n张三㐂𠮷,1\r\n".encode("utf-8-sig"), "auto"),
    ("姓名,号\n张三㐂𠮷,1".encode("utf-8-sig"), "gb18030"), ("姓名,号\n张三㐂𠮷,1".encode(), "utf-8"),
])
def test_every_charset_is_read(octets: bytes, encoding: str) -> None:
    assert read(octets, encoding=encoding) == [{"姓名": "张三㐂𠮷", "号": "1"}]


@pytest.mark.parametrize(("octets", "encoding", "says"), [
    ("姓名,住址\n张三,北京市东城区\n".encode(), "gb18030", "UTF-8"),
    ("姓名,号\n张三,1\n".encode("gb18030"), "utf-8", "列名不可读"),
    (b"\xff\xfe" + "姓名,号\n张三,1\n".encode("utf-16-le"), "auto", "UTF-16"),
    (b"a,b\n\x81\xff\xff,1\n", "auto", "encoding"),
])
def test_a_charset_that_is_wrong_is_told(octets: bytes, encoding: str, says: str) -> None:
    with pytest.raises(Broken) as met:
        read(octets, encoding=encoding)
    assert says in met.value.zh


def test_text_of_gb18030_that_happens_to_be_utf_8_is_not_taken_for_it() -> None:
    octets = "a,b\n".encode() + bytes((0xC4, 0xA3, 0xD0, 0xA1)) + b",1\n"
    octets.decode()  # it is
    assert read(octets) == [{"a": octets[4:8].decode("gb18030"), "b": "1"}]


def test_the_charset_is_found_far_behind_the_head() -> None:
    plain = b"a,b\n" + (b"x" * 60 + b",1\n") * 40_000  # more than is looked at at once
    assert read(plain + "张,1\n".encode("gb18030"))[-1] == {"a": "张", "b": "1"}
    assert read(plain + "张,1\n".encode())[-1] == {"a": "张", "b": "1"}


def test_a_line_outside_the_charset_is_dirty_and_the_others_go_on() -> None:
    octets = "a,b\n张三,1\n".encode("gb18030") + b"\x81\xff,2\n1,\xff\xff\n" + "李四,3\n".encode("gb18030")
    assert read(octets, encoding="gb18030") == [{"a": "张三", "b": "1"}, (3, "a"), (4, "b"), {"a": "李四", "b": "3"}]


@pytest.mark.parametrize(("cell", "wanted"), [
    ('="00123"', "00123"), ('"=""00123"""', "00123"), ("\t110101\t", "110101"), ("'00123", "00123"),
    ("'tis", "'tis"), ("=1+2", "=1+2"), ('"a""b"', 'a"b'), ('"a,b"', "a,b"), ('a"b', 'a"b'), ('"a"b', "ab"), ("", ""),
    ('"第一行\n第二行"', "第一行\n第二行"),
])
def test_cells_as_excel_writes_them(cell: str, wanted: str) -> None:
    assert read(f"a,b\n{cell},1\n") == [{"a": wanted, "b": "1"}]
    if cell[:1] in "=\t'" and cell:
        assert read(f"a,b\n{cell},1\n", excel=False, quote="")[0]["a"] == cell


def test_a_stray_quote_spoils_its_line_alone() -> None:
    assert read('a,b\n1,x\n2,"y\n3,z\n4,"u"\n5,v\n') == [
        {"a": "1", "b": "x"}, (3, ""), {"a": "3", "b": "z"}, {"a": "4", "b": "u"}, {"a": "5", "b": "v"}]
    assert read('a,b\n1,"x') == [(2, "")]
    assert read('a,b\n' + '1,"x\n' * 3 + "2,y\n" * 300)[-300:] == [{"a": "2", "b": "y"}] * 300


def test_columns_that_are_too_many_or_too_few_are_dirty() -> None:
    assert read("a,b\n1\n1,2\n1,2,\n1,2,3\n\n") == [(2, ""), {"a": "1", "b": "2"}, {"a": "1", "b": "2"}, (5, "")]


def test_joined_files_are_read_on() -> None:
    one = "a,b\n1,2\n".encode("utf-8-sig")
    assert read(one + one) == [{"a": "1", "b": "2"}] * 2
    assert read("a,b\n\ufeff1,2\n3,4\n") == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_declared_columns_stand_for_a_header_or_choose_of_it() -> None:
    assert read("1|2\n3|4\n", header=False, columns=["a", "b"], separator="|") == [
        {"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert read("标题\na,b,c\n1,2,3\n", skip=1, columns=["c", "a"]) == [{"c": "3", "a": "1"}]
    with pytest.raises(Broken) as met:
        read("a,b\n1,2\n", columns=["c"])
    assert "缺少列c" in met.value.zh


def test_a_separator_that_is_half_a_character_elsewhere_does_not_cut_it() -> None:
    text = next(chr(n) for n in range(0x4E00, 0x9FFF) if chr(n).encode("gb18030")[1:] == b"|")
    assert read(f"a|b\n{text}|1\n".encode("gb18030"), separator="|", encoding="gb18030") == [{"a": text, "b": "1"}]


@pytest.mark.parametrize("text", ["", "\n\n", "a,a\n", "110101199003077777,张三\n", ",,\n", "a\0,b\n1,2\n"])
def test_what_is_no_header_breaks_the_file_and_is_not_quoted(text: str) -> None:
    with pytest.raises(Broken) as met:
        read(text)
    assert "张三" not in met.value.zh and "110101" not in met.value.zh


def test_a_line_of_ten_megabytes_and_a_nul_spoil_their_lines_alone() -> None:
    octets = b"a,b\n1,2\n" + b"x" * (10 << 20) + b"\n3,4\n5,\0\n" + b"z" * (LONGEST + 1)
    assert read(octets) == [{"a": "1", "b": "2"}, (3, ""), {"a": "3", "b": "4"}, (5, "b"), (6, "")]
    assert read(b"a,b\n1,\"" + b"x\n" * (1 << 15) + b"\",1\n7,8\n")[-1] == {"a": "7", "b": "8"}


def test_any_octets_are_read_or_broken_and_can_be_resumed() -> None:
    seed = randbits(32)
    print("seed", seed)
    dice = Random(seed)
    parts = [b'"', b",", b"\n", b"\r\n", b"a", "张".encode("gb18030"), "张".encode(), b"\0", b"=", b"\t", b"'", b"\xff",
             b"\xef\xbb\xbf", b'""', b'="1"']
    for _ in range(400):
        octets = b"a,b\n" + b"".join(dice.choice(parts) for _ in range(dice.randrange(60)))
        try:
            read(octets)
        except Broken:
            continue
        resumed(octets, "csv", {"format": "csv"})


def test_packed_files_are_read_to_their_damage_and_no_bomb_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "BLANK", 100_000)
    octets = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * 7919) for n in range(20_000))
    assert read(gzip.compress(octets), packed=True) == read(octets)
    half = gzip.compress(octets[:60_000]) + gzip.compress(octets[60_000:]) + b"\0" * 512
    assert read(half, packed=True) == read(octets)
    given = []
    with pytest.raises(Broken):
        for one in csv_rows.rows(source(gzip.compress(octets)[:-5000], True), {"format": "csv"}, 0, 1):
            given.append(one.row)
    assert given and given == read(octets)[:len(given)]
    for filling, says in ((b"x", "过大"), (b"\n", "空行过多")):
        deep = zlib.compressobj(9, wbits=31)
        bomb = [deep.compress(b"a,b\n"), *(deep.compress(filling * (1 << 20)) for _ in range(200)), deep.flush()]
        with pytest.raises(Broken) as met:
            read(b"".join(bomb), packed=True)
        assert says in met.value.zh
    with pytest.raises(Broken):
        read(b"\x1f\x8b\x08" + b"x" * 100, packed=True)
    with pytest.raises(Broken):
        read(b"", packed=True)


FIELDS = [{"name": "号", "width": 4}, {"name": "姓名", "width": 10}, {"name": "日", "width": 8}]


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_fixed_width_is_of_octets(charset: str) -> None:
    def line(number: str, name: str, day: str) -> bytes:
        return number.ljust(4).encode() + name.encode(charset).ljust(10) + day.encode()

    octets = b"\r\n".join([
        line("1", "张三", "20190228"), b"2", line("3", "李四", "20190301   "), line("4", "", "x") + b"yyyyyyyyy"])
    assert read(octets, "fixed", fields=FIELDS, encoding=charset) == [
        {"号": "1", "姓名": "张三", "日": "20190228"}, {"号": "2", "姓名": "", "日": ""},
        {"号": "3", "姓名": "李四", "日": "20190301"}, (4, "")]
    resumed(octets, "fixed", {"fields": FIELDS, "encoding": charset})


def test_a_character_that_a_field_cuts_is_dirty() -> None:
    octets = "123张三四五六".encode("gb18030") + b"20190228\n1   " + "甲".encode("gb18030") + b"\n"
    assert read(octets, "fixed", fields=FIELDS, encoding="gb18030") == [(1, "号"), {"号": "1", "姓名": "甲", "日": ""}]
    assert fixed_rows.cut(b"a\0", [("a", 0, 2)], "gb18030") == Flaw("a", "内容含空字符", "the content holds a NUL")


def test_ndjson_keeps_digits_and_flattens() -> None:
    octets = ('{"号":1,"额":0.10000000000000000001,"长":123456789012345678901234567890,"人":{"名":"张三","子":["甲","乙"]},'
              '"空":null,"真":true}\n\n{"a":"b"}').encode()
    assert read(octets, "ndjson") == [
        {"号": 1, "额": Decimal("0.10000000000000000001"), "长": 123456789012345678901234567890, "人/名": "张三",
         "人/子": "甲", "人/子[2]": "乙", "空": None, "真": True}, {"a": "b"}]
    resumed(octets, "ndjson", {})


@pytest.mark.parametrize("line", [
    b"[1]", b"{", b"nul", b'{"a":NaN}', b'{"a":1,"a":2}', b'{"a":1e999999999}', b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":' * 100_000, b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", b'{"a":"\\u0000"}', b'{"a":"\xff"}',
    b'{"a/b":1,"a":{"b":2}}',
    b'{"a":"' + b"x" * (10 << 20) + b'"}',
])
def test_a_line_that_is_no_object_is_dirty(line: bytes) -> None:
    first, *rest = read(b'{"a":1}\n' + line + b'\n{"a":2}', "ndjson", encoding="utf-8")
    assert first == {"a": 1} and rest[0][0] == 2 and rest[1:] == [{"a": 2}]


def test_a_file_that_is_one_array_is_broken() -> None:
    with pytest.raises(Broken):
        read(b'[\n{"a":1}\n]', "ndjson")
    assert json_rows.parse(b'{"a":"\xb0\xa1"}', "gb18030") == {"a": "啊"}
