"""What gateways ask (`auth_request`, ForwardAuth, `ext_authz`): who a request comes from.

`endpoint.py` answers: `forwarded.py` is the request that is asked about, `demands.py` what it has
to meet, `by_session.py` and `by_token.py` say whose it is, and `identity.py` tells the service.
"""
