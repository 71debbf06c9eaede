"""The local API as `send` calls it: one body at a time, with the node's own token, told again under the same key.

Rule 1: a call that was cut off is made again under its idempotency key: the node answers it once.
Rule 2: what an answer says reaches people through our own codes; an answer is bounded.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from node.cli import exits
from node.cli.grammar import told
from node.crypto import keyfile
from node.model import codes
from node.model.codes import TABLE
from node.model.sentence import Sentence
from node.model.trouble import Kind, Trouble, trouble

if TYPE_CHECKING:
    from node.config import Settings

WITHIN = 120.0
ANSWER = 64 << 20
PAUSES = (0.5, 1.0, 2.0)
MEDIA = {"json": "application/json", "ndjson": "application/x-ndjson", "xml": "application/xml",
         "csv": "text/csv"}
NOBODY = Sentence("本地接口 {address} 没有应答", "Nobody answers at the local API {address}")
MUTUAL = Sentence(
    "本地接口要求调用方证书，请用自有客户端提交", "The local API asks callers for certificates: submit with a client of your own"
)
_CUT_OFF = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Posted:
    """What the node answered: the submission, how many were accepted, and each refused record."""

    submission: str
    accepted: int
    refused: list[dict[str, Any]] = field(repr=False)


class LocalClient:
    """Posts bodies to the local API of the node that `settings` describe."""

    def __init__(self, settings: Settings, pause: Callable[[float], None] = time.sleep) -> None:
        if settings.api.tls is not None:
            raise told(MUTUAL, exits.UNAVAILABLE)
        listen = settings.api.listen
        self._host, self._port = listen.host or "127.0.0.1", listen.port
        self._token = keyfile.read(settings.token).strip().decode("ascii", "replace")
        self._pause = pause
        self._line: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def post(
        self, resource: str, body: bytes, kind: str, charset: str | None, key: str, asks: Mapping[str, str]
    ) -> Posted:
        """Return the answer to one body; raise the trouble the node told, or an error with status 69.

        `asks` are the fields of the query: stream, mapping.
        """
        media = MEDIA[kind] + (f"; charset={charset}" if charset else "")
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key, "Content-Type": media}
        path = f"/v1/resources/{resource}/records" + (f"?{urlencode(asks)}" if asks else "")
        for pause in (*PAUSES, None):
            try:
                return _read(*self._once(path, body, headers))
            except _CUT_OFF:
                self.close()
                if pause is None:
                    address = f"{self._host}:{self._port}"
                    raise told(NOBODY.fill(address=address), exits.UNAVAILABLE) from None
            except Trouble as met:
                if pause is None or met.code.kind is not Kind.RETRY:
                    raise
            self._pause(pause)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        if self._line is None:
            self._line = http.client.HTTPConnection(self._host, self._port, timeout=WITHIN)
        self._line.request("POST", path, body, headers)
        answer = self._line.getresponse()
        return answer.status, answer.read(ANSWER)


def _read(status: int, body: bytes) -> Posted:
    try:
        said = json.loads(body)
        if "submission" in said:  # accepted, or stored with every record refused
            return Posted(str(said["submission"]), int(said["accepted"]), list(said["refused"]))
    except (ValueError, LookupError, TypeError, RecursionError):
        said = {}
    code = TABLE.get(str(said.get("code"))) if isinstance(said, dict) else None
    if code is None or status < 400:
        raise trouble(codes.FAULT, fault=str(status))
    raise _Said(code.name, said)


class _Said(Trouble):
    """What the node told, in its own two sentences."""

    def __init__(self, name: str, said: dict[str, Any]) -> None:
        super().__init__(TABLE[name])
        self._said = said

    @property
    def sentence(self) -> Sentence:
        return self._member("detail", self.code.says)

    @property
    def cure(self) -> Sentence:
        return self._member("cure", self.code.cure)

    def _member(self, name: str, ours: Sentence) -> Sentence:
        try:
            return Sentence(str(self._said["zh"][name]), str(self._said["en"][name]))
        except (LookupError, TypeError):
            return ours
