"""The page of an interface for those who write against it: one file of HTML, self-contained, of one input the same.

Rule 1: every text is escaped by `markup`; no script, nothing fetched, and a policy in the page that forbids both.
Rule 2: every value on it is made up (`samples`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson
from lxml import etree

from node.model.record import Twin
from node.model.sentence import Sentence
from node.validate.made.samples import to_xml
from node.validate.rules.compiled import Rule
from node.validate.shape import Group, Member
from node.validate.specification import Specification
from node.validate.tables import Table
from node.validate.told import headings as say
from node.validate.told.markup import EMPTY, Content, Html, both, join, tag
from node.validate.told.showing import Examples, Values
from node.validate.told.style import STYLE
from node.validate.told.words import GRADES, MASKS, SEVERITIES, form, members, named, tables_of
from node.validate.versions.differences import differences, worst

CONTROL = ("BatchNo", "SyncTime", "SourceOrgCode", "SourceSystem", "DataVersion", "Remark")
"""What the control block holds beside row id, operation and business time."""

SHORT, LONG = 20, 1000
"""A table of more rows is folded; of a longer one only the codes that stand today are listed."""


def page(spec: Specification, older: Specification | None = None, index: str | None = None) -> str:
    """Return the page; with the changes since `older`, and a way back to `index`, if they are given."""
    examples = Examples(spec)
    rules = [(f"rule-{number}", rule) for number, rule in enumerate(named(spec), 1)]
    fields = list(members(spec.shape.record))
    block = (spec.shape.row, spec.shape.operation, spec.shape.time, *CONTROL)
    control = [one for one in fields if one[0] in block]
    business = [one for one in fields if one[0] not in block]
    parts: list[tuple[str, Sentence, Content]] = [
        ("how", say.HOW, _how(spec)), ("control", say.CONTROL, _fields(control, rules)),
        ("fields", say.FIELDS, _fields(business, rules)), ("rules", say.RULES, _rules(rules, examples)),
    ]
    if spec.tables:
        parts.append(("tables", say.TABLES, join(_table(table) for table in spec.tables.values())))
    if examples.record is not None:
        parts.append(("examples", say.EXAMPLES, _examples(spec, examples.record)))
    if older is not None:
        parts.append(("changes", say.CHANGES.fill(old=older.id), _changes(older, spec)))
    sections = [tag("section", tag("h2", title), inner, id=name) for name, title, inner in parts]
    links = [tag("a", title, href=f"#{name}") for name, title, _ in parts]
    return document(spec.title, join((
        _top(spec, index), tag("main", _facts(spec), tag("nav", *links), *sections, _foot(spec)))))


def index(specs: Sequence[tuple[str, Specification]]) -> str:
    """Return the page that leads to those of several specifications, each with the name of its file."""
    rows = [
        tag("tr", tag("td", tag("a", both(spec.title), href=name), data_label=say.plain(say.TITLE)),
            tag("td", tag("code", str(spec.id)), data_label=say.plain(say.ID)),
            tag("td", tag("code", spec.id.digest[:16]), data_label=say.plain(say.DIGEST)))
        for name, spec in specs
    ]
    table = _tabled((say.TITLE, say.ID, say.DIGEST), rows)
    top = tag("header", tag("div", tag("h1", say.INDEX)), class_="top")
    return document(say.INDEX, join((top, tag("main", tag("section", table)))))


def document(title: Sentence, body: Html) -> str:
    """Return a whole document around a body."""
    head = tag(
        "head", tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("title", f"{title.zh} {title.en}"), tag("style", Html(STYLE)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body), lang='zh-CN').text}\n"


def _top(spec: Specification, back: str | None) -> Html:
    way = tag("p", tag("a", "← ", say.INDEX.zh, href=back)) if back else EMPTY
    note = tag("p", both(spec.shape.note)) if spec.shape.note else EMPTY
    return tag("header", tag("div", tag("h1", spec.title), note, way), class_="top")


def _facts(spec: Specification) -> Html:
    shape = spec.shape
    facts: list[tuple[Sentence, Content]] = [
        (say.ID, tag("code", str(spec.id))), (say.SPACE, tag("code", shape.namespace)),
        (say.RECORD, tag("code", shape.record.name)), (say.ROW, tag("code", shape.row)),
        (say.KEY, join((tag("code", name) for name in shape.key), " + ")), (say.TIME, tag("code", shape.time)),
    ]
    if shape.correlation:
        facts.append((say.CORRELATION, tag("code", shape.correlation)))
    facts.append((say.DIGEST, tag("code", spec.id.digest)))
    listed = [part for name, value in facts for part in (tag("dt", name), tag("dd", value))]
    return tag("section", tag("dl", *listed, class_="facts"))


def _how(spec: Specification) -> Html:
    kept = [name for name in spec.shape.record.members if name in spec.shape.kept]
    given: dict[str, object] = {
        "row": spec.shape.row, "operation": spec.shape.operation, "record": spec.shape.record.name,
        "kept": Sentence("、".join(kept), ", ".join(kept)),
    }
    return tag("ul", *(tag("li", both(line.fill(**given))) for line in say.READING), class_="plain")


# --- fields -----------------------------------------------------------------------------------------------------

_Rules = Sequence[tuple[str, Rule]]


def _tabled(heads: Sequence[Sentence], rows: Sequence[Html]) -> Html:
    head = tag("thead", tag("tr", *(tag("th", one) for one in heads)))
    return tag("div", tag("table", head, tag("tbody", *rows), class_="fold"), class_="scroll")


def _fields(fields: Sequence[tuple[str, Member]], rules: _Rules) -> Html:
    heads = (say.NAME, say.LABEL, say.FORM, say.MUST, say.CARE, say.RULE)
    return _tabled(heads, [_field(path, member, rules) for path, member in fields])


def _field(path: str, member: Member, rules: _Rules) -> Html:
    depth = path.count("/")
    own = [tag("a", rule.id, href=f"#{anchor}") for anchor, rule in rules if rule.path == path]
    note = tag("span", both(member.note), class_="note") if member.note else EMPTY
    cells: list[tuple[Sentence, Content, str | None]] = [
        (say.NAME, tag("code", member.name), f"name deep{depth}" if depth else "name"),
        (say.LABEL, join((both(member.label), note)), None), (say.FORM, _form(member), None),
        (say.MUST, _must(member), None), (say.CARE, _care(member), None), (say.RULE, join(own, " "), "rules"),
    ]
    return tag("tr", *(
        tag("td", value, class_=kind, data_label=say.plain(name)) if value != EMPTY else tag("td")
        for name, value, kind in cells
    ), id=f"field-{path}")


def _form(member: Member) -> Html:
    links = [tag("a", f"→ {table}", href=f"#table-{table}") for table in tables_of(member)]
    return join((both(form(member)), *links))


def _must(member: Member) -> Html:
    told = tag("span", say.REQUIRED, class_="badge must") if member.least else tag("span", say.OPTIONAL, class_="badge")
    if member.most == 1:
        return told
    return join((told, tag("span", say.TIMES.fill(most=member.most), class_="badge")), " ")


def _care(member: Member) -> Html:
    if isinstance(member, Group):
        return EMPTY
    parts = [tag("span", GRADES[member.grade], class_=f"badge grade{member.grade}")]
    if member.mask:
        parts.append(tag("span", both(MASKS[member.mask]), class_="note"))
    return join(parts, " ")


# --- rules ------------------------------------------------------------------------------------------------------


def _rules(rules: _Rules, examples: Examples) -> Html:
    return join(_rule(anchor, rule, examples) for anchor, rule in rules)


def _rule(anchor: str, rule: Rule, examples: Examples) -> Html:
    head = tag(
        "div", tag("h3", tag("code", rule.id)), tag("a", tag("code", rule.path), href=f"#field-{rule.path}"),
        tag("span", SEVERITIES[rule.severity], class_=f"badge {rule.severity}"), class_="head",
    )
    shown = examples.of(rule)
    pair = EMPTY
    if shown is not None:
        sides = [tag("div", tag("b", say.GOOD), *_values(shown.good, shown.good))]
        if shown.bad is not None:
            sides.append(tag("div", tag("b", say.BAD[rule.severity]), *_values(shown.bad, shown.good), class_="no"))
        pair = tag("div", *sides, class_="pair")
    return tag("div", head, both(rule.says), pair, class_="rule", id=anchor)


def _values(values: Values, good: Values) -> Iterator[Html]:
    before = dict(good)
    for path, value in values:
        text: Content = say.ABSENT.zh if value is None else value
        if value != before[path]:
            text = tag("mark", text)
        yield tag("code", f"{path} = ", text)


# --- code tables and examples -----------------------------------------------------------------------------------


def _table(table: Table) -> Html:
    listed = table.listed["current"] if len(table.rows) > LONG else tuple(table.rows)
    count = say.COUNT.fill(count=len(table.rows))
    if len(listed) < len(table.rows):
        count = say.CURRENT.fill(count=len(table.rows), current=len(listed))
    rows = [tag("li", tag("code", code), tag("span", _meaning(table, code))) for code in listed]
    short = len(rows) <= SHORT
    return tag(
        "details", tag("summary", tag("code", table.name), " ", both(count)), tag("ul", *rows, class_="codes"),
        id=f"table-{table.name}", open="" if short else None, class_="short" if len(rows) <= LONG else None,
    )


def _meaning(table: Table, code: str) -> Html:
    told = dict(zip(table.columns[1:], table.rows[code]))
    chinese = told.get("zh") or told.get("name") or next(iter(told.values()), "")
    return both(Sentence(chinese, told.get("en") or chinese))


def _examples(spec: Specification, twin: Twin) -> Html:
    text = orjson.dumps(twin, option=orjson.OPT_INDENT_2).decode()
    root = etree.fromstring(to_xml(spec, [twin], single=True))
    etree.indent(root)
    xml = etree.tostring(root, encoding="unicode")
    return join((tag("h3", "JSON"), tag("pre", text), tag("h3", "XML"), tag("pre", xml)))


def _changes(older: Specification, spec: Specification) -> Html:
    found = differences(older, spec)
    verdict = worst(found)
    whole = tag("p", both(say.WHOLE), tag("span", verdict.words, class_=f"badge {verdict.name.lower()}"))
    rows = [
        tag("tr", tag("td", tag("span", one.verdict.words, class_=f"badge {one.verdict.name.lower()}")),
            tag("td", tag("code", one.field or "-")), tag("td", one.says))
        for one in sorted(found, key=lambda one: -one.verdict)
    ]
    return join((whole, _tabled((say.VERDICT, say.NAME, say.REASON), rows))) if rows else whole


def _foot(spec: Specification) -> Html:
    return tag("footer", both(say.FOOT.fill(name=spec.id, digest=spec.id.digest)))
