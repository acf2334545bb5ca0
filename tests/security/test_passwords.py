"""Passwords: hashing them, and refusing bad ones."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_server.security.passwords import MAX_LENGTH, PasswordHasher, problems
from oidc_server.security.passwords.estimate import estimate
from tests.processor_time import at_most

CHEAP = PasswordHasher(time_cost=1, memory_kib=8, parallelism=1)
GOOD = "lighthouse-cobalt-97"


def test_a_password_is_known_by_its_hash_and_another_is_not():
    encoded = CHEAP.hash(GOOD)

    assert encoded.startswith("$argon2id$")
    assert GOOD not in encoded
    assert CHEAP.verify(encoded, GOOD)
    assert not CHEAP.verify(encoded, GOOD + " ")
    assert not CHEAP.verify(encoded, GOOD.upper())


def test_the_same_password_never_has_the_same_hash():
    assert CHEAP.hash(GOOD) != CHEAP.hash(GOOD)


def test_a_letter_typed_on_another_keyboard_is_the_same_letter():
    """NIST SP 800-63B-4 §3.1.1.2: normalised before hashing."""
    composed, decomposed = "caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"

    assert CHEAP.verify(CHEAP.hash(composed), decomposed)
    assert CHEAP.verify(CHEAP.hash(decomposed), composed)


def test_letters_that_only_look_alike_stay_different():
    assert not CHEAP.verify(CHEAP.hash("\ufb01sh and chips"), "fish and chips")


@pytest.mark.parametrize("end", ["x", "y"])
def test_every_character_of_a_long_password_counts(end):
    encoded = CHEAP.hash("\U0001f600" * (MAX_LENGTH - 1) + "x")

    assert CHEAP.verify(encoded, "\U0001f600" * (MAX_LENGTH - 1) + end) is (end == "x")


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "x",
        "$argon2id$",
        "$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA",
        "$2b$12$" + "a" * 53,
        "\ud800",
        "\0",
    ],
)
def test_a_hash_that_is_none_fits_no_password_and_wants_to_be_made_anew(encoded):
    assert not CHEAP.verify(encoded, GOOD)
    assert CHEAP.needs_rehash(encoded)


@pytest.mark.parametrize("password", ["a" * (MAX_LENGTH + 1), "a" * 10_000_000, "\ud800"])
def test_what_cannot_be_a_password_is_refused_before_it_is_hashed(password):
    costly = PasswordHasher(time_cost=20, memory_kib=65_536, parallelism=1)

    with at_most(0.1):
        with pytest.raises(ValueError, match=r"characters|surrogates"):
            costly.hash(password)
        assert not costly.verify(CHEAP.dummy, password)


def test_a_hash_made_with_other_costs_is_to_be_made_anew():
    dearer = PasswordHasher(time_cost=2, memory_kib=16, parallelism=1)
    encoded = CHEAP.hash(GOOD)

    assert dearer.verify(encoded, GOOD)
    assert dearer.needs_rehash(encoded)
    assert not CHEAP.needs_rehash(encoded)


def test_the_dummy_costs_what_a_real_hash_costs_and_fits_nobody():
    hasher = PasswordHasher(time_cost=1, memory_kib=16, parallelism=1)

    assert not hasher.needs_rehash(hasher.dummy)
    assert not hasher.verify(hasher.dummy, "")


def test_threads_that_ask_at_once_share_one_dummy():
    hasher = PasswordHasher(time_cost=1, memory_kib=4096, parallelism=1)
    seen: list[str] = []
    start = threading.Barrier(8)

    def ask():
        start.wait()
        seen.append(hasher.dummy)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 8
    assert len(set(seen)) == 1


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "tall blue heron reads",
        "correct donkey battery paperclip",
        "8264917355281904",
        "рыжий лис идет домой",
        "".join(chr(0x1F98A + n * n % 31) for n in range(15)),
        "     spaces count too     ",
        "x" * 5 + "wombat drummed" + "y" * 1000,
    ],
)
def test_any_long_and_unusual_password_may_be_chosen(password):
    assert problems(password, minimum=15, context=["alice", "alice@example.com", "Your ID"]) is None


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too_short"),
        ("fourteen chars", "too_short"),
        ("e\u0301" * 14, "too_short"),
        ("a" * (MAX_LENGTH + 1), "too_long"),
        ("a" * 10_000_000, "too_long"),
        ("lighthouse\ncobalt97", "control_characters"),
        ("lighthouse\0cobalt97", "control_characters"),
        ("lighthouse\x9fcobalt97", "control_characters"),
        ("lighthouse\ud800cobalt97", "control_characters"),
        ("passwordpassword", "too_common"),
        ("Password1234567!", "too_common"),
        ("P@ssw0rd!!!!!!!!", "too_common"),
        ("  password      ", "too_common"),
        ("\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44-2026-2026", "too_common"),
        ("letmein letmein letmein", "too_common"),
        ("correcthorsebatterystaple", "too_common"),
        ("correct horse battery staple", "too_common"),
        ("aaaaaaaaaaaaaaaaaaaa", "too_common"),
        ("abababababababababab", "too_common"),
        ("abcdefghijklmnopqrst", "too_common"),
        ("1234567890123456", "too_common"),
        ("qwertyuiop123456", "too_common"),
        ("qwertzuiopasdfgh", "too_common"),
        ("ponmlkjihgfedcba", "too_common"),
    ],
)
def test_a_bad_password_is_refused_with_the_reason(password, code):
    assert problems(password, minimum=15) == code


@pytest.mark.parametrize(
    "password",
    ["alice-lighthouse-97", "lighthouse-ALICE-97", "my your-brand likes me", "wonderland street 7"],
)
def test_a_password_must_not_hold_what_the_person_is_known_by(password):
    context = ["alice", "wonderland@example.com", "Your-Brand", ""]

    assert problems(password, minimum=15, context=context) == "contains_name"


def test_what_looks_like_many_letters_takes_no_longer_than_a_hash():
    """zxcvbn reads `$` as s, too, and tries every combination: seconds, with all of them."""
    alphabet = "4@8({[<369&#!1/|0$5+7%2"
    passwords = [alphabet * 5, "({[<|" * 4 + alphabet * 5, "a" * 20 + alphabet[::-1] * 5]
    estimate("loads the word lists")

    for password in passwords:
        with at_most(0.3):
            estimate(password)


def test_what_the_person_is_known_by_takes_no_time_however_long_it_is():
    """Bringing accents into order takes the square of their number."""
    name = "alice" + "\u0301\u0316" * 20_000
    problems(GOOD, minimum=15)

    with at_most(0.3):
        assert problems("alice-lighthouse-97", minimum=15, context=[name]) is None
        assert problems("alice-lighthouse-97", minimum=15, context=["alice"]) == "contains_name"


def test_a_password_of_many_symbols_is_as_good_as_it_was():
    assert estimate("!@$({[<|+%").score >= 3
    assert estimate("4@8({[<369&#!1/|0$5+7%2").score == 4
    assert estimate("p@$$w0rd" * 9).score == 0


def test_a_name_of_several_words_is_found_without_its_blanks():
    assert problems("alicesmith goes out", minimum=15, context=["Alice Smith"]) == "contains_name"


def test_a_very_short_name_does_not_spoil_a_good_password():
    assert problems("jolly good fellows!", minimum=15, context=["jo", "fe@example.com"]) is None
    assert problems("jo@example.com-!", minimum=2, context=["jo"]) is None
    assert problems("jo", minimum=2, context=["jo"]) == "contains_name"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("qwer1234asdf", "guessable_known"),
        ("19.05.1987/", "guessable_date"),
        ("zxcvfdsaqwer", "guessable_keyboard"),
        ("wombatwombat", "guessable_repeats"),
        ("chrysanthemum", "guessable_word"),
        ("Elisabeth1987", "guessable_names"),
        ("perseverance", "guessable_anyhow"),
    ],
)
def test_what_a_program_guesses_in_minutes_is_refused_with_what_makes_it_easy(password, code):
    assert problems(password, minimum=8) == code


def test_what_is_made_of_the_name_of_the_site_is_guessed_first():
    assert problems("saxifrage2026!", minimum=8) is None
    assert problems("saxifrage2026!", minimum=8, site="login.saxifrage.example") is not None


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40), st.text())
def test_judging_a_password_never_fails(password, name):
    code = problems(password, minimum=8, context=[name])

    known = (None, "too_short", "too_common", "contains_name")
    assert code in known or code.startswith("guessable_")
    assert code is None or CHEAP.verify(CHEAP.hash(password), password)


def test_judging_takes_no_longer_for_a_tricky_password():
    with at_most(0.5):
        for unit in ("a", "ab", "a" * 511 + "b", "1q", "ﷺ", "="):
            problems((unit * MAX_LENGTH)[:MAX_LENGTH], minimum=15, context=["a" * 300])
