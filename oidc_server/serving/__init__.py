"""The server process around the application: what `oidc-server serve` runs it in.

`connections` and `whole_answers` extend uvicorn's HTTP protocol, `event_loop` accepts connections,
and `workers` supervises several processes. `one_processor` pins threads to a processor,
`open_files` raises the limit of file descriptors, and `metrics_listener` serves the metrics of all
processes on another port.
"""
