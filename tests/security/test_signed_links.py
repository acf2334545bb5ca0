"""Values of mailed links."""

import re
import string

import pytest

from oidc_server.security.signed_links import LinkSigner

OLD, NEW, OTHER = "o" * 32, "n" * 32, "x" * 32
LINK_ID = "4QlPZ1c-_0aBcDeFgHiJkL"


def test_a_link_opens_for_its_purpose():
    signer = LinkSigner((NEW,))

    value = signer.sign("password-reset", LINK_ID)

    assert re.fullmatch(r"[A-Za-z0-9._-]+", value)
    assert signer.read("password-reset", value) == LINK_ID


def test_a_link_opens_for_no_other_purpose_and_on_no_other_server():
    value = LinkSigner((NEW,)).sign("password-reset", LINK_ID)

    assert LinkSigner((NEW,)).read("verify-email", value) is None
    assert LinkSigner((OTHER,)).read("password-reset", value) is None


def test_links_outlive_a_change_of_the_secret_and_new_ones_use_the_new_secret():
    before = LinkSigner((OLD,)).sign("invite", LINK_ID)
    rotated = LinkSigner((NEW, OLD))

    after = rotated.sign("invite", LINK_ID)

    assert rotated.read("invite", before) == LINK_ID
    assert LinkSigner((NEW,)).read("invite", after) == LINK_ID
    assert LinkSigner((OLD,)).read("invite", after) is None


def test_no_character_of_a_link_can_be_changed():
    signer = LinkSigner((NEW,))
    value = signer.sign("invite", LINK_ID)

    forged = {
        value[:position] + letter + value[position + 1 :]
        for position in range(len(value))
        for letter in string.ascii_letters + string.digits + "-_.="
    } - {value}

    assert len(forged) > 4000
    assert [link for link in forged if signer.read("invite", link) is not None] == []


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "a.b", LINK_ID, LINK_ID + ".", "." + "A" * 43, "é.é", "\ud800", "a" * 10_000_000,
     f"{LINK_ID}.{'A' * 43}", f"{LINK_ID}.{'A' * 43}\n"],
)  # fmt: skip
def test_garbage_opens_nothing(garbage):
    assert LinkSigner((NEW,)).read("invite", garbage) is None


@pytest.mark.parametrize("link_id", ["", "a b", "a.b", "é", "a" * 129, "a\n"])
def test_an_id_that_would_not_survive_an_address_is_not_signed(link_id):
    with pytest.raises(ValueError, match="link id"):
        LinkSigner((NEW,)).sign("invite", link_id)


def test_signing_needs_a_secret():
    with pytest.raises(ValueError, match="secret"):
        LinkSigner(())
