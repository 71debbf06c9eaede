"""Every metric family of a node, in one table; whoever counts names the first column.

Rule 1: base units, `_total` on counters, timestamps and never ages (Prometheus' naming rules).
Rule 2: a label's values come from configuration, from routes or from a short list; never from what was received.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200)


class Sort(Enum):
    """How a family is written."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMED = "histogram"

    __hash__ = object.__hash__  # a key of every count; Enum's own hash is a call of Python


@dataclass(frozen=True, slots=True)
class Family:
    """One family: `name` is what callers say, `shown` what Prometheus sees (a counter gets `_total` after it)."""

    name: str
    sort: Sort
    shown: str
    help: str
    labels: Sequence[str] = ()
    buckets: Sequence[float] = ()


def _counter(name: str, help: str, *labels: str) -> Family:
    return Family(name, Sort.COUNTER, f"exnode_{name}", help, labels)


def _gauge(name: str, shown: str, help: str, *labels: str) -> Family:
    return Family(name, Sort.GAUGE, f"exnode_{shown}", help, labels)


def _timed(name: str, shown: str, help: str, buckets: Sequence[float], *labels: str) -> Family:
    return Family(name, Sort.TIMED, f"exnode_{shown}", help, labels, buckets)


FAMILIES: tuple[Family, ...] = (
    # intake
    _counter("http_requests", "Requests answered; endpoint is the route's template.", "endpoint", "method", "code"),
    _timed("http_request", "http_request_duration_seconds", "Time to answer a request.", QUICK, "endpoint", "method"),
    _counter("records_received", "Records that came in, by the door they came through.", "resource", "channel"),
    _counter("records_accepted", "Records stored and acknowledged.", "resource"),
    _counter("records_rejected", "Records refused at the door.", "resource", "reason"),
    _counter("submissions_repeated", "Submissions answered from the store.", "resource"),
    _gauge("backpressure", "backpressure_active", "1 while a stage refuses or slows intake.", "stage"),
    _counter("validation_failures", "Rules broken by refused records.", "specification", "rule"),
    _timed("validation", "validation_duration_seconds", "Time to validate a submission.", QUICK, "format"),
    # crypto and trust
    _counter("crypto_operations", "Cryptographic operations.", "operation", "backend"),
    _counter("crypto_operation_failures", "Signatures that did not verify, parcels that did not open.",
             "operation", "reason"),
    _timed("crypto_operation", "crypto_operation_duration_seconds", "Time of one operation.", QUICK,
           "operation", "backend"),
    _gauge("certificate_not_after", "certificate_not_after_timestamp_seconds", "When a certificate ends.",
           "owner", "usage"),
    _gauge("crl_next_update", "crl_next_update_timestamp_seconds", "When the next revocation list is due.", "issuer"),
    # queues and disk
    _gauge("queue_parcels", "queue_parcels", "Parcels in a queue by state.", "queue", "state"),
    _gauge("queue_records", "queue_records", "Records waiting to be sealed.", "queue"),
    _gauge("queue_bytes", "queue_bytes", "Octets in a queue.", "queue"),
    _gauge("queue_oldest", "queue_oldest_timestamp_seconds",
           "When the oldest unfinished entry was accepted; 0 if none.", "queue"),
    _counter("queue_enqueued", "Parcels or groups put into a queue.", "queue"),
    _counter("queue_dequeued", "Parcels or groups finished.", "queue"),
    _counter("parcels_parked", "Parcels that wait for a person.", "resource", "reason"),
    _gauge("spool_used", "spool_used_bytes", "Octets of the state folder."),
    _gauge("spool_avail", "spool_filesystem_avail_bytes",
           "Free room on the file system of the state folder."),
    _gauge("spool_size", "spool_filesystem_size_bytes",
           "Size of the file system of the state folder."),
    _timed("commit", "store_commit_duration_seconds", "Time of one commit, its sync included.", QUICK, "store"),
    # delivery and receipts
    _counter("delivery_attempts", "Postings by outcome.", "peer", "outcome"),
    _timed("delivery_attempt", "delivery_attempt_duration_seconds", "Time of one posting.", LONG, "peer"),
    _timed("delivery_latency", "delivery_latency_seconds", "From accepted here to the verified final receipt.", LONG,
           "resource"),
    _counter("records_delivered", "Records with a verified final receipt.", "resource", "peer"),
    _gauge("receipts_outstanding", "receipts_outstanding", "Parcels sent without their final receipt.", "peer"),
    _gauge("receipts_overdue", "receipts_overdue", "Parcels whose receipt is overdue.", "peer"),
    _gauge("receipt_oldest", "receipt_oldest_outstanding_timestamp_seconds", "When the oldest of them was sent.",
           "peer"),
    _counter("receipts_received", "Receipts that moved an entry.", "peer", "status"),
    _counter("receipts_bad", "Receipts that did not verify.", "peer"),
    _gauge("peer_up", "peer_up", "1 if the last probe or posting worked.", "peer"),
    _gauge("peer_last_success", "peer_last_success_timestamp_seconds", "When it last worked.", "peer"),
    _gauge("peer_clock_skew", "peer_clock_skew_seconds", "Its clock less ours, from signed times.", "peer"),
    # receiving
    _counter("central_parcels", "Parcels offered by a node, by outcome.", "node", "outcome"),
    _counter("records_judged", "Records opened and judged, by outcome.", "resource", "outcome"),
    _counter("central_routed", "Records put for a subscriber.", "resource", "subscriber", "outcome"),
    _gauge("central_subscriber_backlog", "central_subscriber_backlog_records", "Records a subscriber has not read.",
           "subscriber"),
    _gauge("node_last_seen", "node_last_seen_timestamp_seconds", "When a node was last heard.", "node"),
    _gauge("catalogue_resources", "catalogue_resources", "Resources by status.", "status"),
    # adapters and freshness
    _gauge("adapter_up", "adapter_up", "1 if the last read of a source worked.", "source"),
    _gauge("adapter_last_success", "adapter_last_success_timestamp_seconds",
           "When a source was last read to its end; a quiet one is, too.", "source"),
    _gauge("adapter_objective", "adapter_freshness_objective_seconds", "How old that may become.", "source"),
    _gauge("adapter_watermark", "adapter_watermark_timestamp_seconds",
           "Up to when a source is known to be complete: when its last good read began.", "source"),
    _timed("adapter_read", "adapter_read_duration_seconds", "Time of one read to its end.", LONG, "source"),
    _counter("adapter_rows", "Rows read.", "source"),
    _counter("adapter_dirty", "Rows read that are no records.", "source"),
    _gauge("adapter_dirty_rows", "adapter_dirty_rows", "Rows of a source that are no records now.", "source"),
    _counter("adapter_failures", "Reads and landings that failed, by code.", "source", "code"),
    # rules between records
    _gauge("findings_open", "findings_open", "Findings that are open, by rule.", "rule"),
    _counter("findings_opened", "Findings that were opened, by rule.", "rule"),
    # process
    _gauge("ready", "ready", "1 if the last readiness probe was green, by check.", "check"),
    _gauge("reactor_lag", "reactor_lag_seconds", "Greatest delay of a timer in the last interval."),
    _gauge("threadpool_queued", "threadpool_queued", "Work waiting for a thread.", "pool"),
    _gauge("threadpool_busy", "threadpool_busy", "Threads at work.", "pool"),
    _gauge("config_reload_ok", "config_last_reload_successful", "1 if the last reload worked."),
    _gauge("config_reload_at", "config_last_reload_success_timestamp_seconds", "When a reload last worked."),
    _counter("faults", "Bugs met, by where.", "room"),
    _counter("connections_refused", "Connections turned away.", "port", "reason"),
    _counter("log_events", "Log lines by their event.", "level", "event"),
    _counter("log_dropped", "Log lines that an outlet did not take: nobody reads it, or its disk is full."),
    _counter("metrics_dropped", "Counts of a family or with labels that do not exist: a bug."),
)
