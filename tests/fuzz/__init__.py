"""Fuzzing of every parser that the network or a caller can reach: `make fuzz`, and a seeded part in `make test`.

    targets/    one small file per parser: its seeds, how it is run, what must hold of what it takes
    mutate/     how inputs are changed: octets, JSON, ASN.1, HTTP, XML
    judge       the oracle: only a documented refusal comes out, in bounded time and memory, and it tells no content
    engine      our own loop over seeds and mutations; the worker replaces it by atheris where that is installed
    campaign    `python -m tests.fuzz`: divides the minutes over the targets, two processes, report and exit code
    corpus/     inputs that once broke something, replayed by `make test`
"""
