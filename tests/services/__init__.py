"""The world around the server, as real as it can be had: database, mail server, browser, client.

One module per part, each a pytest plugin that `tests/conftest.py` names. A part that this machine
lacks skips what needs it, with a reason; the end of the run counts the skips aloud. Read `run.py`
first.
"""
