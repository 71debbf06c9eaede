"""How inputs are changed: each file knows one kind of structure; all take an input and a generator of chance."""

from tests.fuzz.mutate.armour import armoured
from tests.fuzz.mutate.asn1 import asn1
from tests.fuzz.mutate.body import in_body
from tests.fuzz.mutate.http import http
from tests.fuzz.mutate.members import members
from tests.fuzz.mutate.octets import any_of, octets, splice
from tests.fuzz.mutate.pem import in_pem
from tests.fuzz.mutate.texts import json_text, toml
from tests.fuzz.mutate.xml import xml

__all__ = [
    "any_of", "armoured", "asn1", "http", "in_body", "in_pem", "json_text", "members", "octets", "splice", "toml",
    "xml",
]
