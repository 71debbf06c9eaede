"""The media types of the exchange (PROTOCOL.md "HTTP")."""

PARCEL = b"application/vnd.exn.parcel"
STATEMENT = b"application/vnd.exn.statement"
LETTER = b"application/vnd.exn.letter+json"
JSON = b"application/json"
