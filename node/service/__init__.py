"""The one place that names concrete classes: builds a node from its settings, starts it, stops it.

For: the command line.
Hides: which store, which provider, which sockets.
Who may call: `cli`, and tests of whole nodes.
Promises: nothing listens before the self-test, the keys and the stores are good; a stop drains.
Fails: with the `Trouble` of whatever is not good, before anything was started.
"""
