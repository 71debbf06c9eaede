"""How a contract comes by its store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any


class Opened(ABC):
    """Says how the store is opened, and opened again."""

    @abstractmethod
    def open(self, folder: Path) -> Any:
        """Return the store in a folder, the one left there if there is one."""

    @abstractmethod
    def again(self, store: Any) -> Any:
        """Return the store after a restart of the process."""
