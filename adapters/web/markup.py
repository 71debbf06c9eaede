"""XML and SOAP as trees: without DTD, entities or network, and no deeper or longer than allowed.

Rule 1: an element is known by its name without prefix; its attributes are `@name`; several of one name are a list.
Rule 2: an element without children is its text, with `xsi:nil` nothing.
Rule 3: of a SOAP fault its code is told, never its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from adapters.contract import Misconfigured, Unavailable
from adapters.web.trees import MISSING, scalar, slashed
from adapters.web.verdict import code

DEPTH = 64
ELEMENTS = 2_000_000
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_W3 = "{http://www.w3.org/"
"""Attributes of XML's own: types, nil."""
_SIGN = "\U0010fffd"
"""Stands in the tree of lxml for octets outside the charset: a sign that XML allows and no text has."""

_LONE = dict.fromkeys(range(0xD800, 0xE000), _SIGN)
_SENDER = ("Client", "Sender", "VersionMismatch", "MustUnderstand")
ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}


def read_xml(text: str) -> Any:
    """Return the tree of an XML document, from below its root; raise Unavailable, or Misconfigured for a DTD."""
    root = _root(text)
    made = _tree(root)
    return made if isinstance(made, dict) else {"": made}


def _root(text: str) -> etree._Element:
    body = _beside_dtd(text)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, attribute_defaults=False,
        huge_tree=False, recover=False, collect_ids=False, remove_comments=True, remove_pis=True, encoding="utf-8",
    )
    try:
        root = etree.fromstring(body.translate(_LONE).encode() if not body.isascii() else body.encode(), parser)
    except etree.XMLSyntaxError:
        html = text.lstrip()[:200].lower().startswith(("<html", "<!doctype html"))
        what = ("HTML页面", "an HTML page") if html else ("不完整或有误的XML", "cut off, or not XML")
        raise Unavailable(f"答复不是XML（{what[0]}）", f"the answer is not XML ({what[1]})") from None
    _bounded(root)
    return root


def _beside_dtd(text: str) -> str:
    """Return a document without its declaration; raise Misconfigured if a DTD stands before its first element."""
    at, begin = 0, 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip()) if text[at:at + 1].isspace() else 0
        if text.startswith("<?", at):
            end = text.find("?>", at)
        elif text.startswith("<!--", at):
            end = text.find("-->", at)
        else:
            break
        if end < 0:
            break
        at = end + (2 if text.startswith("?>", end) else 3)
        begin = at
    if text[at:at + 9].upper() == "<!DOCTYPE" and text[at:at + 14].lower() != "<!doctype html":
        raise Misconfigured("答复含有DTD，不予解析", "the answer has a DTD and is not read")
    if text[at:at + 9].upper() == "<!DOCTYPE":
        raise Unavailable("答复不是XML（HTML页面）", "the answer is not XML (an HTML page)")
    return text[begin:].lstrip()


def _bounded(root: etree._Element) -> None:
    if root.getroottree().docinfo.doctype:
        raise Misconfigured("答复含有DTD，不予解析", "the answer has a DTD and is not read")
    depth = count = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > DEPTH or count > ELEMENTS:
            raise Misconfigured("答复的元素过多或嵌套过深", "the answer has too many elements, or too deep ones")


def _tree(element: etree._Element) -> Any:
    inner: dict[str, Any] = {"@" + _bare(name): _restored(str(value)) for name, value in element.items()
                             if not str(name).startswith(_W3)}
    texts = [element.text or ""]
    for child in element:
        if not isinstance(child.tag, str):  # an entity that nothing defined
            raise Misconfigured("答复含有实体引用，不予解析", "the answer refers to an entity and is not read")
        name, made = _bare(child.tag), _tree(child)
        if name not in inner:
            inner[name] = made
        elif isinstance(inner[name], _Several):
            inner[name].append(made)
        else:
            inner[name] = _Several((inner[name], made))
        texts.append(child.tail or "")
    if element.get(_NIL) in ("true", "1"):
        return None
    said = "".join(texts)
    if not inner:
        return _restored(said)
    if said.strip() or not len(element):
        inner[""] = _restored(said)
    return inner


class _Several(list[Any]):
    """Elements of one name beside one another."""


def _bare(name: Any) -> str:
    return _restored(str(name).rpartition("}")[2])


def _restored(text: str) -> str:
    return text.replace(_SIGN, "\udcff")


def fault_code(tree: Any) -> str | None:
    """Return the code of a SOAP fault in an answer, without prefix and what is behind a dot; None if there is none."""
    found = slashed(tree, "Body/Fault")
    if found is MISSING or not isinstance(found, Mapping):
        return None
    said = found.get("faultcode")
    if said is None:
        said = slashed(found, "Code/Value")
    text = scalar(said) or ""
    return text.rpartition(":")[2].partition(".")[0]


def fault(tree: Any) -> Misconfigured | Unavailable | None:
    """Return what a SOAP fault in an answer says, by its code; None if there is none."""
    found = fault_code(tree)
    if found is None:
        return None
    told = code(found) or "?"
    if found in _SENDER:
        return Misconfigured(f"服务以SOAP错误{told}拒绝了请求", f"the service refused the request with the SOAP fault {told}")
    return Unavailable(f"服务答复SOAP错误{told}", f"the service answers with the SOAP fault {told}")
