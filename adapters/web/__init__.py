"""An HTTP service that is read from or written to: one origin, everything bounded, nothing believed.

For: `http_poll`, which reads rows from a department's service, and `http_push`, which brings records to one.
Hides: connecting, TLS, authentication, templates, charsets, JSON, XML and SOAP, pages, and what was given already.
Who may call: adapters.
Promises: a request goes to the origin of the settings and to no other; an answer has at most so many octets and takes
    at most so many seconds; a row that cannot be given is dirty, and the rows beside it go on.
Fails: `Misconfigured` for what a person must mend, `Unavailable` for what mends itself; neither quotes an answer.
"""
