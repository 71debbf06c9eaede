"""The rules a specification may name, and nothing else may be named.

A kind says which parameters it takes, what it says to a person, and the Python expression that is true when the rule
is broken.  Expressions are made of `f_<Field>` variables (the field's text, or None), functions of `checks`, sets of
codes and constants; the names of fields have been checked by the profile, so no text of a file becomes code.

A rule speaks only of fields that are there; whether a field must be there is a facet, or `required-when`.
Every kind takes `when="Field"` with one of `in="a b"`, `begins="a b"`, `contains="a b"`, `length="15 18"` and
`given="yes"` or `given="no"`: the rule holds only if that field has one of the values, begins with or contains one of
the texts, has one of the lengths, is there, or is not there.
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


def several(params: Params) -> str:
    """Return a tuple of the variables of the fields named by `parts` or `among`."""
    names = params.get("parts") or params["among"]
    return "(" + "".join(f"f_{name}, " for name in names.split()) + ")"


def _count(params: Params) -> str:
    return f"whole and {several(params)}.count(None)"


_PART = frozenset({"from", "to"})
_SET = frozenset({"set"}) | _PART
_TABLE, _OF, _AMONG = frozenset({"table"}), frozenset({"of"}), frozenset({"among"})
_CITIZENS = ("CitizenNumber", "CitizenEither")
_DATES = ("Date8", "Date", "Moment", *_CITIZENS)
_UNIFIED = ("UnifiedCode", "TaskCode")

KINDS: dict[str, Kind] = {
    "calendar": _kind(
        "{label}不是真实存在的日期，请核对年月日", "{label} is not a date of the calendar; check year, month and day",
        _calendar, takes=_PART, fits=_DATES,
    ),
    "not-future": _kind(
        "{label}晚于当前日期，请核对", "{label} lies in the future; check it",
        _future, takes=_PART | {"grace"}, fits=_DATES,
    ),
    "period-begun": _kind(
        "{label}尚未开始，请核对", "{label} has not begun yet; check it",
        lambda p: f"period_start({value(p)}) > today", fits=("Period",),
    ),
    "not-before": _kind(
        "{label}早于{date}，请核对", "{label} is before {date}; check it",
        lambda p: f"{_day(p)} < {p['date']!r}", takes=_PART, needs=frozenset({"date"}), fits=_DATES,
    ),
    "citizen-check": _kind(
        "{label}的校验码不正确（GB 11643），请核对全部18位", "{label} has a wrong check character (GB 11643); check all 18",
        _call("citizen_wrong"), fits=("CitizenNumber",),
    ),
    "citizen-either": _kind(
        "{label}的校验码或出生日期不正确（GB 11643，15位为旧号），请核对",
        "{label} has a wrong check character or date of birth (GB 11643; 15 digits are the old form); check it",
        _call("citizen_either_wrong"), fits=("CitizenEither",),
    ),
    "citizen-number": _kind(
        "按{other}的取值，{label}应为有效的18位公民身份号码（GB 11643），请核对",
        "With this value of {other}, {label} must be a valid citizen number of 18 characters (GB 11643); check it",
        lambda p: f"(no_citizen({value(p)}) or {value(p)}[6:14] > today)", needs=frozenset({"when"}),
    ),
    "uscc-check": _kind(
        "{label}的校验码不正确（GB 32100），请核对全部18位", "{label} has a wrong check character (GB 32100); check all 18",
        _call("uscc_wrong"), takes=_PART, fits=_UNIFIED,
    ),
    "uscc-inner": _kind(
        "{label}第9至17位主体标识码的校验码不正确（GB 11714），请核对",
        "{label}: the organisation code inside, characters 9 to 17, has a wrong check character (GB 11714)",
        _call("uscc_inner_wrong"), takes=_PART, fits=_UNIFIED,
    ),
    "unified-number": _kind(
        "按{other}的取值，{label}应为有效的18位统一社会信用代码（GB 32100），请核对",
        "With this value of {other}, {label} must be a valid unified code of 18 characters (GB 32100); check it",
        _call("no_uscc"), needs=frozenset({"when"}),
    ),
    "register-check": _kind(
        "{label}的校验位不正确，请核对全部15位", "{label} has a wrong check digit; check all 15",
        _call("register_wrong"), fits=("RegisterNumber",),
    ),
    "register-number": _kind(
        "{label}为15位数字而校验位不正确，请核对", "{label} has 15 digits and a wrong check digit; check it",
        _call("register_number_wrong"),
    ),
    "organisation-check": _kind(
        "{label}的校验码不正确（GB 11714），请核对全部9位", "{label} has a wrong check character (GB 11714); check all 9",
        _call("organisation_wrong"), fits=("OrganisationCode",),
    ),
    "licence-check": _kind(
        "{label}的校验位不正确（GB/T 36904），请核对全部字符",
        "{label} has a wrong check character (GB/T 36904); check all of it",
        _call("licence_wrong"), fits=("LicenceId",),
    ),
    "licence-type": _kind(
        "{label}中证照类型代码的前18位不是有效的统一社会信用代码（GB/T 36903），请核对",
        "{label}: the licence type does not begin with a valid unified code (GB/T 36903); check it",
        _call("licence_type_wrong"), fits=("LicenceId",),
    ),
    "licence-issuer": _kind(
        "{label}中的颁发机构代码不是有效的统一社会信用代码，请核对", "{label}: the issuer is not a valid unified code; check it",
        _call("licence_issuer_wrong"), fits=("LicenceId",),
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
        "{label}与{other}不一致，请核对两项", "{label} differs from {other}; check both",
        lambda p: f"f_{p['field']} != {other(p)}{part(p)}", takes=_PART, needs=_OF | _PART,
    ),
    "parity": _kind(
        "{label}与{other}第17位的奇偶不符（奇数为男，偶数为女），请核对两项",
        "{label} is not what the 17th digit of {other} says (odd male, even female); check both",
        lambda p: f"f_{p['field']} in '12' and (ord(f_{p['field']}) ^ ord({other(p)}[16:17] or {other(p)}[14])) & 1",
        needs=_OF,
    ),
    "birth-of": _kind(
        "{label}与{other}中的出生日期不一致，请核对两项", "{label} is not the date of birth that {other} says; check both",
        lambda p: f"f_{p['field']}.replace('-', '') != born({other(p)})", needs=_OF, fits=("Date8", "Date"),
    ),
    "equals": _kind(
        "{label}应与{other}相同，请核对两项", "{label} must be the same as {other}; check both",
        lambda p: f"{value(p)} != {other(p)}", takes=_PART, needs=_OF,
    ),
    "sum": _kind(
        "{label}不等于{others}之和，请核对各项", "{label} is not the sum of {others}; check them",
        lambda p: f"sum_wrong(f_{p['field']}, {several(p)})", needs=frozenset({"parts"}),
    ),
    "form": _kind(
        "{label}的格式不符，应为：{pattern}", "{label} does not have the form: {pattern}",
        lambda p: f"misformed({p['pattern']!r}, {value(p)})", takes=_PART, needs=frozenset({"pattern"}),
    ),
    "begins": _kind(
        "{label}应以下列之一开头：{values}", "{label} must begin with one of: {values}",
        lambda p: f"not {value(p)}.startswith({tuple(p['values'].split())!r})",
        takes=_PART, needs=frozenset({"values"}),
    ),
    "order": _kind(
        "{label}晚于{other}，请核对两项的先后", "{label} is later than {other}; check their order",
        lambda p: f"f_{p['field']} > {other(p)}", needs=_OF, fits=("Date8", "Date", "Month6"),
    ),
    "time-order": _kind(
        "{label}晚于{other}，请核对两项的先后", "{label} is later than {other}; check their order",
        lambda p: f"later(f_{p['field']}, {other(p)})", needs=_OF, fits=("Moment", "Date8", "Date"),
    ),
    "same-time": _kind(
        "{label}应与{other}为同一时间，请核对两项", "{label} must be the same time as {other}; check both",
        lambda p: f"not_at_once(f_{p['field']}, {other(p)})", needs=_OF, fits=("Moment",),
    ),
    "within": _kind(
        "{label}比{other}晚了{days}天以上，请核对", "{label} is more than {days} days after {other}; check it",
        lambda p: f"days_between({other(p)}, f_{p['field']}) > {int(p['days'])}", needs=_OF | {"days"},
        fits=("Moment", "Date8", "Date"),
    ),
    "excludes": _kind(
        "{label}中含有{other}；来源记录号不得使用个人标识，请使用表的主键",
        "{label} contains {other}; a row id is never a personal identifier, use the table's key",
        # The X of a number may have been written x.
        lambda p: f"len({other(p)}) > 5 and {other(p)}.upper() in f_{p['field']}.upper()", needs=_OF,
    ),
    "together": _kind(
        "{label}与{other}须同时填写或同时不填", "{label} and {other} are given together or not at all",
        lambda p: f"whole and (f_{p['field']} is None) != ({other(p)} is None)", needs=_OF, absent=True, others=False,
    ),
    "exactly-one": _kind(
        "{others}须填写且只填写一项", "Exactly one of {others} must be given",
        lambda p: f"{_count(p)} != {len(p['among'].split()) - 1}", needs=_AMONG, absent=True,
    ),
    "at-least-one": _kind(
        "{others}至少填写一项", "At least one of {others} must be given",
        lambda p: f"{_count(p)} == {len(p['among'].split())}", needs=_AMONG, absent=True,
    ),
    "at-most-one": _kind(
        "{others}至多填写一项", "At most one of {others} may be given",
        lambda p: f"{_count(p)} < {len(p['among'].split()) - 1}", needs=_AMONG, absent=True,
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
    if "given" in params:
        return f"{field} is {'not ' if params['given'] == 'yes' else ''}None"
    if "in" in params:
        return f"{field} in {tuple(params['in'].split())!r}"
    if "length" in params:
        test = f"len({field}) in {tuple(map(int, params['length'].split()))!r}"
    elif "begins" in params:
        test = f"{field}.startswith({tuple(params['begins'].split())!r})"
    else:
        test = "(" + " or ".join(f"{text!r} in {field}" for text in params["contains"].split()) + ")"
    return f"{field} is not None and {test}"


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
    named = [name for many in ("parts", "among") for name in params.get(many, "").split()]
    return frozenset([*named, *(params[name] for name in ("field", "of", "when") if name in params)])
