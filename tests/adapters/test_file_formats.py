"""XML, dBase and books: what is in them comes as it is, what is hostile in them does nothing."""

from __future__ import annotations

import io
import resource
import struct
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from datetime import time as hour
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from secrets import randbits
from typing import Any

import dbf
import openpyxl
import pytest

from adapters.contract import Mode
from adapters.files import forms
from adapters.files.flaw import LONGEST, Broken, Flaw, Piece
from adapters.files.source import Source
from tests.adapters.file_world import World
from tests.adapters.test_file_csv import read, resumed, source
from tests.adapters.tried import further


def of(path: Path, form: str, at: int = 0, **what: Any) -> list[Piece]:
    """Return the rows of a file on the disk."""
    def beside(suffixes: tuple[str, ...]) -> Any:
        found = [path.with_suffix(one) for one in suffixes if path.with_suffix(one).exists()]
        return found[0].open("rb") if found else None

    made = Source(lambda: path.open("rb"), False, 64 << 20, beside)
    return list(forms.FORMATS[form](made, {"format": form, **what}, at, at + 1))


XML = \
    '<?xml version="1.0" encoding="{0}"?>\n<!-- 说明 -->\n<数据 xmlns="urn:x"><头><批次>1</批次></头>' \
    '<人 号="7"><姓名>张三&amp;㐂</姓名>' \
    '<住址><省>京</省></住址><电话>1</电话><电话>2</电话><空/></人><人><姓名><![CDATA[<李四>]]></姓名></人></数据>'


@pytest.mark.parametrize(("declared", "codec"), [
    ("UTF-8", "utf-8"), ("UTF-8", "utf-8-sig"), ("GB18030", "gb18030"), ("gb2312", "gb18030"), ("UTF-16", "utf-16"),
])
def test_elements_of_a_path_are_rows(declared: str, codec: str) -> None:
    octets = XML.format(declared).encode(codec)
    assert read(octets, "xml", rows="/数据/人") == [
        {"@号": "7", "姓名": "张三&㐂", "住址/省": "京", "电话": "1", "电话[2]": "2", "空": ""}, {"姓名": "<李四>"}]
    resumed(octets, "xml", {"rows": "/数据/人"})


@pytest.mark.parametrize(("document", "says"), [
    ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b>1</b></a>', "DOCTYPE"),
    ('<?xml version="1.0"?><!-- x --><!DOCTYPE a [<!ENTITY l "' + "x" * 1000 + '">]><a><b>&l;</b></a>', "DOCTYPE"),
    ("<a><b>&l;</b></a>", "XML有错"), ("", "XML有错"), ("no xml", "XML有错"),
    ('<?xml version="1.0" encoding="EBCDIC"?><a/>', "编码"),
    ("<!--" + "x" * 300_000, "开头过长"), ("<a>" * 100 + "</a>" * 100, "嵌套过深"),
])
def test_xml_that_is_hostile_is_refused(document: str, says: str) -> None:
    with pytest.raises(Broken) as met:
        read(document, "xml", rows="/a/b")
    assert says in met.value.zh


def test_a_document_type_is_refused_in_every_charset() -> None:
    for codec in ("utf-16", "utf-16-le", "utf-8-sig", "gb18030"):
        document = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY l "lol">]><a><b>&l;</b></a>'
        with pytest.raises(Broken):
            read(document.encode(codec), "xml", rows="/a/b")


def test_rows_before_the_damage_of_an_xml_are_good_and_a_large_one_spoils_itself_alone() -> None:
    good = "<b><c>1</c></b>"
    given = []
    with pytest.raises(Broken) as met:
        for one in forms.FORMATS["xml"](source(f"<a>\n{good * 3}<b><c></b></a>".encode()), {"rows": "/a/b"}, 0, 1):
            given.append(one.row)
    assert given == [{"c": "1"}] * 3 and met.value.line == 2
    large = "<b>" + "<c>x</c>" * (LONGEST // 4) + "</b>"
    assert read(f"<a>{good}{large}{good}</a>", "xml", rows="/a/b") == [{"c": "1"}, (2, ""), {"c": "1"}]


class Long(io.RawIOBase):
    """An XML of 120 MB that is made while it is read."""

    def __init__(self) -> None:
        self._left, self._rest = 30_000, b"<a>"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, whence: int = 0) -> int:
        assert at == 0
        return 0

    def readinto(self, buffer: Any) -> int:
        if not self._rest and self._left:
            self._left -= 1
            self._rest = b"<b><c>" + b"x" * 4000 + b"</c></b>" + (b"</a>" if not self._left else b"")
        piece, self._rest = self._rest[:len(buffer)], self._rest[len(buffer):]
        buffer[:len(piece)] = piece
        return len(piece)


def test_an_xml_of_many_rows_takes_no_more_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made = Source(lambda: io.BufferedReader(Long(), 1 << 16), False, 1 << 40)
    total = sum(1 for _ in forms.FORMATS["xml"](made, {"rows": "/a/b"}, 0, 1))
    assert total == 30_000 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


# --- dBase -----------------------------------------------------------------------------------------------------------

STRUCTURE = {
    "vfp": "XM C(20); SFZH C(18); CSRQ D; NL N(3,0); JE N(10,2); YX L; BZ M; SJ T; LS I; QIAN Y; BL B",
    "db3": "XM C(20); SFZH C(18); CSRQ D; NL N(3,0); JE N(10,2); YX L; BZ M",
    "clp": "XM C(300); NL N(3,0); BZ M",
    "fp": "XM C(20); JE F(12,4); BZ M",
}


def table(folder: Path, kind: str) -> tuple[Path, list[dict[str, Any]]]:
    """Write a table with the package `dbf`; return it, and what that package reads back of it."""
    path = folder / f"{kind}.dbf"
    made = dbf.Table(str(path), STRUCTURE[kind], codepage="cp936", dbf_type=kind)
    made.open(dbf.READ_WRITE)
    values = {"XM": "张三丰", "SFZH": "110101199003077777", "CSRQ": date(2019, 2, 28), "NL": 42, "JE": 1234.5, "YX": True,
              "BZ": "备注" * 400, "SJ": datetime(2019, 2, 28, 9, 30, 15), "LS": -7, "QIAN": Decimal("12.3456"), "BL": 0.1}
    for number in range(5):
        made.append({name: value for name, value in values.items() if name in made.field_names})
        if number == 2:
            dbf.delete(made[2])
    made.append()
    back = [{name: one[name] for name in made.field_names} for one in made if not dbf.is_deleted(one)]
    made.close()
    return path, back


@pytest.mark.parametrize("kind", list(STRUCTURE))
def test_tables_of_dbase_are_read_as_another_program_reads_them(tmp_path: Path, kind: str) -> None:
    path, back = table(tmp_path, kind)
    found = of(path, "dbf")
    assert [one.line for one in found] == [1, 2, 4, 5, 6]
    for one, other in zip(found, back, strict=True):
        assert not isinstance(one.row, Flaw)
        row = dict(one.row)
        assert set(row) == set(other)
        for name, cell in other.items():
            if isinstance(cell, str):
                assert row[name] == cell.rstrip() or not cell.strip() and row[name] in ("", None), name
            elif not cell and cell is not False and not isinstance(cell, int | float | Decimal):
                assert row[name] is None, name
            else:
                assert row[name] == cell or float(row[name]) == float(cell), name  # type: ignore[arg-type]
    for number, piece in enumerate(found, 1):
        assert of(path, "dbf", piece.at) == found[number:]


def test_rare_characters_of_a_table_are_read_where_gbk_has_none(tmp_path: Path) -> None:
    path, _ = table(tmp_path, "db3")
    octets = bytearray(path.read_bytes())
    begin = struct.unpack_from("<H", octets, 8)[0]
    octets[begin + 1:begin + 21] = "㐂𠮷".encode("gb18030").ljust(20)
    path.write_bytes(octets)
    first = of(path, "dbf")[0].row
    assert not isinstance(first, Flaw) and first["XM"] == "㐂𠮷"


@pytest.mark.parametrize(("at", "octets", "field"), [
    (1, b"\xff\xff", "XM"), (39, b"20190231", "CSRQ"), (39, b"abcdefgh", "CSRQ"),
    (47, b"***", "NL"), (47, b"1_2", "NL"),
    (60, b"x", "YX"), (61, b"9999999999", "BZ"), (61, b"abcdefghij", "BZ"),
])
def test_a_cell_that_is_not_of_its_type_spoils_its_row_alone(
    tmp_path: Path, at: int, octets: bytes, field: str
) -> None:
    path, _ = table(tmp_path, "db3")
    content = bytearray(path.read_bytes())
    begin = struct.unpack_from("<H", content, 8)[0]
    content[begin + at:begin + at + len(octets)] = octets
    path.write_bytes(content)
    found = of(path, "dbf")
    assert isinstance(found[0].row, Flaw) and found[0].row.field == field
    assert not any(isinstance(one.row, Flaw) for one in found[1:])


def test_a_table_that_is_cut_off_keeps_its_rows_and_one_without_its_memo_is_broken(tmp_path: Path) -> None:
    path, _ = table(tmp_path, "db3")
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    with pytest.raises(Broken) as met:
        of(path, "dbf")
    assert met.value.line == 6
    path.write_bytes(content)
    path.with_suffix(".dbt").unlink()
    with pytest.raises(Broken) as met:
        of(path, "dbf")
    assert "备注" in met.value.zh


@pytest.mark.parametrize("kind", ["vfp", "db3"])
def test_any_damage_of_a_table_breaks_it_or_its_rows(tmp_path: Path, kind: str) -> None:
    path, _ = table(tmp_path, kind)
    content, memo = path.read_bytes(), next(one for one in tmp_path.iterdir() if one != path)
    kept = memo.read_bytes()
    seed = randbits(32)
    print("seed", seed)
    dice = Random(seed)
    for _ in range(300):
        for file, octets in ((path, content), (memo, kept)):
            bent = bytearray(octets)
            for _ in range(dice.randrange(4)):
                bent[dice.randrange(min(len(bent), 700))] = dice.randrange(256)
            file.write_bytes(bent[:dice.randrange(len(bent))] if dice.random() < 0.2 else bent)
        try:
            of(path, "dbf")
        except Broken:
            continue


def test_a_table_and_its_memo_go_together(tmp_path: Path) -> None:
    world = World(tmp_path / "root")
    table(tmp_path, "vfp")
    for name in ("vfp.dbf", "vfp.fpt"):
        world.drop(name.upper(), (tmp_path / name).read_bytes())
    reads = world.reads(format="dbf", pattern="*.dbf")
    assert [row["BZ"] for row in reads.read()][:1] == ["备注" * 400]
    reads.read()
    assert world.names("done") == ["VFP.DBF", "VFP.FPT"] and list(world.inbox.iterdir()) == []
    assert len(reads.read(mode=Mode.WHOLE)) == 5


# --- books -----------------------------------------------------------------------------------------------------------

@contextmanager
def book(path: Path) -> Iterator[Any]:
    """Give a sheet that is then saved."""
    made = openpyxl.Workbook()
    yield made.active
    made.save(path)


def test_a_book_is_read_with_its_dates_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with book(path) as sheet:
        for row in (["姓名", "号", "日", "数", "时", "真", "久"],
                    ["张三㐂𠮷", "0012", date(2019, 2, 28), 12, hour(9, 30), True, timedelta(hours=30)], [],
                    ["李四", 1.5, datetime(2019, 2, 28, 9, 30), None, None, None, None],
                    ["王五", 110101199003077777]):
            sheet.append(row)
    first, second, third = of(path, "excel")
    assert first.row == {"姓名": "张三㐂𠮷", "号": "0012", "日": "2019-02-28", "数": 12, "时": "09:30:00", "真": True,
                         "久": "30:00:00"}
    assert (second.line, second.row) == (4, {
        "姓名": "李四", "号": 1.5, "日": "2019-02-28T09:30:00", "数": None, "时": None, "真": None, "久": None})
    assert isinstance(third.row, Flaw) and third.row.field == "号" and of(path, "excel", 2) == [second, third]


def test_a_merged_header_of_a_chosen_sheet_gives_joined_names(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    made = openpyxl.Workbook()
    sheet = made.create_sheet("名册")
    sheet["B1"] = "二〇一九年人员名册"
    sheet.merge_cells("B1:D1")
    sheet["B2"], sheet["C2"] = "姓名", "联系方式"
    sheet.merge_cells("C2:D2")
    sheet["C3"], sheet["D3"] = "电话", "住址"
    sheet["B4"], sheet["C4"], sheet["D4"] = "张三", "1380", "京"
    made.save(path)
    for chosen in ("名册", 2):
        (row,) = of(path, "excel", sheet=chosen, skip=1, header_rows=2)
        assert (row.line, row.row) == (4, {"姓名": "张三", "联系方式/电话": "1380", "联系方式/住址": "京"})
    for chosen in ("无", 3):
        with pytest.raises(Broken) as met:
            of(path, "excel", sheet=chosen)
        assert "工作表" in met.value.zh


ODS = '''<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="S"><table:table-row
><table:table-cell office:value-type="string"><text:p>姓名</text:p></table:table-cell></table:table-row
><table:table-row><table:table-cell office:value-type="string"
><text:p>张三</text:p></table:table-cell></table:table-row>{0}
</table:table></office:spreadsheet></office:body></office:document-content>'''


def zipped(path: Path, **members: bytes) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, octets in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), octets)
    return path


def ods(path: Path, more: str = "") -> Path:
    """Write a book of OpenDocument."""
    manifest = ('<?xml version="1.0"?><manifest:manifest '
                'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
                '<manifest:file-entry manifest:full-path="/" manifest:media-type="a"/></manifest:manifest>')
    return zipped(path, mimetype=b"application/vnd.oasis.opendocument.spreadsheet",
                  content_xml=ODS.format(more).encode(), **{"META-INF__manifest_xml": manifest.encode()})


def test_a_book_of_opendocument_is_read(tmp_path: Path) -> None:
    assert [one.row for one in of(ods(tmp_path / "a.ods"), "excel")] == [{"姓名": "张三"}]


def far_apart(folder: Path) -> Path:
    """Two cells that lie at the ends of the largest sheet: dense, it has 17 thousand million."""
    with book(folder / "far.xlsx") as sheet:
        sheet["A1"] = "a"
        sheet["XFD1048576"] = "b"
    return folder / "far.xlsx"


def bomb(folder: Path) -> Path:
    """A sheet of 4 GB of one text."""
    with book(folder / "plain.xlsx") as sheet:
        sheet["A1"] = "a"
    with zipfile.ZipFile(folder / "plain.xlsx") as plain, zipfile.ZipFile(
            folder / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for name in plain.namelist():
            if name != "xl/worksheets/sheet1.xml":
                made.writestr(name, plain.read(name))
        with made.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
                        b'<row r="1"><c r="A1" t="inlineStr"><is><t>')
            piece = b"x" * (8 << 20)
            for _ in range(400):
                sheet.write(piece)
    return folder / "bomb.xlsx"


def repeated(folder: Path) -> Path:
    """A book of OpenDocument whose last row repeats a cell a thousand million times."""
    return ods(folder / "r.ods", '<table:table-row table:number-rows-repeated="1000000"><table:table-cell '
               'table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p></table:table-cell>'
               "</table:table-row>")


@pytest.mark.parametrize("make", [far_apart, *further(bomb), repeated])
def test_a_book_that_is_a_bomb_fills_nothing(tmp_path: Path, make: Any) -> None:
    path = make(tmp_path)
    assert path.stat().st_size < 64 << 20
    begun = time.monotonic()
    with pytest.raises(Broken) as met:
        of(path, "excel")
    print(met.value.zh, f"{time.monotonic() - begun:.1f} s",
          resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, "MiB")
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 << 20


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"x" * 1000])
def test_what_is_no_book_is_broken(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(octets)
    with pytest.raises(Broken):
        of(tmp_path / "a.xlsx", "excel")


def test_any_damage_of_a_book_breaks_it(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with book(path) as sheet:
        sheet.append(["a"])
        sheet.append(["b"])
    content = path.read_bytes()
    seed = randbits(32)
    print("seed", seed)
    dice = Random(seed)
    for _ in range(6):
        bent = bytearray(content)
        for _ in range(3):
            bent[dice.randrange(len(bent))] ^= 1 << dice.randrange(8)
        path.write_bytes(bent)
        try:
            of(path, "excel")
        except Broken:
            continue


def test_a_book_beyond_its_bound_is_told(tmp_path: Path) -> None:
    world = World(tmp_path / "root")
    with book(tmp_path / "a.xlsx") as sheet:
        sheet.append(["a"])
        sheet.append(["b"])
    world.drop("a.xlsx", (tmp_path / "a.xlsx").read_bytes())
    reads = world.reads(format="excel", pattern="*.xlsx", most=2000)
    assert reads.read() == [] and "过大" in reads.dirty[0].zh
    reads = world.reads(format="excel", pattern="*.xlsx", folder="in")
    assert reads.read() == [{"a": "b"}]
