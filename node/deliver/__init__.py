"""Delivery: what waits in the outbox reaches its peers, and their receipts are asked for.

For: peers that have an address; the others collect (`intake`).
Hides: back-off, probes, which lane goes next.
Who may call: `service` alone builds it.
Promises: one parcel in flight per lane, urgent first; a retry sends identical bytes; a peer is down, not a parcel.
Fails: never outward; trouble becomes a rest of the peer, a hold of the lane, or a log line.
"""
