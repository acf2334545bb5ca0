"""Whatever happens in whatever order, on two workers: tokens are worth what they should be."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oidc_server.database import Database
from oidc_server.security.passwords import PasswordHasher
from tests.factories import PASSWORD
from tests.invariants.machine import LivesOfTokens
from tests.services.deployment import deployed

pytestmark = [pytest.mark.race, pytest.mark.slow]
LIVES, STEPS = 12, 30


def test_tokens_keep_their_invariants_in_any_order_of_events(ready_database_url, tmp_path):
    with deployed(tmp_path, ready_database_url, refresh_token_grace="60s") as running:
        database = Database(ready_database_url)
        hasher = PasswordHasher(1, 64, 1)

        class Lives(LivesOfTokens):
            deployment = running

        Lives.database = database
        Lives.password_hash = hasher.hash(PASSWORD)
        try:
            run_state_machine_as_test(
                Lives,
                settings=settings(
                    max_examples=LIVES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.generate],  # looking for a shorter story takes minutes
                    print_blob=True,
                ),
            )
        finally:
            database.close()
