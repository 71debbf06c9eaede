"""Intake: everything that comes in, from peers, from the node's own department, and from where we collect.

For: parcels (`gateway`, `collector`), submissions (`local`), and the inbox's own pump (`opener`).
Hides: HTTP, which checks come first, when a parcel is opened.
Who may call: `service` alone builds it.
Promises: accept fast, judge later; *accepted* and 202 mean on disk; an overload is refused before it costs memory.
Fails: problem+json with an EXN code; a hold stays in the inbox with one alarm.
"""
