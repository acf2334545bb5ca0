"""The authorization endpoint: from a client's request to a code, with people in between.

Read `endpoint.py` (the dispatcher) first, then `request/` (what a request must be), `pushed.py`
(a request that a client hands in before), `next_step.py` (what is missing before a code may be
issued), `response.py` (how an answer travels). Login and consent each do one thing and come back to
the dispatcher; they never call one another.
"""
