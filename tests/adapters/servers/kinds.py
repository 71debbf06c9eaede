"""PostgreSQL, MariaDB and Firebird as tests run them, and SQLite's files beside them."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL

from tests.adapters.servers.process import ADMIN, Database, Server


class PostgreSQL(Server):
    """PostgreSQL with logical decoding."""

    kind = "postgresql"
    farewell = signal.SIGQUIT  # immediately, with its shared memory; `stop` of a test wants no more either
    main = "postgres"

    @staticmethod
    def binary() -> str:
        """Return where the newest of the machine is, or would be."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: one.parts[4].zfill(4))
        return str(found[-1]) if found else "postgres"

    def prepare(self) -> None:
        """Make a cluster that asks for passwords."""
        said = self.folder / "password"
        said.write_text(self.password, encoding="ascii")
        said.chmod(0o644)
        self.do(str(Path(self.binary()).with_name("initdb")), "-D", str(self.folder / "data"), "-U", ADMIN,
                "--pwfile", str(said), "-A", "md5", "-E", "UTF8", "--locale=C", "--no-sync")  # md5: thousands log in
        said.unlink()

    def command(self) -> Sequence[str]:
        """Return what starts it."""
        given = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "wal_level": "logical", "max_replication_slots": 20, "max_wal_senders": 20, "fsync": "off",
            "timezone": "Asia/Shanghai", "shared_buffers": "32MB", "logging_collector": "off",
            "autovacuum": "off", "full_page_writes": "off", "jit": "off", "dynamic_shared_memory_type": "mmap",
        }
        return [self.binary(), "-D", str(self.folder / "data"), *(f"--{name}={one}" for name, one in given.items())]

    def url_of(self, name: str) -> URL:
        """Return the URL of a database."""
        return URL.create("postgresql+psycopg", ADMIN, host="127.0.0.1", port=self.port, database=name)

    def create(self, name: str, charset: str | None) -> None:
        """Make an empty database; from 15 on by copying files, which is less work than to log them."""
        how = " STRATEGY FILE_COPY" if int(self.binary().split("/")[4]) >= 15 else ""
        self.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{charset or 'UTF8'}'{how}")

    def drop(self, database: Database) -> None:
        """Forget a database, and cut off who is connected."""
        self.run(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")


class MariaDB(Server):
    """MariaDB with a binary log of rows."""

    kind = "mariadb"
    main = "mysql"

    @staticmethod
    def binary() -> str:
        """Return where it is."""
        return "/usr/sbin/mariadbd"

    def prepare(self) -> None:
        """Make its data, and the file that says who admin is."""
        self.do("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", "--skip-test-db",
                "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M")
        said = self.folder / "begin.sql"
        said.write_text(
            f"CREATE USER IF NOT EXISTS {ADMIN}@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {ADMIN}@'%' WITH GRANT OPTION;\n", encoding="ascii")

    def command(self) -> Sequence[str]:
        """Return what starts it."""
        given = {
            "datadir": self.folder / "data", "tmpdir": self.folder, "socket": self.folder / "socket",
            "pid-file": self.folder / "pid", "port": self.port, "bind-address": "127.0.0.1",
            "init-file": self.folder / "begin.sql", "log-bin": "binlog", "binlog-format": "ROW",
            "binlog-row-metadata": "FULL", "server-id": 1, "character-set-server": "utf8mb4",
            "default-time-zone": "+08:00", "innodb-buffer-pool-size": "64M", "innodb-log-file-size": "16M",
            "innodb-flush-log-at-trx-commit": 2, "sync-binlog": 0, "max-allowed-packet": "64M",
        }
        options = (f"--{name}={one}" for name, one in given.items())
        return [self.binary(), "--no-defaults", "--skip-name-resolve", *options]

    def url_of(self, name: str) -> URL:
        """Return the URL of a database."""
        return URL.create("mysql+pymysql", ADMIN, host="127.0.0.1", port=self.port, database=name,
                          query={"charset": "utf8mb4"})

    def create(self, name: str, charset: str | None) -> None:
        """Make an empty database."""
        self.run(f"CREATE DATABASE {name} CHARACTER SET {charset or 'utf8mb4'}")


class Firebird(Server):
    """Firebird; a database is a file that its account owns."""

    kind = "firebird"
    place = "?"
    farewell = signal.SIGKILL  # it takes its time to leave otherwise

    @staticmethod
    def binary() -> str:
        """Return where it is."""
        return "/usr/sbin/firebird"

    @property
    def main(self) -> str:
        """A database with nothing in it."""
        return str(self.folder / "empty.fdb")

    def environment(self) -> dict[str, str]:
        """Return the variables it runs with."""
        where = str(self.folder)
        return {**super().environment(), "FIREBIRD": where, "FIREBIRD_LOCK": where, "FIREBIRD_TMP": where}

    def prepare(self) -> None:
        """Make its settings, its own list of users, and an empty database to copy."""
        for name in ("plugins.conf", "fbtrace.conf"):
            shutil.copy(f"/etc/firebird/3.0/{name}", self.folder)
        (self.folder / "intl").mkdir()
        for charsets in Path("/usr/lib").glob("*/firebird/3.0/intl"):
            shutil.copy(charsets / "libfbintl.so", self.folder / "intl")  # a link is not taken for it
        users = self.folder / "users.fdb"
        (self.folder / "databases.conf").write_text("", encoding="ascii")
        (self.folder / "firebird.conf").write_text(
            f"SecurityDatabase = {users}\nRemoteServicePort = {self.port}\nRemoteBindAddress = 127.0.0.1\n"
            f"IpcName = exnode{self.port}\nServerMode = Super\n", encoding="ascii")
        script = self.folder / "begin.sql"
        script.write_text(
            f"CREATE DATABASE '{users}';\nCOMMIT;\nCREATE USER SYSDBA PASSWORD '{self.password}' USING PLUGIN Srp;\n"
            f"COMMIT;\nCREATE DATABASE '{self.main}' DEFAULT CHARACTER SET UTF8;\nCOMMIT;\n", encoding="ascii")
        self.do("isql-fb", "-b", "-user", "SYSDBA", "-i", str(script))
        script.unlink()

    def command(self) -> Sequence[str]:
        """Return what starts it."""
        return [self.binary(), "-p", str(self.port)]

    def url_of(self, name: str) -> URL:
        """Return the URL of a database."""
        path = name if name.startswith("/") else str(self.folder / f"{name}.fdb")
        return URL.create("firebird+firebird", "SYSDBA", host="127.0.0.1", port=self.port, database=path,
                          query={"charset": "UTF8"})

    def create(self, name: str, charset: str | None) -> None:
        """Make an empty database: a copy of the one there is, or, for another charset, anew."""
        path = self.folder / f"{name}.fdb"
        if charset is None:
            shutil.copyfile(self.main, path)
            if self.user is not None:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
            return
        from firebird.driver import create_database

        create_database(f"127.0.0.1/{self.port}:{path}", user="SYSDBA", password=self.password, charset=charset).close()

    def drop(self, database: Database) -> None:
        """Forget a database; who is connected keeps it until the server ends."""
        (self.folder / f"{database.name}.fdb").unlink(missing_ok=True)


class SQLite(Server):
    """Files; there is no server to be started or stopped."""

    kind = "sqlite"
    place = "?"
    main = "main"

    def prepare(self) -> None:
        """Need nothing."""
        self.password = ""

    def command(self) -> Sequence[str]:
        """Return nothing: a file is no process."""
        raise NotImplementedError("a file is no process")

    def url_of(self, name: str) -> URL:
        """Return the URL of a file."""
        return URL.create("sqlite", database=str(self.folder / f"{name}.db"))

    def create(self, name: str, charset: str | None) -> None:
        """Make a file that is an empty database."""
        connection = sqlite3.connect(self.folder / f"{name}.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("VACUUM")
        connection.close()

    def start(self) -> None:
        """Do nothing."""

    def drop(self, database: Database) -> None:
        """Take the file away."""
        (self.folder / f"{database.name}.db").unlink(missing_ok=True)
