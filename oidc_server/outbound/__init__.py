"""What leaves the server: mail, and HTTP. Everything here can fail without the server failing.

Every neighbour stands behind a `Breaker`, so that one that is down costs nothing but an error. Read
`breaker` first, then `mail`; or `addresses` (whom we ask at all), `http`, and `documents`, which
remembers what was fetched.
"""
