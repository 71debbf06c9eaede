"""Statements, parcels, receipts and proofs: what crosses between nodes, as octets (PROTOCOL.md).

For: `exchange`, which seals and opens; `intake` and `deliver`, which frame; the `parcel` and `cms` commands.
Hides: canonical JSON, GB/T 35275 structures, the Merkle tree, binding, compression.
Who may call: every floor above; certificates, keys, time and chance come in as arguments.
Promises: what is read has one spelling; a class says what was proved: Unverified, Attested, Verified, Opened;
no line is released before signature, digest, bind and root are good; nothing here touches disk or socket.
Fails: Refused with the codes of the envelope section of `node.model.codes`; opening always with EXN-OPEN.
"""
