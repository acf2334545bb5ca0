"""What gateways ask (`auth_request`, ForwardAuth, `ext_authz`): who a request comes from."""
