"""What went wrong elsewhere and must not here: one file per defect of a peer system, its issue in the docstring.

Each test is named after what it prevents and breaks real things where it can: processes are killed, disks are full,
lines are cut, clocks jump.
"""
