"""A process that serves, around the application: what `oidc-server serve` runs it in.

`connections` and `whole_answers` are uvicorn's protocol as we need it, `workers` its supervisor of
several processes; `one_processor` says where threads run, `open_files` how many connections there
may be, and `metrics_listener` shows on another port what all processes counted.
"""
