"""Changes that know XML: tags, texts, and the constructs that parsers have fallen over."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.mutate.octets import octets
from tests.fuzz.target import MARKER

_PARTS = re.compile(rb"<[^>]*>|[^<]+|<", re.DOTALL)
_LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (at, b"&l%d;" % (at - 1) * 10) for at in range(1, 9))
FRONTS = (
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a [<!ENTITY l0 "lol">' + _LAUGHS + b"]>", b"<!DOCTYPE a>", b"<!doctype a>", b"<?pi data?>",
    b'<?xml version="1.1"?>', b'<?xml version="1.0" encoding="UTF-16"?>', b'<?xml version="1.0" encoding="GB18030"?>',
    b'<?xml version="1.0" encoding="x' + b"y" * 60 + b'"?>', b'<?xml version="1.0" standalone="yes"?>', b"<!-- -->",
    b"\n",
    b'<?xml-stylesheet href="file:///etc/passwd"?>', b"\xef\xbb\xbf", b"\xff\xfe",
)
INSIDE = (
    b"&x;", b"&l8;", b"&#0;", b"&#x110000;", b"&#xD800;", b"&#10;", b"&amp;", b"&lt;", b"<![CDATA[x]]>",
    b"<![CDATA[]]>",
    b"<!-- a -- b -->", b"<!---->", b"<?p?>", b"]]>", b"\x00", b"\x0b", b"\xed\xa0\x80", b"\xc0\xaf", b"   ", b"\t",
    b"\r",
    "\u3000".encode(), "\u200b".encode(), "𠮷".encode(), "\ufffe".encode(), b"1E400", b"-0", b"9" * 400, b"NaN",
    b"x" * 70_000, MARKER, b"<a/>", b"<a>" * 300 + b"</a>" * 300, b"<a" + b" b='c'" * 2 + b"/>",
    b"<a " + b" ".join(b"a%d='1'" % at for at in range(3000)) + b"/>", b"<a b='" + b"z" * 70_000 + b"'/>",
    b"<b xmlns='urn:other'/>", b"<q:b xmlns:q='urn:q'/>",
    b"<x:include xmlns:x='http://www.w3.org/2001/XInclude' href='/'/>",
)
ATTRIBUTES = (
    b" xmlns=''", b" xmlns='urn:other'", b" xsi:nil='true'", b" xml:lang='zh'", b" xml:space='preserve'",
    b" a='1' a='2'",
    b" xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'", b" xmlns:xsi='http://www.w3.org/2001/"
    b"XMLSchema-instance' xsi:schemaLocation='urn:x file:///etc/passwd'", b" " + MARKER + b"='1'",
    b" a='" + MARKER + b"'",
    b" minOccurs='0'", b" maxOccurs='unbounded'", b" maxOccurs='99999999999'", b" value='[a-z'", b" value='(a+)+$'",
    b" value='" + b"9" * 400 + b"'", b" type='xs:string'", b" type='nothing'", b" name=''", b" base='xs:anyType'",
)


def xml(data: bytes, chance: Random) -> bytes:
    """Return the document with one or two of its tags and texts changed."""
    parts = _PARTS.findall(data[:200_000])
    if not parts:
        return chance.choice(FRONTS)
    for _ in range(chance.choice((1, 1, 2))):
        if parts:
            _change(parts, chance)
    return b"".join(parts)


def _change(parts: list[bytes], chance: Random) -> None:
    at, there = chance.randrange(len(parts)), chance.randrange(len(parts))
    act = chance.randrange(9)
    if act == 0:
        parts.insert(chance.choice((0, 0, 1)), chance.choice(FRONTS))
    elif act <= 2:
        parts.insert(at, chance.choice(INSIDE))
    elif act == 3:
        tags = [place for place, part in enumerate(parts) if re.match(rb"<[A-Za-z]", part)] or [at]
        place = chance.choice(tags)
        name = re.match(rb"<?[^\s/>]*", parts[place])
        end = name.end() if name else 0
        parts[place] = parts[place][:end] + chance.choice(ATTRIBUTES) + parts[place][end:]
    elif act == 4:
        parts[at], parts[there] = parts[there], parts[at]
    elif act == 5:
        del parts[at]
    elif act == 6:
        low, high = sorted((at, there))
        parts[high:high] = parts[low : min(high, low + 9)] * chance.choice((1, 1, 2, 200))
    elif act == 7:
        parts[at] = parts[there]
    else:
        parts[at] = octets(parts[at], chance)
