"""Benchmarks: figures, never timed tests; each can be run alone.

    python -m tests.bench           the whole (`make bench`): two nodes as processes against their peers
    python -m tests.bench.http      what one HTTP request costs
    python -m tests.bench.stages    what each stage costs
    python -m tests.bench.store     what the stores cost

What a developer asks most: `make bench ARGS="--only json,idle,pyas2lib --rounds 2 --quick"`, and
`make bench ARGS="--profile json"`, which writes what bounds a figure to build/profile-json-*.txt.
"""
