"""What an XSD's annotations say: labels in two languages, sensitivity, masking, rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from node.model.sentence import Sentence
from node.validate import wrong
from node.validate.profile import LANG, XS, X
from node.validate.rules.kinds import KINDS
from node.validate.shape import RuleUse
from node.validate.wrong import SHOWN, Wrong

GRADES = ("1", "2", "3", "4")
"""Sensitivity, 1 public to 4 most sensitive."""

MASKS = ("all", "name", "id", "phone", "address")
Note = Callable[[etree._Element, Wrong], None]


class Notes:
    """Reads annotations and reports what is missing in them."""

    def __init__(self, fault: Note, root: etree._Element) -> None:
        self.fault = fault
        self.root = root

    def label(self, element: etree._Element) -> Sentence:
        """Return the first line of the documentation in each language; both must be there."""
        texts: dict[str | None, str] = {}
        for entry in element.findall(f"{XS}annotation/{XS}documentation"):
            lines = (entry.text or "").strip().splitlines()
            texts.setdefault(entry.get(LANG), lines[0].strip() if lines else "")
        if not texts.get("zh") or not texts.get("en"):
            self.fault(element, wrong.LABEL)
        return Sentence(texts.get("zh") or "", texts.get("en") or "")

    def note(self, element: etree._Element) -> Sentence | None:
        """Return what the documentation says after its first lines, if it says anything."""
        texts: dict[str | None, str] = {}
        for entry in element.findall(f"{XS}annotation/{XS}documentation"):
            lines = [line.strip() for line in (entry.text or "").strip().splitlines()[1:]]
            texts.setdefault(entry.get(LANG), "\n".join(line for line in lines if line))
        if not any(texts.values()):
            return None
        return Sentence(texts.get("zh") or texts.get("en") or "", texts.get("en") or texts.get("zh") or "")

    def form(self, element: etree._Element) -> Sentence | None:
        """Return the documentation of a type if it has both languages."""
        texts = {e.get(LANG): (e.text or "").strip() for e in element.findall(f"{XS}annotation/{XS}documentation")}
        return Sentence(texts["zh"], texts["en"]) if texts.get("zh") and texts.get("en") else None

    def field(self, element: etree._Element) -> tuple[int, str | None]:
        """Return the grade and mask of a leaf; grade 1 and no mask if nothing is said."""
        note = element.find(f"{XS}annotation/{XS}appinfo/{X}field")
        if note is None:
            return 1, None
        grade, mask = note.get("grade", "1"), note.get("mask")
        if grade not in GRADES or mask not in (None, *MASKS):
            self.fault(note, wrong.GRADE.of(masks=" ".join(MASKS)))
            return 1, None
        return int(grade), mask

    def rules(self, element: etree._Element, group: bool = False) -> Iterator[RuleUse]:
        """Yield the rules declared at an element or a type."""
        for note in element.findall(f"{XS}annotation/{XS}appinfo/{X}rule"):
            kind = note.get("kind", "")
            if kind not in KINDS:
                self.fault(note, wrong.RULE_KIND.of(name=repr(kind[:SHOWN]), kinds=" ".join(KINDS)))
                continue
            if group != ("field" in note.keys()):
                self.fault(note, wrong.RULE_FIELD)
                continue
            says = {e.get(LANG): (e.text or "").strip().replace("{", "{{") for e in note.findall(X + "says")}
            params = {str(k): str(v) for k, v in note.items() if k not in ("kind", "id", "severity")}
            severity = note.get("severity", "refuse")
            if severity not in ("refuse", "warn") or (says and set(says) != {"zh", "en"}):
                self.fault(note, wrong.RULE_SAYS)
                continue
            own = Sentence(says["zh"].replace("}", "}}"), says["en"].replace("}", "}}")) if says else None
            own_file = note.getroottree().getroot() is self.root
            line = (note.sourceline or 1) if own_file else 0
            yield RuleUse(kind, note.get("id", kind), params, own, severity, line)
