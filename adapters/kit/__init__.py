"""The kit for integrators: what every adapter is held to, a scaffold to begin with, and the report of a test.

For: whoever writes an adapter, in a package of their own; our own adapters pass the same.
Hides: how a contract is played against a process that is killed, stopped and asked again.
Who may call: tests, and the command `adapter test`.
Promises: a check that could not be made says why; none passes without having been made.
Fails: as tests do.
"""
