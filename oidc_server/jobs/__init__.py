"""The only loops: what happens without anybody asking.

`runner` has the loops, in one worker of each node. A job (`job`) is a function that runs every so
often: `mail_delivery` and `logout_delivery` empty the outbox, `session_expiry` ends sessions whose
time is over, `account_deletion` deletes accounts whose owners wanted it, `credit_expiry` gives back
reserved credit, `retention` deletes what has expired, `audit_retention` what is too old,
`key_rotation` makes new signing keys, `set_back_clock` sends what would wait for a clock that went
back. `batches` is how most of them write. What one node alone may do is leased in the database.
"""

from oidc_server.jobs.runner import Jobs

__all__ = ["Jobs"]
