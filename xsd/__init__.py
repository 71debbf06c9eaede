"""The published interface specifications, their types and tables, found beside this file."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the files are, in a checkout and in an installed wheel alike."""
