"""What a new version of a specification means for those who send records by the old one, field by field.

Rule 1: a difference is *breaking* unless it is sure that every record valid by the old version stays valid, through
    both doors; in doubt it is breaking.
Rule 2: *widening* lets more records through and no fewer; *compatible* changes no record's verdict.
Rule 3: the whole is what its worst difference is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from node.validate.shape import Group, Leaf, Member, Shape
from node.validate.specification import Specification
from node.validate.told.words import GRADES, form
from node.validate.versions.forms import compare_forms
from node.validate.versions.standing import compare_rules
from node.validate.versions.verdict import Difference, Verdict, breaking, compatible, widening, worst

__all__ = ["Difference", "Verdict", "differences", "worst"]


def differences(old: Specification, new: Specification) -> Sequence[Difference]:
    """Return every difference, that of the whole first, then of the fields in the new order, then of the rules."""
    found = [*_whole(old.shape, new.shape), *_groups("", old.shape.record, new.shape.record)]
    return [*found, *compare_rules(old, new)]


def _whole(old: Shape, new: Shape) -> Iterator[Difference]:
    if old.namespace != new.namespace:
        yield breaking(
            "", "namespace", f"XML命名空间由{old.namespace}改为{new.namespace}",
            f"the XML namespace {old.namespace} became {new.namespace}",
        )
    if old.record.name != new.record.name:
        yield breaking(
            "", "record", f"XML记录元素由{old.record.name}改为{new.record.name}",
            f"the XML element of a record, {old.record.name}, became {new.record.name}",
        )
    for what, zh, en, was, now in (
        ("row", "来源记录号字段", "row id", old.row, new.row),
        ("operation", "同步类型字段", "operation", old.operation, new.operation),
        ("time", "业务时间字段", "business time", old.time, new.time),
        ("key", "业务主键", "business key", " ".join(old.key), " ".join(new.key)),
    ):
        if was != now:
            yield breaking("", what, f"{zh}由{was}改为{now}", f"the {en} {was} became {now}")
    if old.correlation != new.correlation:
        was, now = old.correlation or "-", new.correlation or "-"
        yield compatible("", "correlation", f"关联编号由{was}改为{now}", f"the correlation {was} became {now}")
    if old.note != new.note:
        yield compatible("", "note", "规范的说明改变", "the explanation of the specification changed")
    if old.title != new.title:
        yield compatible("", "title", f"名称改为{new.title.zh}", f"the title is now {new.title.en}")


def _groups(path: str, old: Group, new: Group) -> Iterator[Difference]:
    gone = [name for name in old.members if name not in new.members]
    fresh = [name for name in new.members if name not in old.members]
    renamed = dict(_renamed(old, new, gone, fresh))
    for name, member in new.members.items():
        here = path + name
        if name in old.members:
            yield from _member(here, old.members[name], member)
        elif name in renamed:
            was = renamed[name]
            yield breaking(
                here, "field-renamed", f"{path}{was}似已改名为{here}；原名的记录将被退回",
                f"{path}{was} seems to be {here} now; records with the old name are refused",
            )
        else:
            yield _added(here, member)
    for name in gone:
        if name not in renamed.values():
            yield breaking(
                path + name, "field-removed", f"字段“{old.members[name].label.zh}”已去除；仍含此字段的记录将被退回",
                f"the field ({old.members[name].label.en}) is gone; records that have it are refused",
            )
    order = [name for name in new.members if name in old.members]
    if order != [name for name in old.members if name in new.members]:
        yield breaking(
            path.rstrip("/"), "sequence", "字段的先后顺序改变；XML记录按顺序校验",
            "the fields stand in another order, which XML records must keep",
        )


def _renamed(old: Group, new: Group, gone: Sequence[str], fresh: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a new and an old name that look like one field: the same label, or the same form at one place."""
    left = list(gone)
    for name in fresh:
        for was in left:
            one, other = old.members[was], new.members[name]
            place = list(old.members).index(was) == list(new.members).index(name)
            if one.label == other.label or place and type(one) is type(other) and form(one) == form(other):
                left.remove(was)
                yield name, was
                break


def _added(path: str, member: Member) -> Difference:
    label = member.label
    if member.least:
        return breaking(path, "field-added", f"新增必填字段“{label.zh}”", f"a required field is added ({label.en})")
    return widening(path, "field-added", f"新增可选字段“{label.zh}”", f"an optional field is added ({label.en})")


def _member(path: str, old: Member, new: Member) -> Iterator[Difference]:
    yield from _occurrence(path, old, new)
    if isinstance(old, Group) and isinstance(new, Group):
        yield from _groups(f"{path}/", old, new)
    elif isinstance(old, Leaf) and isinstance(new, Leaf):
        yield from compare_forms(path, old, new)
        yield from _care(path, old, new)
    else:
        yield breaking(path, "kind", "字段与字段组之间互换", "a field became a group, or a group a field")
    if old.note != new.note:
        yield compatible(path, "note", "说明改变", "its explanation changed")
    if old.label != new.label:
        yield compatible(path, "label", f"含义改为“{new.label.zh}”", f"the label is now: {new.label.en}")


def _occurrence(path: str, old: Member, new: Member) -> Iterator[Difference]:
    if old.least != new.least:
        if new.least:
            yield breaking(path, "required", "由可选改为必填", "was optional and is required")
        else:
            yield widening(path, "optional", "由必填改为可选", "was required and is optional")
    if old.most == new.most:
        return
    zh, en = f"最多出现次数由{old.most}改为{new.most}", f"at most {old.most} times, now {new.most}"
    if 1 in (old.most, new.most):
        yield breaking(
            path, "occurs", f"{zh}；JSON中单值与数组互换", f"{en}; in JSON a single value and an array are exchanged"
        )
    else:
        yield (widening if new.most > old.most else breaking)(path, "occurs", zh, en)


def _care(path: str, old: Leaf, new: Leaf) -> Iterator[Difference]:
    if old.grade != new.grade:
        was, now = GRADES[old.grade], GRADES[new.grade]
        yield compatible(path, "grade", f"分级由{was.zh}改为{now.zh}", f"sensitivity {was.en} became {now.en}")
    if old.mask != new.mask:
        zh, en = f"脱敏方式由{old.mask or '无'}改为{new.mask or '无'}", (
            f"masking {old.mask or 'none'} became {new.mask or 'none'}")
        yield compatible(path, "mask", zh, en)
    if old.form != new.form and new.form is not None and _equal(old, new):
        yield compatible(path, "form", f"格式说明改为：{new.form.zh}", f"the form is now described as: {new.form.en}")


def _equal(old: Leaf, new: Leaf) -> bool:
    return old.facets == new.facets and old.numeric == new.numeric
