"""Whole nodes as real processes over real sockets, disks and signals."""
