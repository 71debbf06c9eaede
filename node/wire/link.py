"""The link to one peer that we connect to: requests out, whether it is up, and what a refusal of it told.

Rule 1: a link goes down when the peer cannot be reached; only a good hello brings it up again (probe-fed recovery).
Rule 2: an answer that is not 2xx is a `PeerSaid`: it may delay, hold, rewind or re-seal, and never finishes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from node.model import codes
from node.model.trouble import Retry, Trouble
from node.wire.client import Answer, PeerClient
from node.wire.problem import Told, read_problem


class PeerSaid(Retry):
    """EXN-PEER-SAID: the peer answered with an error; `told` is what of it may be believed."""

    def __init__(self, peer: str, told: Told) -> None:
        super().__init__(codes.PEER_SAID, peer=peer, status=told.status, said=told.code.name if told.code else "-")
        self.told = told


class PeerLink:
    """Requests to one peer; `changed` is called whenever it goes up or down."""

    def __init__(self, client: PeerClient, changed: Callable[[], None]) -> None:
        self.peer = client.peer
        self.up = False
        self._client = client
        self._changed = changed

    async def post(
        self, path: str, media: bytes, parts: Sequence[bytes], timeout: float = 30.0, limit: int = 1 << 20
    ) -> Answer:
        """Return a 2xx answer; raise PeerSaid for any other, or the Trouble that took the link down."""
        try:
            answer = await self._client.request("POST", path, [(b"Content-Type", media)], parts, timeout, limit)
        except Trouble:
            self.set_up(False)
            raise
        if answer.status >= 300:
            raise PeerSaid(self.peer, read_problem(answer.status, answer.headers, answer.body))
        return answer

    def set_up(self, up: bool) -> None:
        """Note that the peer was reached, or that it was not."""
        if up is not self.up:
            self.up = up
            self._changed()

    def close_where(self, gone: Callable[[str], bool]) -> int:
        """Abort connections to certificates that are good no more; return how many."""
        return self._client.close_where(gone)

    def close(self) -> None:
        """Drop all connections."""
        self._client.close()
