"""The words of the exchange: frozen values of the standard library, nothing else.

For: every room; a value's class says what has been proved of it.
Hides: nothing.  Who may call: everyone.
Promises: values are immutable and compare by content.  Fails: with `Trouble` only.
"""
