"""From a CA to an opened message, all by commands: what integrators type on the first day."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest

from node.cli import exits
from node.crypto.authority import NOTICE
from node.crypto.keyfile import plain, read_key, read_storage
from node.envelope.cms.tool import STATEMENT_PREFIX
from tests.cli.shell import ORG, PASSPHRASE, Shell
from tests.crypto.papers import CRYPTO

CONTENT = os.urandom(64) + b"content that nobody prints"


@pytest.fixture
def keys(shell: Shell) -> Path:
    """Return a folder with the keys and certificates of one node."""
    return shell.issue()


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """Return a file to be signed and encrypted."""
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    return path


def test_every_act_of_the_ca_says_what_it_is(shell: Shell, tmp_path: Path) -> None:
    keys = shell.issue()
    for arguments in (
        ("ca", "init", tmp_path / "other"), ("ca", "list", tmp_path / "ca"), ("ca", "crl", tmp_path / "ca"),
        ("ca", "revoke", tmp_path / "ca", "--cert", keys / "tls.crt"),
    ):
        answer = shell.fine(*arguments)
        assert NOTICE.en in answer.err and NOTICE.en not in answer.out


def test_an_issued_folder_holds_all_a_node_needs_with_the_right_modes(keys: Path) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in keys.iterdir()}
    private, public = ("sign.key", "encrypt.key", "tls.key"), ("sign.crt", "encrypt.crt", "tls.crt", "ca.crt", "ca.crl")
    assert modes == {**dict.fromkeys(private, 0o600), **dict.fromkeys(public, 0o644)}


def test_a_certificate_in_use_is_not_replaced_and_its_key_is_certified_again(
    shell: Shell, keys: Path, tmp_path: Path
) -> None:
    again = ("ca", "issue", tmp_path / "ca", "--node", "dept-a", "--org", ORG, "--org-name", "测试单位", "--keys", keys,
             "--role", "sign")
    before = read_key(keys / "sign.key", CRYPTO, PASSPHRASE).public
    assert shell(*again).status == exits.USAGE
    (keys / "sign.crt").rename(tmp_path / "old.crt")
    (only,) = shell.fine(*again, "--json").json
    assert only["roles"] == ["sign"]
    assert read_key(keys / "sign.key", CRYPTO, PASSPHRASE).public == before


def test_a_wrong_request_is_refused_by_the_name_of_its_field(shell: Shell, tmp_path: Path) -> None:
    shell.fine("ca", "init", tmp_path / "ca")
    named = ("--node", "dept-a", "--org", "short", "--org-name", "x", "--keys", tmp_path / "k")
    answer = shell("ca", "issue", tmp_path / "ca", *named)
    assert answer.status == exits.DATA and "EXN-CA-REQUEST" in answer.err and "org" in answer.err
    assert shell("ca", "init", tmp_path / "ca").status == exits.DATA
    assert shell("ca", "revoke", tmp_path / "ca", "--serial", "abc").status == exits.DATA
    assert shell("ca", "revoke", tmp_path / "ca", "--serial", "xyz").status == exits.USAGE
    assert shell("ca", "revoke", tmp_path / "ca").status == exits.USAGE


def test_a_revoked_certificate_no_longer_passes_once_the_list_is_out(
    shell: Shell, keys: Path, content: Path, tmp_path: Path
) -> None:
    signed, trust = tmp_path / "signed", ("--ca", keys / "ca.crt", "--crl", keys / "ca.crl")
    shell.fine("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key", "--out", signed)
    shell.fine("cms", "verify", signed, *trust)
    shell.fine("ca", "revoke", tmp_path / "ca", "--cert", keys / "sign.crt", "--reason", "key_compromise")
    shell.fine("cms", "verify", signed, *trust)
    shell.fine("ca", "crl", tmp_path / "ca", "--out", keys / "ca.crl")
    answer = shell("cms", "verify", signed, *trust, "--json")
    assert answer.status == exits.DATA and answer.json["problems"][0]["name"] == "not-trusted"
    listed = shell.fine("ca", "list", tmp_path / "ca", "--json").json
    assert [line["role"] for line in listed if "revoked" in line] == ["sign"]


def test_another_ca_does_not_vouch(shell: Shell, keys: Path, content: Path, tmp_path: Path) -> None:
    shell.fine("ca", "init", tmp_path / "other", "--flat")
    signed = tmp_path / "signed.pem"
    shell.fine("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key", "--out", signed)
    assert signed.read_bytes().startswith(b"-----BEGIN PKCS7-----")
    answer = shell("cms", "verify", signed, "--ca", tmp_path / "other" / "root.crt", "--json")
    assert answer.status == exits.DATA and answer.json["problems"][0]["name"] == "not-trusted"
    assert shell("cms", "verify", signed, "--ca", tmp_path / "ca" / "issuing.crt").status == exits.CONFIG
    assert shell("cms", "verify", signed, "--crl", keys / "ca.crl").status == exits.USAGE
    partly = shell("cms", "verify", signed, "--ca", keys / "ca.crt", "--crl", tmp_path / "ca" / "root.crl", "--json")
    assert partly.status == exits.DATA, "once lists are named, each authority on the way must have a current one"


def test_what_was_signed_verifies_attached_and_detached(
    shell: Shell, keys: Path, content: Path, tmp_path: Path
) -> None:
    signing = ("--cert", keys / "sign.crt", "--key", keys / "sign.key")
    shell.fine("cms", "sign", content, *signing, "--out", tmp_path / "attached")
    shell.fine("cms", "sign", content, *signing, "--detached", "--out", tmp_path / "detached")
    answer = shell.fine("cms", "verify", tmp_path / "attached", "--ca", keys / "ca.crt", "--out", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == CONTENT and (tmp_path / "back").stat().st_mode & 0o777 == 0o600
    assert "revocation was not checked" in answer.err and "the signature is good" in answer.out
    assert shell("cms", "verify", tmp_path / "detached").status == exits.DATA
    shell.fine("cms", "verify", tmp_path / "detached", "--content", content)
    assert shell("cms", "verify", tmp_path / "detached", "--content", keys / "ca.crt").status == exits.DATA


def test_a_message_goes_from_one_node_to_another(shell: Shell, keys: Path, content: Path, tmp_path: Path) -> None:
    other = shell.issue("dept-b")
    shell.fine("cms", "envelop", content, "--cert", other / "encrypt.crt", "--out", tmp_path / "secret")
    opened = shell.fine("cms", "open", tmp_path / "secret", "--key", other / "encrypt.key", "--out", tmp_path / "clear")
    assert (tmp_path / "clear").read_bytes() == CONTENT
    assert "content that nobody prints" not in opened.out + opened.err
    refused = shell("cms", "open", tmp_path / "secret", "--key", keys / "encrypt.key", "--out", tmp_path / "none")
    assert refused.status == exits.DATA and not (tmp_path / "none").exists()


def test_a_message_can_go_through_pipes(keys: Path, content: Path) -> None:
    import sys

    node = f"{sys.executable} -m node --lang en cms"
    line = f"{node} envelop {content} --cert {keys}/encrypt.crt | {node} open - --key {keys}/encrypt.key"
    line += f" --passphrase-file {keys.parent}/passphrase --out {keys.parent}/piped"
    done = subprocess.run(["bash", "-c", line], cwd=Path(__file__).parents[2], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert (keys.parent / "piped").read_bytes() == CONTENT


def test_a_plain_key_serves_the_tool_and_others_who_may_read_it_are_mentioned(
    shell: Shell, keys: Path, content: Path, tmp_path: Path
) -> None:
    open_key = tmp_path / "plain.key"
    open_key.write_bytes(plain(CRYPTO, read_key(keys / "encrypt.key", CRYPTO, PASSPHRASE)))
    open_key.chmod(0o644)
    shell.fine("cms", "envelop", content, "--cert", keys / "encrypt.crt", "--out", tmp_path / "secret")
    del shell.environ["EXCHANGE_NODE_PASSPHRASE_FILE"]
    assert "others may read" in shell.fine("cms", "open", tmp_path / "secret", "--key", open_key).err
    open_key.chmod(0o600)
    assert not shell.fine("cms", "open", tmp_path / "secret", "--key", open_key).err


def test_a_wrong_passphrase_and_a_readable_passphrase_file_are_refused_with_77(
    shell: Shell, keys: Path, content: Path
) -> None:
    signing = ("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key")
    wrong = shell.secret("wrong", b"not the passphrase")
    assert shell(*signing).status == exits.PERMISSION
    wrong.chmod(0o644)
    answer = shell(*signing)
    assert answer.status == exits.PERMISSION and "not the passphrase" not in answer.err


def test_a_passphrase_is_asked_for_only_at_a_terminal(
    shell: Shell, keys: Path, content: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    del shell.environ["EXCHANGE_NODE_PASSPHRASE_FILE"]
    signing = ("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert shell(*signing).status == exits.USAGE
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[str] = []
    typed = iter(["nine words or so", "one thing here", "another there"])

    def at_the_terminal(prompt: str) -> str:
        asked.append(prompt)
        return next(typed)

    monkeypatch.setattr("getpass.getpass", at_the_terminal)
    shell.fine(*signing)
    assert asked == ["Passphrase (sign.key): "]
    answer = shell("key", "new", tmp_path / "new.key")
    assert answer.status == exits.USAGE and "differ" in answer.err and not (tmp_path / "new.key").exists()


def test_a_statement_of_the_exchange_is_not_signed_by_the_tool(shell: Shell, keys: Path, content: Path) -> None:
    content.write_bytes(STATEMENT_PREFIX + b'parcel.1"}')
    answer = shell("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key")
    assert answer.status == exits.DATA and "EXN-CMS-STATEMENT" in answer.err and not answer.out
    wrong = shell("cms", "sign", content, "--cert", keys / "encrypt.crt", "--key", keys / "encrypt.key")
    assert wrong.status != 0


def test_no_file_is_replaced_and_none_is_left_half_written(shell: Shell, keys: Path, content: Path) -> None:
    signing = ("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key")
    assert shell(*signing, "--out", content).status == exits.USAGE
    assert content.read_bytes() == CONTENT
    assert shell(*signing, "--out", content / "under" / "a" / "file").status == exits.PERMISSION


def test_key_files_are_made_listed_and_protected_anew(shell: Shell, tmp_path: Path) -> None:
    first = shell.secret()
    made = shell.fine("key", "new", tmp_path / "sign.key", "--json").json
    assert made["public"] == read_key(tmp_path / "sign.key", CRYPTO, PASSPHRASE).public.hex()
    assert shell("key", "new", tmp_path / "sign.key").status == exits.USAGE
    shell.fine("key", "storage", tmp_path / "storage.key")
    shell.fine("key", "storage", tmp_path / "newer.key", "--after", tmp_path / "storage.key")
    older, newer = (read_storage(tmp_path / name, PASSPHRASE) for name in ("storage.key", "newer.key"))
    assert older.index == newer.index and older.key != newer.key
    other = shell.secret("other", b"another passphrase\n")
    shell.fine("key", "passwd", tmp_path / "sign.key", "--passphrase-file", first, "--new-passphrase-file", other)
    assert read_key(tmp_path / "sign.key", CRYPTO, b"another passphrase").public.hex() == made["public"]
    listed = {one["name"]: one["role"] for one in shell.fine("key", "list", tmp_path, "--json").json}
    assert listed == {"newer.key": "storage", "sign.key": "encrypted private key", "storage.key": "storage"}
    short = shell.secret("short", b"short")
    assert shell("key", "new", tmp_path / "x.key", "--passphrase-file", short).status == exits.USAGE


def test_a_folder_is_listed_with_all_certificates_of_its_bundles(shell: Shell, keys: Path) -> None:
    (keys / "odd.crt").write_bytes(b"odd")
    listed = [(one["name"], one["role"]) for one in shell.fine("key", "list", keys, "--json").json]
    assert [role for name, role in listed if name == "ca.crt"] == ["ca", "ca"]
    assert ("odd.crt", "EXN-CERT-FORM") in listed and ("tls.crt", "tls") in listed
    assert shell("key", "list", keys / "nothing").status == exits.USAGE


def test_any_flipped_octet_of_a_message_is_a_failure_with_status_65_and_nothing_is_released(
    shell: Shell, keys: Path, content: Path, tmp_path: Path, seed: int
) -> None:
    dice, signed = random.Random(seed), tmp_path / "signed"
    shell.fine("cms", "sign", content, "--cert", keys / "sign.crt", "--key", keys / "sign.key", "--out", signed)
    whole = signed.read_bytes()
    for number in range(25):
        hurt = bytearray(whole)
        hurt[dice.randrange(len(hurt))] ^= 1 << dice.randrange(8)
        path = tmp_path / f"hurt{number}"
        path.write_bytes(hurt)
        out = tmp_path / f"out{number}"
        answer = shell("cms", "verify", path, "--out", out, "--cert", keys / "sign.crt")
        if answer.status == 0:  # an octet of the enclosed certificate, or of a name: then the content is untouched
            assert out.read_bytes() == CONTENT
        else:
            assert answer.status == exits.DATA and not out.exists()


@pytest.mark.parametrize("octets", [
    b"", b"\0" * 40, b"\x30\x80" * 5000, b"\x30\x84\xff\xff\xff\xff",
    b"-----BEGIN PKCS7-----\n!!\n-----END PKCS7-----\n",
    b"EXNP\x01\xff\xff\xff\xff", b'{"@type":"exn.proof.1"}', b'{"@type":"exn.proof.1","manifest":"AAAA"}',
    b'{"@type":"exn.proof.1",' + b"[" * 100_000, b"A" * 65,
], ids=range(10))
@pytest.mark.parametrize("command", [
    ("cms", "inspect"), ("cms", "verify"), ("parcel", "inspect"), ("parcel", "verify"),
], ids=" ".join)
def test_hostile_files_are_refused_with_status_65(
    command: tuple[str, str], octets: bytes, shell: Shell, keys: Path, tmp_path: Path
) -> None:
    (tmp_path / "hostile").write_bytes(octets)
    more = ("--ca", keys / "ca.crt") if command == ("parcel", "verify") else ()
    answer = shell(*command, tmp_path / "hostile", *more)
    assert answer.status == exits.DATA, answer


def test_a_name_in_a_certificate_cannot_steer_the_terminal(shell: Shell, content: Path, tmp_path: Path) -> None:
    from node.crypto.issuance import Holder, leaf
    from node.model.certificate import Role
    from tests.crypto.papers import YEAR, the_authority

    key = CRYPTO.sm2_generate()
    holder = Holder([("common_name", "a\x1b[31mb\u202ec")], key.public, ORG, ("a",))
    (tmp_path / "evil.crt").write_bytes(leaf(holder, Role.SIGN, YEAR, the_authority().issuer))
    (tmp_path / "evil.key").write_bytes(plain(CRYPTO, key))
    evil = ("--cert", tmp_path / "evil.crt", "--key", tmp_path / "evil.key")
    shell.fine("cms", "sign", content, *evil, "--out", tmp_path / "signed")
    told = shell.fine("cms", "inspect", tmp_path / "signed").out
    assert "\x1b" not in told and "\u202e" not in told and "\ufffd" in told
