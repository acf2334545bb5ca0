"""`oidc-server issuers`."""

import json

import pytest

from oidc_server.security.jose import SigningKey
from tests.client_assertions import key_set

COMPANY = "https://people.example.org"
JWKS_URI = "https://people.example.org/jwks"


@pytest.fixture
def keys(tmp_path):
    """A file with one public key."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(SigningKey.generate("ES256"))))
    return str(file)


def test_an_issuer_is_trusted_listed_and_removed(run, keys):
    made = run("issuers", "add", COMPANY, "--jwks", keys, "--subject", "email", "--json").json

    assert made.pop("created_at")
    assert made == {"issuer": COMPANY, "keys": 1, "audience": None, "subject": "email"}
    assert COMPANY in run("issuers", "list").stdout
    assert run("issuers", "remove", COMPANY, "--yes", "--json").json == {
        "issuer": COMPANY,
        "removed": True,
    }
    assert run("issuers", "list", "--json").json == []


def test_an_issuer_may_publish_its_keys(run):
    made = run("issuers", "add", COMPANY, "--jwks-uri", JWKS_URI, "--audience", "urn:us", "--json")

    assert (made.json["keys"], made.json["audience"]) == (JWKS_URI, "urn:us")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Give either the keys of the issuer or its jwks_uri."),
        (("--jwks-uri", "http://people.example.org"), "The jwks_uri must begin with https://."),
    ],
)
def test_an_issuer_that_does_not_fit_is_refused_in_a_line(run, arguments, message):
    told = run("issuers", "add", COMPANY, *arguments)

    assert (told.status, told.stderr) == (1, f"{message}\n")


def test_an_issuer_is_trusted_once_and_removed_once(run, keys):
    run("issuers", "add", COMPANY, "--jwks", keys)

    again = run("issuers", "add", COMPANY, "--jwks", keys)
    run("issuers", "remove", COMPANY, "--yes")
    gone = run("issuers", "remove", COMPANY, "--yes")

    assert (again.status, again.stderr) == (1, f"{COMPANY} is trusted already.\n")
    assert (gone.status, gone.stderr) == (1, f"{COMPANY} is not trusted.\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"keys": []}', "The key set holds no key that we can use."),
        ("{}", "The keys do not fit: this is no JWK set."),
    ],
)
def test_keys_that_do_not_fit_are_refused(run, tmp_path, content, message):
    file = tmp_path / "keys.json"
    file.write_text(content)

    told = run("issuers", "add", COMPANY, "--jwks", str(file))

    assert (told.status, told.stderr) == (1, f"{message}\n")
