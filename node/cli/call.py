"""One call of the command line: which commands there are, and what becomes of everything that can go wrong."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module

import click

from node.cli import exits
from node.cli.grammar import Group, Told, explain
from node.cli.language import choose
from node.cli.output import COLON, Output
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.model.trouble import Trouble

NAME = "exchange-node"
INTERRUPTED = Sentence("已中断", "Interrupted")
FAULT = Sentence("程序故障（{kind}，{place}），请把此行交给开发方", "A fault of the program ({kind}, {place}); report this line")
SEE = Sentence("用法见", "See")

COMMANDS = {
    "run": "run", "check": "run", "demo": "demo.command", "send": "send", "status": "look", "queue": "queue",
    "trace": "look", "findings": "findings", "adapter": "adapter", "validate": "validate", "spec": "spec.command",
    "parcel": "parcel", "cms": "cms", "ca": "ca", "key": "key",
}
"""Every command with its module, in the order a person meets them."""


class Root(Group):
    """The command `exchange-node`: what a call does not need is not imported, so that a small one is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        found = getattr(import_module(f"node.cli.{COMMANDS[name]}"), name)
        assert isinstance(found, click.Command), "the module holds the command under its own name"
        return found


root = Root(NAME, says=Sentence(
    "政务数据交换前置节点：校验、落盘、国密签名加密、可靠转发、签名回执",
    "Government data exchange node: validated, kept on disk, SM2/SM3/SM4-sealed, forwarded and receipted records",
))


def call(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> int:
    """Run one command and return its exit status; nothing but the status escapes."""
    out = Output(choose(arguments, environ), sys.stdout, sys.stderr)
    try:
        status = root.main(list(arguments), NAME, standalone_mode=False, obj=Situation(out, environ))
        sys.stdout.flush()
        return status if isinstance(status, int) else exits.OK
    except Trouble as met:
        out.trouble(met)
        return exits.of(met)
    except click.ClickException as error:
        return _misused(out, error)
    except (click.Abort, KeyboardInterrupt):
        out.note(INTERRUPTED)
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone, as `head` does; the interpreter must not try to flush once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    except Exception as bug:
        out.note(FAULT.fill(kind=type(bug).__name__, place=_place(bug)))
        return exits.INTERNAL


def _misused(out: Output, error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context is not None:
        out.raw(context.get_help() + "\n")
        return exits.USAGE
    status = error.status if isinstance(error, Told) else exits.USAGE
    out.error(explain(error), status)
    if context is not None:
        out.note(f"{out.text(SEE)}{out.text(COLON)}{context.command_path} --help")
    return status


def _place(bug: BaseException) -> str:
    """Return where a bug showed itself; its message may hold data and stays here."""
    frames = traceback.extract_tb(bug.__traceback__)
    return f"{frames[-1].filename.rpartition('/node/')[2]}:{frames[-1].lineno}" if frames else "?"
