"""Secrets at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.security.encryption import UnsealError, Vault

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
VAULT = Vault((NEW,))
ROW = b"row-1"


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_can_be_opened_and_does_not_show(plaintext, row):
    sealed = VAULT.seal("signing-key", plaintext, row)

    assert VAULT.open("signing-key", sealed, row) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


def test_the_same_secret_never_looks_the_same():
    assert VAULT.seal("totp", b"secret", ROW) != VAULT.seal("totp", b"secret", ROW)


@pytest.mark.parametrize(
    ("vault", "purpose", "row"),
    [
        (VAULT, "signing-key", ROW),
        (VAULT, "totp", b"row-2"),
        (VAULT, "totp", b""),
        (Vault((OTHER,)), "totp", ROW),
        (Vault((OTHER, OLD)), "totp", ROW),
    ],
)
def test_another_row_purpose_or_server_opens_nothing(vault, purpose, row):
    sealed = VAULT.seal("totp", b"secret", ROW)

    with pytest.raises(UnsealError):
        vault.open(purpose, sealed, row)


def test_no_bit_of_a_sealed_value_can_be_changed():
    sealed = VAULT.seal("totp", b"secret", ROW)

    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(UnsealError):
            VAULT.open("totp", bytes(changed), ROW)


@pytest.mark.parametrize("length", range(40))
def test_a_value_cut_short_is_refused(length):
    sealed = VAULT.seal("totp", b"secret!", ROW)
    assert len(sealed) == 40

    with pytest.raises(UnsealError):
        VAULT.open("totp", sealed[:length], ROW)


def test_values_outlive_a_change_of_the_secret_and_new_ones_use_the_new_secret():
    before = Vault((OLD,)).seal("totp", b"secret", ROW)
    rotated = Vault((NEW, OLD))

    after = rotated.seal("totp", b"secret", ROW)

    assert rotated.open("totp", before, ROW) == b"secret"
    assert Vault((NEW,)).open("totp", after, ROW) == b"secret"
    with pytest.raises(UnsealError):
        Vault((OLD,)).open("totp", after, ROW)


def test_a_secret_given_twice_does_no_harm():
    assert Vault((NEW, NEW)).open("totp", VAULT.seal("totp", b"secret", ROW), ROW) == b"secret"


def test_derived_keys_differ_by_purpose_and_secret_and_stay_the_same():
    vault = Vault((NEW, OLD))

    keys = {*vault.derive_all("csrf"), *vault.derive_all("refresh")}

    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    assert vault.derive("csrf") == vault.derive_all("csrf")[0] == VAULT.derive("csrf")
    assert vault.derive_all("csrf")[1] == Vault((OLD,)).derive("csrf")


def test_a_key_derivation_is_never_changed_by_accident():
    """Changing it would make every stored secret unreadable."""
    assert (
        VAULT.derive("csrf").hex()
        == "faed0bbebf6dc4340c1320a4a6dbb164b6e273ccdf438c0a95ae11e428247fa2"
    )
    sealed = bytes.fromhex(
        "016a6b9e081f4f4c33f578f75d2eae9b0d7e203226adada2d5d214a0191b6b046143c219ac7c78"
    )
    assert VAULT.open("totp", sealed, ROW) == b"secret"


def test_an_error_says_nothing_of_the_secret():
    with pytest.raises(UnsealError) as refusal:
        VAULT.open("totp", Vault((OTHER,)).seal("totp", b"plain", ROW), ROW)

    assert NEW not in str(refusal.value)
    assert "plain" not in str(refusal.value)


def test_a_vault_needs_a_secret():
    with pytest.raises(ValueError, match="secret"):
        Vault(())
