"""Statements, parcels, receipts and proofs: what crosses between nodes, as octets (PROTOCOL.md).

For: `exchange`, which seals and opens; `intake` and `deliver`, which frame; the `parcel` and `cms` commands.
Hides: canonical JSON, GB/T 35275 structures, the Merkle tree, binding, compression.
Who may call: every floor above; certificates, keys, time and chance come in as arguments.
Promises: what is read has one spelling; a class says what was proved: Unverified, Attested, Verified, Opened;
no line is released before signature, digest, bind and root are good; nothing here touches disk or socket.
Fails: Refused with the codes of the envelope section of `node.model.codes`; opening always with EXN-OPEN.
"""

from node.envelope.frame import MANIFEST_LIMIT, PAYLOAD_LIMIT, Framed, FrameReader, frame, frame_head, unframe
from node.envelope.inner import Inner, Said
from node.envelope.kinds import PROBE_LIMIT
from node.envelope.letter import Enclosure, Letter, fill, read_letter, write_letter
from node.envelope.members import Statement
from node.envelope.opening import Opened, Unopened, Unwrap, Verified, check_octets, open_parcel, verify_bytes
from node.envelope.origins import Origin, read_origins, write_origins
from node.envelope.proof import Beside, Finding, Report, check_proof, prove, prove_origin
from node.envelope.provenance import Attest, check_origins, evidence, thin
from node.envelope.receipts import SealedVerdicts, accepted, open_verdicts, processed, refused, seal_verdicts
from node.envelope.seal import Address, Packed, ParcelDraft, Signer, pack, reseal, seal, sign, void
from node.envelope.statement import (
    Attested,
    Unverified,
    content_of,
    digest_of,
    read_collect,
    read_manifest,
    read_probe,
    read_receipt,
    verify,
    write,
)

__all__ = [
    "MANIFEST_LIMIT",
    "PAYLOAD_LIMIT",
    "PROBE_LIMIT",
    "Address",
    "Attest",
    "Attested",
    "Beside",
    "Enclosure",
    "Finding",
    "FrameReader",
    "Framed",
    "Inner",
    "Letter",
    "Opened",
    "Origin",
    "Packed",
    "ParcelDraft",
    "Report",
    "Said",
    "SealedVerdicts",
    "Signer",
    "Statement",
    "Unopened",
    "Unverified",
    "Unwrap",
    "Verified",
    "accepted",
    "check_octets",
    "check_origins",
    "check_proof",
    "content_of",
    "digest_of",
    "evidence",
    "fill",
    "frame",
    "frame_head",
    "open_parcel",
    "open_verdicts",
    "pack",
    "processed",
    "prove",
    "prove_origin",
    "read_collect",
    "read_letter",
    "read_manifest",
    "read_origins",
    "read_probe",
    "read_receipt",
    "refused",
    "reseal",
    "seal",
    "seal_verdicts",
    "sign",
    "thin",
    "unframe",
    "verify",
    "verify_bytes",
    "void",
    "write",
    "write_letter",
    "write_origins",
]
