"""The demonstration: a whole exchange on one machine, from nothing to a table of exact figures."""
