"""Which parcels have been written to a folder, and the greatest token of each lane: a file beside the folder's files.

Rule 1: a parcel is entered when its file is whole under its temporary name, and before it is renamed: entered with the
        temporary file there it is yet to be renamed, entered without it is done, though a consumer took the file away.
Rule 2: a line counts only with its end and its own digest, so that what a fault of power left is not believed.
Rule 3: the last KEEP parcels are kept, and the token of every lane.
"""

from __future__ import annotations

from hashlib import blake2b

from adapters.contract import Unavailable
from adapters.files.archive import join
from adapters.files.folder import Folder, Gone

NAME = ".exchange-node.parcels"
LOCK = ".exchange-node.lock"
KEEP = 20_000
_MOST = 2 * KEEP
_LONGEST = 64 << 20
_FRESH = ".tmp"


class Ledger:
    """The ledger of one folder, as far as this process has read it."""

    def __init__(self, folder: Folder, path: str) -> None:
        self._folder, self._path = folder, join(path, NAME)
        self._size = -1
        self._parcels: dict[str, tuple[str, int]] = {}
        self._tokens: dict[str, int] = {}
        self._lines = 0
        self._torn = False

    def load(self) -> None:
        """Read what has come to the file since; another process may have written it."""
        entry = self._folder.entry(self._path)
        if entry is None and self._folder.entry(self._path + _FRESH):
            self._folder.replace(self._path + _FRESH, self._path)  # it was broken off while it took the old one's place
            entry = self._folder.entry(self._path)
        size = entry.size if entry else 0
        if size == self._size:
            return
        self._parcels, self._tokens, self._lines, self._torn = {}, {}, 0, False
        if entry:
            try:
                with self._folder.open(self._path) as file:
                    octets = file.read(_LONGEST)
            except Gone:
                raise Unavailable("账本正被替换", "the ledger is being replaced") from None
            self._torn = bool(octets) and not octets.endswith(b"\n")
            for line in octets.split(b"\n")[:-1]:
                self._take(line)
        self._size = size

    def _take(self, line: bytes) -> None:
        said, _, proof = line.rpartition(b" ")
        parts = said.split(b" ")
        if len(parts) != 3 or _proof(said) != proof:
            return
        lane, token, parcel = parts[0].decode(), int(parts[1]), parts[2].decode()
        self._tokens[lane] = max(token, self._tokens.get(lane, 0))
        if parcel != "-":
            self._parcels[parcel] = lane, int(parts[1])
        self._lines += 1

    def demand(self, lane: str, token: int) -> None:
        """Raise Unavailable if a greater token was seen for the lane."""
        if token < self._tokens.get(_digest(lane), 0):
            raise Unavailable("此通道已由更新的进程接管", "a later process has taken over the lane")

    def token(self, parcel: str) -> int | None:
        """Return the token with which a parcel was entered, None if it was not."""
        return self._parcels.get(_digest(parcel), ("", None))[1]

    def enter(self, lane: str, token: int, parcel: str) -> None:
        """Enter a parcel, and have that on the disk."""
        if self._lines >= _MOST:
            self._shorten()
        line = _line(_digest(lane), token, _digest(parcel))
        self._size = -1  # what is not known to be on the disk is read again
        self._folder.append(self._path, (b"\n" if self._torn else b"") + line)
        self.load()

    def _shorten(self) -> None:
        """Write the file anew with the last parcels."""
        lines = [_line(lane, token, "-") for lane, token in self._tokens.items()]
        lines += [_line(*entered, parcel) for parcel, entered in list(self._parcels.items())[-KEEP:]]
        self._folder.write(self._path + _FRESH, lines)
        self._folder.replace(self._path + _FRESH, self._path)
        self._size = -1
        self.load()


def _line(lane: str, token: int, parcel: str) -> bytes:
    said = f"{lane} {token} {parcel}".encode()
    return said + b" " + _proof(said) + b"\n"


def _proof(said: bytes) -> bytes:
    return blake2b(said, digest_size=4).hexdigest().encode()


def _digest(name: str) -> str:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
