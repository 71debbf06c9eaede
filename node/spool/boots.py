"""Which boot of a peer speaks, and when it is a clone (WIRE §5); rules, no store.

Rule 1: a greater epoch begins anew: a restored node is one again.
Rule 2: a boot not heard before is the present one from then on.
Rule 3: an earlier boot that speaks again is a clone, unless its successor is so new that the words may have been under
    way when it died: what a line or a busy server delays must not stop two nodes for good.
"""

from __future__ import annotations

from dataclasses import replace

from node.model.instant import Instant
from node.model.spool import Met

ECHO: Instant = 300_000
"""How long (ms) after a boot was first heard the words of an earlier one may still come in."""


def hear(known: Met | None, node: str, epoch: int, boot: str, at: Instant, heard_before: bool) -> Met:
    """Return what is known of `node` after a good statement; `heard_before`: of this boot, in this epoch."""
    if known is None or epoch > known.epoch:
        return Met(node, epoch, boot, at, since=at)
    if epoch < known.epoch or boot == known.boot:
        return replace(known, at=at)
    if not heard_before:
        return replace(known, boot=boot, at=at, since=at)
    return replace(known, at=at, cloned=known.cloned or at - known.since > ECHO)
