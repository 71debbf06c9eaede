"""What a change of rules means: added, removed, made a warning, another table, other parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from node.validate.rules.compiled import Rule
from node.validate.rules.kinds import KINDS
from node.validate.specification import Specification
from node.validate.told.words import members, named
from node.validate.versions.forms import codes
from node.validate.versions.inclusion import included
from node.validate.versions.verdict import Difference, breaking, compatible, widening

_TABLES = ("table", "set")


def compare_rules(old: Specification, new: Specification) -> Iterator[Difference]:
    """Yield what the rules' changes mean; rules are told apart by field and id."""
    known = frozenset(path for path, _ in members(old.shape.record))
    left = list(named(old))
    fresh: list[Rule] = []
    for rule in named(new):
        same = next((one for one in left if _same(one, rule)), None)
        if same is None:
            fresh.append(rule)
            continue
        left.remove(same)
        yield from _one(same, rule, old, new)
    for rule in fresh:
        changed = next((one for one in left if (one.path, one.id, one.kind) == (rule.path, rule.id, rule.kind)), None)
        if changed is None:
            yield _added(rule, known)
        else:
            left.remove(changed)
            yield from _one(changed, rule, old, new)
    for rule in left:
        zh, en = f"去除规则{rule.id}：{rule.says.zh}", f"rule {rule.id} removed: {rule.says.en}"
        yield (widening if rule.severity == "refuse" else compatible)(rule.path, "rule-removed", zh, en)


def _same(one: Rule, other: Rule) -> bool:
    return (one.path, one.id, one.kind, one.severity, _params(one)) == (
        other.path, other.id, other.kind, other.severity, _params(other))


def _params(rule: Rule) -> Mapping[str, str]:
    return {name: value for name, value in rule.params.items() if name not in _TABLES}


def _added(rule: Rule, known: frozenset[str]) -> Difference:
    if rule.severity == "warn":
        return compatible(
            rule.path, "rule-added", f"新增规则{rule.id}，只产生警告：{rule.says.zh}",
            f"rule {rule.id} added, which only warns: {rule.says.en}",
        )
    if any(path not in known for path in _wanted(rule)):
        return compatible(
            rule.path, "rule-added", f"新增字段带有规则{rule.id}：{rule.says.zh}",
            f"rule {rule.id} comes with a new field: {rule.says.en}",
        )
    return breaking(
        rule.path, "rule-added", f"新增规则{rule.id}，不符者退回：{rule.says.zh}",
        f"rule {rule.id} added, which refuses: {rule.says.en}",
    )


def _wanted(rule: Rule) -> Iterator[str]:
    """Yield the fields without which the rule has nothing to say: a record that lacks one cannot break it."""
    kind, params = KINDS[rule.kind], rule.params
    group = "/".join(name for name, _ in rule.steps[:-1])
    if group:
        yield group
    names = [] if kind.absent else [params["field"]]
    if "of" in params and kind.others:
        names.append(params["of"])
    if "when" in params and params.get("given") != "no":
        names.append(params["when"])
    yield from (f"{group}/{name}" if group else name for name in names)


# --- the same rule, changed -------------------------------------------------------------------------------------


def _one(was: Rule, now: Rule, old: Specification, new: Specification) -> Iterator[Difference]:
    if was.severity != now.severity:
        if now.severity == "warn":
            zh, en = f"规则{now.id}由退回改为警告", f"rule {now.id} refused and now warns"
            yield widening(now.path, "rule-severity", zh, en)
        else:
            zh, en = f"规则{now.id}由警告改为退回", f"rule {now.id} warned and now refuses"
            yield breaking(now.path, "rule-severity", zh, en)
    elif now.severity == "warn":
        if was.params != now.params:
            zh, en = f"只产生警告的规则{now.id}的参数改变", f"parameters changed of rule {now.id}, which only warns"
            yield compatible(now.path, "rule-changed", zh, en)
    else:
        yield from _refusing(was, now, old, new)
    if was.says != now.says and was.params == now.params:
        yield compatible(now.path, "rule-says", f"规则{now.id}的说明改变", f"rule {now.id} says it in other words")


def _refusing(was: Rule, now: Rule, old: Specification, new: Specification) -> Iterator[Difference]:
    first, second = _params(was), _params(now)
    changed = sorted(name for name in {*first, *second} if first.get(name) != second.get(name))
    if changed:
        tell = widening if all(_loosened(now.kind, name, first, second) for name in changed) else breaking
        way = ("放宽", "loosened") if tell is widening else ("改变", "changed")
        names = " ".join(changed)
        yield tell(
            now.path, "rule-changed", f"规则{now.id}的参数{names}{way[0]}：{now.says.zh}",
            f"parameters {names} of rule {now.id} {way[1]}: {now.says.en}",
        )
    if "table" in now.params and "table" in was.params:
        yield from codes(now.path, "table", _codes(was, old), _codes(now, new))
        if was.params["table"] != now.params["table"]:
            zh, en = f"代码表由{was.params['table']}改为{now.params['table']}", (
                f"table {was.params['table']} became {now.params['table']}")
            yield compatible(now.path, "table-version", zh, en)


def _codes(rule: Rule, spec: Specification) -> frozenset[str]:
    return spec.tables[rule.params["table"]].codes(rule.params.get("set", "current"))


_Values = Mapping[str, str]


def _grown(name: str) -> Callable[[_Values, _Values], bool]:
    return lambda was, now: name in was and name in now and set(was[name].split()) <= set(now[name].split())


_LOOSER: dict[tuple[str, str], Callable[[_Values, _Values], bool]] = {
    ("not-future", "grace"): lambda was, now: was.get("grace", "0") <= now.get("grace", "0"),
    ("not-before", "date"): lambda was, now: now["date"] <= was["date"],
    ("within", "days"): lambda was, now: int(was["days"]) <= int(now["days"]),
    ("begins", "values"): _grown("values"),
    ("form", "pattern"): lambda was, now: included(was["pattern"], now["pattern"]),
}
"""Parameters of which it is known when the rule lets more through."""


def _loosened(kind: str, name: str, was: _Values, now: _Values) -> bool:
    test = _LOOSER.get((kind, name))
    return test is not None and test(was, now)
