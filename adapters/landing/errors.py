"""What a database's error means to who writes: one row is refused, a person must mend something, or it mends itself.

Rule 1: only what no row can help is `Unavailable`: no connection, a deadlock, a lock waited for too long, no space, no
        memory, a database that may only be read now.
Rule 2: a right, a table or a column that is not there is `Misconfigured`: it would refuse every row.  Whether a right
        is refused for every row, or for one by a trigger or row security, is found by trying (`is_right`).
Rule 3: everything else that a statement with a row meets is the row's: a constraint, a trigger, a foreign key, a check.
Rule 4: of an error its code is told, never its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from sqlalchemy import exc

from adapters.contract import Misconfigured, Unavailable
from adapters.sql.refusals import is_lasting


class Blame(Enum):
    """Who must act."""

    ROW = "row"
    PERSON = "person"
    TIME = "time"


_P, _T = Blame.PERSON, Blame.TIME

_STATES: Mapping[str, Blame] = {
    "08": _T, "40": _T, "53": _T, "55": _T, "57": _T, "58": _T, "XX": _T, "25": _T, "F0": _T,
    "0A": _P, "28": _P, "3D": _P, "3F": _P, "42": _P,
}
"""By the class of SQLSTATE."""

_MYSQL: Mapping[int, Blame] = {
    **dict.fromkeys((
        1020, 1021, 1028, 1030, 1037, 1038, 1040, 1041, 1053, 1105, 1114, 1135, 1152, 1158, 1159, 1160, 1161, 1180,
        1203, 1205, 1206, 1213, 1226, 1290, 1317, 1637, 1692, 1792, 1836, 1927, 1969, 2002, 2003, 2006, 2013, 2014,
        2055, 3024, 3100, 3101, 3572, 4031,
    ), _T),
    **dict.fromkeys((
        1044, 1045, 1049, 1054, 1064, 1109, 1130, 1136, 1142, 1143, 1146, 1227, 1305, 1370, 1449, 1471, 1665, 1698,
        1820, 1862, 4151,
    ), _P),
}
_ORACLE: Mapping[int, Blame] = {
    **dict.fromkeys((
        18, 19, 20, 28, 54, 60, 257, 1012, 1033, 1034, 1089, 1090, 1092, 1109, 1122, 1536, 1631, 1652, 1653, 1654,
        1688, 3113, 3114, 3135, 4030, 4031, 8177, 12170, 12514, 12518, 12520, 12528, 12541, 12543, 12545, 12571, 16000,
        19809, 19815, 30006, 30036,
    ), _T),
    **dict.fromkeys((904, 942, 980, 1017, 1031, 1045, 1950, 12154, 12505, 28000, 28001), _P),
}
_MSSQL: Mapping[int, Blame] = {
    **dict.fromkeys((
        233, 701, 708, 802, 845, 1101, 1105, 1204, 1205, 1222, 3906, 3908, 3960, 8645, 9002, 10053, 10054, 10060, 10928,
        10929, 17142, 18401, 20002, 20003, 20004, 20006, 20009, 40197, 40501, 40613,
    ), _T),
    **dict.fromkeys((207, 208, 229, 230, 262, 916, 2812, 4060, 4064, 15247, 18452, 18456, 18487, 18488), _P),
}
_NUMBERS = {"mysql": _MYSQL, "oracle": _ORACLE, "mssql": _MSSQL}

_SQLITE: Mapping[str, Blame] = {
    **dict.fromkeys((
        "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_NOMEM", "SQLITE_READONLY",
        "SQLITE_CANTOPEN", "SQLITE_PROTOCOL", "SQLITE_INTERRUPT", "SQLITE_SCHEMA",
    ), _T),
    **dict.fromkeys((
        "SQLITE_ERROR", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_MISUSE",
    ), _P),
}

_FIREBIRD = {
    335544344, 335544361, 335544373, 335544430, 335544528, 335544721, 335544726, 335544727, 335544741, 335544765,
    335544794, 335544856, 335544878,
}
"""Firebird's own numbers of no space, no memory, a database shut down or only read: their SQLSTATE does not say so."""


def blame(why: exc.DBAPIError, dialect: str) -> Blame:
    """Return whom an error of a statement concerns."""
    if why.connection_invalidated:
        return Blame.TIME
    error, code = why.orig, code_of(why)
    found = getattr(error, "sqlite_errorname", None)
    if found is not None:
        return next((one for name, one in _SQLITE.items() if found == name or found.startswith(name + "_")), Blame.ROW)
    if not _FIREBIRD.isdisjoint(getattr(error, "gds_codes", None) or ()):
        return Blame.TIME
    if dialect in _NUMBERS and code.isdecimal():
        return _NUMBERS[dialect].get(int(code), Blame.ROW)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and len(state) == _STATE:
        return _STATES.get(state[:2], Blame.ROW)
    if dialect == "dm" and code.lstrip("-").isdecimal():
        return _dm(int(code))
    if len(code) == _STATE and code.isalnum():
        return _STATES.get(code[:2], Blame.ROW)
    if is_lasting(error, code, "postgresql"):  # it tells no code of a connection that was not made
        return Blame.PERSON
    return _by_class(why)


def is_right(why: exc.DBAPIError, dialect: str) -> bool:
    """Return whether a right was refused: to the account, or for this row alone."""
    return not why.connection_invalidated and code_of(why) in _RIGHTS.get(dialect, ("42501",))


_RIGHTS: Mapping[str, tuple[str, ...]] = {
    "mysql": ("1142", "1143", "1370"), "oracle": ("1031",), "mssql": ("229", "230"), "sqlite": (), "firebird": (),
}
_STATE = 5


def _dm(code: int) -> Blame:
    """Return whom an error of DM concerns: numbers of data and constraints are the row's, the rest is waited for."""
    if code in _DM:
        return Blame.PERSON
    return Blame.ROW if -6199 <= code <= -6100 or -6699 <= code <= -6600 else Blame.TIME


_DM = {-2007, -2106, -2111, -2207, -2501, -2503, -2504, -2506, -5502, -5504, -5506, -5515, -5517}


def _by_class(why: exc.DBAPIError) -> Blame:
    """Return whom an error without a code that we know concerns, by the class that its driver gave it."""
    if isinstance(why, exc.IntegrityError | exc.DataError):
        return Blame.ROW
    return Blame.PERSON if isinstance(why, exc.ProgrammingError | exc.NotSupportedError) else Blame.TIME


def code_of(why: exc.DBAPIError) -> str:
    """Return the code of an error: SQLSTATE, or a number, or the name of its class."""
    error: Any = why.orig
    first = error.args[0] if getattr(error, "args", ()) else None
    gds = getattr(error, "gds_codes", None)
    found = (  # numbers first: PyMySQL has both, and its SQLSTATE says less
        first if isinstance(first, int) else getattr(first, "code", None), gds[0] if gds else None,
        getattr(error, "sqlstate", None), getattr(error, "pgcode", None), getattr(error, "kbcode", None), first,
    )
    name = getattr(error, "sqlite_errorname", None)
    if name is not None:
        return str(name)
    for one in found:
        if isinstance(one, int) or isinstance(one, str) and _CODE(one):  # a text could say anything
            return str(one)
    return type(error).__name__[:_LONGEST]


_CODE = re.compile("-?[A-Z0-9]{1,6}").fullmatch
_LONGEST = 40


def told(why: exc.DBAPIError, dialect: str) -> Misconfigured | Unavailable:
    """Return an error that concerns no single row, in our words."""
    code = code_of(why)
    if blame(why, dialect) is Blame.TIME:
        return Unavailable(f"目标数据库暂时不可用（{code}）", f"the target's database is not available ({code})")
    return Misconfigured(f"目标数据库拒绝了请求（{code}）", f"the target's database refused ({code})")


def reason(why: exc.DBAPIError) -> tuple[str, str]:
    """Return why a database refuses a row: what kind of rule, the name of the constraint where it is told, the code."""
    code = code_of(why)
    zh, en = next(((zh, en) for codes, zh, en in _REASONS if code in codes), ("拒绝了此记录", "refused the record"))
    named = getattr(getattr(why.orig, "diag", None), "constraint_name", None)
    rule = f" {named[:100]}" if isinstance(named, str) else ""
    return f"目标数据库{zh}{rule}（{code}）", f"the target's database {en}{rule} ({code})"


_REASONS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({
        "23505", "1062", "1586", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "335544665", "335544349",
        "1", "2601", "2627"}), "：与另一行重复，违反唯一约束", "has another row like it: a unique constraint"),
    (frozenset({"23503", "1451", "1452", "1216", "1217", "SQLITE_CONSTRAINT_FOREIGNKEY", "335544466", "2291", "2292"}),
     "：违反外键约束", "refused it by a foreign key"),
    (frozenset({"23514", "3819", "4025", "SQLITE_CONSTRAINT_CHECK", "335544558", "2290"}),
     "：违反检查约束", "refused it by a check constraint"),
    (frozenset({"23502", "1048", "1364", "SQLITE_CONSTRAINT_NOTNULL", "335544347", "1400", "515"}),
     "：必填列为空", "refused it, for a column must not be empty"),
    (frozenset({"P0001", "1644", "SQLITE_CONSTRAINT_TRIGGER", "335544517"}), "：触发器拒绝", "refused it by a trigger"),
    (frozenset({"42501", "1142", "1143", "1370", "1031", "229", "230"}), "：对此记录没有权限（触发器或行级安全策略）",
     "refused it, for a right is lacking for this row (by a trigger or row security)"),
    (frozenset({"57014", "1969"}), "：单独写入此记录也超过时限（触发器可能不结束）",
     "cannot finish it in time, even alone (a trigger may not end)"),
    (frozenset({"22001", "1406", "12899", "8152", "2628"}), "：超过列的长度", "refused it, for it is too long"),
    (frozenset({"22003", "1264", "1438", "8115"}), "：超出列的范围", "refused it, for a number is out of range"),
    (frozenset({"22P05", "22021", "1366", "335544565", "22018"}),
     "：字符集不能表示", "refused it, for its charset lacks a character"),
)
