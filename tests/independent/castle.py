"""Bouncy Castle as a judge: the Java of this folder compiled once, one process that is asked line by line."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.house.plan import ROOT

SOURCES = ROOT / "tests" / "independent"
JARS = [Path(f"/usr/share/java/{name}.jar") for name in ("bcprov", "bcpkix", "bcutil")]
PATIENCE = 120


class Castle:
    """The judge; `ask` returns its answer, whose first word is `good`, `sealed` or `refused`."""

    def __init__(self, java: str, javac: str, folder: Path) -> None:
        self.folder, self._number = folder, 0
        classes, path = folder / "classes", ":".join(map(str, JARS))
        sources = sorted(str(source) for source in SOURCES.glob("*.java"))
        subprocess.run(
            [javac, "-Xlint:all,-path,-serial", "-Werror", "-d", str(classes), "-cp", path, *sources], check=True,
            timeout=PATIENCE,
        )
        self._process = subprocess.Popen(
            [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{path}:{classes}", "Judge"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def ask(self, *words: str) -> list[str]:
        """Return the words of the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        assert answer, "the judge is gone"
        return answer

    def signed(self, octets: bytes) -> tuple[bytes, bytes] | None:
        """Return content and certificate of a SignedData that holds, None for one that does not."""
        answer = self.ask("signed", self.file(octets))
        return (_hex(answer[1]), _hex(answer[2])) if answer[0] == "good" else None

    def opened(self, octets: bytes, certificate: bytes, d: int) -> bytes | None:
        """Return what an EnvelopedData holds, None if it does not open."""
        answer = self.ask("opened", self.file(octets), certificate.hex(), f"{d:064x}")
        return _hex(answer[1]) if answer[0] == "good" else None

    def parcel(self, octets: bytes, certificate: bytes, d: int) -> Sequence[str]:
        """Return `good DIGEST ROOT N`, `sealed DIGEST`, or `refused …` of a whole parcel."""
        return self.ask("parcel", self.file(octets), certificate.hex(), f"{d:064x}")

    def makes(self, verb: str, kind: str, *words: str) -> bytes:
        """Return a message the judge made."""
        out = self.folder / "made"
        assert self.ask(verb, kind, str(out), *words) == ["good"]
        return out.read_bytes()

    def file(self, octets: bytes) -> str:
        """Return a file that holds octets until the next one."""
        path = self.folder / "asked"
        path.write_bytes(octets)
        return str(path)

    def close(self) -> None:
        """End the judge."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._process.stdout.close()


def _hex(text: str) -> bytes:
    return b"" if text == "-" else bytes.fromhex(text)
