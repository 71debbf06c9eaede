"""Commands and options with sentences in both languages: click does the parsing, the words are ours.

Rule 1: nothing of click's own wording reaches a person.
Rule 2: --lang and -c may stand anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.cli import exits
from node.cli.language import LANGUAGES
from node.cli.output import COLON
from node.cli.situation import Situation
from node.model.sentence import Sentence

F = TypeVar("F", bound=Callable[..., Any])

USAGE = Sentence("用法", "Usage")
COMMANDS, OPTIONS, ARGUMENTS = Sentence("命令", "commands"), Sentence("选项", "options"), Sentence("参数", "arguments")
HELP = Sentence("显示本说明", "Show this text")
MANY = Sentence("可多次给出", "may be given several times")
NEEDED = Sentence("必须给出", "required")
DEFAULT = Sentence("默认", "default")
WIDEST = 110


class Told(click.ClickException):
    """An error of the command line itself, in a sentence of ours, with its exit status."""

    def __init__(self, says: Sentence, status: int) -> None:
        super().__init__(says.en)
        self.says, self.status = says, status


def told(says: Sentence, status: int) -> Told:
    """Return an error with its exit status."""
    return Told(says, status)


def misused(zh: str, en: str) -> Told:
    """Return the error of a command typed wrongly."""
    return Told(Sentence(zh, en), exits.USAGE)


class Option(click.Option):
    """An option with its sentence."""

    def __init__(self, *given: Any, says: Sentence, **rest: Any) -> None:
        super().__init__(*given, **rest)
        self.says = says


class Argument(click.Argument):
    """An argument with its sentence."""

    def __init__(self, *given: Any, says: Sentence, **rest: Any) -> None:
        super().__init__(*given, **rest)
        self.says = says


class _Spoken(click.Command):
    """A command that tells its help in the language of the call."""

    says: Sentence

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *EVERYWHERE]

    def get_help(self, ctx: click.Context) -> str:
        return "\n".join(_help(self, ctx, _here(ctx).language))


class Command(_Spoken):
    """One command."""

    def __init__(self, *given: Any, says: Sentence, **rest: Any) -> None:
        super().__init__(*given, **rest)
        self.says = says


class Group(_Spoken, click.Group):
    """Commands under one word."""

    command_class = Command

    def __init__(self, *given: Any, says: Sentence, **rest: Any) -> None:
        super().__init__(*given, **rest)
        self.says = says

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def option(*names: str, says: Sentence, **rest: Any) -> Callable[[F], F]:
    """Declare an option."""
    return click.option(*names, cls=Option, says=says, **rest)


def argument(*names: str, says: Sentence, **rest: Any) -> Callable[[F], F]:
    """Declare an argument."""
    return click.argument(*names, cls=Argument, says=says, **rest)


def file(**rest: Any) -> dict[str, Any]:
    """Return the settings of an option or argument that names a file; whether it is there is found out on reading."""
    return {"type": click.Path(path_type=Path), "metavar": "FILE", **rest}


def as_json(function: F) -> F:
    """Declare --json, which the output then obeys."""

    def heed(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        _here(ctx).out.json = value

    says = Sentence("以JSON输出，供程序读取", "print JSON, for programs")
    return option("--json", is_flag=True, expose_value=False, callback=heed, says=says)(function)


def _here(ctx: click.Context) -> Situation:
    found = ctx.find_object(Situation)
    assert found is not None, "the entry point gives one to every call"
    return found


def _configure(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:
        _here(ctx).given = value


EVERYWHERE: tuple[click.Parameter, ...] = (
    # Already heeded before parsing began (`language.choose`); here its value is only checked.
    Option(
        ["--lang"], type=click.Choice(LANGUAGES), expose_value=False, is_eager=True,
        says=Sentence("语言；默认取自LC_ALL、LANG", "language; by default that of LC_ALL or LANG"),
    ),
    Option(
        ["-c", "--config"], expose_value=False, callback=_configure, is_eager=True, **file(),
        says=Sentence(
            "配置文件；默认取自EXCHANGE_NODE_CONFIG，否则为/etc/exchange-node/node.toml",
            "the configuration; else that of EXCHANGE_NODE_CONFIG, else /etc/exchange-node/node.toml",
        ),
    ),
)
"""What every command takes."""


# --- help -------------------------------------------------------------------------------------------------------


def _help(command: _Spoken, ctx: click.Context, language: str) -> Iterator[str]:
    pieces = [ctx.command_path, f"[{OPTIONS.into(language)}]", *_pieces(command, language)]
    yield f"{USAGE.into(language)}{COLON.into(language)}{' '.join(pieces)}"
    yield ""
    yield from _wrapped([("  " + command.says.into(language),)])
    if isinstance(command, click.Group):
        named = [(name, command.get_command(ctx, name)) for name in command.list_commands(ctx)]
        rows = [(f"  {name}", each.says.into(language)) for name, each in named if isinstance(each, _Spoken)]
        yield from _section(COMMANDS.into(language), rows)
    params = command.get_params(ctx)
    arguments = [(f"  {_metavar(each)}", each.says.into(language)) for each in params if isinstance(each, Argument)]
    yield from _section(ARGUMENTS.into(language), arguments)
    yield from _section(OPTIONS.into(language), [_option_row(each, language) for each in params if _shown(each)])


def _pieces(command: click.Command, language: str) -> Iterator[str]:
    for each in command.params:
        if isinstance(each, Argument):
            name = _metavar(each)
            yield name if each.required else f"[{name}]"
    if isinstance(command, click.Group):
        yield f"{COMMANDS.into(language)} …"


def _metavar(each: Argument) -> str:
    return f"{each.metavar or (each.name or '').upper()}{' …' if each.nargs == -1 else ''}"


def _shown(each: click.Parameter) -> bool:
    return isinstance(each, click.Option) and not each.hidden


def _option_row(each: click.Parameter, language: str) -> tuple[str, str]:
    assert isinstance(each, click.Option)
    names = ", ".join(sorted((*each.opts, *each.secondary_opts), key=len))
    if isinstance(each.type, click.Choice) and not each.metavar:
        names += f" {'|'.join(map(str, each.type.choices))}"
    elif not each.is_flag and not each.count:
        names += f" {each.metavar or each.type.name.upper()}"
    words: list[str] = [each.says.into(language) if isinstance(each, Option) else HELP.into(language)]
    if each.required:
        words.append(NEEDED.into(language))
    if each.multiple:
        words.append(MANY.into(language))
    if each.show_default and each.default is not None:
        words.append(f"{DEFAULT.into(language)} {each.default}")
    return f"  {names}", ("；" if language == "zh" else "; ").join(words)


def _section(title: str, rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield from ("", title.capitalize())
        yield from _wrapped(rows)


def _wrapped(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows as aligned columns; rich knows that a Chinese character is two cells wide."""
    table = Table.grid(padding=(0, 2))
    for at in range(len(rows[0])):
        table.add_column(overflow="fold", no_wrap=len(rows[0]) > 1 and at == 0)
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    console = Console(file=StringIO(), width=min(WIDEST, get_terminal_size().columns), color_system=None)
    with console.capture() as taken:
        console.print(table)
    return [line.rstrip() for line in taken.get().splitlines()]


# --- what click found wrong -------------------------------------------------------------------------------------


def explain(error: click.ClickException) -> Sentence:
    """Return what is wrong with a call, in our words."""
    if isinstance(error, Told):
        return error.says
    if isinstance(error, click.NoSuchOption):
        return Sentence(f"没有选项 {error.option_name}", f"There is no option {error.option_name}")
    if isinstance(error, click.exceptions.NoSuchCommand):
        return Sentence(f"没有命令 {error.command_name}", f"There is no command {error.command_name}")
    if isinstance(error, click.MissingParameter):
        name = _named(error.param)
        return Sentence(f"缺少 {name}", f"{name} is missing")
    if isinstance(error, click.BadParameter):
        name, choices = _named(error.param), _choices(error.param)
        return Sentence(f"{name} 的值不正确{choices[0]}", f"The value of {name} is not right{choices[1]}")
    if isinstance(error, click.BadOptionUsage):
        return Sentence(f"选项 {error.option_name} 用法有误", f"Option {error.option_name} is used wrongly")
    return Sentence("命令的参数有误", "The arguments are not those of the command")


def _named(parameter: click.Parameter | None) -> str:
    if isinstance(parameter, Argument):
        return _metavar(parameter).removesuffix(" …")
    return max(parameter.opts, key=len) if parameter is not None and parameter.opts else "?"


def _choices(parameter: click.Parameter | None) -> tuple[str, str]:
    if parameter is None or not isinstance(parameter.type, click.Choice):
        return "", ""
    listed = ", ".join(map(str, parameter.type.choices))
    return f"，可以是 {listed}", f"; it can be {listed}"
