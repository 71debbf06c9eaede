"""A mapping drafted from a source's table, which a person then reviews.

For: the command line.
Hides: how columns are recognised: synonyms, initials of pinyin, forms of dates, check digits, tables of codes.
Promises: each field with a column says why, and how many sampled cells are valid so; what is doubtful is marked; no
    cell of a field of grade 3 or more stands in the draft; the same input gives the same draft.
Fails: never; faults that the draft has as a mapping are given with it.
"""

from node.validate.mapping.drafting.draft import Drafted, draft_mapping

__all__ = ["Drafted", "draft_mapping"]
