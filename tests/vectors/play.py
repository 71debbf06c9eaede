"""Plays the vectors to a receiver over its gateway and says of each what was not as its row has it.

A receiver is anything that answers to `address` as the node of world/index.json; what only its own house can tell
(the local log, a purge) is asked of a `Site`, and left out where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from node.envelope import Enclosure, Letter, open_verdicts, read_letter, read_receipt, verify, write_letter
from node.envelope.cms.signed import read_signed
from node.envelope.frame import MAGIC
from node.model import codes
from node.model.parcel import NOTHING, Receipt
from node.model.trouble import Trouble, trouble
from tests.vectors import wire_world
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.line import Line
from tests.vectors.site import Site
from tests.vectors.wire_parts import ALICE, BOB, Forge, Node, sign
from tests.wire.talk import Heard

FOLDER = Path(__file__).parent
PARCEL, STATEMENT, LETTER = (f"application/vnd.exn.{kind}" for kind in ("parcel", "statement", "letter+json"))
LATER_EPOCH = 1_900_000_000
Row = dict[str, Any]


@cache
def index(folder: str) -> dict[str, Any]:
    """Return a folder's index."""
    found: dict[str, Any] = json.loads((FOLDER / folder / "index.json").read_bytes())
    return found


def rows() -> Iterator[tuple[str, Row]]:
    """Yield every row with an answer, with its folder; a purge, which touches all lanes, comes last.

    A good manifest comes before the bad ones of its lane: it has the first place.
    """
    found = [
        (folder, row) for folder in ("statements", "json", "parcels", "exchange")
        for row in index(folder)["vectors"] if "answer" in row and not row.get("before")
    ]
    yield from sorted(found, key=lambda one: ("purged" in one[1], one[1]["file"] != "manifest.der"))


@dataclass
class Player:
    """One run over all vectors; `wrong` says what was not as it must be."""

    address: tuple[str, int]
    site: Site | None = None
    wrong: list[str] = field(default_factory=list)
    played: int = 0
    receipts: dict[str, bytes] = field(default_factory=dict)
    _lines: dict[str, Line] = field(default_factory=dict)
    _heads: dict[tuple[str, str], tuple[int, int, str]] = field(default_factory=dict)
    _due: dict[str, tuple[str, Row, str]] = field(default_factory=dict)

    def run(self) -> None:
        """Play everything."""
        for folder, row in rows():
            if row.get("purged") and self.site is None:
                continue
            self.play(folder, row)
        self.collect()
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            line.close()

    def play(self, folder: str, row: Row) -> None:
        """Play one vector with what goes before it, and see that its lane goes on."""
        self.played += 1
        name, answer = f"{folder}/{row['file']}", row["answer"]
        for before in row.get("given", ()):
            self._given(folder, before)
        if row.get("purged"):
            self.collect()
            self._purge()
        channel = row.get("channel") or row.get("sender") or "dept-a"
        path, body, media = _request(folder, row)
        mark = len(self.site.log()) if self.site is not None and "log" in answer else 0
        heard = self._post(channel, path, body, media)
        self.judge(name, row, body, heard)
        if "log" in answer and self.site is not None:
            seen = [one["event"] for one in self.site.log()[mark:] if one.get("at") == "receipt"]
            self._expect(name, "log", seen, [answer["log"]] if answer["log"] else [])
        if path == "/v1/parcels" and not row.get("unregistered"):
            self._goes_on(name, row)

    # --- one answer -----------------------------------------------------------------------------------------------

    def judge(self, name: str, row: Row, body: bytes, heard: Heard) -> None:
        """Hold one answer against its row."""
        answer = row["answer"]
        said = heard.json if heard.status >= 400 else {}
        self._expect(name, "status", heard.status, answer["status"])
        self._expect(name, "code", said.get("code"), answer["code"])
        for member in ("epoch", "seq", "head"):
            if member in answer:
                self._expect(name, member, said.get(member), answer[member])
        for word in ("RegionName", "厦门", "思明", "海沧", '"r-0"'):
            if word.encode() in heard.body:
                self.wrong.append(f"{name}: the answer holds content")
        if heard.status != 200 or not row.get("answer", {}).get("stage"):
            return
        if "receipt_of" in answer:
            self._expect(name, "receipt", heard.body, self.receipts[f"exchange/{answer['receipt_of']}"])
        elif answer["stage"] == "stored":
            self._took(name, row, body, heard.body)

    def _took(self, name: str, row: Row, body: bytes, receipt: bytes) -> None:
        said = self._checked(name, receipt)
        if said is None:
            return
        content = _content(body)
        manifest = json.loads(content)
        self._expect(name, "receipt", (said.stage.value, said.parcel, said.digest), (
            "accepted", manifest["parcel"], CRYPTO.sm3(content).hex()))
        place = manifest["lane"]
        self._heads[manifest["sender"]["node"], manifest["resource"]] = (place["epoch"], place["seq"], said.digest)
        self.receipts[name] = receipt
        self._due[said.parcel] = (name, row, manifest["sender"]["node"])

    def _checked(self, name: str, receipt: bytes) -> Receipt | None:
        try:
            return verify(read_receipt(receipt, CRYPTO), BOB.signing, CRYPTO).statement
        except Trouble as met:
            self.wrong.append(f"{name}: a receipt that does not hold: {met.code.name}")
            return None

    def _expect(self, name: str, what: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.wrong.append(f"{name}: {what} is {found!r}, must be {wanted!r}")

    # --- before and after -----------------------------------------------------------------------------------------

    def _given(self, folder: str, file: str) -> None:
        if f"{folder}/{file}" not in self.receipts:
            row = next(row for row in index(folder)["vectors"] if row["file"] == file)
            self.play_given(folder, row)

    def play_given(self, folder: str, row: Row) -> None:
        """Post what goes before a vector."""
        name, body = f"{folder}/{row['file']}", (FOLDER / folder / row["file"]).read_bytes()
        self.judge(name, row, body, self._post(row.get("channel") or row["sender"], "/v1/parcels", body, PARCEL))

    def _goes_on(self, name: str, row: Row) -> None:
        """A good parcel takes the next place; a forked lane takes it in a new epoch only."""
        resource = row.get("resource") or "statements"
        epoch, seq, prev = self._heads.get(("dept-a", resource), (0, 0, NOTHING))
        if row.get("fork"):
            status, code = self._next(name, resource, epoch, seq + 1, prev)
            self._expect(name, "lane after a fork", (status, code), (409, "EXN-FORK"))
            epoch, seq = LATER_EPOCH, 0
        status, code = self._next(name, resource, epoch or 1_780_000_000, seq + 1, prev)
        self._expect(name, "lane afterwards", (status, code), (200, None))

    def _next(self, name: str, resource: str, epoch: int, seq: int, prev: str) -> tuple[int, str | None]:
        forge = Forge(f"after {name} {epoch} {seq}", resource=resource, manifest={
            "lane": {"epoch": epoch, "prev": prev, "seq": seq}})
        frame = forge.frame
        heard = self._post("dept-a", "/v1/parcels", frame, PARCEL)
        if heard.status != 200:
            return heard.status, heard.code
        self._took(f"after {name}", {"answer": {"later": {"stage": "processed", "code": None}}}, frame, heard.body)
        return 200, None

    def _purge(self) -> None:
        assert self.site is not None
        self.site.stop()
        self.site.purge()
        self.site.start()

    # --- what comes later -----------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Ask for the final receipt of everything that was taken, and hold it against the rows."""
        for node in sorted({sender for _, _, sender in self._due.values()}):
            asked = [parcel for parcel, (_, _, sender) in self._due.items() if sender == node]
            for start in range(0, len(asked), 100):
                self._ask(node, asked[start : start + 100])
        for name, _, _ in self._due.values():
            self.wrong.append(f"{name}: no final receipt came")
        self._due.clear()

    def _ask(self, node: str, asked: list[str]) -> None:
        for _ in range(20):
            asked = [parcel for parcel in asked if parcel in self._due]
            if not asked:
                return
            heard = self._post(node, "/v1/receipts?wait=5", write_letter(Letter(ask=asked)), LETTER)
            for one in read_letter(heard.body).receipts:
                self._final(one)

    def _final(self, one: Enclosure) -> None:
        said = self._checked("a final receipt", one.receipt)
        if said is None or said.stage.value == "accepted" or said.parcel not in self._due:
            return
        name, row, _ = self._due.pop(said.parcel)
        later = row["answer"]["later"]
        self._expect(name, "final receipt", (said.stage.value, said.code), (later["stage"], later["code"]))
        if later["stage"] == "processed":
            refused = [(verdict.index, verdict.rule) for verdict in self._verdicts(one)]
            self._expect(name, "verdicts", refused, [tuple(verdict) for verdict in later.get("refused", [])])
        elif self.site is not None:
            reasons = [line.get("reason") or "" for line in self.site.log() if line.get("parcel") == said.parcel]
            if not any(row.get("reason", "") in reason for reason in reasons):
                self.wrong.append(f"{name}: the local log gives {reasons}, must give {row.get('reason')}")

    def _verdicts(self, one: Enclosure) -> Any:
        receipt = verify(read_receipt(one.receipt, CRYPTO), BOB.signing, CRYPTO)
        return open_verdicts(receipt, one.verdicts, _unwrap(ALICE), CRYPTO) if one.verdicts else ()

    def _post(self, channel: str, path: str, body: bytes, media: str) -> Heard:
        if channel not in self._lines:
            node = next(one for one in wire_world.nodes() if one.code == channel)
            self._lines[channel] = Line(node, self.address)
        return self._lines[channel].post(path, body, media)


def _unwrap(node: Node) -> Callable[[bytes, int, bytes], bytes]:
    def unwrap(issuer: bytes, serial: int, wrapped: bytes) -> bytes:
        if (issuer, serial) != (node.encryption.issuer, node.encryption.serial):
            raise trouble(codes.OPEN)
        return CRYPTO.sm2_load(node.opens.d.to_bytes(32, "big")).unwrap(wrapped)

    return unwrap


def _request(folder: str, row: Row) -> tuple[str, bytes, str]:
    """Return path, body and media type that a vector is posted with."""
    octets = (FOLDER / folder / row["file"]).read_bytes()
    if folder in ("parcels", "exchange"):
        return "/v1/parcels", octets, PARCEL
    if folder == "json":
        return "/v1/parcels", _framed(sign(octets, ALICE.signs), folder), PARCEL
    kind = row["expects"]
    if kind == "parcel":
        return "/v1/parcels", _framed(octets, folder), PARCEL
    if kind == "receipt":
        return "/v1/receipts?wait=0", write_letter(Letter([Enclosure(octets)])), LETTER
    return {"probe": "/v1/hello", "collect": "/v1/collect"}[kind], octets, STATEMENT


def _framed(statement: bytes, folder: str) -> bytes:
    payload = bytes.fromhex(index(folder)["payload"])
    return MAGIC + len(statement).to_bytes(4, "big") + statement + len(payload).to_bytes(8, "big") + payload


def _content(body: bytes) -> bytes:
    size = int.from_bytes(body[5:9], "big")
    return read_signed(body[9 : 9 + size]).content
