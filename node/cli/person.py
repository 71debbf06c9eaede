"""Who acts: a named person stands behind every change of a running node."""

from __future__ import annotations

import getpass

from node.cli.grammar import F, misused, option
from node.model.sentence import Sentence


def who_decides(function: F) -> F:
    """Declare --who."""
    return option("--who", metavar="NAME", says=Sentence(
        "由谁决定，记入日志和账本；默认当前登录名", "who decides, for log and ledger; else the login name"))(function)


def named(who: str | None) -> str:
    """Return who acts; raise an error of the command line if nobody can be named."""
    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise misused("请用 --who 说明由谁决定", "Say who decides, with --who") from None
