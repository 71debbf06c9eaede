"""Mappings: rows as a legacy system has them become records of a specification, by a declaration and no program.

For: the local API, the command line, adapters.
Hides: TOML, the words of a mapping and the steps they are compiled to, CSV, charsets.
Promises: a row is judged by the specification itself; what cannot be mapped is a problem at its field, told with all
    others and with the names of the columns, never with what stands in them; time and memory are bounded by the body.
Fails: `BadMapping` (Hold MAPPING_FORM) for a mapping with faults; `Refused` (TOO_LARGE, MEDIA, MALFORMED) for a body.
"""

from node.validate.mapping.beside import load_mapping
from node.validate.mapping.faults import BadMapping
from node.validate.mapping.gone import GONE, judge_gone
from node.validate.mapping.mapped import SourceMapping, check_mapping, read_mapping
from node.validate.mapping.reading import OCTETS
from node.validate.mapping.rows import cut_csv

__all__ = [
    "GONE", "OCTETS", "BadMapping", "SourceMapping", "check_mapping", "cut_csv", "judge_gone", "load_mapping",
    "read_mapping",
]
