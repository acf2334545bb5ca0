"""One's own account, through the API: what the pages of the account give, for programs.

`models.py` is what is sent and answered, `operations.py` says who may. What would hurt asks for the
current password, or for a sign-in of just now (`proof.py`).
"""
