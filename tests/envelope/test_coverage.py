"""The table of tests/vectors/README.md is whole: every item of the review has a vector, every vector an item."""

from __future__ import annotations

import re

from tests.vectors.make_wire import FOLDER

TABLE = re.compile(r"^\| (?P<item>[^|]+) \|(?P<files>[^|]*)\|$", re.MULTILINE)
REVIEWED = {
    "Good": "n = 1, 2, 3, 5, 8; with every proof; with and without self-recipient; receipts of each stage; a re-seal; "
            "a new epoch; two wrappings of one digest",
    "CMS": "attributes; DER-SET content; two signers; extra certificate; CRLs; 501; 301.2; the other parameter form; "
           "bare 104; SKI; third recipient; BER; trailing bytes (also inside SM2Cipher); 15, 17, 32-byte key; "
           "off-curve C1; bad C3; r or s = 0, n, +n",
    "ID": "empty; TLS's; no Z; SM3(content) as message; whole ContentInfo",
    "Types": "receipt as parcel and reverse; probe as command; unknown kind; encryption or TLS certificate as signer",
    "Binding": "A's envelope under X's signature with and without altered ciphertext; wrong bind; recipients with "
               "different keys; other domain, receiver, centre; same key in another certificate; TLS node ≠ sender",
    "JSON": "duplicate key; order; blank; escape; 1.0; −0; 1E400; NaN; 2⁵³; null; non-ASCII; unknown or missing "
            "member; upper-case hex; BOM",
    "Merkle": "leaf as node; doubled last leaf; wrong i or n; path ±1; salt or head of another record; op changed; "
              "n = 0",
    "Payload": "two frames; skippable frame; dictionary; big window; clear size ±1; bomb",
    "Lane and time": "replay; gap; fork; purged id; old epoch; `supersedes` of an accepted parcel; certificate expired "
                     "or revoked before and after `received_at`; missing CRL; revoked key backdated",
}
"""What the review of the wire demanded a vector of."""


def table() -> dict[str, dict[str, list[str]]]:
    """Return the globs of each item, by group."""
    found: dict[str, dict[str, list[str]]] = {}
    text = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## Which file is what")[2]
    for row in TABLE.finditer(text):
        item, files = row["item"], row["files"]
        if item.startswith("**"):
            group = found[item.strip("*")] = {}
        elif item not in ("Item", "---"):
            group[item] = re.findall(r"`([^`]+)`", files)
    return found


def test_every_item_of_the_review_has_a_vector_that_exists() -> None:
    told = table()
    assert {group: items.split("; ") for group, items in REVIEWED.items()} == {
        group: [item for item in told[group] if item in REVIEWED[group].split("; ")] for group in told
    }
    lacking = [
        (item, glob) for items in told.values() for item, globs in items.items()
        for glob in globs or [""] if not glob or not list(FOLDER.glob(glob))
    ]
    assert not lacking, f"items of the table without a file: {lacking}"


def test_every_vector_stands_in_the_table() -> None:
    globs = [glob for items in table().values() for globs in items.values() for glob in globs]
    named = {path for glob in globs for path in FOLDER.glob(glob)}
    there = {
        path for path in FOLDER.glob("*/*")
        if path.parent.name not in ("world", "__pycache__") and path.name != "index.json"
    }
    left_out = {path for path in there - named if not _goes_before(path.name)}
    assert not left_out, f"vectors that no item names: {sorted(str(path.relative_to(FOLDER)) for path in left_out)}"
    assert len(there) > 350


def _goes_before(name: str) -> bool:
    return re.search(r"-[01]\.exnp$", name) is not None and (FOLDER / "exchange" / name).exists()
