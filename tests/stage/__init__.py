"""A stage for whole nodes in one process: real keys, stores and specifications, one clock, no sockets."""
