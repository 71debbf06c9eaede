"""Checks of what stands in rows: rare characters, octets of GB18030, a row that is too large, secrets that leak."""

from __future__ import annotations

import io
import json
import logging
import secrets
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from adapters.contract import Bookmark, Mode, Order
from adapters.kit.judged import broken, check, must, unmade
from adapters.kit.rounds import Kept
from adapters.kit.subject import Subject
from node.model.trouble import Trouble

RARE = ("㐂", "𠮷", "𬭊", "䶮", "·", "〇", "﨑", "龘", "㛃", "é", "　全角　", "\u200b零宽")
"""Names that people have, beyond GB 2312 and GBK, in two and three planes; signs that stand beside them."""
GOOD = "张三㐂𠮷"
TOO_LARGE = 10 << 20
DIRTY_ZH, DIRTY_EN = "没有给出，也没有报告为脏行", "was neither given nor told as dirty"


class TextChecks(Subject):
    """Basic: no row is lost or falsified by what stands in it, and nothing of it is told to others."""

    @check("basic", "生僻字原样读到", "rare characters come as they are", "read", "insert")
    def test_rare_characters(self) -> None:
        rows = self._rows(len(RARE))
        for row, text in zip(rows, RARE):
            row[self.text] = text
        self.insert(rows)
        found = self._mine(self._reads(Kept(), Mode.WHOLE))
        off = [text for row, text in zip(rows, RARE) if self._same(row) not in found]
        must(not off, f"这些字没有原样读到：{'、'.join(map(ascii, off))}", f"not as they are: {', '.join(map(ascii, off))}")

    @check("basic", "GB18030编码的字节读成原来的字，坏字节只影响本行", "octets of GB18030 are read, and bad ones spoil their row alone",
           "read", "octets")
    def test_gb18030(self) -> None:
        good, bad, last = (row[self.key] for row in self._rows(3))
        self.octets(good, GOOD.encode("gb18030"))
        self.octets(bad, b"\xb0\xa1\xff\xfe")
        self.octets(last, "末".encode("gb18030"))
        kept = Kept()
        self._reads(kept, Mode.WHOLE)
        found = dict(self._mine(kept.rows))
        must(found.get(str(good)) == GOOD and found.get(str(last)) == "末", "GB18030的字没有读对",
             "GB18030 was not read rightly")
        must(kept.dirty or str(bad) in found, f"坏字节的行{DIRTY_ZH}", f"the row with bad octets {DIRTY_EN}")

    @check("basic", "10 MB的行报告为脏行，其余照常", "a row of 10 MB is dirty, and the others go on", "read", "insert")
    def test_huge_row(self) -> None:
        rows = self._rows(3)
        whole = "巨" * (TOO_LARGE // 3)
        rows[1][self.text] = whole
        self.insert(rows)
        kept = Kept()
        try:
            with self._process() as process:
                kept.take(process.words(self._order(mode=Mode.WHOLE)), Mode.WHOLE)
        except Trouble as met:
            broken(f"一行过大使读取失败：{met.sentence.zh}", f"one large row made the read fail: {met.sentence.en}")
        self._all_there(kept.rows, [rows[0], rows[2]], "大行旁边的行丢失", "rows beside the large one are lost")
        must(kept.dirty, f"过大的行{DIRTY_ZH}", f"the large row {DIRTY_EN}")
        must(all(whole[:20] not in one.zh + one.en for one in kept.dirty), "脏行的说明里有行的内容",
             "what is said of a dirty row quotes it")

    @check("basic", "口令不出现在任何结论、错误、日志和断点里", "no secret stands in a finding, an error, a log or a bookmark")
    def test_secrets(self) -> None:
        named = [name for name, member in self._kind.settings.get("properties", {}).items() if member.get("x-secret")]
        if not named:
            raise unmade("没有口令类设置", "it has no setting that is secret")
        heard = Heard()
        false = {**self.settings, **{name: _canary() for name in named}}
        # Of a source that is not ours an account might be locked by a password that is not right.
        for given in (dict(self.settings), false) if self._has("start") else (dict(self.settings),):
            hidden = [str(given[name]) for name in named if given.get(name)]
            self._everything(given, heard)
            leaks = [where for where, text in heard.said for one in hidden if one in text]
            must(not leaks, f"口令出现在：{'、'.join(sorted(set(leaks)))}",
                 f"a secret stands in: {', '.join(sorted(set(leaks)))}")

    def _everything(self, given: Mapping[str, Any], heard: Heard) -> None:
        """Do all that can be done, rightly and wrongly, and hear what is said."""
        for what in (self.read, {**(self.read or {}), "no_such": 1}, {}):
            for bookmark in (None, "no such bookmark"):
                heard.hear("read", partial(self._made, given, "read", what, bookmark))
        for act in ("check", "discover", "survey"):
            heard.hear(act, partial(self._made, given, act, self.read, None))

    def _made(self, given: Mapping[str, Any], act: str, what: Mapping[str, Any] | None, bookmark: Any) -> Iterator[Any]:
        with self._opened(given) as adapter:
            yield repr(adapter)
            if act == "read":
                order = Order(dict(what or {}), bookmark, Mode.NEW, 10)
                yield repr(order)
                for count, one in enumerate(adapter.read(order)):
                    yield _words(one)
                    if count > 20:
                        return
            elif act == "survey":
                yield from map(_words, adapter.survey(what or {}))
            else:
                yield from map(_words, getattr(adapter, act)())


def _words(one: Any) -> str:
    """Return what is said beside rows; a row is nobody's to look at."""
    if isinstance(one, Bookmark):
        return json.dumps(one.at, ensure_ascii=False, default=str)
    return "" if isinstance(one, Mapping) else repr(one)


def _canary() -> str:
    return f"Kanarie-{secrets.token_hex(8)}"


@dataclass
class Heard:
    """Everything that was said, and where."""

    said: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, where: str, act: Callable[[], Iterator[Any]]) -> None:
        """Do an act; hear what it says, prints, logs and fails with, with all causes."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out), _logged(out):
            try:
                self.said += [(where, str(one)) for one in act()]
            except Exception as error:
                told = [f"{getattr(error, 'zh', '')} {getattr(error, 'en', '')}", *_texts(error)]
                self.said += [(f"{where}: {type(error).__name__}", text) for text in told]
        self.said.append((f"{where}: print, log", out.getvalue()))


def _texts(error: BaseException | None) -> Iterator[str]:
    """Yield what a traceback would print: the text of an error, and of what caused it unless it was put away."""
    if error is not None:
        yield "".join(traceback.format_exception(error))


@contextmanager
def _logged(out: io.StringIO) -> Iterator[None]:
    root, into = logging.getLogger(), logging.StreamHandler(out)
    before = root.level
    root.addHandler(into)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.removeHandler(into)
        root.setLevel(before)
