"""The entry point of the command `exchange-node`, and of `python -m node`."""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> int:
    """Run the command line; the return value is the exit status."""
    from node.cli.call import call

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal of another character set loses a sign, not the command
            stream.reconfigure(errors="backslashreplace")
    return call(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
