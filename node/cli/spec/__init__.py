"""`spec`: the interface specifications, for those who write programs against them and those who write new ones."""
