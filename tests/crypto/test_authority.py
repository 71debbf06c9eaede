"""The development CA in its folder: what it issues is good, what it revokes is refused, and it says what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from node.crypto import authority
from node.crypto.authority import DAY, NAME, NOTICE, Desk, Request
from node.crypto.certificates import inspect, parse
from node.crypto.chain import CertificateTrust
from node.crypto.keyfile import read_key
from node.crypto.revocation import parse_crls
from node.crypto.tls import Channels, TlsKey
from node.model import codes
from node.model.certificate import Role
from node.model.instant import Instant
from node.model.trouble import Code, Trouble
from node.ports import PrivateKey
from tests.crypto.handshake import shake
from tests.crypto.papers import CRYPTO, NOW, ORG, Paper

PASSPHRASE = b"nine words or so"


class Chance:
    """Counts up: no serial is given twice, and a run can be repeated."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return CRYPTO.sm3(self.drawn.to_bytes(8, "big"))[:size].ljust(size, b"\0")


def desk_at(folder: Path, now: Instant = NOW) -> Desk:
    return Desk(folder, PASSPHRASE, CRYPTO, Chance(), lambda: now)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = desk_at(tmp_path / "ca")
    authority.init(made)
    return made


def asking(node: str = "dept-a", hosts: Sequence[str] = ("127.0.0.1",)) -> tuple[Request, dict[Role, PrivateKey]]:
    keys: dict[Role, PrivateKey] = {}

    def public(role: Role) -> bytes:
        keys[role] = CRYPTO.sm2_generate()
        return keys[role].public

    return Request(node, ORG, "测试单位", hosts, public), keys


def papers(desk: Desk, node: str = "dept-a") -> dict[Role, Paper]:
    request, keys = asking(node)
    return {role: Paper(der, keys[role]) for role, der in authority.issue(desk, request).items()}


def held(desk: Desk) -> CertificateTrust:
    folder = desk.folder
    ways = [folder / "issuing.crt"] if (folder / "issuing.crt").exists() else []
    return CertificateTrust(
        CRYPTO, [(folder / "root.crt").read_bytes()], [path.read_bytes() for path in ways],
        [path.read_bytes() for path in folder.glob("*.crl")])


def code_of(desk: Desk, paper: Paper) -> Code | None:
    try:
        held(desk).check(paper.certificate, desk.clock())
    except Trouble as trouble:
        return trouble.code
    return None


def test_it_says_in_every_subject_and_message_that_it_is_for_development(desk: Desk) -> None:
    for name in ("root", "issuing"):
        assert NAME in inspect((desk.folder / f"{name}.crt").read_bytes(), CRYPTO.sm3).certificate.subject
    said = [code.says for code in (codes.CA_EXISTS, codes.CA_MISSING, codes.CA_UNKNOWN, codes.CA_REQUEST)]
    for text in (NOTICE, *said):
        assert NAME in text.zh and "development" in text.en.lower()


@pytest.mark.parametrize("intermediate", [True, False])
def test_its_three_certificates_are_good_each_for_its_role(tmp_path: Path, intermediate: bool) -> None:
    desk = desk_at(tmp_path)
    authority.init(desk, intermediate)
    made = papers(desk)
    assert set(made) == set(Role)
    for role, paper in made.items():
        certificate = paper.certificate
        assert certificate.roles == {role}
        assert (certificate.org, certificate.public) == (ORG, paper.key.public)
        assert f"OU={role.value}" in certificate.subject and "CN=dept-a" in certificate.subject
        assert code_of(desk, paper) is None
    assert inspect(made[Role.TLS].der, CRYPTO.sm3).hosts == ("dept-a", "127.0.0.1")


def test_two_nodes_of_one_authority_meet_over_tls(desk: Desk) -> None:
    made = [papers(desk, node)[Role.TLS] for node in ("dept-a", "centre")]
    client, server = (
        Channels(TlsKey(paper.certificate, paper.pkcs8), held(desk), CRYPTO.sm3, desk.clock) for paper in made)
    pair = shake(server.server(), client.client())
    assert not pair.refused
    assert server.assert_channel(pair.server) == made[0].certificate


def test_a_revoked_certificate_is_refused_with_the_next_list(desk: Desk) -> None:
    gone, kept = papers(desk)[Role.SIGN], papers(desk, "dept-b")[Role.SIGN]
    authority.revoke(desk, gone.certificate.serial, "key_compromise", NOW - DAY)
    assert code_of(desk, gone) is None
    made = authority.crl(desk)
    assert code_of(desk, gone) is codes.CERT_REVOKED
    assert code_of(desk, kept) is None
    (found,) = parse_crls(made["issuing"], CRYPTO.sm3)
    assert found.revoked_at(gone.certificate.serial) == NOW - DAY


def test_a_certificate_file_is_as_good_as_a_serial(desk: Desk) -> None:
    paper = papers(desk)[Role.TLS]
    assert authority.revoke_certificate(desk, paper.der) == paper.certificate
    authority.crl(desk)
    assert code_of(desk, paper) is codes.CERT_REVOKED


def test_a_revoked_intermediate_ends_all_it_issued(desk: Desk) -> None:
    paper = papers(desk)[Role.SIGN]
    authority.revoke_certificate(desk, (desk.folder / "issuing.crt").read_bytes(), "ca_compromise")
    authority.crl(desk)
    assert code_of(desk, paper) is codes.CERT_REVOKED


def test_list_numbers_only_grow(desk: Desk) -> None:
    made = [der for _ in range(3) for der in authority.crl(desk).values()]
    assert [parse_crls(der, CRYPTO.sm3)[0].number for der in made] == [2, 2, 3, 3, 4, 4]
    assert parse_crls((desk.folder / "root.crl").read_bytes(), CRYPTO.sm3)[0].number == 4


def test_a_list_says_when_the_next_is_due(desk: Desk) -> None:
    (found,) = parse_crls(authority.crl(desk, 3)["root"], CRYPTO.sm3)
    assert (found.this_update, found.next_update) == (NOW, NOW + 3 * DAY)


def test_the_book_tells_what_was_issued_and_revoked(desk: Desk) -> None:
    made = papers(desk)
    authority.revoke(desk, made[Role.SIGN].certificate.serial, "superseded")
    lines = {line["fingerprint"]: line for line in authority.issued(desk)}
    assert len(lines) == 4  # the intermediate and three leaves
    for role, paper in made.items():
        line = lines[paper.certificate.fingerprint]
        assert (line["node"], line["role"], line["serial"]) == ("dept-a", role.value, f"{paper.certificate.serial:x}")
        assert ("revoked" in line) is (role is Role.SIGN)
    assert json.loads((desk.folder / "issued.json").read_text(encoding="utf-8"))["format"] == "exn.ca.1"


def test_its_keys_are_encrypted_and_for_its_owner_alone(desk: Desk) -> None:
    for name in ("root", "issuing"):
        path = desk.folder / f"{name}.key"
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        assert read_key(path, CRYPTO, PASSPHRASE, parse((desk.folder / f"{name}.crt").read_bytes(), CRYPTO.sm3))
    assert PASSPHRASE.decode() not in repr(desk)
    with pytest.raises(Trouble) as caught:
        authority.crl(replace(desk, passphrase=b"another passphrase"))
    assert caught.value.code is codes.KEY_FILE


def test_what_others_need_is_readable_to_them(desk: Desk) -> None:
    for name in ("root.crt", "issuing.crt", "root.crl", "issuing.crl"):
        assert (desk.folder / name).stat().st_mode & 0o777 == 0o644


def test_a_folder_is_founded_once(desk: Desk) -> None:
    before = (desk.folder / "root.crt").read_bytes()
    with pytest.raises(Trouble) as caught:
        authority.init(desk)
    assert caught.value.code is codes.CA_EXISTS
    assert (desk.folder / "root.crt").read_bytes() == before


def test_a_folder_without_an_authority_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        for act in (authority.crl, authority.issued, lambda desk: authority.revoke(desk, 5), papers):
            with pytest.raises(Trouble) as caught:
                act(desk_at(folder))
            assert caught.value.code is codes.CA_MISSING


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"[]", b'{"format": "exn.ca.2", "crl": {"root": 1}, "issued": []}'])
def test_a_spoilt_book_is_told_and_not_overwritten(desk: Desk, spoilt: bytes) -> None:
    (desk.folder / "issued.json").write_bytes(spoilt)
    with pytest.raises(Trouble) as caught:
        papers(desk)
    assert caught.value.code is codes.CA_MISSING
    assert (desk.folder / "issued.json").read_bytes() == spoilt


@pytest.mark.parametrize(("field", "value"), [
    ("node", "Dept A"), ("node", ""), ("node", "x" * 33), ("org", "91110000"), ("org", ORG.lower()),
    ("org_name", ""), ("org_name", "x" * 65), ("org_name", "a\nb"), ("hosts", ["bad host"]), ("hosts", ["-x.cn"]),
    ("hosts", ["fe80::1%eth0"]), ("hosts", ["h"] * 17), ("days", 0), ("days", 99_999), ("roles", ()),
    ("roles", (Role.SIGN, Role.SIGN)),
])
def test_a_request_that_cannot_be_right_is_refused_by_field(desk: Desk, field: str, value: object) -> None:
    request, keys = asking()
    with pytest.raises(Trouble) as caught:
        authority.issue(desk, replace(request, **{field: value}))  # type: ignore[arg-type]  # the field is a parameter
    assert (caught.value.code, caught.value.details) == (codes.CA_REQUEST, {"field": field})
    assert not keys


def test_one_key_is_not_certified_for_two_roles(desk: Desk) -> None:
    key = CRYPTO.sm2_generate()
    with pytest.raises(Trouble) as caught:
        authority.issue(desk, replace(asking()[0], public=lambda role: key.public))
    assert caught.value.code is codes.CA_REQUEST
    assert len(authority.issued(desk)) == 1


def test_one_role_can_be_renewed_alone(desk: Desk) -> None:
    made = authority.issue(desk, replace(asking()[0], roles=[Role.ENCRYPT]))
    assert list(made) == [Role.ENCRYPT]


def test_a_revocation_that_cannot_be_right_is_refused(desk: Desk) -> None:
    serial = papers(desk)[Role.SIGN].certificate.serial
    for act, field in (
        (lambda: authority.revoke(desk, serial, "bored"), "reason"),
        (lambda: authority.revoke(desk, serial, at=NOW + 1), "at"),
        (lambda: authority.crl(desk, 0), "days"),
    ):
        with pytest.raises(Trouble) as caught:
            act()
        assert caught.value.details == {"field": field}
    authority.revoke(desk, serial)
    with pytest.raises(Trouble) as caught:
        authority.revoke(desk, serial)
    assert caught.value.details == {"field": "serial"}
    with pytest.raises(Trouble) as caught:
        authority.revoke(desk, serial + 1)
    assert caught.value.code is codes.CA_UNKNOWN


def test_another_authoritys_certificate_is_not_revoked_here(desk: Desk, tmp_path: Path) -> None:
    other = desk_at(tmp_path / "other")
    authority.init(other)
    with pytest.raises(Trouble) as caught:
        authority.revoke_certificate(desk, papers(other)[Role.SIGN].der)
    assert caught.value.code is codes.CA_UNKNOWN


def test_a_certificate_never_outlives_its_issuer(desk: Desk) -> None:
    end = parse((desk.folder / "issuing.crt").read_bytes(), CRYPTO.sm3).not_after
    late = replace(desk, clock=lambda: end - 5 * DAY)
    assert papers(late)[Role.SIGN].certificate.not_after == end
    with pytest.raises(Trouble) as caught:
        papers(replace(desk, clock=lambda: end))
    assert caught.value.code is codes.CERT_TIME


def test_those_who_ask_at_once_are_all_entered(desk: Desk) -> None:
    threads = [Thread(target=papers, args=(desk, f"dept-{number}")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(authority.issued(desk)) == 1 + 4 * 3


def test_a_passphrase_too_short_founds_nothing(tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        authority.init(replace(desk_at(tmp_path), passphrase=b"short"))
    assert caught.value.code is codes.KEY_FILE
    assert list(tmp_path.iterdir()) == []
