"""Which language is spoken: --lang, else LC_ALL, else LANG, else Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)
OPTION = "--lang"
_NEUTRAL = ("", "C", "POSIX")


def choose(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return `zh` or `en`; it is asked before anything is parsed, so that even a wrong command is told rightly.

    A locale of another language gets English; `C` and `POSIX` name none.
    """
    said = ""
    for at, argument in enumerate(arguments):
        if argument == "--":
            break
        name, equals, value = argument.partition("=")
        if name == OPTION:
            value = value if equals else next(iter(arguments[at + 1:]), "")
            said = value if value in LANGUAGES else said
    if said:
        return said
    for variable in ("LC_ALL", "LANG"):
        locale = environ.get(variable, "").partition(".")[0].partition("@")[0]
        if locale not in _NEUTRAL:
            return CHINESE if locale.lower().startswith("zh") else ENGLISH
    return CHINESE
