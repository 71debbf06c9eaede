"""The system's libgcrypt for tests: skipped where absent, a failure in CI, where `tests/debian.txt` installs it."""

from __future__ import annotations

import pytest

from node.crypto.libgcrypt import LibGcrypt, find
from node.model.trouble import Hold
from tests.conftest import IN_CI


def system_libgcrypt() -> LibGcrypt:
    try:
        return find()
    except Hold:
        if IN_CI:
            raise
        pytest.skip("libgcrypt 1.10 with SM4 is not installed")
