"""Administration through the API: what operators do on the command line, for programs.

One module, or package, for each kind of thing: what is sent and answered, what is done, and the
table of its operations, which `operations.py` joins. All of it is about others: it takes a scope
and a role that gives it (`api/access.py`), and each handler writes down what it did.
"""
