"""What a specification says, for people: an interface's page, its fields in words, what a screen shows of it.

For: `spec doc`, `spec show`, the refusals' headings, titles of the derived JSON Schema.
Hides: HTML and the wording.
Who may call: every room above.
Promises: Chinese first with English beside; nothing is fetched and no script is needed.
Fails: never for a specification that loads.
"""
