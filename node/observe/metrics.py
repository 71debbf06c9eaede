"""The counters of a node, kept in one registry and written for Prometheus.

Rule 1: a label value nobody announced is shown as `other`, so that a stranger cannot make series.
Rule 2: counting never fails into the work: an unknown family or label is counted as dropped.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Collection, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from node import __version__
from node.observe.families import FAMILIES, Family, Sort

OTHER = "other"
MOST = 64
"""Values a label may take that were not announced but look like names of our own: codes, rules, routes."""

_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}|/[A-Za-z0-9_./{}:-]{0,95}|-|[1-5][0-9]{2}")
# What these name comes from outside or from configuration: only announced values are shown.
CLOSED = frozenset({"peer", "node", "subscriber", "resource", "specification", "owner", "issuer"})

_NO_FAMILY: tuple[Family, Any] = (Family("", Sort.COUNTER, "", "", ("-",)), None)


class Metrics:
    """The port `Counter`, and the page Prometheus reads.

    `known` announces values by label: peers, nodes, subscribers, resources, specifications, owners, issuers.
    """

    def __init__(self, known: Mapping[str, Collection[str]] | None = None) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client leaves it without types
        self.registry = CollectorRegistry()
        self._known: dict[str, set[str]] = {}
        self._families = {family.name: (family, _made(family, self.registry)) for family in FAMILIES}
        self._children: dict[tuple[Any, ...], Any] = {}
        self._answers: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("exnode_build", "What runs here.", registry=self.registry).info(
            {"version": __version__, "python": platform.python_version()}
        )
        self.announce(known or {})

    def announce(self, known: Mapping[str, Collection[str]]) -> None:
        """Add values that labels may take, as when a peer is added."""
        for label, values in known.items():
            self._known.setdefault(label, set()).update(values)

    def count(self, name: str, by: float = 1, **labels: str) -> None:
        """Add to a counter."""
        child = self._child(name, Sort.COUNTER, labels)
        if child is not None and by > 0:
            child.inc(by)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        child = self._child(name, Sort.GAUGE, labels)
        if child is not None:
            child.set(value)

    def timed(self, name: str, seconds: float, **labels: str) -> None:
        """Observe a duration."""
        child = self._child(name, Sort.TIMED, labels)
        if child is not None:
            child.observe(seconds)

    def answered(self, endpoint: str, method: str, code: int, seconds: float) -> None:
        """Count one HTTP answer; the `observe` of `node.wire.routes.Routes`."""
        known = self._answers.get((endpoint, method, code))
        if known is None:
            labels = {"endpoint": endpoint, "method": method}
            known = self._answers[endpoint, method, code] = (
                self._child("http_requests", Sort.COUNTER, {**labels, "code": str(code)}),
                self._child("http_request", Sort.TIMED, labels),
            )
        known[0].inc()
        known[1].observe(seconds)

    def page(self) -> bytes:
        """Return every series in Prometheus' text format 0.0.4."""
        return generate_latest(self.registry)

    def _child(self, name: str, sort: Sort, labels: Mapping[str, str]) -> Any:
        key = (name, sort, *labels.items())
        try:
            return self._children[key]
        except (KeyError, TypeError):
            pass
        family, metric = self._families.get(name, _NO_FAMILY)
        if family.sort is not sort or set(labels) != set(family.labels):
            self._families["metrics_dropped"][1].inc()
            return None
        values = {label: self._value(name, label, labels[label]) for label in family.labels}
        child = metric.labels(**values) if values else metric
        if values == labels:
            self._children[key] = child
        return child

    def _value(self, name: str, label: str, value: object) -> str:
        if not isinstance(value, str):
            return OTHER
        if value in self._known.get(label, ()):
            return value
        if label in CLOSED or not _LIKE.fullmatch(value):
            return OTHER
        seen = self._seen.setdefault((name, label), set())
        if value not in seen and len(seen) >= MOST:
            return OTHER
        seen.add(value)
        return value


def _made(family: Family, registry: CollectorRegistry) -> Any:
    if family.sort is Sort.COUNTER:
        return Counter(family.shown, family.help, family.labels, registry=registry)
    if family.sort is Sort.GAUGE:
        return Gauge(family.shown, family.help, family.labels, registry=registry)
    return Histogram(family.shown, family.help, family.labels, registry=registry, buckets=family.buckets)
