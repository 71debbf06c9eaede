"""HTTP/1.1 and TLS plumbing, shared by the intake, the delivery and the observation of a node.

For: speaking HTTP with peers, local systems and operators, at the price of a few system calls.
Hides: parsing, time-outs, back-pressure, the order of pipelined answers, pools, the check of a TLS channel.
Who may call: `observe`, `intake`, `deliver`, `console`, `service`.
Promises: whatever bytes come in, memory and time are bounded and nothing escapes as an exception; a request is
    refused before its body is kept; answers leave in the order of the requests; no byte of a TLS peer is read
    before its channel was checked.
Fails: an answer of problem+json for what came in; `Trouble` (mostly Retry) for what went out; faults of ours are
    logged through the one `Faults` given, with their place and never with content.
"""
