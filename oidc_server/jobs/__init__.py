"""The only loops: what happens without anybody asking.

`runner` is the loop, one thread in one worker of each node. A job (`job`) is a function that runs
every so often: `mail_delivery` empties the outbox, `retention` deletes what has expired,
`key_rotation` makes new signing keys. What one node alone may do is leased through the database.
"""

from oidc_server.jobs.runner import Jobs

__all__ = ["Jobs"]
