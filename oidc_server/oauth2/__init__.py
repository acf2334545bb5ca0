"""The protocol kit: what several protocol endpoints share.

`authlib.py` is the one door to Authlib. `server.py` binds Authlib's dispatcher to one request;
`client_authentication.py` decides who calls; `resource_protector.py` reads our own access tokens;
`errors.py` and `vocabulary.py` hold the words.
"""
