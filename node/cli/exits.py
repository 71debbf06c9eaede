"""Exit statuses, after sysexits: what a program that called us may do next."""

from __future__ import annotations

from node.model import codes
from node.model.trouble import Code, Kind, Trouble

OK = 0
USAGE = 64
"""The command was typed wrongly."""
DATA = 65
"""The data was refused: mend it."""
UNAVAILABLE = 69
"""The node is not running, or nobody answers."""
INTERNAL = 70
"""A fault of this program."""
TRY_AGAIN = 75
"""The world is not ready: the same call may succeed later."""
PERMISSION = 77
"""This account, key or token may not."""
CONFIG = 78
"""A person must change the configuration, a key or a certificate."""

INTERRUPTED = 130

_OF_CODES: dict[Code, int] = {
    codes.FAULT: INTERNAL,
    codes.DISAGREE: INTERNAL,
    codes.UNAUTHORIZED: PERMISSION,
    codes.NOT_ALLOWED: PERMISSION,
    codes.ADAPTER_DOWN: UNAVAILABLE,
}
_OF_REASONS = {"mode": PERMISSION, "passphrase": PERMISSION, "write": PERMISSION, "short": USAGE, "exists": USAGE}
"""Of `KEY_FILE`, which has many causes; every other is a matter of configuration."""
_OF_KINDS = {Kind.REFUSED: DATA, Kind.HOLD: CONFIG, Kind.RETRY: TRY_AGAIN}


def of(met: Trouble) -> int:
    """Return the exit status for a trouble."""
    if met.code is codes.KEY_FILE:
        return _OF_REASONS.get(str(met.details.get("reason")), CONFIG)
    return _OF_CODES.get(met.code, _OF_KINDS[met.code.kind])
