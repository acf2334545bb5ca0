"""The web kit: knows Starlette, knows no feature.

Read `endpoint.py` first: it is the one adapter between the event loop and plain handlers. A handler
gets a `Context` (`context.py`) made from an `Incoming` request (`incoming.py`) and returns a
`Response` (`responses.py`); what it raises is answered by `errors/`. The API is made of
`Operation`s (`operations.py`).

What pages and the API do alike is here too, so that each does it in the same way: what people do to
their own account (`own_account.py`, `own_second_factors.py`, `email_addresses.py`), and how they
prove who they are (`password_proof.py`, `reauthentication.py`, `passkey_proof.py`).
"""
