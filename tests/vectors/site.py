"""A real node in the world of the vectors: its folder laid out, its process started, stopped, looked into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from node.cli.demo.site import free_ports
from node.config import load
from node.crypto import keyfile
from node.service.papers import read_papers
from node.service.stores import open_stores
from tests.house.plan import ROOT as HOUSE
from tests.vectors import wire_world
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.wire_parts import BOB, ORG, Node

PASSPHRASE = b"the passphrase of the vectors, known to all"
PATIENCE = 60.0
FAR = 3650 * 86_400_000


class Site:
    """The receiver of the vectors as a process of its own."""

    def __init__(self, folder: Path, resources: Sequence[str]) -> None:
        self.folder = folder
        self.port, self._admin, api = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None
        self._papers()
        text = "\n".join(self._config(api, resources))
        (folder / "node.toml").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start the node and wait until it answers."""
        command = [sys.executable, "-m", "node", "-c", str(self.folder / "node.toml"), "run"]
        with (self.folder / "log.jsonl").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=HOUSE, stderr=log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < end, self._end_of_log()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the node; it must end well."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        assert status == 0, self._end_of_log()

    def purge(self) -> None:
        """Have a stopped node forget the octets and receipts of everything that is done, as retention does."""
        assert self._process is None
        settings = load(self.folder / "node.toml", os.environ)
        papers = read_papers(settings, lambda said: None)
        now = time.time_ns() // 1_000_000
        stores = open_stores(settings.node.state, papers.keyring.storage(), papers.crypto, lambda: now)
        try:
            for _ in range(2):
                with stores.inbox.unit() as unit:
                    unit.purge(now + FAR, now + FAR, 10_000)
        finally:
            stores.close()

    def log(self) -> list[dict[str, Any]]:
        """Return the node's log."""
        text = (self.folder / "log.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/livez", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _end_of_log(self) -> str:
        return (self.folder / "log.jsonl").read_text(encoding="utf-8")[-2000:]

    def _papers(self) -> None:
        keys = self.folder / "keys"
        keys.mkdir(mode=0o700, parents=True)
        keyfile.write(keys / "passphrase", PASSPHRASE)
        for name, d in (("sign", BOB.signs.d), ("encrypt", BOB.opens.d), ("tls", BOB.speaks.d)):
            key = CRYPTO.sm2_load(d.to_bytes(32, "big"))
            keyfile.write(keys / f"{name}.key", keyfile.seal_key(CRYPTO, key, PASSPHRASE, os.urandom, 1000))
        keyfile.make_storage(keys / "storage.key", PASSPHRASE, os.urandom)
        for kind, found in (("crt", wire_world.papers()), ("crl", wire_world.lists())):
            for name, der in found.items():
                (keys / f"{name}.{kind}").write_bytes(der)
        for node in wire_world.nodes():
            for use, certificate in (("sign", node.signing), ("encrypt", node.encryption), ("tls", node.channel)):
                (self.folder / f"{node.code}-{use}.crt").write_bytes(certificate.der)

    def _config(self, api: int, resources: Sequence[str]) -> list[str]:
        def pair(use: str) -> str:
            return f'{use} = {{ key = "keys/{use}.key", cert = "centre-{use}.crt" }}'

        return [
            "[node]", f'code = "centre"\norg = "{ORG}"\ndomain = "city.example"\nstate = "state"',
            "[keys]", pair("sign"), pair("encrypt"), pair("tls"),
            'storage = ["keys/storage.key"]', 'passphrase = "keys/passphrase"',
            "ca = [" + ", ".join(f'"keys/{name}.crt"' for name in wire_world.papers()) + "]",
            "crl = [" + ", ".join(f'"keys/{name}.crl"' for name in wire_world.lists()) + "]",
            "[api]", f'listen = "127.0.0.1:{api}"', "[admin]", f'listen = "127.0.0.1:{self._admin}"',
            "[gateway]", f'listen = "127.0.0.1:{self.port}"',
            "[timers]", 'idle = "1s"\ndrain = "10s"',
            "[disk]", 'intake = "64MiB"\nforeign = "48MiB"\nreserve = "32MiB"',
            *(line for node, may in wire_world.PEERS.items() for line in _peer(node, may)),
            *(f'[[resource]]\ncode = "{code}"\nspecification = "region-code/1.0"' for code in resources), "",
        ]


def _peer(node: Node, may: dict[str, Any]) -> list[str]:
    papers = (f'sign = ["{node.code}-sign.crt"], encrypt = "{node.code}-encrypt.crt", '
              f'tls = ["{node.code}-tls.crt"]')
    told = {"kinds": ["records", "void"], "suspended": False, **may}
    return [
        "[[peer]]", f'node = "{node.code}"', f'org = "{ORG}"', f"certificates = {{ {papers} }}",
        *(f"{name} = {json.dumps(value)}" for name, value in told.items()),
    ]
