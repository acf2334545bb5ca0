"""The web kit: knows Starlette, knows no feature.

Read `endpoint.py` first: it is the one adapter between the event loop and plain handlers. A handler
gets a `Context` (`context.py`) made from an `Incoming` request (`incoming.py`) and returns a
`Response` (`responses.py`); what it raises is answered by `errors/`. `kinds.py` has the kinds of
endpoint that routes are made of, and `load/` is where they wait.
"""
