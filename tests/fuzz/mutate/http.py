"""Changes that know an HTTP message: its first line, its fields, its length and its chunks."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.mutate.octets import octets

FIELDS = (
    b"Content-Length: 0", b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: +3", b"Content-Length: 3, 3",
    b"Content-Length: 99999999999999999999", b"Content-Length: 0x10", b"Content-Length: ", b"Content-Length : 5",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: \x0bchunked", b"transfer-encoding:chunked", b"Transfer-Encoding: xchunked",
    b"Connection: close", b"Connection: keep-alive, upgrade", b"Upgrade: h2c", b"Expect: 100-continue", b"Expect: 200",
    b"Host: a, b", b"Host:", b"Host: \xff", b"Accept-Language: en;q=1.", b"Accept-Language: zh;q=0, en;q=0.001",
    b"Accept-Language: " + b"en," * 400, b"Content-Encoding: gzip", b"Content-Type: application/xml;charset=utf-7",
    b"Content-Type: application/json; charset=gb18030", b"Content-Type: \xe4\xb8\xad", b"Idempotency-Key: ",
    b"Idempotency-Key: " + b"k" * 129, b"Idempotency-Key: \xe9", b"Authorization: Bearer",
    b"Authorization: Bearer \xff",
    b" folded: line", b"\tfolded", b"No-Colon", b": no name", b"A\x00B: c", b"X: " + b"y" * 17_000,
    b"Retry-After: 99999",
    b"Retry-After: -1", b"Content-Type: application/problem+json",
)
TARGETS = (
    b"*", b"http://node/v1/hello", b"//", b"/%", b"/%zz", b"/%ff%fe", b"/\xe4\xb8\xad", b"/../..",
    b"/v1/resources//records",
    b"/v1/resources/%00/records", b"/v1/resources/%F0%9F%98%80/deliveries", b"/" + b"a" * 5000, b"/?", b"/?a=%zz&a=1",
    b"/v1/resources/population/deliveries?cursor=999999999999999.9999999", b"/?" + b"&" * 40, b"/?limit=" + b"9" * 4000,
    b"/v1/resources/population/deliveries?limit=0", b"/v1/resources/population/records?stream=resupply",
)
METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PRI", b"CONNECT", b"QUERY", b"get", b"G\x00T",
           b"")
VERSIONS = (b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.10", b"http/1.1", b"")
STATUSES = (b"100", b"101", b"199", b"200", b"204", b"304", b"409", b"429", b"503", b"999", b"000", b"20", b"-1")
CHUNKS = (
    b"0\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"5;ext=1\r\nhello\r\n0\r\n\r\n", b"-1\r\n", b"FFFFFFFFFFFFFFFF\r\n",
    b"0x5\r\nhello\r\n", b"5\nhello\n0\n\n", b"5\r\nhelloXX0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n",
    b" 5\r\nhello\r\n0\r\n\r\n",
    b"1\r\na\r\n" * 60 + b"0\r\n\r\n", b"0\r\n" + b"T: " + b"x" * 17_000, b"00000000000000000005\r\nhello\r\n0\r\n\r\n",
)
_ENDS = re.compile(rb"\r?\n\r?\n")


def http(data: bytes, chance: Random) -> bytes:
    """Return the message with a part of it changed; the body's length is put right again in half of the cases."""
    found = _ENDS.search(data)
    head, body = (data[: found.start()], data[found.end() :]) if found else (data, b"")
    lines = head.split(b"\r\n")
    act = chance.randrange(9)
    if act == 0:
        lines[0] = _first(lines[0], chance)
    elif act <= 2:
        lines.insert(chance.randrange(1, len(lines) + 1), chance.choice(FIELDS))
    elif act == 3 and len(lines) > 1:
        del lines[chance.randrange(1, len(lines))]
    elif act == 4 and len(lines) > 1:
        lines.append(lines[chance.randrange(1, len(lines))])
    elif act == 5:
        lines = [line for line in lines if not line.lower().startswith(b"content-length")]
        lines.append(b"Transfer-Encoding: chunked")
        body = chance.choice((b"", b"%x\r\n%s\r\n" % (len(body), body))) + chance.choice(CHUNKS)
    elif act == 6:
        body = octets(body, chance)
        if chance.random() < 0.7:
            lines = [b"Content-Length: %d" % len(body) if line.lower().startswith(b"content-length") else line
                     for line in lines]
    elif act == 7:
        at = chance.randrange(len(lines))
        lines[at] = octets(lines[at], chance)
    else:
        return data + data[: chance.randrange(len(data) + 1)]
    end = chance.choice((b"\r\n",) * 9 + (b"\n", b"\r"))
    return end.join(lines) + end + end + body


def _first(line: bytes, chance: Random) -> bytes:
    parts = (line.split(b" ") + [b"", b"", b""])[:3]
    at = chance.randrange(3)
    if line.startswith(b"HTTP/"):
        parts[at] = chance.choice((VERSIONS, STATUSES, (b"", b"OK", b"\xff"))[at])
    else:
        parts[at] = chance.choice((METHODS, TARGETS, VERSIONS)[at])
    return b" ".join(parts)
