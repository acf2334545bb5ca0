"""Signing out: asked by a client (RP-Initiated Logout 1.0) or by the person."""
