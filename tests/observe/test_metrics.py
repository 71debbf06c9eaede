"""Counts reach the page under their full names, labels stay few, and the page is what Prometheus reads."""

from __future__ import annotations

import ast
import random
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

from node.observe import Metrics
from node.observe.families import FAMILIES, Sort
from node.observe.metrics import CLOSED, MOST
from node.ports import Counter
from tests.house import plan

KNOWN = {label: ["alpha", "beta"] for label in CLOSED}
METHODS = {Sort.COUNTER: "count", Sort.GAUGE: "gauge", Sort.TIMED: "timed"}


def _lines(metrics: Metrics) -> list[str]:
    return [line for line in metrics.page().decode().splitlines() if line.startswith("exnode_")]


def _filled() -> Metrics:
    metrics = Metrics(KNOWN)
    for family in FAMILIES:
        getattr(metrics, METHODS[family.sort])(family.name, 1, **dict.fromkeys(family.labels, "alpha"))
    return metrics


def test_it_is_the_port_the_lower_rooms_count_through() -> None:
    counter: Counter = Metrics()
    counter.count("submissions_repeated", resource="x")


def test_every_family_is_shown_under_its_full_name() -> None:
    lines = [re.sub(r"\{(.*)\}", lambda found: "{" + ",".join(sorted(found[1].split(","))) + "}", line)
             for line in _lines(_filled())]
    for family in FAMILIES:
        end = {Sort.COUNTER: "_total", Sort.GAUGE: "", Sort.TIMED: "_count"}[family.sort]
        labels = "".join(f'{label}="alpha",' for label in sorted(family.labels)).rstrip(",")
        shown = f"{family.shown}{end}" + (f"{{{labels}}}" if labels else "") + " 1.0"
        assert shown in lines, family.name
    assert not any("_created" in line for line in lines)
    assert any(line.startswith("exnode_build_info{") for line in lines)


def test_promtool_accepts_the_page(server: Callable[[str, str], str]) -> None:
    promtool = server("prometheus", "promtool")
    told = subprocess.run([promtool, "check", "metrics"], input=_filled().page(), capture_output=True, timeout=60)
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()


def test_counts_add_up_and_gauges_replace() -> None:
    metrics = Metrics(KNOWN)
    for _ in range(3):
        metrics.count("records_accepted", 100, resource="alpha")
        metrics.gauge("peer_up", 1, peer="beta")
    metrics.gauge("peer_up", 0, peer="beta")
    metrics.timed("commit", 0.002, store="outbox")
    assert {'exnode_records_accepted_total{resource="alpha"} 300.0', 'exnode_peer_up{peer="beta"} 0.0',
            'exnode_store_commit_duration_seconds_bucket{le="0.0025",store="outbox"} 1.0'} <= set(_lines(metrics))


def test_a_stranger_makes_no_series(seed: int) -> None:
    metrics, chance = Metrics(KNOWN), random.Random(seed)
    for _ in range(500):
        name = "".join(chance.choice("abcdefghij/._- {}\"\n张") for _ in range(chance.randrange(1, 40)))
        metrics.count("receipts_bad", peer=name)
        metrics.count("delivery_attempts", peer="alpha", outcome=name)
        metrics.count("http_requests", endpoint=name, method=name, code=name)
    lines = _lines(metrics)
    assert 'exnode_receipts_bad_total{peer="other"} 500.0' in lines
    assert len([line for line in lines if "delivery_attempts" in line]) <= MOST + 1
    assert len(lines) < 1000


def test_a_value_that_is_no_name_of_ours_is_other() -> None:
    metrics = Metrics()
    for value in ("张三", "a b", "x" * 200, "", "2020-01-01T00:00:00Z", "41018" + "0" * 13):
        metrics.count("faults", room=value)
    assert [line for line in _lines(metrics) if "faults_total" in line] == ['exnode_faults_total{room="other"} 6.0']


def test_a_peer_added_later_is_announced() -> None:
    metrics = Metrics(KNOWN)
    metrics.gauge("peer_up", 1, peer="gamma")
    metrics.announce({"peer": ["gamma"]})
    metrics.gauge("peer_up", 1, peer="gamma")
    assert {'exnode_peer_up{peer="other"} 1.0', 'exnode_peer_up{peer="gamma"} 1.0'} <= set(_lines(metrics))


@pytest.mark.parametrize(("method", "name", "labels"), [
    ("count", "nothing", {}),
    ("count", "records_accepted", {}),
    ("count", "records_accepted", {"resource": "alpha", "peer": "alpha"}),
    ("gauge", "records_accepted", {"resource": "alpha"}),
    ("timed", "peer_up", {"peer": "alpha"}),
])
def test_a_count_that_fits_no_family_is_dropped_and_counted(method: str, name: str, labels: dict[str, str]) -> None:
    metrics = Metrics(KNOWN)
    getattr(metrics, method)(name, 1, **labels)
    assert "exnode_metrics_dropped_total 1.0" in _lines(metrics)


def test_http_answers_are_counted_by_route() -> None:
    metrics = Metrics()
    metrics.answered("/v1/resources/{resource}/records", "POST", 202, 0.003)
    labels = 'code="202",endpoint="/v1/resources/{resource}/records",method="POST"'
    assert f"exnode_http_requests_total{{{labels}}} 1.0" in _lines(metrics)


def _counted() -> Iterator[tuple[plan.Module, ast.Call, str, str]]:
    """Yield every call on something named counter or metrics that names its family: module, call, method, family."""
    for module in plan.modules():
        for spot in ast.walk(module.tree):
            if isinstance(spot, ast.Call) and isinstance(spot.func, ast.Attribute) and spot.args:
                owner, named = ast.unparse(spot.func.value).rpartition(".")[2].strip("_"), spot.args[0]
                if owner in ("counter", "metrics") and spot.func.attr in METHODS.values():
                    if isinstance(named, ast.Constant):
                        yield module, spot, spot.func.attr, str(named.value)


def test_every_count_in_the_program_names_a_family_and_its_labels() -> None:
    families = {family.name: family for family in FAMILIES}
    wrong = []
    for module, spot, method, name in _counted():
        family = families.get(name)
        labels = {keyword.arg for keyword in spot.keywords} - {"by", "value", "seconds"}
        if family is None or METHODS[family.sort] != method or (labels != set(family.labels)):
            wrong.append(module.at(spot, f"{method}({name!r}, {sorted(map(str, labels))})"))
    assert not wrong, "add the family to node/observe/families.py, or name its labels:\n" + "\n".join(wrong)
