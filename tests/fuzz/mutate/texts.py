"""Changes that know tokens: JSON (statements, documents, control requests) and TOML."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.target import MARKER

_JSON = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+0-9.eE]+|[{}\[\],:]|[a-z]+|\s+|.', re.DOTALL)
VALUES = (
    b"0", b"-0", b"1", b"-1", b"1.0", b"1e0", b"1E400", b"-1E400", b"1E-400", b"9007199254740991",
    b"9007199254740992", b"18446744073709551616", b"1" * 5000, b"0." + b"0" * 400 + b"1", b"00", b"0x1", b"+1", b".5",
    b"NaN", b"Infinity", b"null", b"true", b"false", b"{}", b"[]", b'""', b'"\\u0000"', b'"\\ud800"',
    b'"\\ud83d\\ude00"', '"𠮷"'.encode(), b'"\xc3\x28"', b'"\xed\xa0\x80"', b'"\xff"', b'" "', b'"a\\/b"', b'"\\n"',
    b'"' + b"x" * 70_000 + b'"', b'"' + b"9" * 18 + b'"', b'"20240230"', b'"2024-02-30T25:61:61.000Z"', b'"-0.0"',
    b'"' + MARKER + b'"', b"[" * 1100 + b"]" * 1100, b'{"a":' * 300 + b"1" + b"}" * 300, b"[null]",
    b'{"a":1,"a":2}', b'{"\\u0061":1,"a":2}', b"[" + b"0," * 3000 + b"0]",
)
TOML_VALUES = (
    b'""', b"0", b"-1", b"1.5", b"inf", b"nan", b"true", b"[]", b"{}", b"1979-05-27", b"07:32:00",
    b"1979-05-27T07:32:00Z", b'"1d"', b'"-1d"', b'"99999999999999999999d"', b'"1e9GiB"', b'"\\u0000"', b'"\\uD800"',
    b'"/"', b'"../../x"', b'":0"', b'"[::1]:99999"', b'"127.0.0.1:0"', b'"*"', b"[[[[]]]]", b"[" * 600 + b"]" * 600,
    b"9" * 4400, b"0x" + b"f" * 4000, b'"' + b"k" * 70_000 + b'"', b'"' + MARKER + b'"', b'["a", 1, {a = 1}]',
    b'"""a\nb"""', b"'''\\'''", b"{" + b"a = {" * 300 + b"}" * 301,
)


def json_text(data: bytes, chance: Random) -> bytes:
    """Return the input with some of its tokens changed."""
    tokens = _JSON.findall(data[:200_000])
    if not tokens:
        return chance.choice(VALUES)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        _change(tokens, chance)
    return b"".join(tokens)


def _change(tokens: list[bytes], chance: Random) -> None:
    at, there = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    act = chance.randrange(7)
    if act <= 2:
        values = [place for place, token in enumerate(tokens) if token[:1] not in b"{}[],: \n"] or [at]
        tokens[chance.choice(values)] = chance.choice(VALUES)
    elif act == 3:
        tokens[at], tokens[there] = tokens[there], tokens[at]
    elif act == 4:
        tokens[at] = b""
    elif act == 5:
        low, high = sorted((at, there))
        tokens[high:high] = tokens[low : min(high, low + 12)]
    else:
        member = b'"%s":%s' % (chance.choice((b"a", b"ext", b"crit", b"@type", b"body", MARKER)), chance.choice(VALUES))
        tokens[at] += chance.choice((member + b",", b"," + member))


def toml(data: bytes, chance: Random) -> bytes:
    """Return a configuration with a line of it changed."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    name, equals, _ = lines[at].partition(b"=")
    act = chance.randrange(6)
    if act <= 1 and equals:
        lines[at] = name + b"= " + chance.choice(TOML_VALUES)
    elif act == 2:
        lines.insert(chance.randrange(len(lines) + 1), lines.pop(at))
    elif act == 3:
        lines.insert(at, lines[chance.randrange(len(lines))])
    elif act == 4:
        keys = (b"a.b", b'"a b"', b"[[node]]", b"[peer]", b"[[peer]]", b"[node.code]", b'["' + b"x" * 300 + b'"]',
                b"a" + b".a" * 400, b"[" + b"a." * 400 + b"a]")
        lines.insert(at, chance.choice(keys) + chance.choice((b"", b" = " + chance.choice(TOML_VALUES))))
    else:
        del lines[at]
    return b"\n".join(lines)
