"""`make bench`: what a start, an idle process and each fast operation cost on this machine.

Figures of one run can be compared with one another; those of two machines cannot.
"""
