"""An SFTP server in a process of its own: `python -m tests.adapters.conch FOLDER PORT KEYS`; it prints its port.

KEYS is a folder with `host`, its key, and `user.pub`, the key of its one user `exchange`, whose password is in
`password`.
With a third word `bare` it knows no extension, as many servers do not.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from twisted.conch import unix
from twisted.conch.avatar import ConchUser
from twisted.conch.checkers import InMemorySSHKeyDB, SSHPublicKeyChecker
from twisted.conch.interfaces import IConchUser, ISFTPServer
from twisted.conch.ls import lsLine
from twisted.conch.ssh import factory, filetransfer, keys, session
from twisted.conch.ssh.common import getNS
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import reactor
from twisted.python import components
from zope.interface import implementer

FOLDER = os.fsencode(sys.argv[1]) if len(sys.argv) > 3 else b""
BARE = "bare" in sys.argv


class User(ConchUser):
    """Whoever logs in; what it does, this process does."""

    def __init__(self) -> None:
        super().__init__()
        self.channelLookup[b"session"] = session.SSHSession
        self.subsystemLookup[b"sftp"] = filetransfer.FileTransferServer

    def _runAsUser(self, acts: Any, *given: Any) -> Any:
        came = None
        for act, *parts in acts if isinstance(acts, list) else [(acts, given)]:
            came = act(*(parts[0] if parts else ()))
        return came


class Directory(unix.UnixSFTPDirectory):  # type: ignore[misc]
    """A folder whose names are octets."""

    def __next__(self) -> Any:
        if not self.files:
            raise StopIteration
        name = self.files.pop(0)
        about = os.lstat(os.path.join(self.dir, name))
        return name, lsLine("x", about), self.server._getAttrs(about)


class Files(unix.SFTPServerForUnixConchUser):  # type: ignore[misc]
    """The files of FOLDER."""

    def _absPath(self, path: bytes) -> bytes:
        return os.path.join(FOLDER, path)

    def openDirectory(self, path: bytes) -> Directory:
        return Directory(self, self._absPath(path))

    def extendedRequest(self, name: bytes, data: bytes) -> bytes:
        if BARE:
            raise NotImplementedError
        if name == b"posix-rename@openssh.com":
            old, new, _ = getNS(data, 2)
            os.replace(self._absPath(old), self._absPath(new))
        elif name != b"fsync@openssh.com":
            raise NotImplementedError
        return b""


@implementer(IRealm)
class Realm:
    """Lets the user in."""

    def requestAvatar(self, name: Any, mind: Any, *interfaces: Any) -> Any:
        return IConchUser, User(), lambda: None


def main() -> None:
    """Serve until killed."""
    kept = Path(sys.argv[3])
    components.registerAdapter(Files, User, ISFTPServer)
    portal = Portal(Realm())
    portal.registerChecker(InMemoryUsernamePasswordDatabaseDontUse(exchange=(kept / "password").read_bytes()))
    portal.registerChecker(SSHPublicKeyChecker(InMemorySSHKeyDB({
        b"exchange": [keys.Key.fromFile(str(kept / "user.pub"))]})))
    made = factory.SSHFactory()
    made.portal = portal
    own = keys.Key.fromFile(str(kept / "host"))
    made.publicKeys, made.privateKeys = {own.sshType(): own.public()}, {own.sshType(): own}
    port = reactor.listenTCP(int(sys.argv[2]), made, interface="127.0.0.1")  # type: ignore[attr-defined]
    print(port.getHost().port, flush=True)
    reactor.run()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
