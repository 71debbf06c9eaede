"""The power fails: what a disk surely holds, every point at which it may fail, and what must be true after each."""
