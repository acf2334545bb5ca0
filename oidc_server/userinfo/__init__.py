"""The userinfo endpoint: what a client may know of the person behind its access token."""
