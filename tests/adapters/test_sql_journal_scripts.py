"""The scripts: run by each database's own client and undone by it; accounts with few rights; databases not at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from adapters import sql
from adapters.contract import Misconfigured
from adapters.journal import script
from adapters.journal.scripts import made, undone, written
from adapters.journal.shape import LONGEST, Shape, shape_of
from tests.adapters.journalled import Journalled, read_out
from tests.adapters.mirror import quoted
from tests.adapters.servers import Database, Server


def client(database: Database, said: str, folder: Path) -> str:
    """Run a script with the database's own client, until its first error; return what it said."""
    url, password = make_url(database.url), database.password or ""
    commands: dict[str, Sequence[str]] = {
        "sqlite": ("sqlite3", "-bail", str(url.database)),
        "postgresql": ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(url.port),
                       "-U", str(url.username), str(url.database)),
        "mariadb": ("mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(url.port), "-u", str(url.username),
                    f"-p{password}", "--default-character-set=utf8mb4", str(url.database)),
        "firebird": ("isql-fb", "-q", "-b", "-ch", "UTF8", "-u", str(url.username), "-p", password,
                     f"127.0.0.1/{url.port}:{url.database}"),
    }
    command = commands[database.server.kind]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    ended = subprocess.run(
        command, input=said.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, check=False,
        env={"PGPASSWORD": password, "PATH": "/usr/bin:/bin:/usr/sbin", "PGCLIENTENCODING": "UTF8",
             "LC_ALL": "C.UTF-8"})
    assert ended.returncode == 0, ended.stdout.decode("utf-8", "replace")
    return ended.stdout.decode("utf-8", "replace")


@pytest.mark.parametrize("table", ["T_HUKOU", "户籍表", "t 100%\"`'x"])
def test_the_databases_own_client_makes_and_undoes_a_journal(database: Database, table: str, tmp_path: Path) -> None:
    if make_url(database.url).get_backend_name() == "kingbase" and "%" in table:
        pytest.skip("psycopg2 leaves a doubled percent sign as it is in a statement without values")
    world = Journalled(database, installed=False)
    named = world.shape.quote(table)
    if table != "T_HUKOU":
        database.run(f"CREATE TABLE {named} ({quoted(database, 'ID')} INTEGER NOT NULL PRIMARY KEY,"
                     f" {quoted(database, 'XM')} VARCHAR(60))")
    world.table, world.what["table"], world.mirror.what["table"] = named, table, table
    adapter: Any = world.mirror.adapter
    client(database, script(world.what, adapter._engine), tmp_path)
    world.mirror.read()
    world.run(world.insert((1, "a"), (2, "b")), world.update("XM", "c", 1), world.update("ID", 3, 2))
    world.mirror.read()
    assert world.mirror.rows == {(1,): {"ID": 1, "XM": "c"}, (3,): {"ID": 3, "XM": "b"}}
    assert world.mirror.gone == [(2,)]
    client(database, script(world.what, adapter._engine, drop=True), tmp_path)
    world.run(world.insert((4, "d")))
    with pytest.raises(Misconfigured, match="survey"):
        world.mirror.read()
    client(database, script(world.what, adapter._engine), tmp_path)
    world.close()


ACCOUNTS = {
    "postgresql": ("CREATE ROLE {0} LOGIN PASSWORD 'secret12'", '"{0}"'),
    "mariadb": ("CREATE USER {0}@'%' IDENTIFIED BY 'secret12'", "`{0}`@'%'"),
    "firebird": ("CREATE USER {0} PASSWORD 'secret12' USING PLUGIN Srp", "USER {0}"),
}


@pytest.fixture(params=list(ACCOUNTS))
def few(request: pytest.FixtureRequest) -> Iterator[tuple[Journalled, dict[str, Any], dict[str, Any]]]:
    """Give a table, and the settings of one who only reads it and of an application that only changes it."""
    server: Server = request.getfixturevalue(request.param)
    database, host = server.fresh(), "@'%'" if server.kind == "mariadb" else ""
    world, names = Journalled(database, installed=False), ("EXREADER", "EXAPP")
    make, to = ACCOUNTS[server.kind]
    for name, rights in zip(names, ("SELECT", "SELECT, INSERT, UPDATE, DELETE")):
        server.run(make.format(_as(server, name)))
        database.run(f"GRANT {rights} ON {world.table} TO {to.format(_as(server, name))}")
    url = make_url(database.url)
    settings = [{"url": url.set(username=_as(server, name)).render_as_string(), "password": "secret12"}
                for name in names]
    yield world, settings[0], settings[1]
    world.close()
    server.drop(database)
    server.run(*(f"DROP USER {_as(server, name)}{host}" for name in names))


def _as(server: Server, name: str) -> str:
    return name.lower() if server.kind == "postgresql" else name


def test_accounts_need_no_more_than_they_have(few: Any) -> None:
    world, reader, application = few
    mirror = world.reader(**reader)
    adapter: Any = mirror.adapter
    found = [*adapter.survey(world.what)]
    assert found[-1].level == "fault" and "GRANT SELECT ON" in found[-1].zh and "SELECT, DELETE" not in found[-1].zh
    with sql.reading(adapter._engine) as connection:
        world.database.run(*made(shape_of(connection, world.what)))
    mirror.read()
    url = make_url(application["url"]).set(password=application["password"])
    with create_engine(url, poolclass=NullPool).connect() as connection:
        for one in (*world.insert((1, "a"), (2, "b")), *world.update("XM", "c", 1), *world.delete(2)):
            connection.exec_driver_sql(one)
        connection.commit()
    read_out(mirror)
    assert mirror.rows == {(1,): {"ID": 1, "XM": "c"}}
    mirror.what["prune"] = 1
    aged(world)
    world.run(world.update("XM", "d", 1))
    with pytest.raises(Misconfigured) as met:
        mirror.read()
    assert "DELETE" in met.value.zh and mirror.rows[1,]["XM"] == "d", "what is new is kept before that"
    adapter.close()


def aged(world: Journalled) -> None:
    """Have every entry be three days old."""
    shape = world.shape
    old = {"sqlite": "'2019-02-28T00:00:00.000+00:00'"}.get(shape.family, "TIMESTAMP '2019-02-28 00:00:00'")
    world.database.run(f"UPDATE {world.journal} SET {shape.quote(shape.column('at'))} = {old}")


def test_old_entries_that_were_read_are_deleted_and_no_others(database: Database) -> None:
    world = Journalled(database, prune=2)
    world.run(world.insert(*((n, "a") for n in range(12))))
    read_out(world.mirror)
    world.run(world.update("XM", "b", *range(12)))
    read_out(world.mirror)
    before = world.entries()
    assert before == 25, "nothing is old yet"
    aged(world)
    behind = world.reader()
    behind.what.pop("prune")
    behind.bookmark = world.mirror.bookmark
    world.run(world.update("XM", "c", 1, 2), world.delete(3))
    aged(world)
    world.mirror.read()
    left = world.entries()
    assert 4 <= left <= 6, "the first entry, the last that was kept, and what was not kept when the read began"
    behind.read()
    assert sorted(behind.given) == [(1,), (2,)] and behind.gone == [(3,)]
    assert world.mirror.rows == world.now()
    world.run(world.update("XM", "d", 4))
    read_out(world.mirror)
    assert world.mirror.rows == world.now()
    behind.adapter.close()
    world.close()


def test_a_read_that_is_killed_deletes_nothing_the_node_has_not_kept(sqlite: Any) -> None:
    world = Journalled(sqlite.fresh(), prune=1)
    read_out(world.mirror)
    for kill in range(12):
        world.run(world.insert((kill, "a")), world.update("XM", "b", kill))
        aged(world)
        world.mirror.read(kill_after=kill % 4)
    read_out(world.mirror)
    assert world.mirror.rows == world.now()
    world.close()


DIALECTS: dict[str, Any] = {
    "oracle": oracle.dialect, "dm": oracle.dialect, "mssql": mssql.dialect, "mysql": mysql.dialect,
    "postgresql": postgresql.dialect,
}


@pytest.mark.parametrize("family", DIALECTS)
def test_a_script_names_what_it_makes_and_undoes_all_of_it(family: str) -> None:
    key = {"QH": "VARCHAR(12)", "SFZH": "CHAR(18)"}
    shape = Shape(family, DIALECTS[family](), "T_HUKOU", "RK", key, reader="reader")
    statements, back = made(shape), undone(shape)
    kinds = [one.split()[1] for one in statements if one.startswith("CREATE")]
    assert sorted(one.split()[1] for one in back) == sorted(kind for kind in kinds if kind != "INDEX")
    triggers = [at for at, one in enumerate(statements) if one.startswith("CREATE TRIGGER")]
    first = next(at for at, one in enumerate(statements) if one.startswith("INSERT"))
    assert len(triggers) == len(shape.triggers) and first < triggers[0], "the first entry before the first trigger"
    assert back[0].startswith("DROP TRIGGER") and "GRANT SELECT ON" in statements[-1]
    said = written(shape)
    assert all(shape.quote(name) in said for name in shape.triggers) and said.startswith("-- ")
    if family in ("oracle", "dm"):
        assert "NOCACHE ORDER" in said and "\nEND;\n/\n" in said and ':OLD."QH" <> :NEW."QH"' in said
    if family == "mssql":
        assert said.count("\nGO\n") == len(statements) and "SET NOCOUNT ON" in said and "IDENTITY" not in said


@pytest.mark.parametrize("family", LONGEST)
@pytest.mark.parametrize("table", ["T", "T" * 120, "户籍" * 40, "t_" * 50])
def test_no_name_is_too_long_and_none_the_same(family: str, table: str) -> None:
    shape, other = (Shape(family, DIALECTS.get(family, DIALECTS["oracle"])(), name, None, {"ID": "INTEGER"})
                    for name in (table, table + "x"))
    parts = ("table", "row", "insert", "update", "delete", "truncate", "sequence", "function", "index")
    names = [shape.name(part) for part in parts]
    assert all(len(name.encode()) <= LONGEST[family] for name in names) and len(set(names)) == len(parts)
    assert not set(names) & {other.name(part) for part in parts}


def test_a_table_without_a_key_is_told(sqlite: Any) -> None:
    world = Journalled(sqlite.fresh(), installed=False)
    world.database.run("CREATE TABLE T_NK (A INTEGER, B TEXT)")
    adapter: Any = world.mirror.adapter
    for what in ({"table": "T_NK"}, {"table": "T_NK", "key": ["C"]}, {"table": "T_NONE"}):
        with pytest.raises(Misconfigured):
            script(what, adapter._engine)
    assert "CREATE TRIGGER" in script({"table": "T_NK", "key": ["A"]}, adapter._engine)
    world.close()
