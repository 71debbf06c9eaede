"""The command line `exchange-node`: what people type, in Chinese or English, for eyes or for programs.

For: the department's IT, operations, integrators; systemd runs `run`.
Hides: click, rich, terminals, prompts, the control socket of the running node.
Who may call: `__main__` alone, and tests.
Promises: the exit status is one of sysexits (`exits`); output is plain when it is no terminal and JSON with `--json`;
no content of a record is ever printed, but masked by `adapter preview`; what others wrote cannot steer the terminal.
Fails: with a sentence, its cure and its status; a fault of the program is told by its place, never by its data.
"""
