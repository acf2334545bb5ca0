"""Credits: balances that services move, through the API.

`models.py` is what is sent and answered, `api.py` does it, `operations.py` says who may. The rules
of the ledger are in `domain/ledger/`.
"""
