"""Measures the server as an operator would start it: `make bench`, or `python -m benchmarks`.

Order to read: `__main__` (what is printed), `process` (the server and what the kernel says of it),
`stage` (people and clients to measure with), `operations` (what is asked), `floors` (what the
machine itself needs for the dearest parts), `memory` (what a process holds after very many
requests); `peer` asks another server for the same in turn, `growth` one with very many people.
"""
