"""The verbs of the exchange: submit, seal, admit, handle, settle, route, greet, ask; plain functions.

For: what happens to a record and a parcel between two stores.
Hides: the order of checks, the head rule, who may send what.
Who may call: the async rooms, and tests; each verb takes one transaction (`Unit`) or none, never two.
Promises: DESIGN §8.1 to 8.4; nothing is told before the unit it was done in has committed.
Fails: with `Trouble` raised before the first write, or with a stored, signed refusal.
"""
