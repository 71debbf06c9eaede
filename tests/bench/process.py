"""One node as a process of its own, for the measures: `python -m tests.bench.process CONFIG`."""

from __future__ import annotations

import sys
from pathlib import Path

from node.config import load
from node.service.run import run


def main() -> int:
    """Run the node until it is told to stop; return its exit status."""
    config = Path(sys.argv[1])
    return run(load(config), lambda: load(config))


if __name__ == "__main__":
    sys.exit(main())
