"""Whether this node lives, and whether it can work: for load balancers, and for `doctor`.

`checks` finds out, `endpoint` tells. The endpoints say nothing but up or down: they are public.
"""
