"""Adapters: each kind of legacy system, read and written by a class of its own, in a process of its own.

For: integrators, who write one (`README.md`), and the node, which starts `python -m adapters.child NAME`.
Hides: databases, drivers, files, their charsets and dates; whatever a vendor's library does to a process.
Promises: what an adapter says is `contract`; frames (`node.model.frames`) are all that leaves its process; a row is
    given as the source has it, and judged by nobody here.
Fails: `Misconfigured`, `Unavailable`; anything else ends the process.
"""
