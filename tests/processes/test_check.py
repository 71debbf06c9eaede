"""Check finds every fault at once, each at its place with its code, and does not mind a running node."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.cli.demo.play import PLAN
from node.cli.demo.site import Site
from node.config import load
from node.crypto import authority, certificates
from node.service.check import EARLIEST, Finding, check
from node.service.renewal import read_renewal
from node.validate.between import BadBetween
from tests.processes.exchange import CENTRE, CRYPTO, SOURCE, SUBSCRIBER, quickly_laid_out, running
from xsd import FOLDER

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that is in order; each test works on the files of a node and puts them back."""
    return quickly_laid_out(tmp_path_factory.mktemp("check"), PLAN)


@pytest.fixture
def site(laid: Site, tmp_path: Path) -> Iterator[Site]:
    kept = tmp_path / "kept"
    shutil.copytree(laid.folder, kept)
    yield laid
    shutil.rmtree(laid.folder)
    shutil.copytree(kept, laid.folder)


def now() -> int:
    return time.time_ns() // 1_000_000


def found(site: Site, at: int | None = None, node: str = SOURCE) -> list[Finding]:
    return check(load(site.seats[node].config), at or now())


def told(site: Site, at: int | None = None, node: str = SOURCE) -> set[tuple[str, str, bool]]:
    return {(one.at, one.code.name, one.grave) for one in found(site, at, node)}


def keys(site: Site, node: str = SOURCE) -> Path:
    return site.seats[node].folder / "keys"


def edit(site: Site, old: str, new: str, node: str = SOURCE) -> None:
    path = site.seats[node].config
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("node", [CENTRE, SOURCE, SUBSCRIBER])
def test_a_new_node_is_in_order(site: Site, node: str) -> None:
    assert found(site, node=node) == []


def map_by(site: Site, mapping: str | None) -> None:
    """Have the third resource name a mapping."""
    if mapping is not None:
        (site.seats[SOURCE].folder / "old.toml").write_text(mapping, encoding="utf-8")
    line = 'specification = "region-code/1.0"'
    edit(site, line, line + '\nmappings = { "旧系统" = "old.toml" }')


REGIONS = """
[mapping]
specification = "region-code/1.0"
[fields]
RecordId = "A"
Operation = { value = "I" }
EventTime = "T"
RegionCode = "A"
RegionName = "B"
FirstRevision = "C"
LastRevision = "D"
"""
ANOTHERS = (FOLDER / "mappings" / "credit-2016-permit.toml").read_text(encoding="utf-8")

Fault = Callable[[Site], object]
FAULTS: dict[str, tuple[Fault, tuple[str, str, bool]]] = {
    "a key others may read": (
        lambda site: (keys(site) / "sign.key").chmod(0o644), ("keys.sign.key", "EXN-KEY-FILE", True)),
    "another's key": (
        lambda site: shutil.copy(keys(site, SUBSCRIBER) / "tls.key", keys(site) / "tls.key"),
        ("keys.tls.key", "EXN-KEY-FILE", True)),
    "a certificate of another use": (
        lambda site: shutil.copy(keys(site) / "tls.crt", keys(site) / "encrypt.crt"),
        ("keys.encrypt.cert", "EXN-KEY-ROLE", True)),
    "a certificate that is none": (
        lambda site: (keys(site) / "sign.crt").write_bytes(b"junk"), ("keys.sign.cert", "EXN-CERT-FORM", True)),
    "two peers with one certificate": (
        lambda site: shutil.copy(keys(site, SUBSCRIBER) / "sign.crt", keys(site, CENTRE) / "sign.crt"),
        ("peer[2].certificates.sign", "EXN-KEY-ROLE", True)),
    "no storage key": (
        lambda site: (keys(site) / "storage.key").unlink(), ("keys.storage[1]", "EXN-KEY-FILE", True)),
    "a list that is gone": (
        lambda site: (site.folder / "ca" / "issuing.crl").unlink(), ("keys.crl[2]", "EXN-KEY-FILE", True)),
    "a list that is none": (
        lambda site: (site.folder / "ca" / "issuing.crl").write_bytes(b"junk"), ("keys.crl[2]", "EXN-CRL-FORM", True)),
    "a specification nobody has": (
        lambda site: edit(site, "region-code/1.0", "region-code/9.9"),
        ("resource[3].specification", "EXN-SPECIFICATION", True)),
    "a mapping with faults": (
        lambda site: map_by(site, '[mapping]\nspecification = "region-code/1.0"\n[fields]\n'),
        ("resource[3].mappings.旧系统", "EXN-MAPPING-FORM", True)),
    "a mapping to another specification": (
        lambda site: map_by(site, ANOTHERS), ("resource[3].mappings.旧系统", "EXN-MAPPING-FORM", True)),
    "a mapping that is not there": (
        lambda site: map_by(site, None), ("resource[3].mappings.旧系统", "EXN-MAPPING-FORM", True)),
    "a library that is not there": (
        lambda site: edit(site, "[keys]", '[crypto]\nlibcrypto = "/nowhere/libcrypto.so"\n[keys]'),
        ("crypto", "EXN-CRYPTO-LIBRARY", True)),
    "an accelerator that is not there": (
        lambda site: edit(site, "[keys]", '[crypto]\nlibgcrypt = "/nowhere/libgcrypt.so"\n[keys]'),
        ("crypto", "EXN-CRYPTO-LIBGCRYPT", True)),
    "little room": (
        lambda site: edit(site, 'intake = "64MiB"', 'intake = "8000TiB"'), ("disk", "EXN-DISK", False)),
    "no room": (
        lambda site: edit(site, 'intake = "64MiB"\nforeign = "48MiB"', 'intake = "8000TiB"\nforeign = "8000TiB"'),
        ("disk", "EXN-DISK", True)),
    "a state folder others may read": (
        lambda site: site.seats[SOURCE].state.mkdir(mode=0o755), ("node.state", "EXN-STATE-FOLDER", False)),
    "a state folder that is a file": (
        lambda site: site.seats[SOURCE].state.touch(), ("node.state", "EXN-STATE-FOLDER", True)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_at_its_place(site: Site, name: str) -> None:
    plant, expected = FAULTS[name]
    plant(site)
    assert expected in told(site)


def test_a_good_mapping_is_in_order(site: Site) -> None:
    map_by(site, REGIONS)
    assert found(site) == []
    renewed = read_renewal(lambda: load(site.seats[SOURCE].config), CRYPTO)
    assert [name for _, name in renewed.mappings] == ["旧系统"]


def test_all_faults_are_told_at_once(site: Site) -> None:
    for name in ("a key others may read", "a certificate of another use", "little room", "a specification nobody has"):
        FAULTS[name][0](site)
    assert told(site) >= {FAULTS[name][1] for name in (
        "a key others may read", "a certificate of another use", "little room", "a specification nobody has")}


def test_a_wrong_passphrase_is_told_for_every_key(site: Site) -> None:
    path = keys(site) / "passphrase"
    path.write_bytes(b"not-the-passphrase\n")
    wanted = {"keys.sign.key", "keys.encrypt.key", "keys.tls.key", "keys.storage[1]"}
    assert {at for at, code, _ in told(site) if code == "EXN-KEY-FILE"} == wanted


def test_a_revoked_certificate_is_found_at_its_owner_and_at_his_peers(site: Site) -> None:
    serial = certificates.parse((keys(site, CENTRE) / "sign.crt").read_bytes(), CRYPTO.sm3).serial
    authority.revoke(site.desk, serial)
    authority.crl(site.desk)
    assert told(site, node=CENTRE) == {("keys.sign.cert", "EXN-CERT-REVOKED", True)}
    assert told(site) == {("peer[1].certificates.sign", "EXN-CERT-REVOKED", True)}


def test_a_late_list_is_a_note_within_its_grace_and_grave_after_it(site: Site) -> None:
    due = now() + authority.CRL_DAYS * DAY
    late = {("keys.crl[1]", "EXN-CRL-LATE", False), ("keys.crl[2]", "EXN-CRL-LATE", False)}
    assert told(site, due + HOUR) == late
    assert ("keys.crl[2]", "EXN-CRL-MISSING", True) in told(site, due + 2 * DAY)
    assert ("keys.sign.cert", "EXN-CRL-MISSING", True) in told(site, due + 2 * DAY)


def test_a_certificate_about_to_end_is_noted_and_one_that_ended_is_grave(site: Site) -> None:
    end = certificates.parse((keys(site) / "sign.crt").read_bytes(), CRYPTO.sm3).not_after
    edit(site, 'passphrase = "keys/passphrase"', 'passphrase = "keys/passphrase"\ncrl_grace = "30000d"')
    soon = [one for one in found(site, end - 10 * DAY) if one.at == "keys.sign.cert"]
    assert [(one.code.name, one.grave, one.met.details["days"]) for one in soon] == [("EXN-CERT-ENDS", False, 11)]
    assert ("keys.sign.cert", "EXN-CERT-TIME", True) in told(site, end + DAY)


def test_a_clock_that_cannot_be_right_is_told(site: Site) -> None:
    assert ("clock", "EXN-CLOCK-WRONG", True) in told(site, EARLIEST - 1)
    assert ("clock", "EXN-CLOCK-WRONG", True) in told(site, now() - DAY), "before the newest list was made"


def test_a_running_node_can_be_checked_and_a_damaged_store_is_found(tmp_path: Path) -> None:
    with running(tmp_path, SOURCE) as exchange:
        exchange.submit(exchange.people(3))
        assert found(exchange.site) == []
        assert exchange.ask(SOURCE, "/readyz")[0] == 200
    state = exchange.seat(SOURCE).state
    before = {path: path.read_bytes() for path in state.glob("*.db")}
    assert found(exchange.site) == [] and len(before) == 3
    assert {path: path.read_bytes() for path in before} == before, "nothing was changed"
    (state / "inbox.db").write_bytes(b"junk" * 2000)
    assert ("node.state", "EXN-STORE-DAMAGED", True) in told(exchange.site)


def test_a_state_folder_of_another_account_is_left_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    state = site.seats[SOURCE].state
    state.mkdir(mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 4242)  # the files' own owner stays who he is: only the asker changes
    assert ("node.state", "EXN-STATE-FOLDER", False) in told(site)
    assert list(state.iterdir()) == []


def test_rules_between_records_that_cannot_be_used_are_told_with_every_fault(site: Site) -> None:
    seat = site.seats[CENTRE]
    folder = seat.folder / "conf.d" / "themes" / "between" / "jobs"
    folder.mkdir(parents=True)
    (folder / "1.0.toml").write_text('[between]\nzh = "岗位"\n[sets]\na = "no-such"\n', encoding="utf-8")
    text = seat.config.read_text(encoding="utf-8")
    seat.config.write_text(f'{text}\n[specifications]\nfolders = ["conf.d/themes"]\n[findings]\n', encoding="utf-8")
    (one,) = found(site, node=CENTRE)
    assert (one.at, one.code.name, one.grave) == ("specifications.folders", "EXN-BETWEEN-FORM", True)
    assert isinstance(one.met, BadBetween)
    assert {each.key for each in one.met.faults} == {"between.en", "sets.a", "rule"}
    (folder / "1.0.toml").unlink()
    assert found(site, node=CENTRE) == []
