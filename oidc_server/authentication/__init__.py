"""People prove who they are: login, sign-up, and the mails that give an account back.

Each page does one thing and goes back to the dispatcher (`authorization.resume`) with the id of the
request, or to the account console when the person came on their own. Read `login.py` first.
"""
