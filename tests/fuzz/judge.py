"""The oracle: what one input does to one target, and whether that is a finding.

Rule 1: a `Trouble` and the target's own refusals are answers; everything else that comes out is a finding.
Rule 2: an answer must be complete (its sentence and cure in both languages) and hold no content of the input.
Rule 3: time is the processor's, so that a busy machine proves nothing; memory is the highest the process ever was.
"""

from __future__ import annotations

import resource
import time
import traceback
from collections.abc import Hashable
from dataclasses import dataclass

from node.model.trouble import Trouble
from tests.fuzz.target import MARKER, Target, hidden

KIB = 1024


@dataclass(frozen=True)
class Finding:
    """What went wrong: its `kind`, where, so that one fault is reported once, and the whole trace."""

    kind: str
    where: str
    trace: str

    @property
    def name(self) -> str:
        """A short name that is the same for the same fault."""
        return f"{self.kind} at {self.where}"


@dataclass(frozen=True)
class Outcome:
    """What an input did: a feature that tells kinds of inputs apart, its price, and the finding if it is one."""

    feature: Hashable
    seconds: float
    memory: int
    finding: Finding | None = None


def peak() -> int:
    """Return the most octets this process ever held in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def judge(target: Target, data: bytes) -> Outcome:
    """Return what `data` does to the target."""
    before, start = peak(), time.thread_time()
    feature: Hashable = "?"
    finding = None
    try:
        feature = ("taken", target.run(data))
    except Trouble as refusal:
        feature, finding = _answered(refusal, data if target.hides else b"")
    except target.refusals as refusal:
        feature, finding = ("refused", type(refusal).__name__), _leaks(data if target.hides else b"", refusal)
    except Exception as escaped:
        finding = _escaped(escaped)
    seconds, grown = time.thread_time() - start, peak() - before
    if finding is None and seconds > target.seconds:
        finding = Finding("time", target.name, f"{seconds:.2f} s of processor time, more than {target.seconds}")
    if finding is None and grown > target.memory:
        finding = Finding("memory", target.name, f"grew by {grown >> 20} MiB, more than {target.memory >> 20}")
    return Outcome(feature, seconds, grown, finding)


def _answered(refusal: Trouble, data: bytes) -> tuple[Hashable, Finding | None]:
    """Return the feature of a documented refusal, and a finding if it is incomplete or tells content."""
    try:
        told = [str(refusal), refusal.details, refusal.members("zh"), refusal.members("en"), refusal.args]
    except Exception as incomplete:
        return refusal.code.name, _escaped(incomplete)
    reason = refusal.details.get("reason", getattr(refusal, "reason", ""))
    return ("refused", refusal.code.name, str(reason)[:80]), _leaks(data, *told)


def _leaks(data: bytes, *told: object) -> Finding | None:
    if MARKER in data:
        try:
            hidden(*told)
        except AssertionError as leak:
            return Finding("leak", "the refusal", f"{leak}: {told!r}")
    return None


def _escaped(error: BaseException) -> Finding:
    """Return the finding of an exception, named by the innermost frame of the node, else of the tests."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/node/" in frame.filename] or frames
    last = ours[-1]
    place = f"{last.filename.rpartition('/node/')[2].rpartition('/tests/')[2]}:{last.lineno} in {last.name}"
    return Finding(type(error).__name__, place, "".join(traceback.format_exception(error)))
