"""The lives of parcels: tables of states, nothing else.

For: the stores, which apply them, and whoever wants to know what can happen next.
Hides: nothing; the tables are the document.
Who may call: every floor above.
Promises: what is not in a table cannot happen; knowledge only grows.
Fails: `after` returns None for what cannot happen; what that means is the caller's to say.
"""
