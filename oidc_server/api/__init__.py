"""The API kit: what every operation of the API does alike, whichever feature it belongs to.

Read `operations.py` first: features have tables of `Operation`s, and everything else follows from
their rows. `access.py` says who may call one and about whom; `models.py` and `lists.py` read what
is sent and shape what is answered; `idempotency.py` has a thing happen once that is sent twice.
`chosen_password.py` and `profile.py` are what more than one feature takes or tells of a person.
"""
