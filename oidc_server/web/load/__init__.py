"""Load: how many requests this process accepts, and the queues in which they wait.

In the order in which a request meets it: `gate.py` turns away what is too much or too late
(`lateness.py`); `limiter.py` counts what one caller may have of the limits in `rate_limit.py`, here
in `windows.py` or elsewhere for all nodes; `lanes.py` is where work goes that must not hold the
event loop, and `database_lanes.py` where transactions wait for each other. Nothing here knows what
a request is about.
"""
