"""The plan is kept: every rule holds in every file, and every rule can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import plan, rules


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_every_module_of_the_node(rule: rules.Rule) -> None:
    found = rules.broken(rule, plan.modules())
    assert not found, f"\n{rule.__doc__}\n" + "\n".join(found)


BREACHES = [
    (rules.knows_its_floor, "attic", "x = 1"),
    (rules.imports_only_downwards, "model", "from node.store import outbox"),
    (rules.imports_only_downwards, "validate", "import node.envelope.seal"),
    (rules.imports_only_downwards, "intake", "from node import deliver"),
    (rules.imports_only_downwards, "exchange", "from node.crypto.sm2 import sign"),
    (rules.imports_only_downwards, "deliver", "from node.store.sqlite import Outbox"),
    (rules.imports_only_downwards, "service", "import adapters.sql.engine"),
    (rules.imports_only_downwards, "adapters", "from node.crypto import keys"),
    (rules.imports_only_downwards, "adapters", "from node.hosts import Child"),
    (rules.stays_pure, "envelope", "import os"),
    (rules.stays_pure, "exchange", "from time import monotonic"),
    (rules.stays_pure, "validate", "def f(): return datetime.now()"),
    (rules.stays_pure, "validate", "def f(): return datetime.date.today()"),
    (rules.stays_pure, "spool", "def f(): return open('x')"),
    (rules.keeps_packages_in_their_rooms, "intake", "from lxml import etree"),
    (rules.keeps_packages_in_their_rooms, "envelope", "from cryptography.x509 import Name"),
    (rules.keeps_packages_in_their_rooms, "cli", "import ctypes"),
    (rules.keeps_packages_in_their_rooms, "wire", "import requests"),
    (rules.awaits_only_above_the_store, "store", "async def put(): ..."),
    (rules.is_short, "model", "x = 1\n" * 401),
    (rules.is_short, "model", "def f():\n" + "    x = 1\n" * 50),
    (rules.is_well_named, "wire", "class ParcelManager: ..."),
    (rules.leaves_nothing_undone, "wire", "x = 1  # TO" "DO later"),
    (rules.leaves_nothing_undone, "wire", "x = 1  # type" ": ignore"),
    (rules.leaves_nothing_undone, "wire", "x = 1  # type" ": ignore[arg-type]"),
    (rules.raises_only_trouble, "wire", "def f(): raise RuntimeError('no')"),
    (rules.raises_only_trouble, "wire", "def f(): raise ValueError('not promised')"),
    (rules.raises_only_trouble, "wire", "def f(): raise SystemExit(1)"),
    (rules.raises_only_trouble, "wire", "def f(): raise errors.Broken"),
    (rules.fills_every_mark, "wire", "trouble(codes.QUOTA)"),
    (rules.fills_every_mark, "wire", "Refused(codes.TOO_LARGE, what='x')"),
]


@pytest.mark.parametrize(("rule", "room", "text"), BREACHES)
def test_a_breach_is_found_and_its_place_named(rule: rules.Rule, room: str, text: str, tmp_path: Path) -> None:
    module = _module(room, text)
    found = list(rule(module))
    assert found and found[0].startswith(module.name)


FINE = [
    ("model", "def read(text):\n    'Return it; raise ValueError if it is none.'\n    raise ValueError('none')"),
    ("envelope", "from cryptography.hazmat.asn1 import decode"),
    ("validate", "from pathlib import Path\nfrom node.model import codes"),
    ("wire", "class _Stop(Exception): ...\ndef f():\n    raise _Stop"),
    ("wire", "from node.crypto import tls\nasync def f():\n    raise trouble(codes.QUOTA, peer='a')"),
    ("wire", "def f(error):\n    raise error"),
    ("cli", "import click\ndef f():\n    raise click.UsageError('x')"),
    ("service", "from node.store import sqlite\nfrom node import __version__"),
    ("wire", "x = f()  # type" ": ignore[arg-type]  # the stub of f is wrong"),
]


@pytest.mark.parametrize(("room", "text"), FINE)
def test_what_is_allowed_is_left_alone(room: str, text: str) -> None:
    assert [breach for rule in rules.RULES for breach in rule(_module(room, text))] == []


def _module(room: str, text: str) -> plan.Module:
    path = (plan.ROOT / room if room == "adapters" else plan.NODE / room) / "example.py"
    import ast

    return plan.Module(path, room, text, ast.parse(text))
