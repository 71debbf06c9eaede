"""XML: every element of a declared path is a row.

    rows = "/人口数据/人员"        # names without their namespaces

Its attributes are `@name`, its elements by name, what is nested by `nested`'s names; a row's line is its number.

Rule 1: a document type is refused before anything of it is parsed: no entity, no external file, no network.
Rule 2: nothing is kept but the row at hand, which is bounded; no tree is built.
Rule 3: what comes before the first error is good, and everything from it on is broken.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from io import BufferedReader
from typing import Any

from lxml import etree

from adapters.contract import Row
from adapters.files.charset import judge
from adapters.files.flaw import LONGEST, TOO_LONG, Broken, Flaw, Piece
from adapters.files.source import Source

_CHUNK = 1 << 16
_DEPTH = 64
_CELLS = 5000
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_KNOWN = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "gb18030": "gb18030", "gbk": "gb18030",
          "gb2312": "gb18030", "gb_2312-80": "gb18030", "cp936": "gb18030"}
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*\?>")
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.S)
_MANY = Flaw("", "此行的列过多", "the row has too many cells")


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows behind the first `at` ones."""
    target = _Target([part for part in form["rows"].split("/") if part])
    parser = etree.XMLParser(  # type: ignore[call-overload]  # its stubs lag behind lxml
        target=target, encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        dtd_validation=False, huge_tree=False)
    given = 0
    with source.open() as file:
        for broken in _parsed(parser, _text(file, form.get("encoding", "auto"))):
            for row in target.rows:
                given += 1
                if given > at:
                    yield Piece(given, given + 1, given, row)
            target.rows.clear()
            if broken:
                raise Broken(broken.zh, broken.en, broken.line)


def _parsed(parser: Any, text: Iterator[str]) -> Iterator[Broken | None]:
    """Feed the parser; yield after each piece, with what is wrong if it was the last."""
    try:
        for piece in text:
            parser.feed(piece.encode("utf-8", "surrogatepass"))
            yield None
        parser.close()
        yield None
    except etree.XMLSyntaxError as why:
        yield Broken(f"XML有错（{why.code}）", f"the XML is wrong ({why.code})", int(why.lineno or 0))
    except Broken as why:
        yield why


def _text(file: BufferedReader, declared: str) -> Iterator[str]:
    """Yield the document as text, without its declaration; raise Broken for one with a document type."""
    head = file.read1(_CHUNK)
    charset, mark = _charset(head, declared)
    decoder = codecs.getincrementaldecoder(charset)()
    piece, prolog = head[mark:], ""
    began = False
    while True:
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError:
            raise Broken("内容不合文件的字符集", "the content is not in the file's charset") from None
        if not began:
            prolog += text
            began = _begins(prolog)
            text = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), prolog) if began else ""
            if len(prolog) > 4 * _CHUNK and not began:
                raise Broken("XML开头过长", "the XML has too long a prolog")
        if text:
            yield text
        if not piece:
            return
        piece = file.read1(_CHUNK)


def _begins(prolog: str) -> bool:
    """Return whether the document's element has begun; raise Broken if a document type comes first."""
    found = _PROLOG.match(prolog)
    rest = prolog[found.end() if found else 0:]
    if rest.startswith("<!D") or rest.startswith("<!") and len(rest) > 4 and not rest.startswith("<!--"):
        raise Broken("XML不得有DOCTYPE", "the XML must have no DOCTYPE")
    return len(rest) > 1 and not rest.startswith(("<!", "<?"))


def _charset(head: bytes, declared: str) -> tuple[str, int]:
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return charset, len(mark)
    said = _DECLARED.match(head)
    if declared != "auto" or not said:
        return judge(head, declared), 0
    charset = _KNOWN.get(said[1].decode().lower(), "")
    if not charset:
        raise Broken("XML声明的编码不受支持", "the encoding that the XML declares is not supported", 1)
    return judge(head, charset), 0


class _Target:
    """What the parser tells: rows are gathered, all else is let go."""

    def __init__(self, path: list[str]) -> None:
        self._path, self._open = path, list[str]()
        self._row: dict[str, Any] | None = None
        self._flaw: Flaw | None = None
        self._names: list[tuple[str, dict[str, int]]] = []
        self._text: list[str] = []
        self._size = 0
        self._leaf = False
        self.rows: list[Row | Flaw] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        name = _local(tag)
        self._open.append(name)
        if len(self._open) > _DEPTH:
            raise Broken("XML嵌套过深", "the XML is nested too deeply")
        if self._row is None:
            if self._open != self._path:
                return
            self._row, self._flaw, self._size, place = {}, None, 0, ""
            self._names = [("", {})]
        else:
            above, seen = self._names[-1]
            if self._flaw is None:  # of a row that is spoilt nothing may grow
                seen[name] = seen.get(name, 0) + 1
            place = above + name + (f"[{seen[name]}]" if seen.get(name, 0) > 1 else "")
            self._names.append((place + "/", {}))
        self._text, self._leaf = [], True
        for key, value in attributes.items():
            self._put(f"{place}/@{_local(key)}" if place else f"@{_local(key)}", value)
        self._grow(len(name))

    def data(self, text: str) -> None:
        """Take a piece of text."""
        if self._row is not None:
            self._grow(len(text))
            if self._flaw is None and self._leaf:
                self._text.append(text)

    def end(self, tag: str) -> None:
        """End an element."""
        self._open.pop()
        if self._row is None:
            return
        place, _ = self._names.pop()
        if self._names and self._leaf:
            self._put(place[:-1], "".join(self._text))
        elif not self._names:
            if self._leaf and (text := "".join(self._text)).strip():
                self._put("#", text)
            self.rows.append(self._flaw or self._row)
            self._row = None
        self._leaf = False

    def close(self) -> None:
        """End the document."""

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > LONGEST:
            self._spoil(TOO_LONG)

    def _put(self, place: str, value: str) -> None:
        assert self._row is not None
        self._grow(len(place) + len(value))
        if self._flaw is None:
            self._row[place] = value
            if len(self._row) > _CELLS:
                self._spoil(_MANY)

    def _spoil(self, flaw: Flaw) -> None:
        """Keep nothing of the row at hand but why it cannot be given."""
        self._flaw = flaw
        assert self._row is not None
        self._row.clear()
        self._text.clear()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
