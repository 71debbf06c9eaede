"""Two versions of an interface compared from the view of those who send by the old one.

For: `spec diff`, and the changes on an interface's page.
Hides: how patterns are compared.
Who may call: every room above.
Promises: in doubt a difference is breaking; every comparison is bounded.
Fails: never for specifications that load.
"""
