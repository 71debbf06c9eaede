"""The contract played against a source that somebody uses: what needs no hook, and changes nothing."""

from __future__ import annotations

from adapters.kit.contract import AdapterContract


class TestGiven(AdapterContract):
    """Its name, settings and `read` are set by whoever asks (`adapters.kit.__main__`)."""
