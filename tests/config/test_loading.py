"""Files are found, joined and placed; what they say becomes frozen settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from node.config import Endpoint, Misconfigured, Room, absent, find, load
from node.model import codes
from node.model.registry import Grant, Resource, Term
from tests.config.example import WHOLE, line_of, write


def test_the_whole_example_is_read(tmp_path: Path) -> None:
    settings = load(write(tmp_path), {})
    assert settings.node.state == tmp_path / "state"
    assert settings.control == tmp_path / "state/control.sock" and settings.token == tmp_path / "keys/token"
    assert settings.gateway is not None and settings.gateway.listen == Endpoint("", 8443)
    assert (settings.timers.poll, settings.clock.skew) == (25_000, 300_000)
    assert settings.retention.receipts == 3650 * 86_400_000
    assert settings.disk.intake == Room(octets=2 << 30) and settings.disk.intake.of(1) == 2 << 30
    alpha, beta = settings.peer
    assert not alpha.collects and beta.address == Endpoint("::1", 8443) and not beta.collects
    assert settings.resources() == (Resource(
        "population-basic", "population-basic/1.0", ("alpha",), 5,
        versions=(Term("population-basic/1.1", 1_767_196_800_000, 1_893_427_200_000),),
    ),)
    assert settings.specifications.folders == (tmp_path / "xsd",)
    assert settings.grants() == (Grant("population-basic", "beta", "statistics", 1924963199000),)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(write(tmp_path), {})
    with pytest.raises(ValidationError):
        settings.node.code = "other"


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    text = WHOLE[: WHOLE.index("[crypto]")] + WHOLE[WHOLE.index("[keys]"): WHOLE.index("old =")] + (
        'storage = ["s"]\npassphrase = "credential:pass"\nca = ["c"]\n')
    settings = load(write(tmp_path, text), {"CREDENTIALS_DIRECTORY": "/run/credentials/x"})
    assert settings.gateway is None and settings.peer == ()
    assert (settings.api.listen, settings.admin.listen) == (Endpoint("127.0.0.1", 8700), Endpoint("127.0.0.1", 8701))
    assert settings.keys.passphrase == Path("/run/credentials/x/pass")
    assert settings.token == settings.node.state / "api.token"


def test_later_files_replace_values_and_add_to_lists_of_tables(tmp_path: Path) -> None:
    path = write(tmp_path)
    write(tmp_path, '[node]\nlanguage = "en"\n[keys]\nca = ["b.crt"]\n', "conf.d/20-b.toml")
    write(tmp_path, '[node]\nlanguage = "zh"\n[[resource]]\ncode = "r2"\nspecification = "x/1.0"\n', "conf.d/10-a.toml")
    write(tmp_path, "not toml, and not read", "conf.d/README")
    settings = load(path, {})
    assert settings.node.language == "en" and settings.keys.ca == (tmp_path / "b.crt",)
    assert [resource.code for resource in settings.resource] == ["population-basic", "r2"]


def test_a_fault_in_a_later_file_is_placed_there(tmp_path: Path) -> None:
    path = write(tmp_path)
    text = '\n\n[[resource]]\ncode = "r2"\nspecification = "x/1"\n[timers]\npoll = 25\n'
    extra = write(tmp_path, text, "conf.d/a.toml")
    with pytest.raises(Misconfigured) as raised:
        load(path, {})
    found = {(fault.file, fault.line, fault.key, fault.rule) for fault in raised.value.faults}
    assert found == {(extra, 5, "resource[2].specification", "specification"), (extra, 7, "timers.poll", "text")}


def test_a_missing_key_is_placed_at_its_table(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        load(write(tmp_path, WHOLE.replace('node = "beta"\n', "")), {})
    (fault,) = raised.value.faults
    assert (fault.key, fault.rule) == ("peer[2].node", "missing")
    assert fault.line == line_of(WHOLE, 'node = "beta"') - 1


def test_a_missing_table_is_told_of_the_main_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        load(write(tmp_path, ""), {})
    assert {(fault.file, fault.line, fault.key) for fault in raised.value.faults} == {
        (tmp_path / "node.toml", None, "node"), (tmp_path / "node.toml", None, "keys")}


@pytest.mark.parametrize(("text", "rule", "line"), [
    ("[node]\ncode = centre\n", "syntax", 2),
    ("[node]\ncode = 'a'\ncode = 'b'\n", "syntax", 3),
    ("[node\n", "syntax", 1),
    ("[node]\ncode = 'a", "syntax", 2),
    ("x = " + "[" * 100_000, "unreadable", None),
    ("x = " + "9" * 4400, "unreadable", None),
    ("x = 1\n[a" + ".a" * 40_000 + "]", "syntax", 2),
])
def test_broken_toml_is_told_with_line_and_column_and_without_quoting(
    text: str, rule: str, line: int | None, tmp_path: Path
) -> None:
    with pytest.raises(Misconfigured) as raised:
        load(write(tmp_path, text), {})
    (fault,) = raised.value.faults
    assert (fault.rule, fault.line) == (rule, line)
    assert "centre" not in fault.text("en") and (rule != "syntax" or "column" in fault.text("en"))


def test_unreadable_files_are_all_told(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.toml").write_bytes(b"[node]\ncode = '\xff'\n")
    (tmp_path / "conf.d/b.toml").mkdir()
    with pytest.raises(Misconfigured) as raised:
        load(tmp_path / "node.toml", {})
    assert [(fault.file.name, fault.rule, fault.line) for fault in raised.value.faults] == [
        ("node.toml", "unreadable", None), ("a.toml", "encoding", 2), ("b.toml", "unreadable", None)]


def test_the_main_file_is_given_or_named_by_the_environment_or_the_one_of_etc(tmp_path: Path) -> None:
    named = {"EXCHANGE_NODE_CONFIG": "/srv/node.toml"}
    assert find(tmp_path / "x.toml", named) == tmp_path / "x.toml"
    assert find(None, named) == Path("/srv/node.toml")
    assert find(None, {}) == find(None, {"EXCHANGE_NODE_CONFIG": ""}) == Path("/etc/exchange-node/node.toml")


def test_files_that_are_absent_are_named_for_check(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "keys").mkdir()
    for name in ("sign.key", "sign.crt", "storage.key"):
        (tmp_path / "keys" / name).touch()
    missing = {fault.key for fault in absent(load(path, {}), path)}
    assert {"keys.tls.key", "keys.old[1].cert", "peer[2].certificates.sign[1]", "crypto.libcrypto"} <= missing
    assert not missing & {"keys.sign.key", "keys.storage[1]", "node.state", "log.file", "api.token"}


def test_the_trouble_lists_everything_in_either_language(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as raised:
        load(write(tmp_path, ""), {})
    assert raised.value.code is codes.CONFIG and raised.value.details == {"count": 2}
    assert "缺少此项" in raised.value.text("zh") and "missing" in raised.value.text("en")
    assert len(raised.value.text("en").splitlines()) == 3


def test_mappings_are_files_by_name_and_a_bad_name_is_placed(tmp_path: Path) -> None:
    settings = load(write(tmp_path, WHOLE), {})
    assert settings.resource[0].mappings == {"旧系统": tmp_path / "mappings" / "old.toml"}
    assert any(one.key == "resource[1].mappings.旧系统" for one in absent(settings, tmp_path / "node.toml"))
    for name in ("a b", "../x", "", "x" * 65):
        with pytest.raises(Misconfigured) as raised:
            load(write(tmp_path, WHOLE.replace('{ "旧系统" =', f'{{ "{name}" =')), {})
        (fault,) = raised.value.faults
        assert fault.key.startswith("resource[1].mappings") and fault.rule in ("mapping_name", "empty") and fault.line
