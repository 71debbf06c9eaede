"""A shell for the tests: one call of the command line, in this process, and what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.cli.call import call

PASSPHRASE = b"nine words or so"
ORG = "91110000MA00A0000X"
Run = Callable[..., "Answer"]


@dataclass(frozen=True)
class Answer:
    """What one call left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


class Shell:
    """Calls the command line as a person of one language does, from one folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], language: str = "en") -> None:
        self.folder, self._capsys = folder, capsys
        self.environ = {"LANG": {"en": "en_US.UTF-8", "zh": "zh_CN.UTF-8"}[language]}

    def secret(self, name: str = "passphrase", octets: bytes = PASSPHRASE + b"\n") -> Path:
        """Write a passphrase file and name it in the environment."""
        path = self.folder / name
        path.write_bytes(octets)
        path.chmod(0o600)
        self.environ["EXCHANGE_NODE_PASSPHRASE_FILE"] = str(path)
        return path

    def __call__(self, *arguments: object) -> Answer:
        """Run one command."""
        self._capsys.readouterr()
        status = call([str(argument) for argument in arguments], self.environ)
        told = self._capsys.readouterr()
        return Answer(status, told.out, told.err)

    def fine(self, *arguments: object) -> Answer:
        """Run one command that must succeed."""
        answer = self(*arguments)
        assert answer.status == 0, answer
        return answer

    def issue(self, node: str = "dept-a", ca: str = "ca") -> Path:
        """Return a folder with a node's keys and certificates, issued by the CA in the folder `ca`."""
        if not (self.folder / ca).exists():
            self.fine("ca", "init", self.folder / ca)
        keys = self.folder / node
        self.fine(
            "ca", "issue", self.folder / ca, "--node", node, "--org", ORG, "--org-name", "测试单位",
            "--host", "127.0.0.1", "--keys", keys,
        )
        return keys
