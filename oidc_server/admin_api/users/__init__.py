"""People: `models.py` is what is sent and answered, `reading.py` and `changing.py` do it."""
