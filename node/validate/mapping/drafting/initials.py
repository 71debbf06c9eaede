"""The initials of pinyin, as old tables name their columns: 姓名 is XM, 统一社会信用代码 is TYSHXYDM.

Rule 1: the characters of level 1 of GB 2312 stand in the order of their pinyin, so that a character's place in that
        code tells its initial; no dictionary is needed.  Of a text with any other character nothing is told.
Rule 2: a character with two readings that differ in their initial has both; a text has at most `MOST` readings.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import islice, product

MOST = 4

_STARTS = (0xB0A1, 0xB0C5, 0xB2C1, 0xB4EE, 0xB6EA, 0xB7A2, 0xB8C1, 0xB9FE, 0xBBF7, 0xBFA6, 0xC0AC, 0xC2E8, 0xC4C3,
           0xC5B6, 0xC5BE, 0xC6DA, 0xC8BB, 0xC8F6, 0xCBFA, 0xCDDA, 0xCEF4, 0xD1B9, 0xD4D1)
"""Where each initial begins."""
_LETTERS = "ABCDEFGHJKLMNOPQRSTWXYZ"
_END = 0xD7F9
_TWOFOLD = {"行": "XH", "长": "CZ", "重": "ZC", "调": "DT", "传": "CZ", "朝": "CZ", "藏": "CZ", "会": "HK", "没": "MM"}


@lru_cache(4096)
def initials(text: str) -> tuple[str, ...]:
    """Return the initials of a text, ASCII letters and digits as they are in capitals; nothing if one is unknown."""
    read = [_TWOFOLD.get(sign) or _initial(sign) for sign in text]
    if not read or not all(read):
        return ()
    return tuple(dict.fromkeys("".join(one) for one in islice(product(*read), MOST)))


def _initial(sign: str) -> str:
    if sign.isascii():
        return sign.upper() if sign.isalnum() else ""
    try:
        place = int.from_bytes(sign.encode("gb2312"), "big")
    except UnicodeEncodeError:
        return ""
    return _LETTERS[bisect_right(_STARTS, place) - 1] if _STARTS[0] <= place <= _END else ""
