"""A folder where an old system drops files, and one where files are dropped for it.

    settings = { root = "/srv/exchange" }
    what = { folder = "in", pattern = "RK*.csv", format = "csv", archive = "done", error = "bad" }

Rule 1: a file is read once it is whole (`files.look`) and moved once its rows are kept (`files.reading`).
Rule 2: nothing above the root is read or written, and no link is followed.
Rule 3: a batch that is written is there once and whole (`files.writing`).
"""

from __future__ import annotations

from adapters.files.drop import FolderAdapter
from adapters.files.folder import Folder
from adapters.files.local import LocalFolder


class FileDrop(FolderAdapter):
    """A folder of this machine."""

    settings = {
        "type": "object",
        "properties": {"root": {"type": "string", "pattern": "^/"}},
        "required": ["root"],
        "additionalProperties": False,
    }

    def open(self) -> Folder:
        """Return the folder."""
        return LocalFolder(self.given["root"])
