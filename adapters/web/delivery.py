"""One batch brought to a service: requests of so many records, and what became of each.

Rule 1: a record's fate is what the service says of it; where it says nothing of records, a good status means all of a
        request are applied.  A service that names records but not all of them is Misconfigured: nothing is guessed.
Rule 2: what is refused of one record keeps no other from landing: a request with several records that is refused as a
        whole is sent again in halves, down to the one that is at fault.
Rule 3: what is not known is asked again: on a timeout, a broken connection or 5xx the whole batch comes again, and with
        it the same requests under the same keys, as long as the settings are the same.
Rule 4: of why a record was refused a short code is told, and a field's name if it is one of the record's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from adapters.contract import Batch, Fate, Incoming, Misconfigured, Result, Unavailable
from adapters.web import charset, markup
from adapters.web.asked import read, soap_headers
from adapters.web.client import Answer
from adapters.web.parcel import Writing
from adapters.web.service import Service
from adapters.web.trees import MISSING, Way, scalar
from adapters.web.verdict import Turned, code, is_later, judge, succeeded, unavailable

RECORDS, OCTETS = 500, 4 << 20
OF_ALL = (300, 301, 302, 303, 304, 307, 308, 401, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 431)
"""Statuses that speak of the endpoint, never of a record."""

_ILLEGAL = ("记录含有XML不允许的字符", "the record has a sign that XML cannot hold")


@dataclass(frozen=True, slots=True)
class Piece:
    """A record, and what it adds to a body."""

    record: Incoming = field(repr=False)
    octets: bytes = field(repr=False)


class Delivery:
    """How batches are brought to one endpoint, as a table `what` says."""

    def __init__(self, service: Service, what: Mapping[str, Any]) -> None:
        self._service, self._what = service, what
        self._writing = Writing(what)
        self._soap: str | None = what.get("soap")
        self._answers_xml = self._soap is not None or what.get("answer", what.get("format")) == "xml"
        self._most = 1 if what.get("single") else what.get("records", RECORDS)

    def bring(self, batch: Batch) -> Iterator[Result]:
        """Yield one result of each record; raise Misconfigured or Unavailable, and then the batch comes again."""
        pieces: list[Piece] = []
        for record in batch.records:
            octets = self._writing.piece(batch, record)
            if octets is None:
                yield Result(record.leaf, Fate.REFUSED, "", *_ILLEGAL)
            else:
                pieces.append(Piece(record, octets))
        whole = len(pieces) == len(batch.records)
        for few in self._parted(pieces):
            yield from self._brought(batch, few, whole and len(few) == len(pieces))

    def _parted(self, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
        """Yield so many pieces as one request takes; the same each time."""
        at = 0
        while at < len(pieces):
            end, octets = at, 0
            while end < len(pieces) and end - at < self._most and (
                    end == at or octets + len(pieces[end].octets) <= self._what.get("octets", OCTETS)):
                octets += len(pieces[end].octets)
                end += 1
            yield pieces[at:end]
            at = end

    def _brought(self, batch: Batch, pieces: Sequence[Piece], whole: bool) -> Iterator[Result]:
        answer = self._sent(batch, pieces, whole)
        fates = self._what.get("statuses", {})
        if len(pieces) == 1 and str(answer.status) in fates:
            yield self._fated(answer, pieces[0].record, Fate(fates[str(answer.status)]))
        elif not self._refuses(answer):
            yield from self._results(answer, pieces)
        elif len(pieces) == 1:
            yield self._fated(answer, pieces[0].record, Fate.REFUSED)
        else:
            half = len(pieces) // 2
            yield from self._brought(batch, pieces[:half], False)
            yield from self._brought(batch, pieces[half:], False)

    def _refuses(self, answer: Answer) -> bool:
        """Whether what was sent is refused as a whole; raise Misconfigured or Unavailable if it is not its fault."""
        status = answer.status
        if self._soap and (status in (400, 500) or 200 <= status < 300):
            return self._fault_refuses(answer)
        if is_later(status):
            raise unavailable(answer)
        if status in OF_ALL:
            raise Turned(status)
        return not 200 <= status < 300 or self._code_refuses(answer)

    def _fault_refuses(self, answer: Answer) -> bool:
        try:
            tree, way = self._tree(answer)
        except (Misconfigured, Unavailable):
            judge(answer)  # a gateway spoke, and its status says enough
            raise
        found = markup.fault_code(tree)
        if found is None:
            judge(answer)
            return self._code_refuses(answer)
        if found in self._what.get("refuse", ()):
            return True
        why = markup.fault(tree)
        assert why is not None
        raise why

    def _code_refuses(self, answer: Answer) -> bool:
        """Whether the code in a good answer says that what was sent is refused."""
        success = self._what.get("success")
        if success is None:
            return False
        tree, way = self._tree(answer)
        if scalar(way(tree, success["field"])) in self._what.get("refuse", ()):
            return True
        succeeded(tree, success, way)
        return False

    def _sent(self, batch: Batch, pieces: Sequence[Piece], whole: bool) -> Answer:
        kinds = [("Content-Type", self._writing.content_type)]
        if self._soap:
            kinds = soap_headers(self._soap, self._what.get("action", ""))
        key = quote(batch.parcel, safe="")
        if not whole:  # of the records, not of a count: the same request has the same key when it comes again
            key += f".{pieces[0].record.leaf}-{pieces[-1].record.leaf}"
        accept = "text/xml, application/soap+xml, application/xml" if self._answers_xml else "application/json"
        return self._service.ask(
            self._what.get("method", "POST"), self._what["path"], (),
            self._writing.body(batch, [piece.octets for piece in pieces]),
            [*kinds, ("Accept", accept), ("Idempotency-Key", key)])

    # --- what the answer says ----------------------------------------------------------------------------------

    def _tree(self, answer: Answer) -> tuple[Any, Way]:
        said = self._what.get("charset")
        return read(charset.text(answer.body, answer.headers.get("Content-Type", ""), said), self._answers_xml)

    def _results(self, answer: Answer, pieces: Sequence[Piece]) -> Iterator[Result]:
        results = self._what.get("results")
        if results is None:
            yield from (Result(piece.record.leaf, Fate.APPLIED) for piece in pieces)
            return
        tree, way = self._tree(answer)
        told = self._told(way(tree, results["path"]), results, way)
        for piece in pieces:
            yield self._one(told.get(str(piece.record.leaf)), piece.record, results, way)

    def _told(self, found: Any, results: Mapping[str, Any], way: Way) -> dict[str, Any]:
        """Return what is said of each leaf; of one that is named twice the worse is not known, so nothing is."""
        if isinstance(found, Mapping):  # an element that stands once
            found = [found]
        if not isinstance(found, list):
            raise Misconfigured("答复里没有results.path所指的结果", "the answer lacks the results that results.path names")
        told: dict[str, Any] = {}
        for one in found:
            leaf = scalar(way(one, results["leaf"]))
            if leaf is None or leaf in told:
                raise Misconfigured("结果没有指明记录，或一条记录有两个结果",
                                    "a result names no record, or a record has two results")
            told[leaf] = one
        return told

    def _one(self, said: Any, record: Incoming, results: Mapping[str, Any], way: Way) -> Result:
        fate = None if said is None else scalar(way(said, results["fate"]))
        for name in Fate:
            if fate is not None and fate in results.get(name.value, ()):
                if name is not Fate.REFUSED:
                    return Result(record.leaf, name)
                why, where = (way(said, results[one]) if one in results else None for one in ("reason", "field"))
                return _refused(record, why, where)
        if fate is not None and fate in results.get("later", ()):
            raise Unavailable("服务要求稍后再送某些记录", "the service wants some records to come later")
        raise Misconfigured("服务的答复没有说明某条记录的结果，或结果不在所配置的值里",
                            "the service does not say what became of a record, or says what is not configured")

    def _fated(self, answer: Answer, record: Incoming, fate: Fate) -> Result:
        """Return the fate of the only record of a request; of a refusal with the code in the answer, if it has one."""
        if fate is not Fate.REFUSED:
            return Result(record.leaf, fate)
        reason: Any = None
        if "reason" in self._what:
            try:
                tree, way = self._tree(answer)
                reason = way(tree, self._what["reason"])
            except (Misconfigured, Unavailable):  # a refusal need not be written in the form that was agreed
                reason = None
        return _refused(record, reason if code(reason) else str(answer.status), None)


def _refused(record: Incoming, reason: Any, named: Any) -> Result:
    told = code(reason) or "?"
    name = scalar(named) if named is not MISSING else None
    return Result(record.leaf, Fate.REFUSED, name if name and name in record.fields else "",
                  f"目标服务拒绝了此记录（{told}）", f"the service refused the record ({told})")
