"""The room of keys: SM2, SM3 and SM4 behind the port `Crypto`, key files, the keyring, certificates and TLS.

For: signing, sealing and proving who speaks; nothing else in the node touches a key or an algorithm.
Hides: which library computes (libcrypto, `cryptography`, libgcrypt, gmssl behind its fence), how a key file is
protected, and every private scalar: outside this room a key is a thing that signs or unwraps.
Who may call: the floors above, through the ports `Crypto`, `PrivateKey`, `Identity`, `Storage` and `Trust`; only
`service` and `cli` name the classes.  Inside a call any thread may enter; no state is shared but caches.
Promises: no provider runs before its known answers (`selftest`); the signer's identity is always part of what is
signed; only canonical DER and points of the curve are looked at; a wrapped key has 16 bytes; randomness of SM2 comes
from the provider's generator, all other from the port `Chance`; one key pair never serves two roles.
Fails: with `Trouble` of the crypto section of `node.model.codes`; every failure to open is the one answer EXN-OPEN,
and a bad signature is False, never an exception.
"""
