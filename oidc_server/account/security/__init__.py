"""/account/security: how a person proves who they are, a section for each way."""
