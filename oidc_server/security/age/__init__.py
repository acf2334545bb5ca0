"""Files encrypted as age does it (age-encryption.org/v1), in streams of any length.

The format is C2SP's `age.md`, so that what we write opens with `age -d` on any machine, also when
this program is gone. `keys` reads what an operator keeps, `header` wraps the key of a file for it,
`payload` seals the content in chunks.
"""

from oidc_server.security.age.header import DamagedFileError, WrongKeyError
from oidc_server.security.age.keys import Identity, Key, Passphrase, Recipient, parse_key
from oidc_server.security.age.payload import decrypt, encrypt

__all__ = [
    "DamagedFileError",
    "Identity",
    "Key",
    "Passphrase",
    "Recipient",
    "WrongKeyError",
    "decrypt",
    "encrypt",
    "parse_key",
]
