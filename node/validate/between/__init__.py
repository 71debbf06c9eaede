"""Rules between records: what the records of one case say together, where each of them is good by itself.

For: the centre, which has them all; nothing is refused by these rules, they produce findings.
Hides: TOML, the words of a declaration, the kinds of rules and how each is decided.
Who may call: every floor above.
Promises: pure but for reading declarations; a case is judged in one pass per rule, over at most `RECORDS` records; a
    declaration with any fault is not used.
Fails: `BadBetween` (Hold BETWEEN_FORM) for a declaration with faults, all of them told.
"""

from node.validate.between.case import RECORDS, Case, Member, Standing, row_name
from node.validate.between.declared import TOO_LARGE, Between, Betweens, Breach, Judged, Rule, too_large
from node.validate.between.faults import BadBetween
from node.validate.between.folders import load_between
from node.validate.between.reading import read_between

__all__ = [
    "RECORDS", "TOO_LARGE", "BadBetween", "Between", "Betweens", "Breach", "Case", "Judged", "Member",
    "Rule", "Standing", "load_between", "read_between", "row_name", "too_large",
]
