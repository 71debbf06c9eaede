"""Passphrases: from a file of this account's, or typed at a terminal; never on the command line, never shown.

Rule 1: a passphrase file is read as a key file is: mode 0600 or refused.
Rule 2: blanks and line ends around it do not belong to it, as the node reads it too.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from node.cli.grammar import F, file, misused, option
from node.cli.situation import Situation
from node.crypto import keyfile
from node.model.sentence import Sentence

VARIABLE = "EXCHANGE_NODE_PASSPHRASE_FILE"
ASK = Sentence("口令（{what}）：", "Passphrase ({what}): ")
AGAIN = Sentence("再输入一次：", "Once more: ")


def with_passphrase(function: F) -> F:
    """Declare --passphrase-file."""
    says = Sentence(
        f"口令所在文件，权限0600；默认取自{VARIABLE}，否则在终端询问",
        f"the file of the passphrase, mode 0600; else that of {VARIABLE}, else it is asked for",
    )
    return option("--passphrase-file", **file(), says=says)(function)


def old(here: Situation, given: Path | None, what: str) -> bytes:
    """Return the passphrase of something that exists."""
    return _from_file(here, given) or _typed(here, what)


def new(here: Situation, given: Path | None, what: str) -> bytes:
    """Return a passphrase for something new, typed twice if it is typed."""
    told = _from_file(here, given)
    if told is None:
        told = _typed(here, what)
        if _ask(AGAIN.into(here.language)) != told:
            raise misused("两次输入的口令不同", "The two passphrases differ")
    return told


def chosen(here: Situation, given: Path | None, what: str) -> bytes:
    """Return the new passphrase of something that has one, which the variable names; so it does not count here."""
    return new(Situation(here.out, {}), given, what)


def _from_file(here: Situation, given: Path | None) -> bytes | None:
    named = given or (Path(here.environ[VARIABLE]) if here.environ.get(VARIABLE) else None)
    if named is None:
        return None
    found = keyfile.read(named).strip()
    if not found:
        raise misused(f"口令文件 {named} 是空的", f"The passphrase file {named} is empty")
    return found


def _typed(here: Situation, what: str) -> bytes:
    if not sys.stdin.isatty():
        raise misused(
            f"请用 --passphrase-file 或环境变量 {VARIABLE} 给出口令文件",
            f"Give the passphrase's file with --passphrase-file or the variable {VARIABLE}",
        )
    return _ask(ASK.fill(what=what).into(here.language))


def _ask(prompt: str) -> bytes:
    return getpass.getpass(prompt).encode()
