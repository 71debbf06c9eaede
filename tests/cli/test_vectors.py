"""`parcel verify` says of each proof of tests/vectors what its row says, offline and with files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node.cli import exits
from tests.cli.shell import Shell
from tests.vectors import wire_world
from tests.vectors.play import FOLDER, index


@pytest.mark.parametrize("row", index("proofs")["vectors"], ids=lambda row: row["file"])
def test_parcel_verify(row: dict[str, Any], shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "root.crt").write_bytes(wire_world.papers()["root"])
    words: list[object] = ["parcel", "verify", FOLDER / "proofs" / row["file"], "--ca", tmp_path / "root.crt"]
    for name in row["lists"]:
        (tmp_path / name).write_bytes(bytes.fromhex(index("proofs")["lists"][name]))
        words += ["--crl", tmp_path / name]
    answer = shell(*words, "--json")
    if row["code"] is not None:
        assert answer.status == exits.DATA and answer.json["error"]["code"] == row["code"]
        return
    assert answer.status == exits.OK and sorted({gap["name"] for gap in answer.json["not_shown"]}) == row["not_shown"]
    assert shell(*words, "--strict", "--json").status == (exits.DATA if row["not_shown"] else exits.OK)
