"""The same work for this server and for a peer, node oidc-provider in memory, measured in turn.

Order to read: `rounds` (who is asked when), `operations` (what is asked, and the goals), `sides`
(a server to ask, with the people and clients it knows), `ours` and `theirs` (how either is
started), `plans` and `wrk` (how the work is sent; the processor time of the sender is nobody's),
`processes` (what the kernel says of a server and its database), `passwords`, `report`.
"""
