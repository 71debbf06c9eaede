"""The rules a specification may name, and nothing else may be named.

A kind says which parameters it takes, what it says to a person, and the Python expression that is true when the rule
is broken.  Expressions are made of `f_<Field>` variables (the field's text, or None), functions of `checks`, sets of
codes and constants; the names of fields have been checked by the profile, so no text of a file becomes code.

A rule speaks only of fields that are there; whether a field must be there is a facet, or `required-when`.
Every kind takes `when="Field" in="a b"` or `when="Field" begins="a b"`: the rule holds only then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from node.model.sentence import Sentence

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rule; `{label}` in its sentence is the field's, `{other}` the other field's."""

    says: Sentence
    broken: Callable[[Params], str]
    takes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    absent: bool = False  # it has something to say when the field is not there
    others: bool = True  # it needs the field named by `of` to be there
    fits: tuple[str, ...] = ()  # named types it may be put on; any if empty


def value(params: Params) -> str:
    """Return the expression of the part of the field that the rule looks at."""
    return "f_" + params["field"] + part(params)


def part(params: Params) -> str:
    """Return the slice of `from` to `to`, both counted from 1 and included."""
    if "from" not in params:
        return ""
    return f"[{int(params['from']) - 1}:{int(params['to'])}]"


def other(params: Params) -> str:
    """Return the variable of the field named by `of`."""
    return "f_" + params["of"]


def _table(params: Params) -> str:
    return f"{value(params)} not in {codes_name(params)}"


def _region(params: Params) -> str:
    return f"{value(params)}[:6] not in {codes_name(params)}"


def _future(params: Params) -> str:
    return f"{_day(params)} > " + ("tomorrow" if params.get("grace") == "1" else "today")


def _day(params: Params) -> str:
    # A part of a code is YYYYMMDD already.  Written out: a call of `checks.day` costs as much again.
    return value(params) if "from" in params else f"{value(params)}[:10].replace('-', '')[:8]"


def _calendar(params: Params) -> str:
    # Nearly every date is found in the set; the 29th of February, years before 1 and other shapes are worked out.
    text = value(params)
    return f"({text}[4:10] not in year_days or {text} < '0001') and no_day({text})"


def codes_name(params: Params) -> str:
    """Return the name under which the function finds the set of codes that a rule asks for."""
    return "codes_" + re.sub("[^a-z0-9]", "_", f"{params['table']}_{params.get('set', 'current')}")


def _call(name: str) -> Callable[[Params], str]:
    return lambda params: f"{name}({value(params)})"


def _kind(
    zh: str, en: str, broken: Callable[[Params], str], takes: frozenset[str] = frozenset(),
    needs: frozenset[str] = frozenset(), absent: bool = False, others: bool = True, fits: tuple[str, ...] = (),
) -> Kind:
    return Kind(Sentence(zh, en), broken, takes, needs, absent, others, fits)


_PART = frozenset({"from", "to"})
_SET = frozenset({"set"}) | _PART
_TABLE, _OF = frozenset({"table"}), frozenset({"of"})
_DATES = ("Date8", "Date", "Moment", "CitizenNumber")

KINDS: dict[str, Kind] = {
    "calendar": _kind(
        "{label}不是真实存在的日期，请核对年月日", "{label} is not a date of the calendar; check year, month and day",
        _calendar, takes=_PART, fits=_DATES,
    ),
    "not-future": _kind(
        "{label}晚于当前日期，请核对", "{label} lies in the future; check it",
        _future, takes=_PART | {"grace"}, fits=_DATES,
    ),
    "not-before": _kind(
        "{label}早于{date}，请核对", "{label} is before {date}; check it",
        lambda p: f"{_day(p)} < {p['date']!r}", takes=_PART, needs=frozenset({"date"}), fits=_DATES,
    ),
    "citizen-check": _kind(
        "{label}的校验码不正确（GB 11643），请核对全部18位", "{label} has a wrong check character (GB 11643); check all 18",
        _call("citizen_wrong"), fits=("CitizenNumber",),
    ),
    "citizen-number": _kind(
        "按{other}的取值，{label}应为有效的18位公民身份号码（GB 11643），请核对",
        "With this value of {other}, {label} must be a valid citizen number of 18 characters (GB 11643); check it",
        _call("no_citizen"), needs=frozenset({"when"}),
    ),
    "uscc-check": _kind(
        "{label}的校验码不正确（GB 32100），请核对全部18位", "{label} has a wrong check character (GB 32100); check all 18",
        _call("uscc_wrong"), fits=("UnifiedCode",),
    ),
    "uscc-inner": _kind(
        "{label}第9至17位主体标识码的校验码不正确（GB 11714），请核对",
        "{label}: the organisation code inside, characters 9 to 17, has a wrong check character (GB 11714)",
        _call("uscc_inner_wrong"), fits=("UnifiedCode",),
    ),
    "register-check": _kind(
        "{label}的校验位不正确，请核对全部15位", "{label} has a wrong check digit; check all 15",
        _call("register_wrong"), fits=("RegisterNumber",),
    ),
    "region": _kind(
        "{label}的前6位不在行政区划代码表{table}中，请改用有效代码",
        "{label}: the first six digits are not in region table {table}; use a valid code",
        _region, takes=_SET, needs=_TABLE,
    ),
    "table": _kind(
        "{label}不在代码表{table}中，请改用表中代码", "{label} is not in code table {table}; use one of its codes",
        _table, takes=_SET, needs=_TABLE,
    ),
    "part": _kind(
        "{label}与{other}中的对应位不一致，请核对两项", "{label} is not what {other} says; check both",
        lambda p: f"f_{p['field']} != {other(p)}{part(p)}", takes=_PART, needs=_OF | _PART,
    ),
    "parity": _kind(
        "{label}与{other}第17位的奇偶不符（奇数为男，偶数为女），请核对两项",
        "{label} is not what the 17th digit of {other} says (odd male, even female); check both",
        lambda p: f"f_{p['field']} in '12' and (ord(f_{p['field']}) ^ ord({other(p)}[16])) & 1", needs=_OF,
    ),
    "order": _kind(
        "{label}晚于{other}，请核对两项的先后", "{label} is later than {other}; check their order",
        lambda p: f"f_{p['field']} > {other(p)}", needs=_OF, fits=("Date8", "Date", "Month6"),
    ),
    "excludes": _kind(
        "{label}中含有{other}；来源记录号不得使用个人标识，请使用表的主键",
        "{label} contains {other}; a row id is never a personal identifier, use the table's key",
        lambda p: f"len({other(p)}) > 5 and {other(p)} in f_{p['field']}", needs=_OF,
    ),
    "together": _kind(
        "{label}与{other}须同时填写或同时不填", "{label} and {other} are given together or not at all",
        lambda p: f"whole and (f_{p['field']} is None) != ({other(p)} is None)", needs=_OF, absent=True, others=False,
    ),
    "required-when": _kind(
        "按{other}的取值，{label}必填，请补填", "With this value of {other}, {label} is required; fill it in",
        lambda p: f"whole and f_{p['field']} is None", needs=frozenset({"when"}), absent=True,
    ),
    "only-when": _kind(
        "按{other}的取值，不得填写{label}，请去除", "With this value of {other}, {label} does not apply; leave it out",
        lambda p: f"f_{p['when']} is not None and not ({guard(p)})", needs=frozenset({"when"}),
    ),
}


def guard(params: Params) -> str:
    """Return the expression of the rule's `when`, true if there is none."""
    if "when" not in params:
        return "True"
    field = "f_" + params["when"]
    if "begins" in params:
        return f"{field} is not None and {field}.startswith({tuple(params['begins'].split())!r})"
    return f"{field} in {tuple(params['in'].split())!r}"


def condition(kind: str, params: Params) -> str:
    """Return the whole expression that is true when the rule is broken."""
    rule = KINDS[kind]
    terms = [] if rule.absent else [f"f_{params['field']} is not None"]
    if "of" in params and rule.others:
        terms.append(f"{other(params)} is not None")
    if "when" in params and kind != "only-when":
        terms.append(guard(params))
    return " and ".join([*terms, rule.broken(params)])


def reads(params: Params) -> frozenset[str]:
    """Return the names of the fields the rule looks at."""
    return frozenset(params[name] for name in ("field", "of", "when") if name in params)
