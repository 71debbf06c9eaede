"""The kit for integrators: what every adapter is held to, a scaffold to begin with, and the report of a test.

For: whoever writes an adapter, in a package of their own; our own adapters pass the same.
Hides: how a contract is played against a process that is killed, stopped and asked again.
Who may call: tests, and the command `adapter test`.
Promises: a check that could not be made says why; none passes without having been made.
Fails: as tests do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.kit.contract import AdapterContract

__all__ = ["AdapterContract"]


def __getattr__(name: str) -> Any:
    """Load the contract when it is first asked for: the plugin lies in this package and is imported by every pytest."""
    if name != "AdapterContract":
        raise _unknown(name)
    from adapters.kit.contract import AdapterContract

    return AdapterContract


def _unknown(name: str) -> AttributeError:
    return AttributeError(f"adapters.kit has no {name}")
