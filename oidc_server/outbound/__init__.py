"""What leaves the server: mail and HTTP. Everything here can fail without the server failing.

Every external service is behind a `Breaker`, so that one that is down costs nothing but an error.
Read `breaker` first, then `mail`; or `addresses` (which addresses are allowed), `http`, and
`documents`, a cache of what was fetched.
"""
