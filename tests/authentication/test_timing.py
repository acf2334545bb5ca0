"""Time tells nothing of who has an account (statistical: see `tells`)."""

import math
from collections.abc import Callable, Iterator
from time import perf_counter

import pytest

from oidc_server.domain import users
from oidc_server.domain.factors import recovery_codes
from tests.authentication.forms import csrf, new_browser, post_to
from tests.factories import make_client, make_user
from tests.mails import read_mails
from tests.site import Site, running_site, settings_for

PAIRS = 200
BOUND = 0.05
"""The part by which one may take longer; without the dummy hash it is over nine tenths."""
CERTAINTY = 5.0
"""Standard deviations from half of the pairs: chance gets there once in three million times."""

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
            for number in range(PAIRS):
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


def tells(measure: Callable[[str], float], bound: float = BOUND) -> bool:
    """Whether one of the two takes longer by over `bound`, in clearly more than half of the pairs.

    What else the machine does disturbs a pair as often in favour of one as of the other.
    """
    measure("warm up")
    known_longer = unknown_longer = 0
    for number in range(PAIRS):
        names = [f"known{number}", f"never{number}"]
        if number % 2:
            names.reverse()
        taken = {name: measure(name) for name in names}
        known, unknown = (taken[f"{kind}{number}"] for kind in ("known", "never"))
        known_longer += unknown < known * (1 - bound)
        unknown_longer += known < unknown * (1 - bound)
    clearly = PAIRS / 2 + CERTAINTY * math.sqrt(PAIRS) / 2
    return max(known_longer, unknown_longer) > clearly


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
    assert len(read_mails(site)) >= PAIRS


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
