"""Passwords: hashing them, and refusing those that are easily guessed (NIST SP 800-63B-4 §3.1.1).

* `hashing`: Argon2id, and hashes that other systems made (`imported`), which are replaced.
* `rules`: why a password may not be chosen; `estimate` says how many guesses it takes.
* `breached`: a file with the digests of passwords that were found in leaks.
"""

from oidc_server.security.passwords.breached import BreachedPasswords, digest
from oidc_server.security.passwords.hashing import PasswordHasher
from oidc_server.security.passwords.imported import UnknownHashError, check_importable
from oidc_server.security.passwords.normal import MAX_LENGTH, is_possible, normalised
from oidc_server.security.passwords.rules import Judgement, judge, problems

__all__ = [
    "MAX_LENGTH",
    "BreachedPasswords",
    "Judgement",
    "PasswordHasher",
    "UnknownHashError",
    "check_importable",
    "digest",
    "is_possible",
    "judge",
    "normalised",
    "problems",
]
