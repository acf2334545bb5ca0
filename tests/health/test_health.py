"""What load balancers are told, and what `doctor` finds."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text

from oidc_server import resources
from oidc_server.domain import signing_keys
from oidc_server.health.checks import checks
from tests.site import running_site, settings_for

UP, DOWN = {"status": "up"}, {"status": "down"}
HEAD = resources.newest_migration()
NEWER = "UPDATE alembic_version SET version_num = '9999', oldest_program = :oldest"
GOES_ON = f"At 9999, newer than {HEAD}, which goes on until it is replaced."
ENDS = f"At 9999, which is not for {HEAD}: install the newer version here too."


def as_now(site):
    """The clock of the site tells the true time, as that of its database does."""
    site.clock.now = datetime.now(UTC)
    return site


def findings(site):
    return {check.name: check.finding for check in checks(site.runtime) if not check.ok}


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/health/live"])
def test_a_working_node_is_up(site, path):
    answer = as_now(site).http.get(path)

    assert (answer.status_code, answer.json()) == (200, UP)
    assert answer.headers["cache-control"] == "no-store"
    assert findings(site) == {}


@pytest.mark.parametrize(("seconds", "side"), [(-3, "behind"), (3, "ahead of")])
def test_a_node_whose_clock_differs_from_the_databases_is_not_ready_but_lives(site, seconds, side):
    as_now(site).clock.advance(seconds)

    answer = site.http.get("/health/ready")

    assert (answer.status_code, answer.json()) == (503, DOWN)
    assert site.http.get("/health/live").json() == UP
    assert findings(site)["clock"].endswith(f" s {side} the database's.")


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_small_difference_is_forgiven(site, seconds):
    as_now(site).clock.advance(seconds)

    assert site.http.get("/health/ready").status_code == 200


def test_without_a_signing_key_a_node_is_not_ready(start_site):
    site = as_now(start_site())
    with site.db() as db:
        db.session.execute(delete(signing_keys.SigningKeyRow))

    answer = site.http.get("/health/ready")

    assert (answer.status_code, answer.json()) == (503, DOWN)
    assert findings(site) == {"signing key": "There is none."}


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "At 0000, not "),
        ("DELETE FROM alembic_version", "At nothing, not "),
        ("DROP TABLE alembic_version", "There are no tables: "),
    ],
)
def test_a_database_at_another_migration_is_not_ready(start_site, statement, finding):
    site = as_now(start_site())
    with site.db() as db:
        db.session.execute(text(statement))

    answer = site.http.get("/health/ready")

    assert (answer.status_code, answer.json()) == (503, DOWN)
    assert findings(site)["migrations"].startswith(finding)
    assert findings(site)["migrations"].endswith("run the migrations (oidc-server db upgrade).")


@pytest.mark.parametrize(
    ("oldest", "status", "finding"),
    [
        (HEAD, 200, GOES_ON),
        ("0001", 200, GOES_ON),
        ("9998", 503, ENDS),
        (None, 503, ENDS),
    ],
)
def test_a_node_goes_on_with_a_newer_schema_if_that_says_so(start_site, oldest, status, finding):
    site = as_now(start_site())
    with site.db() as db:
        db.session.execute(text(NEWER), {"oldest": oldest})

    answer = site.http.get("/health/ready")

    assert answer.status_code == status
    assert [check.finding for check in checks(site.runtime) if check.name == "migrations"] == [
        finding
    ]


@pytest.mark.slow
def test_without_its_database_a_node_lives_but_is_not_ready(postgres, tmp_path):
    url = postgres.create_database()
    with running_site(settings_for(url, tmp_path)) as site:
        postgres.drop_database(url)

        answer = as_now(site).http.get("/health/ready")

        assert (answer.status_code, answer.json()) == (503, DOWN)
        assert int(answer.headers["retry-after"]) > 0
        assert (site.http.get("/health/live").status_code, list(findings(site))) == (
            200,
            ["database"],
        )


def test_an_answer_tells_nothing_but_up_or_down(site):
    site.clock.advance(timedelta(days=400))

    answer = site.http.get("/health")

    assert answer.content == b'{"status":"down"}'
    assert site.http.post("/health").status_code == 405
    assert site.http.head("/health/live").status_code == 200
