"""A database server that a test runs for itself, and an empty database of it.

Each server runs in a temporary folder of its own, on a free port of this machine, as an account without rights; its
clock says China's time.  A test takes `fresh()`, an empty database, and speaks to it as `admin` through its engine.

Rule 1: a server ends with the process that started it, also when that is killed.
Rule 2: what a killed run left behind, the next one clears away.
Rule 3: nothing of a database that the machine runs anyway is read or changed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

PREFIX = "exnode-server-"
ADMIN = "admin"
READY = 60.0
"""Seconds in which a server must answer; a machine that does much else is slow."""

_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl
_numbers = count(1)


@dataclass
class Database:
    """An empty database of a server; `url` holds no password, `engine` may do everything and commits each statement."""

    server: Server
    name: str
    url: str
    password: str | None
    engine: Engine = field(init=False)
    made: list[str] = field(default_factory=list)
    """Tables that a test made, as a statement writes their names."""

    def __post_init__(self) -> None:
        self.engine = admin(self.url, self.password)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of an adapter that comes as admin."""
        return {"url": self.url, **({"password": self.password} if self.password else {})}

    def run(self, *statements: str) -> None:
        """Run statements as they stand, each committed."""
        run(self.engine, statements)

    def put(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for many rows, in one transaction; its places are written `?`."""
        with closing(self.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
            cursor.executemany(statement.replace("?", self.server.place), [tuple(one) for one in rows])
            raw.commit()


def admin(url: str, password: str | None) -> Engine:
    """Return an engine that keeps no connection; each statement commits, Firebird's only at the end of `begin()`."""
    given = make_url(url).set(password=password) if password else make_url(url)
    if given.get_backend_name() in ("firebird", "dm"):  # their dialects know the word and not how, or not at all
        return create_engine(given, poolclass=NullPool)
    return create_engine(given, poolclass=NullPool, isolation_level="AUTOCOMMIT")


def run(engine: Engine, statements: Iterable[str]) -> None:
    """Run statements as they stand, each committed."""
    for one in statements:
        with engine.begin() as connection:
            connection.execution_options(no_parameters=True).exec_driver_sql(one)


class Server(ABC):
    """A server in a folder of its own; made, `start`ed and at the end `remove`d."""

    kind: str
    place: str = "%s"
    """How the driver writes a place of a statement."""

    farewell: ClassVar[signal.Signals] = signal.SIGTERM
    """What ends it in order; sent by the kernel too when the test process dies."""

    def __init__(self) -> None:
        clear_away()
        self.password = secrets.token_hex(12)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._held = os.open(self.folder, os.O_RDONLY)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        self.user = account()
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Make its data."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return what starts it."""

    @abstractmethod
    def url_of(self, name: str) -> URL:
        """Return the URL of a database of it, without a password."""

    @abstractmethod
    def create(self, name: str, charset: str | None) -> None:
        """Make an empty database."""

    @property
    @abstractmethod
    def main(self) -> str:
        """The name of the database that is always there."""

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self._process is not None, "it is started"
        return self._process.pid

    @property
    def url(self) -> str:
        """Where admin connects, without a password."""
        return self.url_of(self.main).render_as_string()

    @property
    def engine(self) -> Engine:
        """Admin's engine of the database that is always there."""
        return admin(self.url, self.password)

    def fresh(self, charset: str | None = None) -> Database:
        """Make an empty database, its text kept in `charset`: the server's own name for it, else UTF-8."""
        name = f"t{next(_numbers)}"
        self.create(name, charset)
        return Database(self, name, self.url_of(name).render_as_string(), self.password)

    def drop(self, database: Database) -> None:
        """Forget a database; a server that is removed takes its databases along."""
        self.run(f"DROP DATABASE IF EXISTS {database.name}")

    def run(self, *statements: str) -> None:
        """Run statements in the database that is always there."""
        run(self.engine, statements)

    def environment(self) -> dict[str, str]:
        """Return the variables it runs with."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "Asia/Shanghai", "HOME": str(self.folder)}

    def do(self, *command: str) -> None:
        """Run a command as the server's account, to its end."""
        with (self.folder / "log").open("ab") as log:
            subprocess.run(
                command, env=self.environment(), cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                check=True, **self._rights())

    def _rights(self) -> dict[str, Any]:
        user = self.user
        return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Start it, and wait until it answers."""
        parent, leave = os.getpid(), self.farewell

        def end_with_parent() -> None:  # runs after the account was changed, which would clear it
            _prctl(_PDEATHSIG, leave)
            if os.getppid() != parent:
                os._exit(1)

        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), env=self.environment(), cwd=self.folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent, **self._rights())
        until = time.monotonic() + READY
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{self.kind} does not start:\n{(self.folder / 'log').read_text('utf-8')[-3000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.engine.connect().close()
        except DBAPIError:
            return False
        return True

    def stop(self, leave: signal.Signals | None = None) -> None:
        """End it, by default in order; what is connected is cut off."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(leave or self.farewell)
            try:
                process.wait(READY)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def restart(self) -> None:
        """End it and start it again, on the same port."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and take its folder away."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._held)


def account() -> pwd.struct_passwd | None:
    """Return whom a server runs as: nobody, where we are root, which servers refuse to be; else ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clear_away() -> None:
    """Remove the folders of servers whose test process is no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
