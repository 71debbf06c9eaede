"""The account of a store's own acts: names of steps, and how a chain grows.

For: the stores, which keep one chain per lane; later the checkpoint, which signs over the heads.
Hides: how an entry is written as octets.
Who may call: every floor above; the digest is an argument.
Promises: a head covers its entry and all before it; two different entries never have the same octets.
Fails: ValueError for an entry that cannot be written, which is a bug of the caller.
"""
