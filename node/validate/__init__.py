"""Drafts become records here, or refusals that name every problem at once (DESIGN §7).

For: the exchange's two doors (submission, and a parcel just opened), the command line, adapters.
Hides: XSD, libxml2, JSON Schema, the rules of the standards and their tables.
Who may call: every room above; only this room makes a Record.
Promises: XML and JSON of one record give the same record or the same problems; no sentence holds content; whatever
    arrives is judged in bounded time and memory; nothing is fetched.
Fails: `Refused` (TOO_LARGE, MEDIA, MALFORMED, LINE) for a body or a line, `Hold` for a specification that is absent,
    malformed, or that our two readings disagree on (DISAGREE).
"""

from node.validate.document import Limits, Media
from node.validate.line import join_born, join_line, same, split_line
from node.validate.made.faults import PLANTED, fault, faults, plant, warnings
from node.validate.made.samples import regions, sample, to_json, to_xml
from node.validate.masking import masked
from node.validate.pieces import cut_xml, overfull
from node.validate.profile import Fault
from node.validate.reader import check_profile, examine
from node.validate.schema import published_schema
from node.validate.specification import Specification, read_drafts
from node.validate.specifications import Files, Specifications, compile_specification
from node.validate.stream import read_records

__all__ = [
    "PLANTED", "Fault", "Files", "Limits", "Media", "Specification", "Specifications", "check_profile",
    "compile_specification", "cut_xml", "examine", "fault", "faults", "join_born", "join_line",
    "masked", "overfull", "plant", "published_schema",
    "read_drafts", "read_records", "regions", "same", "sample", "split_line", "to_json", "to_xml",
    "warnings",
]
