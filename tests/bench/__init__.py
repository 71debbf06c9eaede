"""Benchmarks: figures, never timed tests; each can be run alone.

    python -m tests.bench           the whole (`make bench`): two nodes as processes against pyas2lib
    python -m tests.bench.http      what one HTTP request costs
"""
