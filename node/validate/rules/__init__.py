"""Named rules: what a field, or several together, must fulfil beyond its facets (STANDARDS §4).

`checks` computes, `kinds` declares the rules a specification may name, `compiled` turns the rules of one
specification into one function.
"""
