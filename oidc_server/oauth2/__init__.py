"""The protocol kit: what several protocol endpoints share.

* `exchange.py` is a request as this package sees it. `authlib.py` is the one door to Authlib, and
  `server.py` binds its dispatcher to one request.
* Who calls: `client_authentication.py`, with `client_assertions.py` for clients that sign, and
  `client_keys.py` for what they sign with; `dpop.py` for the key that they prove.
* What they ask for: `requested.py`, `pkce.py`, `id_token_hints.py`.
* What they bring: `access_tokens.py` and `resource_protector.py` read our own tokens, and
  `assertions.py` has what is true of every JWT that others sign.
* Where we are the client of somebody else: `upstream/`.
* How they are answered: `errors.py`, `redirects.py`. `vocabulary.py` has the words.
"""
