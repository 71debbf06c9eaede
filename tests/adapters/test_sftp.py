"""The life of files on an SFTP server that really runs: rights, keys, kills, and the server going down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Bookmark, Misconfigured, Mode, Order, Unavailable
from adapters.files.folder import Folder
from adapters.files.remote import RemoteFolder
from adapters.sftp import Sftp
from tests.adapters.file_world import Died, Mortal, Reads, World, csv_of, ids, mortal
from tests.adapters.test_file_formats import book, table
from tests.adapters.test_file_write import batch, incoming

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """An SFTP server over a folder."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self._words = folder / "served", words
        self.keys = folder / "keys"
        self.folder.mkdir(parents=True)
        self.keys.mkdir()
        for name in ("host", "user", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.keys / name)], check=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "geheim", "-f", str(self.keys / "locked")],
                       check=True)
        (self.keys / "password").write_text("wort")
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start it, at the port it had."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.adapters.conch", str(self.folder), str(self.port), str(self.keys),
             *self._words],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """Kill it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that are right."""
        return {"host": "127.0.0.1", "port": self.port, "user": "exchange", "password": "wort", "seconds": 20,
                "host_key": " ".join((self.keys / "host.pub").read_text().split()[:2])}


@pytest.fixture(scope="session", params=["", "bare"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server, one that knows OpenSSH's extensions and one that knows none."""
    made = Server(tmp_path_factory.mktemp("sftp"), *([request.param] if request.param else []))
    yield made
    made.stop()


@pytest.fixture
def world(server: Server, request: pytest.FixtureRequest) -> World:
    """Give an empty folder on the server."""
    return World(server.folder / f"{len(os.listdir(server.folder))}")


@pytest.fixture
def adapter(server: Server, world: World) -> Iterator[Sftp]:
    """Give an adapter of that folder."""
    made = Sftp({**server.settings, "root": world.root.name})
    yield made
    made.close()


def reads(adapter: Sftp, world: World, **what: Any) -> Reads:
    """Return a node that reads it."""
    made = world.reads(**what)
    made.adapter = adapter
    return made


def test_files_are_read_and_moved(adapter: Sftp, world: World) -> None:
    node = reads(adapter, world)
    world.drop("b.csv", csv_of(10))
    world.drop("a.csv", csv_of(0, 5000))
    world.drop("bad.csv", "")
    assert ids(node.read()) == [*range(5000), 10, 11, 12]
    assert node.read() == [] and world.names("done") == ["a.csv", "b.csv"] and os.listdir(world.inbox) == []
    assert world.names("bad") == ["bad.csv", "bad.csv.report.json"]
    assert ids(node.read(mode=Mode.WHOLE)) == [*range(5000), 10, 11, 12]


def test_a_sign_is_waited_for_and_a_file_goes_on_in_its_middle(adapter: Sftp, world: World) -> None:
    node = reads(adapter, world, done="{name}.ok")
    world.drop("a.csv", csv_of(0, 5000))
    assert node.read() == []
    world.drop("a.csv.ok", b"")
    assert ids(node.read(limit=1)) == list(range(1000)) and ids(node.read()) == list(range(1000, 5000))
    node.read()
    assert os.listdir(world.inbox) == []


def test_without_an_archive_files_are_remembered(adapter: Sftp, world: World) -> None:
    node = reads(adapter, world, archive=None, error=None)
    world.drop("a.csv", csv_of(0))
    assert len(node.read()) == 3 and node.read() == []
    world.drop("a.csv", csv_of(0, 4))
    assert len(node.read()) == 4 and node.read() == []


def test_links_pipes_and_odd_names(adapter: Sftp, world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(csv_of(1))
    os.symlink(tmp_path / "secret.csv", world.inbox / "link.csv")
    os.mkfifo(world.inbox / "pipe.csv")
    for number, name in enumerate(("名单.csv".encode("gb18030"), b"a\nb.csv", "名单.csv".encode())):
        with open(os.path.join(os.fsencode(world.inbox), name), "wb") as file:
            file.write(csv_of(number, 1).encode())
    node = reads(adapter, world, file_column="文件名")
    rows = node.read()
    assert sorted(ids(rows)) == [0, 1, 2] and [row["文件名"] for row in rows].count("名单.csv") == 2
    node.read()
    assert sorted(os.listdir(world.inbox)) == ["link.csv", "pipe.csv"] and len(world.names("done")) == 3


def test_books_and_tables_are_copied_to_be_read(adapter: Sftp, world: World, tmp_path: Path) -> None:
    with book(tmp_path / "a.xlsx") as sheet:
        sheet.append(["a"])
        sheet.append([7])
    world.drop("a.xlsx", (tmp_path / "a.xlsx").read_bytes())
    assert reads(adapter, world, format="excel", pattern="*.xlsx").read() == [{"a": 7}]
    table(tmp_path, "vfp")
    for name in ("vfp.dbf", "vfp.fpt"):
        world.drop(name, (tmp_path / name).read_bytes())
    node = reads(adapter, world, format="dbf", pattern="*.dbf")
    assert [row["BZ"] for row in node.read()][:1] == ["备注" * 400]
    node.read()
    assert world.names("done") == ["vfp.dbf", "vfp.fpt"]


def test_what_is_there_is_described(adapter: Sftp, world: World) -> None:
    world.drop("RK1.csv", csv_of(1))
    assert [one.name for one in adapter.discover()] == ["in/RK*.csv"]
    found = [*adapter.check(), *adapter.survey(world.reads().what), *adapter.survey({"format": "csv"}, True)]
    assert {one.level for one in found} <= {"good", "warning"} and any("ID" in one.zh for one in found)
    assert not (world.root / "done").exists()


@pytest.mark.parametrize(("wrong", "says"), [
    ({"password": "falsch"}, "拒绝登录"), ({"user": "nobody"}, "拒绝登录"), ({"password": None}, "password"),
    ({"host_key": "other"}, "主机密钥"), ({"host_key": "ssh-rsa AAAAB3NzaC1yc2E="}, "没有所登记类型"),
    ({"host_key": "SHA256:" + "A" * 43}, "主机密钥"), ({"host_key": "SHA256:!!"}, "无法识别"), ({"host_key": "x" * 9}, "无法识别"),
    ({"host_key": None}, "host_key"), ({"host_key": None, "known_hosts": "/nowhere"}, "不可读"),
    ({"host_key": None, "known_hosts": "other"}, "没有此服务器"),
    ({"password": None, "key": "other"}, "拒绝登录"), ({"password": None, "key": "-----BEGIN nonsense"}, "私钥"),
    ({"password": None, "key": "locked", "passphrase": "falsch"}, "私钥"), ({"root": "nowhere"}, "没有此文件夹"),
])
def test_what_a_person_must_mend_is_told(server: Server, tmp_path: Path, wrong: dict[str, Any], says: str) -> None:
    given = {**server.settings, **wrong}
    if given.get("host_key") == "other":
        given["host_key"] = (server.keys / "other.pub").read_text()
    if given.get("known_hosts") == "other":
        (tmp_path / "hosts").write_text(f"[10.1.1.1]:22 {(server.keys / 'host.pub').read_text()}")
        given["known_hosts"] = str(tmp_path / "hosts")
    if given.get("key") in ("other", "locked"):
        given["key"] = (server.keys / given["key"]).read_text()
    made = Sftp({name: value for name, value in given.items() if value is not None})
    with pytest.raises(Misconfigured) as met:
        list(made.check())
    made.close()
    assert says in met.value.zh and "wort" not in met.value.zh and "falsch" not in met.value.zh


def test_the_server_is_known_by_digest_by_line_and_by_known_hosts_and_the_user_by_key(
    server: Server, tmp_path: Path
) -> None:
    digest = subprocess.run(["ssh-keygen", "-lf", str(server.keys / "host.pub")], capture_output=True, text=True,
                            check=True).stdout.split()[1]
    kind, key = (server.keys / "host.pub").read_text().split()[:2]
    (tmp_path / "hosts").write_text(f"[127.0.0.1]:{server.port} {kind} {key}\n")
    plain = {name: value for name, value in server.settings.items() if name not in ("host_key", "password")}
    for pin in ({"host_key": digest}, {"host_key": f"{kind} {key} comment"}, {"known_hosts": str(tmp_path / "hosts")}):
        made = Sftp({**plain, **pin, "key": (server.keys / "user").read_text()})
        assert [one.level for one in made.check()] == ["good"]
        made.close()


def test_a_server_that_is_not_there_or_says_nothing_is_unavailable(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port, seconds in ((1, 20), (silent.getsockname()[1], 1)):
            made = Sftp({**server.settings, "port": port, "seconds": seconds})
            with pytest.raises(Unavailable):
                list(made.check())
            made.close()


def test_the_server_goes_down_in_the_middle_of_a_file_and_comes_back(tmp_path: Path) -> None:
    own = Server(tmp_path)
    world = World(own.folder / "w")
    world.drop("a.csv", "ID,XM\n" + "".join(f"{n},{'x' * 500}\n" for n in range(10_000)))
    made = Sftp({**own.settings, "root": "w"})
    node = reads(made, world)
    kept: list[int] = []
    mark = None
    with pytest.raises(Unavailable):
        for one in made.read(Order(node.what)):
            if isinstance(one, Bookmark):
                mark = one.at
                if len(kept) == 2000:
                    own.stop()
            elif not mark or len(kept) < 2000:
                kept.append(int(one["ID"]))  # type: ignore[index, arg-type, call-overload]
    with pytest.raises(Unavailable):
        list(made.check())
    own.start()
    node.bookmarks[Mode.NEW] = mark
    rows = ids(node.read())
    assert rows[-1] == 9999 and rows[0] >= 1000 and set(kept[:rows[0]]) | set(rows) == set(range(10_000))
    node.read()
    assert world.names("done") == ["a.csv"]
    made.close()
    own.stop()


MortalRemote = mortal(RemoteFolder)


class MortalSftp(Sftp):
    """An adapter that dies."""

    def open(self) -> Folder:
        return MortalRemote(self.given)


def test_killed_at_every_step_nothing_is_lost_and_each_file_is_moved_once(server: Server, world: World) -> None:
    step = 0
    through = False
    while not through:
        here = World(world.root / f"{step}")
        given = {**server.settings, "root": f"{world.root.name}/{step}"}
        for name in ("a.csv", "bad.csv"):
            here.drop(name, csv_of(0) if name == "a.csv" else "")
            here.drop(f"{name}.ok", b"")
        node = here.reads(done="{name}.ok")
        node.adapter = MortalSftp(given)
        Mortal.left, through = step, True
        try:
            for _ in range(3):
                node.read()
        except Died:
            through = False
        Mortal.left = -1
        node.adapter.close()
        node.adapter = Sftp(given)
        for _ in range(3):
            node.read()
        node.adapter.close()
        assert set(ids(node.rows)) == {0, 1, 2} and os.listdir(here.inbox) == [], step
        assert here.names("done") == ["a.csv"] and here.names("bad")[0] == "bad.csv", step
        step += 2
    assert step > 30


def test_a_batch_is_written_once_though_it_is_broken_off_anywhere(server: Server, world: World) -> None:
    step = 0
    through = False
    while not through:
        given = {**server.settings, "root": f"{world.root.name}"}
        made = MortalSftp(given)
        Mortal.left, through = step, True
        asked = batch([incoming(1)], folder=f"out{step}", format="csv", done=".ok")
        try:
            list(made.apply(asked))
        except Died:
            through = False
        Mortal.left = -1
        made.close()
        other = Sftp(given)
        out = world.root / f"out{step}"
        came = list(other.apply(asked))
        names = sorted(one for one in os.listdir(out) if not one.startswith("."))
        assert len(came) == 1 and len(names) == 2 and names[1] == names[0] + ".ok", step
        for name in names:
            (out / name).unlink()
        list(other.apply(asked))
        assert [one for one in os.listdir(out) if not one.startswith(".")] == [], step
        assert [one for one in os.listdir(out) if one.endswith(".tmp")] == [], step
        other.close()
        step += 1
    assert step > 8


def test_a_rename_that_the_server_refuses_is_told(adapter: Sftp, world: World) -> None:
    world.drop("a.csv", csv_of(0))
    folder = adapter.folder
    with pytest.raises(Misconfigured):
        folder.rename("in/a.csv", "nowhere/a.csv")
    assert (world.inbox / "a.csv").exists()


def test_nothing_it_logs_holds_a_name(server: Server, world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    world.drop("名单.csv", csv_of(0))
    made = Sftp({**server.settings, "root": world.root.name})
    list(made.discover())
    made.close()
    assert "名单" not in caplog.text and "wort" not in caplog.text
