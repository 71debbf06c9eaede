"""What every command finds ready: the language, the output, and, when first asked for, settings and crypto."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from node.cli.output import Output
from node.ports import Chance, Crypto

if TYPE_CHECKING:
    from node.config import Settings


@dataclass(slots=True)
class Situation:
    """One call of the command line."""

    out: Output
    environ: Mapping[str, str]
    given: Path | None = None
    """The configuration named with -c."""
    _settings: Settings | None = field(default=None, repr=False)
    _crypto: Crypto | None = field(default=None, repr=False)

    @property
    def language(self) -> str:
        """`zh` or `en`."""
        return self.out.language

    @property
    def chance(self) -> Chance:
        """The system's randomness."""
        return os.urandom

    def now(self) -> int:
        """The wall clock in milliseconds."""
        return time.time_ns() // 1_000_000

    @property
    def main_file(self) -> Path:
        """Where the configuration is looked for."""
        from node.config import find

        return find(self.given, self.environ)

    def load(self) -> Settings:
        """Return the settings, read anew; raise Misconfigured."""
        from node.config import load

        return load(self.main_file, self.environ)

    @property
    def settings(self) -> Settings:
        """The settings, read once; raises Misconfigured."""
        if self._settings is None:
            self._settings = self.load()
        return self._settings

    @property
    def crypto(self) -> Crypto:
        """The suite, self-tested: the configured one if settings were read, else the system's."""
        if self._crypto is None:
            from node.crypto.selftest import open_crypto

            said = self._settings.crypto if self._settings is not None else None
            self._crypto = open_crypto(
                said.libcrypto if said else None,
                said.fallback if said else False,
                self.out.note,
                said.libgcrypt if said else "auto",
            )
        return self._crypto
