"""What a node shows of itself: metrics, health, log lines, and its words to systemd.

For: operations, who watch a node without opening it; the lower rooms count and log through ports.
Hides: prometheus_client, the journal's and systemd's sockets, the cap and cache of health checks.
Who may call: service, which builds it; the rooms above only through `Counter` and `Log`.
Promises: no content of a record in a line, a label or a page; labels are bounded; a green check really did the work;
    a stuck check turns red and is never started twice.
Fails: never into the work it observes; a red check has an EXN code.
"""

from node.observe.checks import opening, signing, syncing
from node.observe.health import Check, Finding, Health, Report
from node.observe.log import JsonLog, Lines
from node.observe.metrics import Metrics
from node.observe.notify import Notifier, Watchdog
from node.observe.outlets import Journal, LogFile, standard_error
from node.observe.pages import add_pages
from node.observe.pulse import Pulse
from node.observe.strays import catch_strays

__all__ = [
    "Check",
    "Finding",
    "Health",
    "Journal",
    "JsonLog",
    "Lines",
    "LogFile",
    "Metrics",
    "Notifier",
    "Pulse",
    "Report",
    "Watchdog",
    "add_pages",
    "catch_strays",
    "opening",
    "signing",
    "standard_error",
    "syncing",
]
