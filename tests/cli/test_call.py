"""The command line as such: languages, help, wrong calls, statuses, and what reaches the terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import click
import pytest

from node.cli import call as calls
from node.cli import exits
from node.cli.grammar import Argument, Option, _Spoken
from node.cli.language import choose
from node.cli.output import Output, printable
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import trouble
from tests.cli.shell import Shell

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("arguments", "environ", "chosen"), [
    ([], {}, "zh"),
    ([], {"LANG": "en_US.UTF-8"}, "en"),
    ([], {"LANG": "zh_CN.GB18030"}, "zh"),
    ([], {"LANG": "fr_FR.UTF-8"}, "en"),
    ([], {"LANG": "C.UTF-8"}, "zh"),
    ([], {"LC_ALL": "POSIX", "LANG": "en_GB"}, "en"),
    ([], {"LC_ALL": "zh_TW@x", "LANG": "en_GB"}, "zh"),
    (["--lang", "en"], {"LANG": "zh_CN"}, "en"),
    (["status", "--lang=en"], {}, "en"),
    (["--lang", "en", "status", "--lang", "zh"], {}, "zh"),
    (["--lang", "fr"], {"LANG": "en"}, "en"),
    (["--", "--lang", "en"], {}, "zh"),
    (["--lang"], {}, "zh"),
])
def test_the_language_is_that_of_the_option_then_of_the_locale(
    arguments: list[str], environ: dict[str, str], chosen: str
) -> None:
    assert choose(arguments, environ) == chosen


def _commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands(inner, (*words, name))


ALL = list(_commands(calls.root))


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) or "root" for words, _ in ALL])
def test_every_command_option_and_argument_is_told_in_both_languages(
    words: tuple[str, ...], command: click.Command, shell: Shell
) -> None:
    chinese, english = shell(*words, "--help", "--lang", "zh"), shell(*words, "--help", "--lang", "en")
    assert chinese.status == english.status == 0
    assert chinese.out.startswith("用法：") and english.out.startswith("Usage: ")
    assert isinstance(command, _Spoken)
    for part in (command, *command.params):
        assert isinstance(part, (_Spoken, Option, Argument)), f"{part} has no sentence of ours"
        assert _is_chinese(part.says.zh) and not _is_chinese(part.says.en)
    assert not _is_chinese(english.out)
    for said in (english.out, chinese.out):
        assert "…\n" not in said.split("\n\n", 1)[1], "help was cut off"


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


@pytest.mark.parametrize(("arguments", "english", "chinese"), [
    (["nothing"], "There is no command nothing", "没有命令 nothing"),
    (["cms", "inspect"], "FILE is missing", "缺少 FILE"),
    (["cms", "inspect", "a", "b"], "The arguments are not", "参数有误"),
    (["cms", "inspect", "--nothing", "a"], "There is no option --nothing", "没有选项 --nothing"),
    (["cms", "verify", "a", "--reading", "x"], "it can be content,", "可以是 content,"),
    (["parcel", "verify", "a"], "--ca is missing", "缺少 --ca"),
    (["ca", "crl", "a", "--days", "many"], "The value of --days is not right", "--days 的值不正确"),
    (["cms", "inspect", "--json=x", "a"], "Option --json is used wrongly", "选项 --json 用法有误"),
    (["cms", "open", "a"], "Give the private key with --key", "请用 --key 给出私钥"),
    (["cms", "inspect", "/no/such/file"], "cannot be read", "无法读取"),
])
def test_a_wrong_call_is_told_in_both_languages_with_status_64(
    arguments: list[str], english: str, chinese: str, shell: Shell
) -> None:
    for language, words in (("en", english), ("zh", chinese)):
        answer = shell("--lang", language, *arguments)
        assert answer.status == exits.USAGE and not answer.out
        assert words in answer.err
        assert _is_chinese(answer.err) == (language == "zh")


def test_a_bare_group_shows_its_help_and_is_still_a_wrong_call(shell: Shell) -> None:
    answer = shell("cms")
    assert answer.status == exits.USAGE and "envelop" in answer.out


def test_a_trouble_has_its_code_its_sentence_its_cure_and_a_status(shell: Shell, zh: Shell, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk!")
    for one in (shell, zh):
        answer = one("cms", "inspect", tmp_path / "junk")
        cure = codes.CMS_UNREADABLE.cure.into("zh" if one is zh else "en")
        assert answer.status == exits.DATA
        assert answer.err.startswith("EXN-CMS-UNREADABLE") and answer.err.splitlines()[1] == cure


def test_a_trouble_is_one_json_line_for_a_program(shell: Shell, tmp_path: Path) -> None:
    import json

    (tmp_path / "junk").write_bytes(b"junk!")
    answer = shell("cms", "inspect", tmp_path / "junk", "--json")
    told = json.loads(answer.err)["error"]
    assert not answer.out and told["code"] == "EXN-CMS-UNREADABLE" and _is_chinese(told["zh"])


@pytest.mark.parametrize(("met", "status"), [
    (trouble(codes.SIGNATURE), exits.DATA),
    (trouble(codes.CRL_MISSING), exits.CONFIG),
    (trouble(codes.STORE_BUSY, name="outbox"), exits.TRY_AGAIN),
    (trouble(codes.UNAUTHORIZED), exits.PERMISSION),
    (trouble(codes.KEY_FILE, name="a", reason="passphrase"), exits.PERMISSION),
    (trouble(codes.KEY_FILE, name="a", reason="missing"), exits.CONFIG),
    (trouble(codes.FAULT, fault="1"), exits.INTERNAL),
])
def test_each_kind_of_trouble_has_its_status(met: Exception, status: int) -> None:
    assert exits.of(met) == status  # type: ignore[arg-type]  # every row is a Trouble


def test_a_bug_is_told_by_its_place_and_never_by_its_data(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("张三 was in this message")

    monkeypatch.setattr("node.cli.cms.tool.inspect", broken)
    (tmp_path / "any").write_bytes(b"x")
    answer = shell("cms", "inspect", tmp_path / "any")
    assert answer.status == exits.INTERNAL
    assert "RuntimeError" in answer.err and "test_call.py:" in answer.err and "张三" not in answer.err


def test_an_interrupted_command_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("node.cli.cms.tool.inspect", interrupted)
    (tmp_path / "any").write_bytes(b"x")
    assert shell("cms", "inspect", tmp_path / "any").status == 130


@pytest.mark.parametrize("hostile", ["a\x1b[2Jb", "a\nb", "a\u202eb", "a\x00b", "a\x9bb"])
def test_what_others_wrote_cannot_steer_the_terminal(hostile: str) -> None:
    assert printable(hostile)[0] == "a" and "\ufffd" in printable(hostile)
    assert all(letter.isprintable() for letter in printable(hostile))


class Terminal(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_table_is_framed_for_a_person_and_aligned_otherwise() -> None:
    heads = (Sentence("名称", "Name"), Sentence("数", "Count"))
    plain, framed = StringIO(), Terminal()
    Output("zh", plain, plain).table(heads, [["很长的名字[red]", 1], ["b", None]])
    Output("zh", framed, framed).table(heads, [["很长的名字[red]", 1], ["b", None]])
    assert plain.getvalue() == "名称             数\n很长的名字[red]  1\nb                -\n"
    assert "│" in framed.getvalue() and "[red]" in framed.getvalue()
    assert "│" not in plain.getvalue() and "\x1b" not in plain.getvalue()


def test_a_bar_is_drawn_only_for_a_person() -> None:
    plain, person = StringIO(), Terminal()
    for stream in (plain, person):
        with Output("en", StringIO(), stream).progress(Sentence("发送", "Sending"), 10) as advance:
            advance(10)
    assert not plain.getvalue() and "Sending" in person.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "ascii"])
def test_the_entry_point_speaks_every_character_set(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "node", "--lang", "zh", "nothing"], cwd=ROOT, capture_output=True, timeout=60,
        env={"PYTHONIOENCODING": encoding, "PATH": "/usr/bin"},
    )
    assert done.returncode == exits.USAGE
    expected = "没有命令 nothing".encode(encoding, "backslashreplace")
    assert done.stderr.startswith(expected)


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m node --lang en cms verify --help | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, timeout=60)
    assert done.stdout == b"U0\n" and not done.stderr
