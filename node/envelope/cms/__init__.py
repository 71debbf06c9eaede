"""GB/T 35275 messages: the one profile the wire speaks, and a reader for every other writing met in the field.

For: `node.envelope`, which signs statements and seals payloads with it, and the `cms` command.
Hides: DER, the ASN.1 schema and its library, algorithm identifiers and their parameters, other products' readings.
Who may call: `node.envelope` and the floors above; keys and certificates come in as arguments.
Promises: what `read_signed` and `read_enveloped` accept is, octet for octet, what `sign_data` and `envelop` would
write for the same parts; every input is bounded; nothing is verified or opened by reading it.
Fails: Refused with EXN-CMS-FORM (the profile) or EXN-CMS-UNREADABLE (the tolerant reader), a reason word each.
"""
