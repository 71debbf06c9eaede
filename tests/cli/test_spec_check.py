"""`spec check`: good files, faults with their cures, and files that are made to hurt."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.cli import exits
from tests.cli.shell import Shell
from tests.validate.workshop import FIELDS, document, facet, leaf
from xsd import FOLDER

ROOT = Path(__file__).parents[2]


def put(path: Path, content: bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_good_file_is_good_wherever_it_lies(shell: Shell, tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "types", tmp_path / "tree" / "types")
    places = [tmp_path / "any.xsd", tmp_path / "own" / "1.0.xsd", tmp_path / "tree" / "workshop" / "2.1.xsd"]
    for place in places:
        put(place, document())
    told = shell.fine("spec", "check", *places, "--json").json
    assert told["faults"] == 0 and {one["name"] for one in told["files"]} == {"workshop/2.1"}
    assert len({one["digest"] for one in told["files"]}) == 1
    assert "good, workshop/2.1" in shell.fine("spec", "check", places[0]).out


def test_a_tree_of_its_own_gives_its_types_and_tables_first(shell: Shell, tmp_path: Path) -> None:
    types = (FOLDER / "types" / "1.0.xsd").read_bytes().replace(b'"RowId"', b'"RowNumber"')
    put(tmp_path / "types" / "1.0.xsd", types)
    own = put(tmp_path / "workshop" / "2.1.xsd", document())
    told = shell("spec", "check", own, "--json")
    assert told.status == exits.DATA and "type" in {one["rule"] for one in told.json["files"][0]["faults"]}
    put(own, document().replace(b"p:RowId", b"p:RowNumber"))  # and the tables come from the installed folder
    assert shell.fine("spec", "check", own, "--json").json["faults"] == 0
    moved = put(tmp_path / "workshop" / "3.0.xsd", document())
    assert "place" in {one["rule"] for one in shell("spec", "check", moved, "--json").json["files"][0]["faults"]}


def test_every_fault_has_its_line_and_its_cure_in_the_language_of_the_call(zh: Shell, tmp_path: Path) -> None:
    content = document(FIELDS.replace("><", ">\n<") + "\n" + leaf("More", "p:Nothing", "", '<x:rule kind="wish"/>'))
    answer = zh("spec", "check", put(tmp_path / "own.xsd", content))
    line = content[:content.index(b"p:Nothing")].count(b"\n") + 1
    assert answer.status == exits.DATA and f"own.xsd:{line}  类型'Nothing'不存在" in answer.out
    assert "改法：" in answer.out


def test_many_faults_are_cut_for_a_person_and_whole_for_a_program(shell: Shell, tmp_path: Path) -> None:
    path = put(tmp_path / "own.xsd", document(FIELDS + "".join(leaf(f"F{n}", "p:No") for n in range(300))))
    told = shell("spec", "check", path).out
    assert told.count("mend:") == 10 and "and 290 more" in told and len(told.splitlines()) <= 24  # one screen
    assert len(shell("spec", "check", path, "--json").json["files"][0]["faults"]) == 300


@pytest.mark.parametrize("ask", [("spec", "show"), ("spec", "doc"), ("spec", "sample"), ("spec", "jsonschema")])
def test_every_command_tells_the_first_fault_of_an_own_file(ask: tuple[str, ...], shell: Shell, tmp_path: Path) -> None:
    unknown = document(FIELDS + leaf("More", "p:No"))
    for content, says in ((b"<a>\n<b></a>", "line 2: not well-formed XML"), (unknown, "type 'No'")):
        answer = shell(*ask, put(tmp_path / "own.xsd", content))
        assert answer.status == exits.DATA and says in answer.err and "all 1 faults" in answer.err and not answer.out


def test_a_file_that_cannot_be_read_is_told(shell: Shell, tmp_path: Path) -> None:
    for path in (tmp_path / "none.xsd", tmp_path):
        answer = shell("spec", "check", path)
        assert answer.status == exits.USAGE and str(path) in answer.err


# --- made to hurt -----------------------------------------------------------------------------------------------

BOMB = '<!DOCTYPE a [<!ENTITY b "xx">' + "".join(
    f'<!ENTITY {chr(c + 1)} "{f"&{chr(c)};" * 10}">' for c in range(ord("b"), ord("m"))
) + "]><a>&m;</a>"


def _with(old: str, new: str) -> bytes:
    assert old in document().decode()
    return document().decode().replace(old, new).encode()


def _text(pattern: str) -> bytes:
    return document(FIELDS + leaf("More", "xs:string", "", "", facet(pattern=pattern, maxLength="900")))


HOSTILE: dict[str, tuple[bytes, str]] = {
    "bomb": (BOMB.encode(), "dtd"),
    "external": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "PIPE">]><a>&b;</a>', "dtd"),
    "external-dtd": (b'<!DOCTYPE a SYSTEM "PIPE"><a/>', "dtd"),
    "deep": (b"<a>" * 100_000, "xml"),
    "deep-schema": (document(FIELDS + "<xs:element>" * 5000 + "</xs:element>" * 5000), "xml"),
    "huge": (b"<a>" + b" " * (8 << 20) + b"</a>", "size"),
    "attributes": (b"<a " + b" ".join(b"a%d='1'" % n for n in range(90_000)) + b"/>", "root"),
    "up": (_with("types/1.0.xsd", "../secret/1.0.xsd"), "include"),
    "absolute": (_with("types/1.0.xsd", "PIPE"), "include"),
    "url": (_with("types/1.0.xsd", "http://127.0.0.1:PORT/1.0.xsd"), "include"),
    "import": (document(foot='<xs:import namespace="a" schemaLocation="PIPE"/>'), "element"),
    "redefine": (document(foot='<xs:redefine schemaLocation="http://127.0.0.1:PORT/a"/>'), "element"),
    "xinclude": (document(foot='<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="PIPE"/>'), "element"),
    "pi": (b'<?xml-stylesheet href="PIPE"?>' + document(FIELDS + leaf("More", "p:No")).partition(b"?>")[2], "type"),
    "table": (document(FIELDS + leaf("More", "xs:string", "", '<x:rule kind="table" table="../../secret/1.0"/>',
                                     facet(pattern="[a-z]"))), "table"),
    "nul": (document() + b"\0", "nul"),
    "gb18030": (document().decode().encode("gb18030"), "charset"),
    "latin": (_with("?>", ' encoding="latin-1"?>') + b"<!-- \xe9 -->", "charset"),
    "regex-nested": (_text("(a+)+b"), "pattern"), "regex-choice": (_text("(a|a)*b"), "pattern"),
    "regex-counts": (_text("(([a-z]{0,999}){0,999}){0,999}"), "pattern"),
    "regex-parens": (_text("(" * 5000 + "a" + ")" * 5000), "pattern"),
    "regex-optional": (_text("a?" * 2400 + "b"), "pattern"),
    "regex-long": (_text("a?" * 400_000), "pattern"),
    "chain": (document(FIELDS + "".join(leaf(f"F{n}", "p:T4000") for n in range(900)), head="".join(
        f'<xs:simpleType name="T{n}"><xs:restriction base="{f"p:T{n - 1}" if n else "p:Text"}"/></xs:simpleType>'
        for n in range(4001))), "type-chain"),
    "loop": (document(FIELDS + leaf("F", "p:A"), head="".join(
        f'<xs:simpleType name="{one}"><xs:restriction base="p:{two}"/></xs:simpleType>' for one, two in ("AB", "BA"))),
        "type"),
    "many-patterns": (document(FIELDS + "".join(
        leaf(f"F{n}", "xs:string", "", "", facet(pattern="([a-z]{1000}){4}")) for n in range(900))), "large"),
    "bound": (document(FIELDS + leaf("F", "p:Integer", "", "", facet(totalDigits="9", maxInclusive="1e999999999"))),
              "facet"),
    "code": (document(FIELDS + leaf("F", "p:Date", "", '<x:rule kind="table" of="f_Name or exit()"/>')), "rule"),
    "names": (_with('interface="workshop"', 'interface="../../../etc"'), "place"),
    "nothing": (b"", "xml"), "binary": (bytes(range(1, 256)) * 100, "charset"),
}
HOSTILE["utf-16-dtd"] = (BOMB.encode("utf-16"), "nul")


def test_hostile_files_have_clear_faults_in_bounded_time_and_memory(tmp_path: Path) -> None:
    """A pipe stands wherever they point: whoever opened it would wait for ever; the server must hear nothing."""
    pipe = tmp_path / "secret" / "1.0.xsd"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port = str(listener.getsockname()[1]).encode()
    folder = tmp_path / "xsd"
    (folder / "types").mkdir(parents=True)
    os.mkfifo(folder / "types" / "9.9.xsd")
    paths = [
        put(folder / name / "1.0.xsd", content.replace(b"PIPE", bytes(pipe)).replace(b"PORT", port))
        for name, (content, _) in HOSTILE.items()
    ]
    paths.append(put(folder / "pipe" / "1.0.xsd", _with("types/1.0.xsd", "types/9.9.xsd")))
    script = (
        "import re, sys\nfrom node.cli.call import call\n"
        f"status = call(['spec', 'check', '--json', *{[str(path) for path in paths]!r}])\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)\nsys.exit(status)"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert done.returncode == exits.DATA, done.stderr
    told = json.loads(done.stdout)["files"]
    wanted = [*(rule for _, rule in HOSTILE.values()), "included"]
    for one, rule in zip(told, wanted, strict=True):
        assert rule in {fault["rule"] for fault in one["faults"]}, (one["file"], one["faults"][:3])
        assert all(fault["zh"] and fault["cure"]["zh"] and len(fault["zh"]) < 600 for fault in one["faults"])
    assert int(done.stderr.splitlines()[-1]) < 300 << 10 and time.monotonic() - start < 40
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()
