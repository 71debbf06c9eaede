"""How far the rows of a service have been read, and which of the newest were given already.

A service is asked for rows from `at` less the lag on (`>=`), so that what it took in late is found, and of equal stamps
none is missed.  So it gives some again; they are known by digests of the whole row.

Rule 1: `at` is the greatest stamp given that was not ahead of the source's clock.
Rule 2: the digests are those of the newest rows, MOST at most; of more, the oldest are given again, which costs records
        and does no harm.
Rule 3: while a read goes on from page to page, `at` stays and `top` grows; at its end `top` becomes `at`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from adapters.contract import Misconfigured
from adapters.web.digests import pack, unpack
from adapters.web.moments import LONGEST, Moment, Stamps

MOST = 4000
"""Most digests in a bookmark: 43 KB of it."""

_PLACE = 12_000
"""Most signs of a place among pages."""


@dataclass(slots=True)
class Edge:
    """What a bookmark holds: stamps, digests, and a place among pages if a read is not at its end."""

    stamps: Stamps
    at: Any = None
    top: Any = None
    place: Any = None
    known: dict[int, Moment | None] = field(default_factory=dict)
    """Rows that were given, the oldest first; of those of an earlier run the stamp is not known."""
    met: set[int] = field(default_factory=set)
    """Those of them that this read has met: the others are no longer within the lag, or changed."""
    whole: bool = True
    """Whether this read began at its beginning."""

    def is_known(self, one: int) -> bool:
        """Whether a row was given already; it stays known while it is met."""
        if one in self.known:
            self.met.add(one)
            return True
        return False

    def give(self, one: int, stamp: Any, clock: datetime) -> None:
        """Note that a row was given; a stamp ahead of the clock moves nothing."""
        at = self.stamps.moment(stamp)
        self.known[one] = at
        self.met.add(one)
        if len(self.known) > 4 * MOST:
            self._prune()
        if at is not None and not self.stamps.is_ahead(stamp, clock) and self._exceeds(at, self.top):
            self.top = stamp

    def _exceeds(self, at: Moment, stamp: Any) -> bool:
        other = self.stamps.moment(stamp)
        return other is None or type(at) is type(other) and at > other  # type: ignore[operator]  # of one kind

    def stamped(self, one: int, stamp: Any) -> None:
        """Note the stamp of a row that is known."""
        self.known[one] = self.stamps.moment(stamp)

    def finish(self, lag: float) -> None:
        """End a read: the greatest stamp counts now, and what lies before its lag is no longer looked for."""
        top = self.stamps.moment(self.top)
        if top is not None and self._exceeds(top, self.at):
            self.at = self.top
        self.top = None
        low = self.stamps.moment(self.stamps.earlier(self.at, lag)) if self.at is not None else None
        self.known = {one: at for one, at in self.known.items() if self._stays(one, at, low)}
        self.place = None

    def _stays(self, one: int, at: Moment | None, low: Moment | None) -> bool:
        if self.whole and one not in self.met:
            return False  # the service did not give it any more
        return at is None or low is None or type(at) is not type(low) or at >= low  # type: ignore[operator]  # one kind

    def _newest(self) -> list[int]:
        """Return the rows that are known, the newest last: by their stamps where all have one, else as they came."""
        kinds = {type(at) for at in self.known.values()}
        if len(kinds) != 1 or type(None) in kinds:
            return list(self.known)
        return [one for one, _ in sorted(self.known.items(), key=_by_moment)]

    def _prune(self) -> None:
        kept = self._newest()[-MOST:]
        self.known = {one: self.known[one] for one in kept}
        self.met &= set(kept)

    def write(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"at": _written(self.at), "top": _written(self.top), "place": self.place,
                "known": pack(self._newest()[-MOST:])}

    @classmethod
    def read(cls, said: Any, stamps: Stamps) -> Edge:
        """Return what `write` wrote; raise Misconfigured for what it did not."""
        if said is None:
            return cls(stamps)
        try:
            if set(said) != {"at", "top", "place", "known"}:
                raise ValueError
            at, top = _read(said["at"]), _read(said["top"])
            known = unpack(said["known"])
        except (TypeError, ValueError, AttributeError, KeyError, ArithmeticError):
            raise strange() from None
        if len(known) > MOST or len(str(said["place"])) > _PLACE:
            raise strange()
        stamps.learn([at, top])
        if any(one is not None and stamps.moment(one) is None for one in (at, top)):
            raise strange()
        return cls(stamps, at, top, said["place"], dict.fromkeys(known), set(), said["place"] is None)


def _by_moment(item: tuple[int, Moment | None]) -> Any:
    return item[1]


def strange() -> Misconfigured:
    """Return that a bookmark is none of ours."""
    return Misconfigured("断点不是此适配器写的，或cursor_kind改过；请重新开始读取",
                         "the bookmark was not written by this adapter, or cursor_kind was changed; begin anew")


def _written(stamp: Any) -> Any:
    return {"n": str(stamp)} if isinstance(stamp, Decimal) else stamp


def _read(said: Any) -> Any:
    if isinstance(said, dict):
        (mark, digits), = said.items()
        if mark != "n" or not isinstance(digits, str) or len(digits) > LONGEST:
            raise ValueError
        return Decimal(digits)
    if said is not None and (isinstance(said, bool) or not isinstance(said, str | int)):
        raise ValueError
    return said
