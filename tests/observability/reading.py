"""Reads the lines of a log."""

import json


def lines(stream):
    """Every line that was written to a stream, as an object."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]
