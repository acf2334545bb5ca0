"""Measures the server as an operator would start it: `make bench`, or `python -m benchmarks`.

Order to read: `__main__` (what is printed), `options` (what may be asked for), `process` (the
server) and `trees` (what the kernel says of it and its workers), `work_folder` (where it runs),
`stage` (people and clients to measure with), `operations` (what is asked), `floors` (what the
machine itself needs for the dearest parts), `memory` (what a process holds after very many
requests). Then what is measured instead: `peer` asks another server for the same in turn, `growth`
one with very many people, `overload` asks for more than a server can do, and `soak`, a program by
itself, looks for what grows.
"""
