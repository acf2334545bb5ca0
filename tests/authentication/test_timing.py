"""Time tells nothing of who has an account (statistical: see the bound and the retries below)."""

import statistics
from collections.abc import Callable, Iterator
from time import perf_counter

import pytest

from oidc_server.domain import users
from oidc_server.domain.factors import recovery_codes
from tests.authentication.forms import csrf, new_browser, post_to
from tests.factories import make_client, make_user
from tests.mails import read_mails
from tests.site import Site, running_site, settings_for

SAMPLES = 60
BOUND = 0.05
"""Medians of interleaved samples differ by less than this part, in at least one of `TRIES`.

A machine under load disturbs a measurement, but a difference that is really there stays in all of
them: without the dummy hash it is over nine tenths.
"""
TRIES = 4

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    """A server with the costs that operators get, and people whose password nobody knows."""
    costs = {"argon2_time_cost": 2, "argon2_memory_kib": 19456}
    settings = settings_for(f"sqlite:///{tmp_path / 'oidc.db'}", tmp_path, **costs)
    with running_site(settings) as site:
        password_hash = site.runtime.passwords.hash("a password that nobody guesses")
        assert site.runtime.passwords.dummy
        with site.db() as db:
            for number in range(SAMPLES * TRIES):
                users.create(
                    db,
                    username=f"known{number}",
                    email=f"known{number}@example.com",
                    name=None,
                    password_hash=password_hash,
                    now=site.clock.now,
                    email_verified=True,
                )
        yield site


def difference(measure: Callable[[str], float], offset: int) -> float:
    """How far the medians of known and unknown names are apart, as a part of the larger one."""
    known, unknown = [], []
    for number in range(offset, offset + SAMPLES):
        known.append(measure(f"known{number}"))
        unknown.append(measure(f"never{number}"))
    medians = statistics.median(known), statistics.median(unknown)
    return abs(medians[0] - medians[1]) / max(medians)


def tells(measure: Callable[[str], float], bound: float = BOUND) -> bool:
    """Whether every one of `TRIES` measurements finds a difference over `bound`."""
    measure("warm up")
    tries = range(0, SAMPLES * TRIES, SAMPLES)
    return all(difference(measure, offset) >= bound for offset in tries)


def timer(site: Site, path: str, fields: Callable[[str], dict[str, str]]):
    browser = new_browser(site)
    token = csrf(browser)

    def measure(name: str) -> float:
        begun = perf_counter()
        answer = post_to(browser, path, csrf_token=token, **fields(name))
        taken = perf_counter() - begun
        assert answer.status_code in (200, 303, 401)
        return taken

    return measure


def test_a_wrong_password_takes_as_long_for_a_name_that_does_not_exist(site):
    measure = timer(site, "/login", lambda name: {"username": name, "password": "a wrong guess"})

    assert not tells(measure)


def test_asking_for_a_new_password_takes_as_long_for_a_name_that_does_not_exist(site):
    measure = timer(site, "/password-reset", lambda name: {"username": name})

    # Nothing is hashed here, so that the one row more of a mail counts for some hundredths; but an
    # attacker has five samples of a name, and then it is silent.
    assert not tells(measure, bound=0.1)
    assert len(read_mails(site)) >= SAMPLES


def test_signing_up_takes_as_long_with_an_address_that_somebody_has(site):
    count = iter(range(10_000))
    measure = timer(
        site,
        "/sign-up",
        lambda name: {
            "username": f"new{next(count)}",
            "email": f"{name.replace(' ', '')}@example.com",
            "password": "a passphrase of somebody new",
        },
    )

    assert not tells(measure)


def test_a_wrong_client_secret_takes_as_long_for_a_client_that_does_not_exist(site):
    """A client that is in use: one that a process reads for the first time is read once."""
    app = make_client(site, "service")

    def measure(name: str) -> float:
        client_id = app.client_id if name.startswith("known") else name
        begun = perf_counter()
        answer = site.http.post(
            "/token", data={"grant_type": "client_credentials"}, auth=(client_id, "a wrong guess")
        )
        taken = perf_counter() - begun
        assert answer.status_code == 401
        return taken

    measure("known")
    # Nothing is hashed slowly here, so that the noise of a request is a larger part of it.
    assert not tells(measure, bound=0.1)


def test_a_wrong_recovery_code_takes_as_long_for_somebody_who_has_none(site):
    """The page is alike for all who gave their password; so is what looks for the code."""
    people = {name: make_user(site).id for name in ("known", "never")}
    with site.db() as db:
        codes = recovery_codes.mint(db, site.runtime.vault, people["known"], site.clock.now)
        assert recovery_codes.redeem(
            db, site.runtime.vault, people["known"], codes[0], site.clock.now
        )

    def measure(name: str) -> float:
        user_id = people["known" if name.startswith("known") else "never"]
        with site.db() as db:
            begun = perf_counter()
            for guess in ("aaaaaaaa", "bbbbbbbb", codes[0], "cccccccc"):
                assert not recovery_codes.redeem(
                    db, site.runtime.vault, user_id, guess, site.clock.now
                )
            return perf_counter() - begun

    assert not tells(measure, bound=0.1)
