"""What a status, or a code in the answer, means: a person must mend something, or it mends itself.

Rule: of an answer nothing is told but its status, and a code that is short, of letters and digits, and no number of a
      person: not more than eight digits in a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from adapters.contract import Misconfigured, Unavailable
from adapters.web.client import Answer
from adapters.web.trees import MISSING, Way, scalar

LATER = (408, 425, 429)
_LONGEST_WAIT = 86400
_CODE = re.compile(r"[A-Za-z0-9]{1,32}")
_DIGITS = re.compile(r"[0-9]{9}")

SUCCESS = {
    "type": "object",
    "properties": {
        "field": {"type": "string", "maxLength": 500},
        "values": {"type": "array", "items": {"type": "string", "maxLength": 100}, "minItems": 1, "maxItems": 50},
        "mend": {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 50},
    },
    "required": ["field", "values"],
    "additionalProperties": False,
}


class Turned(Misconfigured):
    """The service does not accept the request as it is; `status` is its answer's."""

    def __init__(self, status: int) -> None:
        super().__init__(*_SAID.get(status, (f"服务拒绝了请求（{status}）", f"the service refused the request ({status})")))
        self.status = status


_SAID: Mapping[int, tuple[str, str]] = {
    401: ("服务不接受所给的身份（401）", "the service does not accept who we are (401)"),
    403: ("服务不允许此请求（403）", "the service does not allow the request (403)"),
    404: ("服务没有这个地址（404）", "the service has no such address (404)"),
}


def is_later(status: int) -> bool:
    """Whether a status means that the same request may succeed later."""
    return status in LATER or status >= 500 or status < 200


def judge(answer: Answer) -> None:
    """Return if the answer is a good one (2xx); raise Turned or Unavailable."""
    if 200 <= answer.status < 300 and answer.status != 206:
        return
    if is_later(answer.status):
        raise unavailable(answer)
    raise Turned(answer.status)


def unavailable(answer: Answer) -> Unavailable:
    """Return that the service has no time, and when it wants to be asked again if it says so."""
    wait = _wait(answer.headers.get("Retry-After", ""))
    zh, en = (f"，请{wait}秒后再试", f"; it asks to wait {wait} second(s)") if wait is not None else ("", "")
    return Unavailable(f"服务暂时不可用（{answer.status}）{zh}", f"the service is not available ({answer.status}){en}")


def _wait(said: str) -> int | None:
    if re.fullmatch(r"[0-9]{1,9}", said.strip()):
        return min(int(said), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(said)
        left = (at if at.tzinfo else at.replace(tzinfo=timezone.utc)) - datetime.now(timezone.utc)
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0, round(left.total_seconds())), _LONGEST_WAIT)


def code(value: Any) -> str:
    """Return a code that may be told; nothing for what is none."""
    said = scalar(value)
    return said if said and _CODE.fullmatch(said) and not _DIGITS.search(said) else ""


def succeeded(tree: Any, success: Mapping[str, Any] | None, way: Way) -> None:
    """Return if the answer says that it is a good one, where it is known how; raise Misconfigured or Unavailable."""
    if success is None:
        return
    found = way(tree, success["field"])
    if found is MISSING:
        raise Misconfigured("答复里没有success.field所指的项", "the answer lacks what success.field names")
    said, told = scalar(found), code(found) or "?"
    if said in success["values"]:
        return
    if said in success.get("mend", ()):
        raise Misconfigured(f"服务以代码{told}拒绝了请求", f"the service refused the request with the code {told}")
    raise Unavailable(f"服务答复代码{told}，没有给出数据", f"the service answers with the code {told} and gives nothing")
