"""The statements that make a journal and its triggers, and those that undo them, as each database writes them.

An operator reviews and runs them; we never do.

Rule 1: the first entry, B, is there before the first trigger: it is the first in the order of reading, for good.
Rule 2: a trigger writes as whoever made it: an application needs no right on the journal.
Rule 3: a trigger touches nothing the application can see: no count of rows, no last number given.
Rule 4: undone, the triggers go first: at no time is there a trigger without its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from adapters import sql
from adapters.journal.shape import Shape, shape_of


def script(what: Mapping[str, Any], engine: Engine, drop: bool = False) -> str:
    """Return the script that makes the journal of one `[[adapter.read]]`, or with `drop` the one that undoes it.

    It is text for the database's own client: sqlite3, psql, mysql, isql-fb, sqlplus, disql, sqlcmd.
    """
    with sql.reading(engine) as connection:
        return written(shape_of(connection, what), drop)


def written(shape: Shape, drop: bool = False) -> str:
    """Return the script for the database's own client."""
    head, tail, end = _CLIENT.get(shape.family, ("", "", ";"))
    about = f"变更日志 / journal: {shape.placed(shape.table)} -> {shape.placed(shape.name('table'))}"
    said = undone(shape) if drop else made(shape)
    lines = [f"-- {'撤销 / undo ' if drop else ''}{about}", *([head] if head else ())]
    for one in said:
        block = one.endswith(("END", "END;"))
        lines.append(one.rstrip(";") + ";\n/" if block and end == "/" else one + (";" if end == "/" else end))
    return "\n".join([*lines, *([tail] if tail else ())]) + "\n"


_CLIENT: Mapping[str, tuple[str, str, str]] = {
    "sqlite": ("BEGIN;", "COMMIT;", ";"), "postgresql": ("BEGIN;", "COMMIT;", ";"),
    "mysql": ("DELIMITER //", "DELIMITER ;", "\n//"), "firebird": ("SET TERM ^ ;", "COMMIT^\nSET TERM ; ^", "\n^"),
    "oracle": ("", "COMMIT;", "/"), "dm": ("", "COMMIT;", "/"), "mssql": ("", "", "\nGO"),
}
"""What a client is told before and after, and what ends a statement."""


def made(shape: Shape) -> list[str]:
    """Return the statements that make the journal and its triggers, each without its end."""
    return [*_MADE[shape.family](shape), *_granted(shape)]


def undone(shape: Shape) -> list[str]:
    """Return the statements that undo `made`."""
    triggers = [_without(shape, name) for name in shape.triggers]
    rest = [f"DROP TABLE {shape.placed(shape.name('table'))}"]
    if shape.family == "postgresql":
        rest.insert(0, f"DROP FUNCTION {shape.placed(shape.name('function'))}()")
    elif shape.family in ("firebird", "oracle", "dm", "mssql"):
        rest.append(f"DROP SEQUENCE {shape.placed(shape.name('sequence'))}")
    return [*triggers, *rest]


def _without(shape: Shape, trigger: str) -> str:
    if shape.family == "postgresql":
        return f"DROP TRIGGER {shape.quote(trigger)} ON {shape.placed(shape.table)}"
    return f"DROP TRIGGER {shape.placed(trigger)}"


def _granted(shape: Shape) -> list[str]:
    if shape.reader is None:
        return []
    rights = "SELECT, DELETE" if shape.prunes else "SELECT"
    to = "USER " if shape.family == "firebird" else ""
    return [f"GRANT {rights} ON {shape.placed(shape.name('table'))} TO {to}{shape.reader}"]


def _table(shape: Shape, order: str, at: str, op: str = "VARCHAR(40) NOT NULL", end: str = "") -> str:
    keys = (f"{shape.quote(name)} {kind}" for name, kind in shape.key.items())
    columns = ",\n    ".join((order, f"{shape.quote(shape.column('at'))} {at}",
                              f"{shape.quote(shape.column('op'))} {op}", *keys))
    return f"CREATE TABLE {shape.placed(shape.name('table'))} (\n    {columns}){end}"


def _entry(shape: Shape, op: str, values: Sequence[str], number: str = "", select: bool = False) -> str:
    """Return the statement that writes one entry: its number, if the database does not give it, op and key."""
    names = [*([shape.order] if number else ()), shape.column("op"), *shape.key][:bool(number) + 1 + len(values)]
    said = ", ".join([*([number] if number else ()), op, *values])
    into = f"INSERT INTO {shape.placed(shape.name('table'))} ({', '.join(map(shape.quote, names))})"
    return f"{into} SELECT {said}" if select else f"{into} VALUES ({said})"


def _of(shape: Shape, row: str) -> list[str]:
    return [f"{row}.{shape.quote(name)}" for name in shape.key]


def _differ(shape: Shape, form: str) -> str:
    """Return the condition that the key was changed; `form` compares one column `{0}`, its type being `{1}`."""
    return " OR ".join(form.format(shape.quote(name), kind) for name, kind in shape.key.items())


def _sqlite(shape: Shape) -> list[str]:
    changed = _differ(shape, "OLD.{0} IS NOT NEW.{0} COLLATE BINARY")
    begin = f"{shape.quote(shape.column('seq'))} INTEGER PRIMARY KEY AUTOINCREMENT"
    on, old, new = f"ON {shape.quote(shape.table)} BEGIN", _of(shape, "OLD"), _of(shape, "NEW")
    insert, update, delete = map(shape.placed, shape.triggers)
    return [
        _table(shape, begin, "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))", "TEXT NOT NULL"),
        _entry(shape, "'B' || hex(randomblob(16))", []),
        f"CREATE TRIGGER {insert} AFTER INSERT {on}\n    {_entry(shape, _q('I'), new)};\nEND",
        f"CREATE TRIGGER {update} AFTER UPDATE {on}\n"
        f"    {_entry(shape, _q('D'), old, select=True)} WHERE {changed};\n    {_entry(shape, _q('U'), new)};\nEND",
        f"CREATE TRIGGER {delete} AFTER DELETE {on}\n    {_entry(shape, _q('D'), old)};\nEND",
    ]


def _q(letter: str) -> str:
    return f"'{letter}'"


def _mysql(shape: Shape) -> list[str]:
    changed = _differ(shape, "NOT (CAST(OLD.{0} AS BINARY) <=> CAST(NEW.{0} AS BINARY))")
    begin = f"{shape.quote(shape.column('seq'))} BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"
    on, old, new = f"ON {shape.placed(shape.table)} FOR EACH ROW", _of(shape, "OLD"), _of(shape, "NEW")
    return [
        _table(shape, begin, "TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)", end=f" ENGINE={shape.engine}"),
        _entry(shape, "CONCAT('B', UUID())", []),
        f"CREATE TRIGGER {shape.placed(shape.name('insert'))} AFTER INSERT {on}\n{_entry(shape, _q('I'), new)}",
        f"CREATE TRIGGER {shape.placed(shape.name('update'))} AFTER UPDATE {on} BEGIN\n    IF {changed} THEN\n"
        f"        {_entry(shape, _q('D'), old)};\n    END IF;\n    {_entry(shape, _q('U'), new)};\nEND",
        f"CREATE TRIGGER {shape.placed(shape.name('delete'))} AFTER DELETE {on}\n{_entry(shape, _q('D'), old)}",
    ]


def _postgresql(shape: Shape) -> list[str]:
    now, old, new = "pg_catalog.txid_current()", _of(shape, "OLD"), _of(shape, "NEW")
    changed = _differ(shape, "OLD.{0}::text IS DISTINCT FROM NEW.{0}::text")
    emptied = _entry(shape, _q("T"), [shape.quote(name) for name in shape.key], now, select=True)
    table, function = shape.placed(shape.table), shape.placed(shape.name("function"))
    indexed = ", ".join(map(shape.quote, (shape.column("tx"), *shape.key)))
    return [
        _table(shape, f"{shape.quote(shape.column('tx'))} bigint NOT NULL",
               "timestamp with time zone NOT NULL DEFAULT clock_timestamp()"),
        f"CREATE INDEX {shape.quote(shape.name('index'))} ON {shape.placed(shape.name('table'))} ({indexed})",
        _entry(shape, "'B' || md5(random()::text || clock_timestamp()::text)", [], "0"),
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER\n"
        f"SET search_path = pg_catalog, pg_temp AS $exn$\nBEGIN\n    IF TG_OP = 'TRUNCATE' THEN\n"
        f"        {emptied} FROM {table};\n        RETURN NULL;\n    END IF;\n"
        f"    IF TG_OP = 'DELETE' THEN\n        {_entry(shape, _q('D'), old, now)};\n"
        f"        RETURN NULL;\n    END IF;\n"
        f"    IF TG_OP = 'UPDATE' THEN\n        IF {changed} THEN\n            {_entry(shape, _q('D'), old, now)};\n"
        f"        END IF;\n    END IF;\n    {_entry(shape, 'left(TG_OP, 1)', new, now)};\n    RETURN NULL;\nEND $exn$",
        f"CREATE TRIGGER {shape.quote(shape.name('row'))} AFTER INSERT OR UPDATE OR DELETE ON {table}\n"
        f"FOR EACH ROW EXECUTE PROCEDURE {function}()",
        f"CREATE TRIGGER {shape.quote(shape.name('truncate'))} BEFORE TRUNCATE ON {table}\n"
        f"FOR EACH STATEMENT EXECUTE PROCEDURE {function}()",
        *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {shape.quote(name)}" for name in shape.triggers),
    ]


def _firebird(shape: Shape) -> list[str]:
    number = f"NEXT VALUE FOR {shape.quote(shape.name('sequence'))}"
    changed = _differ(shape, "OLD.{0} IS DISTINCT FROM NEW.{0}")
    trigger, journal = shape.quote(shape.name("row")), shape.quote(shape.name("table"))
    old, new = _entry(shape, _q("D"), _of(shape, "OLD"), number), _entry(shape, ":op", _of(shape, "NEW"), number)
    return [
        f"CREATE SEQUENCE {shape.quote(shape.name('sequence'))}",
        _table(shape, f"{shape.quote(shape.column('seq'))} BIGINT NOT NULL PRIMARY KEY",
               "TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL"),
        _entry(shape, "'B' || UUID_TO_CHAR(GEN_UUID())", [], number),
        f"CREATE TRIGGER {trigger} FOR {shape.quote(shape.table)}\n"
        f"AFTER INSERT OR UPDATE OR DELETE POSITION 32000 AS\n"
        f"DECLARE op CHAR(1);\nBEGIN\n    IF (DELETING) THEN {old};\n    ELSE BEGIN\n        op = 'I';\n"
        f"        IF (UPDATING) THEN BEGIN\n            op = 'U';\n"
        f"            IF ({changed}) THEN {old};\n        END\n"
        f"        {new};\n    END\nEND",
        f"GRANT INSERT ON {journal} TO TRIGGER {trigger}",
        *([f"GRANT USAGE ON SEQUENCE {shape.quote(shape.name('sequence'))} TO TRIGGER {trigger}"]
          if (getattr(shape.dialect, "server_version_info", None) or (3,)) >= (3,) else ()),
    ]


def _oracle(shape: Shape) -> list[str]:
    number = f"{shape.placed(shape.name('sequence'))}.NEXTVAL"
    changed = _differ(shape, ":OLD.{0} <> :NEW.{0}")
    return [
        f"CREATE SEQUENCE {shape.placed(shape.name('sequence'))} NOCACHE ORDER",
        _table(shape, f"{shape.quote(shape.column('seq'))} NUMBER(19) NOT NULL PRIMARY KEY",
               "TIMESTAMP WITH TIME ZONE DEFAULT SYSTIMESTAMP NOT NULL"),
        _entry(shape, "'B' || RAWTOHEX(SYS_GUID())", [], number),
        f"CREATE TRIGGER {shape.placed(shape.name('row'))} AFTER INSERT OR UPDATE OR DELETE"
        f" ON {shape.placed(shape.table)}\nFOR EACH ROW\nBEGIN\n    IF DELETING OR UPDATING AND ({changed}) THEN\n"
        f"        {_entry(shape, _q('D'), _of(shape, ':OLD'), number)};\n    END IF;\n    IF NOT DELETING THEN\n"
        f"        {_entry(shape, _q('U'), _of(shape, ':NEW'), number)};\n    END IF;\nEND;",
    ]


def _mssql(shape: Shape) -> list[str]:
    same = " AND ".join(f"CAST(i.{shape.quote(name)} AS VARBINARY(900)) = CAST(d.{shape.quote(name)} AS VARBINARY(900))"
                        for name in shape.key)
    sequence = shape.placed(shape.name("sequence"))
    begin = f"{shape.quote(shape.column('seq'))} BIGINT NOT NULL PRIMARY KEY DEFAULT (NEXT VALUE FOR {sequence})"
    return [
        f"CREATE SEQUENCE {sequence} AS BIGINT START WITH 1",
        _table(shape, begin, "DATETIMEOFFSET NOT NULL DEFAULT SYSDATETIMEOFFSET()"),
        _entry(shape, "'B' + CAST(NEWID() AS VARCHAR(36))", []),
        f"CREATE TRIGGER {shape.placed(shape.name('row'))} ON {shape.placed(shape.table)}"
        f" AFTER INSERT, UPDATE, DELETE AS\nBEGIN\n    SET NOCOUNT ON;\n"
        f"    {_entry(shape, _q('D'), _of(shape, 'd'), select=True)} FROM deleted d\n"
        f"        WHERE NOT EXISTS (SELECT 1 FROM inserted i WHERE {same});\n"
        f"    {_entry(shape, _q('U'), _of(shape, 'i'), select=True)} FROM inserted i;\nEND",
    ]


_MADE: Mapping[str, Callable[[Shape], list[str]]] = {
    "sqlite": _sqlite, "mysql": _mysql, "postgresql": _postgresql, "firebird": _firebird, "oracle": _oracle,
    "dm": _oracle, "mssql": _mssql,
}
