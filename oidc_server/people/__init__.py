"""What people do, in the one way that it is done: by pages and the API, and by every door alike.

Read `password_proof.py` first: a proof is begun, computed where nobody waits, and settled, and the
other proofs follow it. A module here works for a handler, which has parsed what came and says what
came of it; it does the thing in the domain, records it, and mails whom it concerns.

* Who they are: `password_proof.py`, `passkey_proof.py`, `provider_sign_in.py`; once more, before
  what would hurt: `reauthentication.py`; and who owes more than that: `second_factors.py`.
* A way in that is new: `new_account.py`, `new_password.py`, `password_recovery.py`,
  `passkey_enrolment.py`, `linked_identities.py`.
* What follows: `browser_session.py`.
* What is theirs: `own_account.py`, `own_second_factors.py`, `email_addresses.py`.
* What they are mailed: `mail_facts.py`, and the way of a link back to us, `mailed_link.py`.
* What they are shown: the frame of their `console.py`, `client_view.py`, `permission_view.py`,
  `device_labels.py`, `qr_code.py`; and when an app is at fault, `untrusted_request.py`.
"""
