"""`oidc-server users import`, and the first sign-in of whoever came with it."""

import json

import bcrypt
import pytest

from oidc_server.domain import credentials
from oidc_server.settings import ensure_secret_key
from tests.authentication.forms import new_browser, sign_in
from tests.site import running_site, settings_for

PASSWORD = "wobbly kettle under seven moons"
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


def hash_of(site, username):
    with site.db() as db:
        account = credentials.find_by_name(db, username)
        assert account is not None
        return account.password_hash


@pytest.mark.parametrize("encoded", [BCRYPT, f"bcrypt${BCRYPT}"], ids=["PHP", "Django"])
def test_who_is_imported_signs_in_with_the_old_password_which_is_hashed_anew(
    run, data_dir, encoded
):
    line = {"username": "ann", "email": "ann@example.com", "password_hash": encoded}
    assert run("users", "import", "-", stdin=json.dumps(line)).status == 0
    settings = settings_for(
        f"sqlite:///{data_dir / 'oidc.db'}", data_dir, secret_key=ensure_secret_key(data_dir)
    )

    with running_site(settings) as site:
        imported = hash_of(site, "ann")
        refused = sign_in(new_browser(site), "ann", "another password")
        untouched = hash_of(site, "ann")
        first = sign_in(new_browser(site), "ann", PASSWORD)
        renewed = hash_of(site, "ann")
        second = sign_in(new_browser(site), "ann", PASSWORD)

        assert [refused.status_code, first.status_code, second.status_code] == [401, 303, 303]
        assert imported == untouched == BCRYPT
        assert renewed.startswith("$argon2id$")
        assert hash_of(site, "ann") == renewed
