"""What a node is told: node.toml and conf.d, read once, frozen, every fault shown at once.

For: service and the command line, which ask `load` for `Settings` and hand the parts on.
Hides: TOML, pydantic and its messages, the merging of files, units of duration and size.
Who may call: service, cli.
Promises: a value is what its type says; no key is ignored; a secret is a file's place, never the secret itself.
Fails: with `Misconfigured`, which lists every fault with its file, line, key, sentence and hint.
"""

from node.config.faults import Fault, Misconfigured
from node.config.kinds import Endpoint, Room
from node.config.loading import absent, find, load
from node.config.parties import GrantSection, PeerSection, ResourceSection
from node.config.settings import Settings

__all__ = [
    "Endpoint",
    "Fault",
    "GrantSection",
    "Misconfigured",
    "PeerSection",
    "ResourceSection",
    "Room",
    "Settings",
    "absent",
    "find",
    "load",
]
