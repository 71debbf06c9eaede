"""Proofs from what a node still holds, down to the warehouse's history alone; papers issued for a node."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from node.cli.evidence import prove_stored
from node.crypto.certificates import parse
from node.envelope import check_proof
from node.envelope.proof import Report
from node.model import codes
from node.model.trouble import Trouble
from node.service.papers import Papers
from tests.cli.shell import ORG, Shell
from tests.crypto.papers import CRYPTO, DAY
from tests.intake.api import Api, twin
from tests.stage.desk import Staged, keyring, stage_trust
from tests.stage.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    made.close()


def papers_of(staged: Staged) -> Papers:
    means = staged.desk.means
    registry: Any = means.registry
    return Papers(CRYPTO, keyring(means.identity.node), stage_trust(), registry)


def proved(staged: Staged, parcel: str, index: int) -> Report:
    """Return what the proof from a node's stores says."""
    stores: Any = staged.stores
    proof = prove_stored(stores, parcel, index, papers_of(staged))

    def judge(one: Any, at: int, archive: bytes | None, others: Any) -> Any:
        return {"chain"} if archive is None else {gap.value for gap in stage_trust().check_archived(one, at, archive)}

    return check_proof(proof, partial(parse, sm3=CRYPTO.sm3), judge, CRYPTO)


def sent(pair: Pair, count: int = 4) -> str:
    """Return a parcel processed at the centre, its receipts at home."""
    Api(pair.dept).submitted(*map(twin, range(count)))
    outgoing = pair.sealed()
    pair.accept(outgoing)
    pair.opened()
    pair.accounted()
    return outgoing.entry.parcel


def test_both_ends_give_the_same_proof_while_they_hold_the_parcel(pair: Pair) -> None:
    parcel = sent(pair)
    here, there = proved(pair.dept, parcel, 2), proved(pair.centre, parcel, 2)
    assert here.line == there.line and len(here.receipts) == len(there.receipts) == 2
    assert {one.name for one in there.not_shown} == {"time"}


def test_the_warehouse_alone_still_proves_a_record_once_the_inbox_has_forgotten_it(pair: Pair) -> None:
    parcel = sent(pair)
    before = proved(pair.centre, parcel, 3)
    later = pair.centre.desk.now() + 400 * DAY
    with pair.centre.stores.inbox.unit() as unit:
        assert unit.purge(later, 0, 100) > 0 and unit.octets(parcel) is None
    after = proved(pair.centre, parcel, 3)
    assert after.line == before.line and len(after.receipts) == 2, "our receipts outlive the bytes"
    with pair.centre.stores.inbox.unit() as unit:
        unit.purge(later, later, 100)
    bare = proved(pair.centre, parcel, 3)
    assert bare.line == before.line and "acceptance" in {one.name for one in bare.not_shown}


@pytest.mark.parametrize(("parcel", "index"), [
    (None, 4), (None, -1), ("01a206c0-7316-73f6-aa3e-76256c39168a", 0), ("x", 0),
])
def test_what_is_not_held_is_not_proved(parcel: str | None, index: int, pair: Pair) -> None:
    held = sent(pair)
    for staged in (pair.dept, pair.centre):
        with pytest.raises(Trouble) as met:
            proved(staged, parcel or held, index)
        assert met.value.code in (codes.NOT_FOUND, codes.PROOF)
    with pair.centre.stores.inbox.unit() as unit:
        unit.purge(pair.centre.desk.now() + 400 * DAY, 0, 100)
    with pytest.raises(Trouble) as met:
        proved(pair.centre, parcel or held, index)
    assert met.value.code in (codes.NOT_FOUND, codes.PROOF)


def test_papers_issued_by_the_ca_are_all_a_node_needs_to_pass_its_check(shell: Shell, tmp_path: Path) -> None:
    centre, dept = shell.issue("centre"), shell.issue("dept-a")
    shell.fine("key", "storage", dept / "storage.key")
    (tmp_path / "node.toml").write_text(f"""
[node]
code = "dept-a"
org = "{ORG}"
domain = "city.test"
state = "{tmp_path}/state"
[keys]
sign = {{ key = "{dept}/sign.key", cert = "{dept}/sign.crt" }}
encrypt = {{ key = "{dept}/encrypt.key", cert = "{dept}/encrypt.crt" }}
tls = {{ key = "{dept}/tls.key", cert = "{dept}/tls.crt" }}
storage = ["{dept}/storage.key"]
passphrase = "{tmp_path}/passphrase"
ca = ["{dept}/ca.crt"]
crl = ["{dept}/ca.crl"]
[disk]
intake = "3MiB"
foreign = "2MiB"
reserve = "1MiB"
[[peer]]
node = "centre"
org = "{ORG}"
address = "127.0.0.1:8443"
certificates = {{ sign = ["{centre}/sign.crt"], encrypt = "{centre}/encrypt.crt", tls = ["{centre}/tls.crt"] }}
""", encoding="utf-8")
    answer = shell("-c", tmp_path / "node.toml", "check", "--json")
    assert answer.status == 0 and not [one for one in answer.json["findings"] if one["grave"]], answer
    listed = shell.fine("-c", tmp_path / "node.toml", "key", "list", "--json").json
    assert [one["role"] for one in listed] == ["sign", "encrypt", "tls", "storage"]
