"""Files that a command reads and writes: bounded, and what it writes is for this account only and never replaces."""

from __future__ import annotations

import os
import sys
from base64 import b64encode
from pathlib import Path

from node.cli import exits
from node.cli.grammar import told
from node.model import codes
from node.model.sentence import Sentence
from node.model.trouble import trouble

LIMIT = 64 << 20
STANDARD = Path("-")
"""Standard input or output."""


def read(path: Path, limit: int = LIMIT) -> bytes:
    """Return a file's octets, or standard input's; an error of the command line if that cannot be, TOO_LARGE."""
    try:
        if path == STANDARD:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(data) > limit:
        raise trouble(codes.TOO_LARGE, what=path.name, limit=limit)
    return data


def unreadable(path: Path, error: OSError) -> Exception:
    """Return the error for a file that cannot be read."""
    if isinstance(error, PermissionError):
        return told(Sentence(f"无权读取文件 {path}", f"This account may not read {path}"), exits.PERMISSION)
    return told(Sentence(f"无法读取文件 {path}", f"The file {path} cannot be read"), exits.USAGE)


def write(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600, or standard output; an error of the command line if there is one already."""
    if path == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise told(
            Sentence(f"文件 {path} 已存在，不会覆盖", f"The file {path} is there already and is not replaced"), exits.USAGE
        ) from None
    except OSError:
        raise _unwritable(path) from None
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise _unwritable(path) from None


def _unwritable(path: Path) -> Exception:
    return told(Sentence(f"无法写入文件 {path}", f"The file {path} cannot be written"), exits.PERMISSION)


def armoured(der: bytes, label: str) -> bytes:
    """Return DER as one PEM block."""
    text = b64encode(der).decode("ascii")
    lines = [text[at:at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")
