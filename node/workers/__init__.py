"""The one bridge between the reactor and code that blocks.

For: every async room: threads for long work, one commit per turn for the stores, news between rooms, the shared desk.
Hides: the thread pool, when a transaction begins and ends.
Who may call: the rooms above; nothing below knows that it exists.
Promises: a caller hears of a result only after the commit that makes it true; no turn works longer than its budget.
Fails: with what the function raised, or Retry(DRAINING) once the node is stopping.
"""

from node.workers.alarms import Alarms
from node.workers.bell import Bell
from node.workers.clock import WatchedClock
from node.workers.committer import Committer, Counts, Opens
from node.workers.desk import Desk, Timers
from node.workers.seldom import Seldom
from node.workers.steady import make_steady
from node.workers.threads import BLOCK, InlineWorkers, Runs, Workers

__all__ = [
    "BLOCK", "Alarms", "Bell", "Committer", "Counts", "Desk", "InlineWorkers", "Opens", "Runs", "Seldom", "Timers",
    "WatchedClock", "Workers", "make_steady",
]
