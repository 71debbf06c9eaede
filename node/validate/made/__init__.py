"""Made-up records: valid ones generated from a specification, and each way to break one.

For: tests, the demonstration, `spec sample`, and the examples on an interface's page.
Hides: how texts are drawn, rules are fulfilled and broken.
Who may call: every room above.
Promises: everything follows from its seed; nobody's real identity is among it.
Fails: `LookupError` where a specification leaves no such text.
"""
