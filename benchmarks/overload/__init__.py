"""Three times what the server can take, and what becomes of it: `make bench ARGS=--overload`.

Order to read: `run` (the stages and what is printed), `kinds` (what is asked), `sending` (a process
that does it), `sender` (how, whatever becomes of the answers), `connection` (one of its sockets).
"""
