"""Whether a journal's triggers are there and in force, and what no trigger of a database sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, bindparam, exc, inspect, text

from adapters.contract import Finding, Misconfigured, good, warning
from adapters.journal.shape import Shape

_ASKED: Mapping[str, str] = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :place AND name IN :names",
    "postgresql": "SELECT tgname FROM pg_catalog.pg_trigger WHERE tgrelid = CAST(:place AS regclass)"
                  " AND tgenabled <> 'D' AND tgname IN :names",
    "mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_NAME IN :names"
             " AND EVENT_OBJECT_TABLE = :place AND EVENT_OBJECT_SCHEMA = COALESCE(:schema, DATABASE())",
    "firebird": "SELECT TRIM(RDB$TRIGGER_NAME) FROM RDB$TRIGGERS WHERE RDB$RELATION_NAME = :place"
                " AND COALESCE(RDB$TRIGGER_INACTIVE, 0) = 0 AND RDB$TRIGGER_NAME IN :names",
    "oracle": "SELECT TRIGGER_NAME FROM ALL_TRIGGERS WHERE STATUS = 'ENABLED' AND TABLE_NAME = :place"
              " AND TRIGGER_NAME IN :names",
    "dm": "SELECT TRIGGER_NAME FROM ALL_TRIGGERS WHERE STATUS = 'ENABLED' AND TABLE_NAME = :place"
          " AND TRIGGER_NAME IN :names",
    "mssql": "SELECT name FROM sys.triggers WHERE is_disabled = 0 AND parent_id = OBJECT_ID(:place) AND name IN :names",
}

_SHOWN_TO_ALL = ("sqlite", "postgresql", "firebird")
"""Databases that show their triggers to whoever may read; others only to whom they let."""


def lacking(connection: Connection, shape: Shape) -> list[str]:
    """Return the triggers that are not there or not in force, as far as the database shows."""
    place = shape.placed(shape.table) if shape.family in ("postgresql", "mssql") else shape.table
    asked = text(_ASKED[shape.family]).bindparams(bindparam("names", expanding=True))
    given = {"place": place, "names": shape.triggers, **({"schema": shape.schema} if shape.family == "mysql" else {})}
    found = {str(name).strip() for name, in connection.execute(asked, given)}
    connection.rollback()
    return [name for name in shape.triggers if name not in found]


def hold(connection: Connection, shape: Shape) -> None:
    """Raise Misconfigured if a trigger is known not to be in force: what changes meanwhile, nobody would tell."""
    missing = lacking(connection, shape)
    if missing and (shape.family in _SHOWN_TO_ALL or len(missing) < len(shape.triggers)):
        said = "、".join(missing), ", ".join(missing)
        raise Misconfigured(f"触发器{said[0]}不存在或已停用，此后的变更没有记录；请重建日志，再整表重读",
                            f"trigger {said[1]} is gone or disabled, changes since are lost; "
                            "make the journal anew, and read all")


def watched(connection: Connection, shape: Shape) -> Iterator[Finding]:
    """Tell what of the triggers can be seen, and what they do not see."""
    hold(connection, shape)
    if lacking(connection, shape):
        yield warning("看不到触发器是否存在：此账号无权查看", "whether the triggers are there cannot be seen by this account")
    else:
        yield good("触发器在工作", "the triggers are in force")
    yield from _unseen(connection, shape)


def _unseen(connection: Connection, shape: Shape) -> Iterator[Finding]:
    if shape.family != "postgresql":
        yield warning("整表清空（TRUNCATE）不会被看到", "TRUNCATE is not seen") if shape.family != "sqlite" else good(
            "SQLite没有TRUNCATE，DELETE都会被看到", "SQLite has no TRUNCATE; every DELETE is seen")
    about = inspect(connection)
    try:
        cascades = [key for key in about.get_foreign_keys(shape.table, shape.schema)
                    if _cascades(key.get("options", {}))]
        unique = about.get_unique_constraints(shape.table, shape.schema)
    except (NotImplementedError, exc.SQLAlchemyError):  # SQLAlchemy's words for what a dialect cannot describe
        yield warning("无法得知是否有外键级联或其他唯一列", "whether keys cascade, or other columns are unique, cannot be told")
        return
    if cascades and shape.family == "mysql":
        yield warning("外键级联引起的删改不触发触发器，不会被看到", "what a foreign key's CASCADE changes fires no trigger and is not seen")
    if unique and shape.family == "sqlite":
        yield warning("INSERT OR REPLACE因其他唯一列顶掉的行不会被看到，除非应用设PRAGMA recursive_triggers = ON",
                      "a row that INSERT OR REPLACE removes for another unique column is not seen, unless the "
                      "application sets PRAGMA recursive_triggers = ON")


def _cascades(options: Mapping[str, str]) -> bool:
    return any(str(options.get(one, "")).upper() in ("CASCADE", "SET NULL") for one in ("ondelete", "onupdate"))
