"""Hashes that other systems made: each of these is the work of the system that is named."""

import pytest

from oidc_server.security.passwords import PasswordHasher, UnknownHashError, check_importable
from tests.processor_time import at_most

PASSWORD = "caf\u00e9 and rain"
HASHER = PasswordHasher(time_cost=1, memory_kib=8, parallelism=1)
MADE = {
    "Django PBKDF2": "pbkdf2_sha256$1000$saltySALT$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o=",
    "Django PBKDF2 of old": "pbkdf2_sha1$1000$saltySALT$g0FxphqtKp5rpasvJFL2E3iHBLI=",
    "Django scrypt": "scrypt$1024$saltySALT$8$1$7rdfV508lSJMGg+0PKq7mikCN9iYbgJn9kdFnorFk7nP7v8bW"
    "985iP1TEZDlMp3T17I8+YCXdiSJnvTvib8m/w==",
    "Django bcrypt of a digest": "bcrypt_sha256$$2b$04$5OEcB9wjfFmajPgYz5YQguDolA8gPnphvtXPRsnWgFq"
    "CyWw6OtzH2",
    "Django bcrypt": "bcrypt$$2b$04$/nTFO8cnLsG1QKtrDhPkMeCwpxAXVhuiFPviYOe3zgmM.4N9SSwS2",
    "PHP bcrypt": "$2y$04$/nTFO8cnLsG1QKtrDhPkMeCwpxAXVhuiFPviYOe3zgmM.4N9SSwS2",
    "Django Argon2": "argon2$argon2id$v=19$m=64,t=1,p=8$c2FsdHlTQUxU$Z9Y8DYRDRQ/995xvcuw7InSo5LH1b"
    "OT3sJ/9L2SF/Wk",
    "passlib PBKDF2": "$pbkdf2-sha256$1000$qFXKGcP437uXsnautVbKeQ$K.zeB6NuW6IDpBtiQJ3RQYTYtr/pREpf"
    "dU60mIgVNlw",
    "passlib PBKDF2, long": "$pbkdf2-sha512$1000$Z2yt9X5vLcU4p3ROKYXQOg$NbplIWAO44VbmD7Fc7cSjKhsdT"
    "bFOLo4OZcFAIPRZOYH1Spv0FP01Ujd26Y9tGOnPNvw6lSk.H4UrG15q0XQ0g",
    "passlib PBKDF2 of old": "$pbkdf2$1000$xzjnnPMe41xLKaU0JuQ8Jw$pxoA0SyxEqZcJ4q7NT756Js8Ejw",
    "passlib scrypt": "$scrypt$ln=10,r=8,p=1$TCnFmFMq5dx7D0HIGUNIiQ$9yaBig5eto1GP1upr/glJPfCuTMZqL"
    "qEjlMdyW5lGqU",
    "Werkzeug scrypt": "scrypt:1024:8:1$4qyO8wq6Kx4SBSrc$6cf4664df506fe318f7aab9b65e12bfefd66486453"
    "952a690d9f5018a4b08ee22249c91874c16d5f61d2dd79dc34f1bdc313156a837a4478414ed2fa74543011",
    "Werkzeug PBKDF2": "pbkdf2:sha512:1000$2HBHmOfc80IfjQOD$4d7d0df646c4dcac1b447cc927c1fc13536ee9d"
    "57218142a56ccfc3fea3cd15792a4e7c104a45f1e9810ea5ba03a97fc3cd6f5445efb328b850971dc22a53656",
}


@pytest.mark.parametrize("encoded", MADE.values(), ids=MADE)
def test_a_hash_made_elsewhere_knows_its_password_and_is_to_be_replaced(encoded):
    stored = check_importable(encoded)

    assert HASHER.verify(stored, PASSWORD)
    assert not HASHER.verify(stored, PASSWORD + "s")
    assert not HASHER.verify(stored, "")
    assert HASHER.needs_rehash(stored)


def test_bcrypt_reads_no_more_of_a_password_than_it_always_did():
    stored = check_importable("$2b$04$T.39okuTqLhGNZbUO3LlPOO1xX9HNbE2bCUKkGC98ICPEpU/s41tm")

    assert not HASHER.verify(stored, "x" * 100)
    assert not HASHER.verify(stored, "\0")


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "secret",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$qJH7.N4xYta3aEG/dfqo/0",
        "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",
        "$2b$04$short",
        "$2b$31$/nTFO8cnLsG1QKtrDhPkMeCwpxAXVhuiFPviYOe3zgmM.4N9SSwS2",
        "pbkdf2_sha256$999999999$salt$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o=",
        "pbkdf2_sha256$0$salt$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o=",
        "pbkdf2_sha256$1000$salt$iihv",
        "pbkdf2_md5$1000$salt$iihv2X93qIrLcU/JgiraE/KqOZJEdE/7+eTPl8b8j9o=",
        "$scrypt$ln=30,r=8,p=1$TCnFmFMq5dx7D0HIGUNIiQ$9yaBig5eto1GP1upr/glJPfCuTMZqLqEjlMdyW5lGqU",
        "$scrypt$ln=0,r=8,p=1$TCnFmFMq5dx7D0HIGUNIiQ$9yaBig5eto1GP1upr/glJPfCuTMZqLqEjlMdyW5lGqU",
        "scrypt$1000$salt$8$1$7rdfV508lSJMGg+0PKq7mikCN9iYbgJn9kdFnorFk7nP7v8bW985iP1TEZDlMp3T",
        "$argon2id$v=19$m=9999999,t=1,p=1$c2FsdHlTQUxU$Z9Y8DYRDRQ/995xvcuw7InSo5LH1bOT3sJ/9L2SF/Wk",
        "$argon2id$v=19$m=64$c2FsdHlTQUxU",
    ],
)
def test_what_is_no_hash_or_too_dear_a_one_is_not_imported(encoded):
    with at_most(0.1), pytest.raises(UnknownHashError, match="cannot be taken"):
        check_importable(encoded)
