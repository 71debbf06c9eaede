"""The same as `file_drop`, on an SFTP server.

    settings = { host = "10.0.0.9", user = "exchange", host_key = "SHA256:…", root = "drop" }
    secrets = { password = "sftp.password" }     # or key = "sftp.key", with passphrase

Rule 1: the server is the one whose key is pinned, by fingerprint, by its line, or in a known_hosts file.
Rule 2: files are read where they are, in blocks; only a book or a table of dBase is copied to be read.
Rule 3: `files.remote` says what SFTP cannot do: no lock, no free space, and of time whole seconds.
"""

from __future__ import annotations

from adapters.files.drop import FolderAdapter
from adapters.files.folder import Folder
from adapters.files.login import SECONDS
from adapters.files.remote import RemoteFolder


class Sftp(FolderAdapter):
    """A folder of an SFTP server."""

    settings = {
        "type": "object",
        "properties": {
            "host": {"type": "string", "minLength": 1},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 22},
            "user": {"type": "string", "minLength": 1},
            "root": {"type": "string", "minLength": 1, "default": "."},
            "host_key": {"type": "string", "minLength": 8},
            "known_hosts": {"type": "string", "pattern": "^/"},
            "password": {"type": "string", "x-secret": True},
            "key": {"type": "string", "x-secret": True},
            "passphrase": {"type": "string", "x-secret": True},
            "seconds": {"type": "integer", "minimum": 1, "maximum": 3600, "default": SECONDS},
        },
        "required": ["host", "user"],
        "additionalProperties": False,
    }

    def open(self) -> Folder:
        """Connect and log in."""
        return RemoteFolder(self.given)
