"""`adapter check|discover|preview NAME`, and `check`: adapters as the configuration has them."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from node.cli import exits
from node.cli.demo.play import PLAN
from node.cli.demo.site import Site, lay_out
from tests.cli.shell import Shell
from tests.cli.test_adapter import MAPPING
from tests.cli.test_adapter_draft import put
from tests.processes.exchange import CRYPTO, SOURCE
from tests.validate.mapping.legacy_tables import population

ROOT = Path(__file__).parents[2]
ADAPTER = """
[[adapter]]
name = "hukou"
kind = "{kind}"
settings = {settings}
{rest}
"""


@dataclass
class Configured:
    """A department's node with an old database."""

    site: Site
    database: Path

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.site.seats[SOURCE].config

    def adapter(self, reads: str, kind: str = "sql_table", settings: str = "", rest: str = "") -> None:
        """Configure the adapter, and a mapping of its rows."""
        folder = self.config.parent / "conf.d"
        folder.mkdir(exist_ok=True)
        given = settings or f'{{ url = "sqlite:///{self.database}" }}'
        text = ADAPTER.format(kind=kind, settings=given, rest=rest) + reads
        (folder / "60-adapter.toml").write_text(text, encoding="utf-8")

    def draft(self, shell: Shell, *more: str) -> str:
        """Return the mapping drafted by the adapter's name."""
        told = shell.fine("-c", self.config, "adapter", "discover", "hukou", *more, "--draft", "population-basic/1.0")
        return told.out

    def mapping(self, text: str) -> None:
        """Make it the mapping `old` of the resource."""
        (self.config.parent / "old.toml").write_text(text, encoding="utf-8")
        said = self.config.read_text(encoding="utf-8")
        if "old.toml" not in said:
            at = said.index('code = "population"') + len('code = "population"')
            self.config.write_text(f'{said[:at]}\nmappings = {{ old = "old.toml" }}{said[at:]}', encoding="utf-8")


READ = """
[[adapter.read]]
resource = "population"
mapping = "old"
what = { table = "T_RK_JBXX", cursor = "GXSJ" }
"""
WRITE = '[[adapter.write]]\nresource = "population"\n'
BARE = READ.replace('mapping = "old"\n', "")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Configured]:
    """Give a node and an old database."""
    found = Configured(lay_out(tmp_path / "site", PLAN, CRYPTO), tmp_path / "old.db")
    with sqlite3.connect(found.database) as connection:
        put(connection, population())
    connection.close()
    yield found
    found.database.unlink()


def test_a_configured_adapter_is_drafted_then_previewed_by_its_names(node: Configured, shell: Shell, zh: Shell) -> None:
    node.adapter(BARE)
    text = node.draft(shell)
    assert tomllib.loads(text)["fields"]["PersonName"] == "XM"
    assert text == node.draft(shell, "--table", "T_RK_JBXX")
    node.mapping(text)
    node.adapter(READ)
    for name in ("hukou", "hukou/population"):
        told = shell.fine("-c", node.config, "adapter", "preview", name, "--count", "20", "--json").json
        assert len(told["rows"]) == 20 and told["problems"] == 0
        assert all("*" in row["record"]["IdNumber"] for row in told["rows"])
    assert "20行可转换" in zh.fine("-c", node.config, "adapter", "preview", "hukou", "--count", "20").out


def test_rows_without_a_mapping_are_judged_by_the_specification_itself(node: Configured, shell: Shell) -> None:
    node.adapter(BARE)
    told = shell("-c", node.config, "adapter", "preview", "hukou", "--count", "3", "--json")
    assert told.status == exits.DATA and told.json["problems"] == 3
    assert {"PersonName", "RKBH"} <= {one["field"] for one in told.json["rows"][0]["problems"]}


def test_files_are_previewed_by_name_as_well(node: Configured, shell: Shell, request: pytest.FixtureRequest) -> None:
    drop = node.config.parent / "old" / "in"
    drop.mkdir(parents=True)
    columns = list(population().columns)
    rows = ([str(row[name] or "").strip() for name in columns] for row in population().rows)
    lines = [",".join(columns), *map(",".join, rows)]
    file = drop / "a.csv"
    file.write_bytes("\r\n".join([*lines, ""]).encode("gb18030"))
    request.addfinalizer(file.unlink)  # previews leave it where it is, and it holds persons in clear
    reads = """
[[adapter.read]]
resource = "population"
mapping = "old"
what = { folder = "in", pattern = "*.csv", format = "csv", encoding = "gb18030", settle = 0 }
"""
    node.adapter(reads.replace('mapping = "old"\n', ""), "file_drop", f'{{ root = "{drop.parent}" }}')
    node.mapping(node.draft(shell))
    node.adapter(reads, "file_drop", f'{{ root = "{drop.parent}" }}')
    told = shell.fine("-c", node.config, "adapter", "preview", "hukou", "--json").json
    assert len(told["rows"]) == 10 and told["problems"] == 0


def test_check_by_name_tells_every_read_and_write(node: Configured, shell: Shell, zh: Shell) -> None:
    node.adapter(BARE + """
[[adapter.read]]
resource = "population"
name = "gone"
what = { table = "T_NONE" }
""")
    told = shell("-c", node.config, "adapter", "check", "hukou", "--json")
    assert told.status == exits.DATA
    found = {(one["of"], one["level"]) for one in told.json}
    assert {("hukou", "good"), ("hukou/population", "good"), ("hukou/gone", "fault")} <= found
    assert any("T_NONE" in one["en"] for one in told.json if one["level"] == "fault")
    assert "hukou/gone" in zh("-c", node.config, "adapter", "check", "hukou").out
    only = shell.fine("-c", node.config, "adapter", "check", "hukou/population", "--json").json
    assert {one["of"] for one in only} == {"hukou/population"}


@pytest.mark.parametrize("words", [
    ("check", "nobody"), ("check", "hukou/none"), ("preview", "hukou/none"), ("preview", "hukou", "--table", "T"),
    ("discover", "hukou", "--password-file", "x"), ("preview", "hukou"),
    ("discover", "hukou", "--draft", "population-basic/1.0"),
])
def test_a_name_that_means_nothing_or_too_much_is_misused(
    words: tuple[str, ...], node: Configured, shell: Shell
) -> None:
    node.adapter(BARE + BARE.replace("what", 'name = "again"\nwhat'))
    told = shell("-c", node.config, "adapter", *words)
    assert told.status == exits.USAGE, told


def test_a_source_that_nobody_answers_for_is_unavailable(node: Configured, shell: Shell) -> None:
    node.adapter(BARE, settings='{ url = "postgresql+psycopg://reader@127.0.0.1:1/hukou" }')
    told = shell("-c", node.config, "adapter", "check", "hukou")
    assert told.status == exits.UNAVAILABLE and "EXN-ADAPTER-DOWN" in told.err
    assert shell("-c", node.config, "check").status == exits.OK
    looked = shell.fine("-c", node.config, "check", "--adapters", "--json").json
    assert [(one["at"], one["code"], one["grave"]) for one in looked["findings"]] == [
        ("adapter[1]", "EXN-ADAPTER-DOWN", False)]


@pytest.mark.parametrize(("change", "at", "says"), [
    ({"kind": "no_such_kind"}, "adapter[1]", "no adapter no_such_kind"),
    ({"settings": '{ uri = "x" }'}, "adapter[1]", "uri is not known"),
    ({"reads": BARE.replace("table", "tabel")}, "adapter[1].read[1].what", "tabel is not known"),
    ({"reads": BARE.replace('"GXSJ"', "7")}, "adapter[1].read[1].what", "cursor is of the wrong type"),
    ({"rest": 'secrets = { password = "/nowhere/hukou.password" }'}, "adapter[1].secrets.password", "hukou.password"),
    ({"kind": "sql_snapshot", "reads": BARE.replace(', cursor = "GXSJ"', "") + WRITE},
     "adapter[1].write[1].what", "writes nothing"),
])
def test_the_check_of_a_node_finds_what_is_wrong_with_an_adapter(
    change: dict[str, str], at: str, says: str, node: Configured, shell: Shell
) -> None:
    node.adapter(BARE)
    shell.fine("-c", node.config, "check")
    node.adapter(**{"reads": BARE, **change})
    told = shell("-c", node.config, "check", "--json")
    assert told.status == exits.CONFIG, told
    (found,) = [one for one in told.json["findings"] if one["grave"]]
    assert found["at"] == at and says in found["en"] and found["zh"] != found["en"]


def test_the_check_of_a_node_does_not_go_to_the_source_unless_asked(node: Configured, shell: Shell) -> None:
    node.adapter(BARE.replace("T_RK_JBXX", "T_NONE"))
    assert shell("-c", node.config, "check").status == exits.OK
    told = shell("-c", node.config, "check", "--adapters", "--json")
    assert told.status == exits.CONFIG and "T_NONE" in json.dumps(told.json["findings"])
    node.adapter(BARE)
    shell.fine("-c", node.config, "check", "--adapters")


def test_the_adapter_in_a_departments_example_lacks_nothing_but_its_secret(node: Configured, shell: Shell) -> None:
    text = (ROOT / "config" / "department.toml").read_text(encoding="utf-8")
    lines = text[text.index("# [[adapter]]"):text.index("# [disk]")].splitlines()
    said = "\n".join(line.removeprefix("# ") for line in lines)
    for there, here in (("marriage-registration", "population"), ("population-basic", "population"), ("旧系统", "old")):
        said = said.replace(there, here)
    node.mapping(MAPPING)
    (node.config.parent / "conf.d").mkdir()
    (node.config.parent / "conf.d" / "60-adapter.toml").write_text(said, encoding="utf-8")
    told = shell("-c", node.config, "check", "--json")
    assert [(one["at"], one["code"]) for one in told.json["findings"]] == [
        ("adapter[1].secrets.password", "EXN-KEY-FILE")]


def test_a_secret_of_a_configured_adapter_must_be_nobody_elses(node: Configured, shell: Shell) -> None:
    secret = node.config.parent / "hukou.password"
    secret.write_text("hunter2\n")
    secret.chmod(0o644)
    node.adapter(BARE, rest=f'secrets = {{ password = "{secret}" }}')
    told = shell("-c", node.config, "adapter", "check", "hukou")
    assert told.status == exits.PERMISSION and "hunter2" not in told.err
    secret.chmod(0o600)
    told = shell("-c", node.config, "adapter", "check", "hukou")
    assert told.status == exits.CONFIG and "takes no password" in told.err and "hunter2" not in told.err


def test_the_mapping_of_a_preview_may_be_another(node: Configured, shell: Shell) -> None:
    node.adapter(BARE)
    path = node.config.parent / "other.toml"
    path.write_text(MAPPING.replace('"ID"', '"RKBH"'), encoding="utf-8")
    told = shell("-c", node.config, "adapter", "preview", "hukou", "--mapping", path, "--count", "5", "--json")
    assert told.status == exits.DATA and told.json["problems"] == 5
