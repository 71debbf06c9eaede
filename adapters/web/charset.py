"""The text of an answer, by the charset it declares: UTF-8 or GB18030 (of which GBK and GB2312 are parts).

Rule: octets outside the charset become lone surrogates, so that the cell which holds them makes its row dirty, and the
      rows beside it are given.
"""

from __future__ import annotations

import codecs
import re

from adapters.contract import Misconfigured

_KNOWN = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "gb18030": "gb18030",
          "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030"}
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_DECLARED = re.compile(rb"\s{0,20}<\?xml\s[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")


def text(body: bytes, content_type: str, said: str | None = None) -> str:
    """Return the text of a body; `said` goes before what is declared.  Raise Misconfigured for another charset."""
    found = said or _declared(body, content_type)
    name = _KNOWN.get(found.lower())
    if name is None:
        raise Misconfigured("答复声明了不支持的字符集；只支持UTF-8和GB18030",
                            "the answer declares a charset that is not supported; UTF-8 and GB18030 are")
    return body.removeprefix(codecs.BOM_UTF8 if name == "utf-8" else b"").decode(name, "surrogateescape")


def _declared(body: bytes, content_type: str) -> str:
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    parameter = _PARAMETER.search(content_type)
    if parameter:
        return parameter[1]
    declared = _DECLARED.match(body)
    return declared[1].decode() if declared else "utf-8"
