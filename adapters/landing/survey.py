"""What a person should know of a target before the first batch; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, exc, select

from adapters.contract import Finding, fault, good, warning
from adapters.landing.described import describe
from adapters.landing.errors import Blame, blame, code_of
from adapters.landing.family import family_of
from adapters.landing.plan import Plan
from adapters.landing.statements import Statements
from adapters.landing.tables import LedgerTables
from adapters.landing.target import Target


def look(connection: Connection, plan: Plan) -> Iterator[Finding]:
    """Yield what was found about a target."""
    table = describe(connection, plan)
    names = [one.name for one in table.columns]
    yield good(f"表{table.name}有{len(names)}列", f"table {table.name} has {len(names)} columns")
    yield from _ledger(connection, plan)
    if plan.columns is None and not plan.fields:
        yield good(
            "未写columns：与规范字段同名的列会被填写，随数据到达确定；以下按全部列检查",
            "there is no columns: columns named as fields are filled, found as records arrive; all are looked at here")
    target = Target(table, plan, plan.fields or names)
    connection.rollback()
    yield from _filled(connection, target)


def _filled(connection: Connection, target: Target) -> Iterator[Finding]:
    plan, table = target.plan, target.table
    said = "、".join(f"{one.column.name}←{one.path or one.word or '标记'}" for one in target.filled)
    yield good(f"填写：{said}", "filled: " + said.replace("标记", "mark").replace("、", ", "))
    paths = {one.path for one in target.filled}
    lost = [one for one in plan.fields if one not in paths]
    if lost:
        yield warning(f"没有列的字段：{'、'.join(lost)}", f"fields without a column: {', '.join(lost)}")
    filled = {*target.names}
    bare = [one.name for one in table.columns if one.name not in filled and not (one.null or one.made or one.fixed)]
    if bare:
        yield warning(
            f"必填而无人填写的列：{'、'.join(bare)}；除非触发器填写，否则新行会被拒绝",
            f"columns that must not be empty and nobody fills: {', '.join(bare)}; unless a trigger does, new rows are "
            "refused")
    yield from _key(connection, target)
    yield from _rights(connection, target)


def _key(connection: Connection, target: Target) -> Iterator[Finding]:
    named = "、".join(target.key_names)
    if target.is_unique:
        yield good(f"以{named}为主键", f"the key is {named}")
    else:
        yield warning(
            f"{named}没有唯一索引：写入慢，别的程序可写入重复行",
            f"there is no unique index on {named}: writing is slow, and others may write a row twice")
    if target.others_unique and family_of(connection.dialect) == "mysql":
        yield warning(
            "另有唯一索引：逐行更新，写入慢", "there is another unique index: rows are updated one by one, which is slow")
    if target.table.view:
        yield warning("目标是视图", "the target is a view")
    if not target.by_origin:
        yield good(
            "各来源节点的同一主键是同一行，以后写者为准", "one key of several origins is one row, which is whose that wrote last")


def _rights(connection: Connection, target: Target) -> Iterator[Finding]:
    """Try each kind of statement on no row."""
    table, dialect = target.table, connection.dialect
    said = Statements(dialect, table.name, table.schema, tuple(target.names), tuple(target.key_names))
    key, columns = said.quote(said.key[0]), said.list(said.columns)
    never = said.place(0)
    tried = {
        "INSERT": f"INSERT INTO {said.name} ({columns}) SELECT {columns} FROM {said.name} WHERE 1 = {never}",
        "UPDATE": f"UPDATE {said.name} SET {key} = {key} WHERE 1 = {never}",
        "DELETE": f"DELETE FROM {said.name} WHERE 1 = {never}",
    }
    if target.plan.mark:
        del tried["DELETE"]
    for right, statement in tried.items():
        try:
            connection.exec_driver_sql(statement, (0,))
        except exc.DBAPIError as why:
            if blame(why, family_of(dialect)) is Blame.TIME:
                raise
            code = code_of(why)
            yield fault(f"不能{right}（{code}）", f"{right} is not possible ({code})")
        finally:
            if not connection.invalidated:
                connection.rollback()


def _ledger(connection: Connection, plan: Plan) -> Iterator[Finding]:
    tables = LedgerTables(plan.ledger, plan.schema)
    missing = tables.missing(connection)
    if not missing:
        found = connection.execute(select(tables.ledger.c.form)).first()
        said = "，已启用" if found else ""
        yield good(f"台账表{plan.ledger}_*齐全{said}", f"the ledger's tables {plan.ledger}_* are there")
        return
    yield warning(
        f"缺少台账表，首次写入时建立；如账号不能建表，请由管理员执行以下{len(missing)}条语句",
        f"the ledger's tables are not there and are made with the first batch; if the account may not, have these "
        f"{len(missing)} statements run")
    for one in missing:
        yield warning(f"{one};", f"{one};")
