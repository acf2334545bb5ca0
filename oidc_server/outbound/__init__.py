"""What leaves the server: mail today. Everything here can fail without the server failing.

Every neighbour stands behind a `Breaker`, so that one that is down costs nothing but an error. Read
`breaker` first, then `mail`.
"""
