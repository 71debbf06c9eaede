"""What `adapter new` lays out works as it is, keeps the contract, and fails it when it is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adapters.contract import Misconfigured
from adapters.kit.scaffold import KINDS, lay_out
from tests.adapters.scaffolded import ROOT, scaffolded

pytestmark = pytest.mark.long

UNMADE = {
    "sql": {"cells", "gb18030", "deleted_row", "deleted_row_given_up"},
    "file": {
        "secrets", "bookmark_ahead", "late_commit", "null_stamp", "stamp_ahead", "deleted_row", "deleted_row_given_up",
    },
    "http": {"gb18030", "late_commit", "null_stamp", "stamp_ahead", "deleted_row", "deleted_row_given_up"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_laid_out_keeps_the_contract_at_once(kind: str, tmp_path: Path) -> None:
    made = scaffolded(tmp_path, kind)
    told = made.tested()
    assert told["failed"] == 0 and told["level"] == "incremental", told["printed"]
    unmade = {one["name"] for one in told["checks"] if one["result"] == "skipped" and one["group"] != "writing"}
    assert unmade == UNMADE[kind]
    assert len(made.adapter.read_text().splitlines()) < 100
    assert "增量" in told["printed"] and "incremental" in told["printed"]


BREAKS = [
    # A row is lost at the edge of a page.
    ("sql", "places[at] > after[at])", "places[at] > after[at] + (at == 1))", ("given_up_at_every_row", "ties")),
    ("file", "file.seek(at or file.tell())", "file.seek(at + 14 * (at > 0) or file.tell())",
     ("given_up_at_every_row",)),
    ("http", "rows, _ = self._page(path, after, count)\n        yield",
     "rows, _ = self._page(path, after + 1, count)\n        yield", ("whole_read",)),
    # A secret stands in a sentence.
    ("http", 'f"接口回答{why.code}"', 'f"接口回答{why.code}{token}"', ("secrets",)),
    ("sql", '"url无法识别，或缺少驱动"', 'f"url无法识别{settings}"', ("secrets",)),
    # The bookmark is ahead of the rows.
    ("sql", '                yield from map(dict, rows)\n'
            '                after = [_text(rows[-1][one.name]) for one in places]\n'
            '                yield Bookmark({**began, "after": after})\n',
     '                after = [_text(rows[-1][one.name]) for one in places]\n'
     '                yield Bookmark({**began, "after": after})\n                yield from map(dict, rows)\n',
     ("given_up_at_every_row", "killed_at_every_row")),
    ("http", '            yield from rows\n            yield Bookmark({"after": after})\n',
     '            yield Bookmark({"after": after})\n            yield from rows\n', ("killed_at_every_row",)),
    # The bookmark is ignored.
    ("sql", "_taken(order.bookmark,", "_taken(None,", ("second_read",)),
    ("file", "_taken(order.bookmark)\n", "_taken(None)\n", ("second_read",)),
    ("http", "_taken(order.bookmark)\n", "_taken(None)\n", ("second_read",)),
]


@pytest.mark.parametrize(("kind", "before", "after", "checks"), BREAKS)
def test_what_is_broken_is_found(kind: str, before: str, after: str, checks: tuple[str, ...], tmp_path: Path) -> None:
    made = scaffolded(tmp_path, kind)
    made.spoil(before, after)
    told = made.tested(*(f"test_{check}" for check in checks))
    failed = {one["name"]: one["reason"] for one in told["checks"] if one["result"] == "failed"}
    assert set(checks) <= set(failed) and told["level"] is None
    assert all(reason["zh"] and reason["en"] for reason in failed.values())


def test_a_check_can_be_bypassed_with_a_reason_and_not_by_a_wrong_name(tmp_path: Path) -> None:
    made = scaffolded(tmp_path, "file")
    contract = made.folder / "hukou_adapter" / "test_contract.py"
    text = contract.read_text(encoding="utf-8")
    bypass = text.replace('    key, text =', '    bypass = {"huge_row": "来源的行不超过1 KB"}\n    key, text =')
    contract.write_text(bypass, encoding="utf-8")
    (one,) = made.tested("test_huge_row")["checks"]
    assert one["result"] == "skipped" and "来源的行不超过1 KB" in one["reason"]["zh"]
    contract.write_text(bypass.replace("huge_row", "hug_row"), encoding="utf-8")
    (one,) = made.tested("test_huge_row")["checks"]
    assert one["result"] == "failed" and "hug_row" in one["reason"]["en"]


@pytest.mark.parametrize(("name", "kind", "says"), [
    ("Hukou", "sql", "小写"), ("class", "sql", "小写"), ("../x", "sql", "小写"), ("json", "sql", "小写"),
    ("sql_table", "sql", "已安装"), ("hukou", "soap", "soap"),
])
def test_a_name_that_cannot_be_is_refused(name: str, kind: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as met:
        lay_out(name, kind, str(tmp_path))
    assert says in met.value.zh and not list(tmp_path.iterdir())


def test_nothing_is_replaced(tmp_path: Path) -> None:
    lay_out("hukou", "sql", str(tmp_path))
    mine = tmp_path / "hukou" / "hukou_adapter" / "adapter.py"
    mine.write_text("mine")
    with pytest.raises(Misconfigured) as met:
        lay_out("hukou", "file", str(tmp_path))
    assert "已存在" in met.value.zh and mine.read_text() == "mine"


class Page(HTMLParser):
    """A page: what it would load, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.loads += [tag for name, _ in attributes if name in ("src", "href")]
        self.loads += [tag] if tag in ("script", "link", "img", "iframe") else []


def test_the_report_is_a_page_that_loads_nothing_and_shows_no_markup_of_others(tmp_path: Path) -> None:
    made = scaffolded(tmp_path, "file")
    contract = made.folder / "hukou_adapter" / "test_contract.py"
    text = contract.read_text(encoding="utf-8")
    contract.write_text(text.replace(
        '    key, text =', '    bypass = {"huge_row": "<script>alert(1)</script>"}\n    key, text ='), encoding="utf-8")
    page = tmp_path / "report.html"
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "-k", "huge_row or schemas",
         "--adapter-report", str(page), "hukou_adapter/test_contract.py"),
        cwd=made.folder, env=made.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
    seen = Page()
    seen.feed(page.read_text(encoding="utf-8"))
    assert not seen.loads and "&lt;script&gt;" in page.read_text(encoding="utf-8")


def test_a_run_without_adapters_loads_nothing_of_the_kit(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n\ndef test_it():\n"
        "    own = {name for name in sys.modules if name.startswith(('adapters', 'node', 'sqlalchemy'))}\n"
        "    assert own == {'adapters', 'adapters.kit', 'adapters.kit.plugin'}, own\n")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "-p", "no:pytest_twisted", "-c",
         os.devnull, "-p", "no:schemathesis", "test_other.py"),
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
