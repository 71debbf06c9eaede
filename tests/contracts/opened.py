"""How a contract comes by its store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


class Opened(ABC):
    """Says how the store is opened, and opened again."""

    @abstractmethod
    def open(self, folder: Path) -> Any:
        """Return an outbox in a folder, the one left there if there is one."""

    @abstractmethod
    def again(self, store: Any) -> Any:
        """Return the outbox after a restart of the process."""

    @pytest.fixture
    def outbox(self, tmp_path: Path) -> Iterator[Any]:
        store = self.open(tmp_path)
        yield store
        store.close()
