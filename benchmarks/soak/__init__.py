"""Runs a server for minutes under a bit of everything: does anything grow? `make soak` says so.

Order to read: `__main__` (rounds and verdicts), `lives` (what happens), `samples` (what is looked
at), `verdicts` (what counts as growing).
"""
