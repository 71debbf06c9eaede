"""What can be wrong with a line of a file, and with a file: said without what stood in it."""

from __future__ import annotations

from typing import NamedTuple

from adapters.contract import Row

LONGEST = 1 << 20
"""Most octets of a line or row; a record may not be longer either."""


class Flaw(NamedTuple):
    """Why one row cannot be given; `field` is its column where one is to blame."""

    field: str
    zh: str
    en: str


class Piece(NamedTuple):
    """One row of a file, or what is wrong with it.

    `at` and `following` are where the next begins and which line that is; `line` is this one's number, from 1.
    """

    at: int
    following: int
    line: int
    row: Row | Flaw


class Broken(Exception):
    """The file cannot be read, or not beyond this line; what was given of it before is good."""

    def __init__(self, zh: str, en: str, line: int = 0) -> None:
        super().__init__(en)
        self.zh, self.en, self.line = zh, en, line


TOO_LONG = Flaw("", f"此行超过{LONGEST}字节", f"the line has more than {LONGEST} octets")
UNDECODED = ("内容不合文件的字符集", "the content is not in the file's charset")
NUL = ("内容含空字符", "the content holds a NUL")
WIDTH = Flaw("", "此行的列数与列名不符", "the line has not as many cells as there are columns")
