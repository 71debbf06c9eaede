"""What an error of a database that is read means: a person must mend something, or it mends itself.

Rule 1: of an error its code is told, and never its text, which may quote a row or an address.
Rule 2: what is not known to need a person is asked again: a wrong guess costs an answer later, not rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.contract import Misconfigured, Unavailable

_STATES = ("28", "42", "3D", "3F", "0A", "26", "07", "IM")
"""Classes of SQLSTATE: who may, what there is, which database, which schema, what it can do at all."""

_MYSQL = frozenset({
    1044, 1045, 1046, 1049, 1051, 1054, 1064, 1115, 1142, 1143, 1146, 1227, 1250, 1251, 1273, 1305, 1356, 1370, 1449,
    1698, 1820, 1862, 4151,
})
_ORACLE = frozenset({900, 904, 911, 933, 936, 942, 1005, 1017, 1031, 1045, 1882, 12154, 12505, 28000, 28001, 28009})
_MSSQL = frozenset({102, 156, 207, 208, 229, 230, 262, 300, 911, 916, 4060, 18452, 18456, 18470, 18486, 18487, 18488})
_DM = frozenset({-2007, -2106, -2111, -2207, -2501, -2503, -2504, -2506, -5502, -5504, -5506, -5515, -5517})
_NUMBERS: Mapping[str, frozenset[int]] = {"mysql": _MYSQL, "oracle": _ORACLE, "mssql": _MSSQL, "dm": _DM}

_SQLITE = ("SQLITE_ERROR", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_CANTOPEN")

_FIREBIRD_FILE = {335544344, 335544734}
"""Both together: the file of the database cannot be opened."""

_CONNECTING = re.compile(
    r"password|authenti|pg_hba|no encryption|does not exist|ssl|certificate|认证|口令|密码|不存在|拒绝", re.IGNORECASE)
"""libpq gives no code of why a connection was not had; its text is looked at, and not told."""

_WAITING = re.compile(r"timeout|timed out|refused|starting up|shutting down|too many|closed|超时|启动|关闭|太多", re.IGNORECASE)

_CODE = re.compile(r"-?[0-9A-Za-z]{1,6}")


def meant(error: Any, name: str) -> Misconfigured | Unavailable:
    """Return in our words what a driver's error means; `name` is that of the database in `adapters.sql.dialects`."""
    code = code_of(error)
    if is_lasting(error, code, name):
        return Misconfigured(f"数据库拒绝了请求（{code}）", f"the database refused ({code})")
    return Unavailable(f"数据库暂时不可用（{code}）", f"the database is not available ({code})")


def is_lasting(error: Any, code: str, name: str) -> bool:
    """Whether a person must mend something."""
    if name == "sqlite":
        return code.startswith(_SQLITE)
    if _FIREBIRD_FILE.issubset(getattr(error, "gds_codes", None) or ()):
        return True
    if name in _NUMBERS and code.lstrip("-").isdecimal():
        return int(code) in _NUMBERS[name]
    if re.fullmatch("[0-9A-Z]{5}", code):
        return code.startswith(_STATES)
    said = str(error)
    if name == "postgresql" and type(error).__name__ == "OperationalError":
        return bool(_CONNECTING.search(said)) and not _WAITING.search(said)
    return type(error).__name__ in ("ProgrammingError", "NotSupportedError")


def is_of_a_cell(error: Any) -> bool:
    """Whether a read failed for what stands in one row, so that the rows beside it can be had."""
    if isinstance(error, UnicodeError | ValueError | OverflowError):
        return True
    state = str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
    return state.startswith("22") or type(error).__name__ == "DataError" and not state


def code_of(error: Any) -> str:
    """Return the code of a driver's error: SQLSTATE, a number, SQLite's name, or the name of its class."""
    named = getattr(error, "sqlite_errorname", None)
    if isinstance(named, str):
        return named[:40]
    first = error.args[0] if getattr(error, "args", ()) else None
    full = getattr(first, "full_code", None)  # Oracle: ORA-01017
    own = first if isinstance(first, int) else None  # PyMySQL has both, and its numbers say more than its SQLSTATE
    given = (own, getattr(error, "sqlstate", None), getattr(error, "pgcode", None), _number(full),
             getattr(first, "code", None), first)
    for found in given:
        if isinstance(found, int | str) and not isinstance(found, bool) and _CODE.fullmatch(str(found)):
            return str(found)
    return type(error).__name__[:60]


def _number(full: Any) -> int | None:
    tail = str(full or "").rpartition("-")[2]
    return int(tail) if tail.isdecimal() else None
