"""The world: two departments and a centre on one fake clock, a wire that loses and doubles, ends that crash.

    seed ─► Dice ─► nemeses ─┐
    sources ─► machines ◄─► wire ─► run until quiet ─► promises

Everything between the local API of one department and the warehouse of the other is the real code; what is not real
is the network, the clock, the randomness and the power supply.  A run is decided by its seed alone.
"""
