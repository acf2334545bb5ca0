"""`oidc-server clients`."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from oidc_server.database import Database
from oidc_server.domain import clients
from oidc_server.domain.client_metadata.values import GRANT_TYPES
from oidc_server.domain.clients import changing
from oidc_server.security.jose import SigningKey

REDIRECT_URI = "https://app.example.net/callback"
WEB = ("clients", "add", "--name", "Ledger", "--type", "web", "--redirect-uri", REDIRECT_URI)


@pytest.fixture
def secret_works(data_dir):
    """Whether a secret of a client is good at a moment from now."""

    def works(client_id, secret, after=timedelta()):
        database = Database(f"sqlite:///{data_dir / 'oidc.db'}")
        with database.transaction("read") as db:
            client = clients.load(db, client_id)
        database.close()
        return client.knows_secret(secret, datetime.now(UTC) + after)

    return works


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("web", "--redirect-uri", REDIRECT_URI),
            {
                "token_endpoint_auth_method": "client_secret_basic",
                "grant_types": ["authorization_code", "refresh_token"],
                "scope": "address email offline_access openid phone profile roles",
                "id_token_signed_response_alg": "RS256",
                "require_pkce": True,
                "live_secrets": 1,
            },
        ),
        (
            ("spa", "--redirect-uri", REDIRECT_URI, "--id-token-alg", "ES256"),
            {
                "token_endpoint_auth_method": "none",
                "id_token_signed_response_alg": "ES256",
                "live_secrets": 0,
            },
        ),
        (
            (
                "native",
                "--redirect-uri",
                "http://127.0.0.1/cb",
                "--redirect-uri",
                "net.example:/cb",
            ),
            {
                "token_endpoint_auth_method": "none",
                "redirect_uris": ["http://127.0.0.1/cb", "net.example:/cb"],
            },
        ),
        (
            (
                "service",
                "--auth-method",
                "client_secret_post",
                "--introspect",
                "--scope",
                "email address",
            ),
            {
                "token_endpoint_auth_method": "client_secret_post",
                "grant_types": ["client_credentials"],
                "scope": "address email",
                "may_introspect": True,
                "redirect_uris": [],
            },
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_client_of_each_type_gets_what_its_type_needs(run, arguments, expected):
    made = run("clients", "add", "--name", "Ledger", "--type", *arguments, "--json").json

    assert {name: made[name] for name in expected} == expected
    assert made["type"] == arguments[0]
    assert ("client_secret" in made) == (made["live_secrets"] == 1)


def test_choices_of_the_operator_replace_the_defaults(run):
    made = run(
        *WEB, "--grant-type", "authorization_code", "--scope", "openid", "--no-pkce",
        "--skip-consent", "--dpop-bound", "--post-logout-redirect-uri",
        "https://app.example.net/", "--json",
    ).json  # fmt: skip

    assert made["grant_types"] == ["authorization_code"]
    assert made["scope"] == "openid"
    assert (made["require_pkce"], made["skip_consent"]) == (False, True)
    assert made["dpop_bound_access_tokens"]
    assert made["post_logout_redirect_uris"] == ["https://app.example.net/"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--type", "web"), "redirect_uris is needed for the authorization code grant."),
        (
            ("--type", "web", "--redirect-uri", "http://app.example.net/cb"),
            "http://app.example.net/cb: plain http is for loopback addresses only; use https.",
        ),
        (
            ("--type", "web", "--redirect-uri", "net.ex:/cb"),
            "net.ex:/cb: only native clients (application_type) may use a scheme of their own.",
        ),
        (
            ("--type", "web", "--redirect-uri", "localhost:9000/cb"),
            "localhost:9000/cb: it has no scheme, such as https:// (RFC 6749 §3.1.2).",
        ),
        (
            ("--type", "web", "--redirect-uri", "https://app.example.net/cb#top"),
            "https://app.example.net/cb#top: it must not have a fragment (RFC 6749 §3.1.2).",
        ),
        (
            ("--type", "web", "--redirect-uri", "https://*.example.net/cb"),
            "https://*.example.net/cb: wildcards are not supported; register each address.",
        ),
        (
            ("--type", "web", "--redirect-uri", "javascript:alert(1)"),
            "javascript:alert(1): the scheme javascript is not allowed.",
        ),
        (
            ("--type", "web", "--redirect-uri", "https://[::1/cb"),
            "https://[::1/cb: it cannot be read as a URI.",
        ),
        (
            ("--type", "spa", "--redirect-uri", REDIRECT_URI, "--no-pkce"),
            "A public client must use PKCE (RFC 7636).",
        ),
        (
            (
                "--type",
                "spa",
                "--redirect-uri",
                REDIRECT_URI,
                "--auth-method",
                "client_secret_post",
            ),
            "token_endpoint_auth_method: client_secret_post does not fit a client of type spa.",
        ),
        (
            ("--type", "service", "--grant-type", "implicit"),
            "grant_types: implicit is not supported; these are: " + ", ".join(GRANT_TYPES) + ".",
        ),
        (("--type", "service", "--scope", 'a "b'), 'scope: "b is no scope (RFC 6749 §3.3).'),
        (
            ("--type", "service", "--scope", "users:raed openid"),
            "There is no scope users:raed; did you mean users:read?",
        ),
        (
            ("--type", "service", "--scope", "articles:list"),
            "There is no scope articles:list; add the resource server that has it first.",
        ),
    ],
)
def test_metadata_that_does_not_fit_is_refused_in_a_line(run, arguments, message):
    told = run("clients", "add", "--name", "Ledger", *arguments)
    answered = run("clients", "add", "--name", "Ledger", *arguments, "--json")

    assert (told.status, told.stdout, told.stderr) == (1, "", f"{message}\n")
    assert (answered.status, answered.json) == (1, {"error": message})
    assert run("clients", "list", "--json").json == []


def test_an_unknown_type_is_refused_with_the_known_ones(run):
    done = run("clients", "add", "--name", "Ledger", "--type", "desktop")

    assert done.status == 2
    assert "native" in done.stderr


def test_a_secret_is_shown_once(run, secret_works):
    made = run(*WEB, "--json").json
    shown = run("clients", "show", made["client_id"], "--json")
    listed = run("clients", "list", "--json")

    assert secret_works(made["client_id"], made["client_secret"])
    assert shown.json == {name: value for name, value in made.items() if name != "client_secret"}
    assert listed.json == [
        {
            "client_id": made["client_id"],
            "client_name": "Ledger",
            "type": "web",
            "created_at": made["created_at"],
            "self_registered": False,
            "disabled": False,
        }
    ]
    assert made["client_secret"] not in shown.stdout + listed.stdout


def test_a_client_id_is_never_taken_for_an_option():
    assert not [made for _ in range(2000) if (made := changing._new_client_id()).startswith("-")]


def test_a_client_is_shown_in_lines_for_people(run):
    client_id = run(*WEB, "--json").json["client_id"]

    lines = dict(
        line.split(maxsplit=1) for line in run("clients", "show", client_id).stdout.splitlines()
    )

    assert lines["redirect_uris"] == REDIRECT_URI
    assert "logo_uri" not in lines  # what was not chosen
    assert lines["disabled"] == "no"


def test_the_old_secret_goes_on_for_the_overlap(run, secret_works):
    old = run(*WEB, "--json").json
    client_id = old["client_id"]

    new = run("clients", "rotate-secret", client_id, "--overlap-hours", "2", "--json").json

    assert new.keys() == {"client_id", "client_secret"}
    assert secret_works(client_id, new["client_secret"], timedelta(days=400))
    assert secret_works(client_id, old["client_secret"], timedelta(hours=1.9))
    assert not secret_works(client_id, old["client_secret"], timedelta(hours=2.1))
    assert run("clients", "show", client_id, "--json").json["live_secrets"] == 2


def test_without_an_overlap_the_old_secret_ends_at_once(run, secret_works):
    old = run(*WEB, "--json").json

    run("clients", "rotate-secret", old["client_id"], "--overlap-hours", "0")

    assert not secret_works(old["client_id"], old["client_secret"])


@pytest.mark.parametrize("command", ["show", "rotate-secret"])
def test_a_client_that_is_not_there_is_named(run, command):
    done = run("clients", command, "nobody", "--json")

    assert (done.status, done.json) == (1, {"error": "There is no client nobody."})


def service(*options):
    return ("clients", "add", "--name", "Ledger", "--type", "service", *options, "--json")


@pytest.fixture
def jwks(tmp_path):
    """A file with the public key of a client."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [SigningKey.generate("ES256").public_jwk()]}))
    return file


def test_a_client_that_signs_with_its_key_has_no_secret(run, jwks):
    signing = ("--auth-method", "private_key_jwt")

    registered = run(*service(*signing, "--jwks", str(jwks))).json
    publishing = run(*service(*signing, "--jwks-uri", "https://app.example.net/keys")).json
    rotated = run("clients", "rotate-secret", registered["client_id"], "--json")

    assert registered["jwks"] == json.loads(jwks.read_text())
    assert publishing["jwks_uri"] == "https://app.example.net/keys"
    for made in (registered, publishing):
        assert made["token_endpoint_auth_method"] == "private_key_jwt"
        assert "client_secret" not in made
    assert rotated.json == {"error": f"Client {registered['client_id']} has no secret."}


def test_a_client_that_signs_with_its_secret_gets_one(run, secret_works):
    made = run(*service("--auth-method", "client_secret_jwt")).json

    new = run("clients", "rotate-secret", made["client_id"], "--json").json

    assert secret_works(made["client_id"], made["client_secret"])
    assert secret_works(made["client_id"], new["client_secret"])


def test_the_profile_decides_the_defaults(run, jwks):
    made = run(*WEB, "--profile", "fapi2", "--jwks", str(jwks), "--json").json
    weaker = run(
        *WEB, "--profile", "fapi2", "--jwks", str(jwks), "--id-token-alg", "RS256", "--json"
    )

    assert made["profile"] == "fapi2"
    assert made["token_endpoint_auth_method"] == "private_key_jwt"
    assert made["id_token_signed_response_alg"] == "ES256"
    assert made["require_pushed_authorization_requests"]
    assert made["dpop_bound_access_tokens"]
    assert "profile fapi2 demands" in weaker.json["error"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file holds no JSON object"),
        ("[]", "the file holds no JSON object"),
        ("{}", "jwks: this is no JWK set."),
        ('{"keys":[]}', "jwks: it holds no key of a kind that we know."),
        ('{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}', "jwks: a key is private or symmetric."),
        ('{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}', "jwks: an RSA key has 2048 to 4096"),
    ],
)
def test_a_key_set_that_is_none_is_refused(run, jwks, text, problem):
    jwks.write_text(text)

    done = run(*service("--auth-method", "private_key_jwt", "--jwks", str(jwks)))

    assert done.status != 0
    assert problem in " ".join((done.stdout + done.stderr).split())
    assert run("clients", "list", "--json").json == []


def test_a_metadata_file_that_is_not_there_is_told_with_its_option(run):
    done = run(*WEB, "--metadata", "missing.json")

    assert done.status == 2
    assert "--metadata: missing.json: No such file or directory" in done.stderr


def test_a_public_client_has_no_secret_to_rotate(run):
    client_id = run(
        "clients", "add", "--name", "App", "--type", "spa", "--redirect-uri", REDIRECT_URI, "--json"
    ).json["client_id"]

    done = run("clients", "rotate-secret", client_id)

    assert (done.status, done.stderr) == (1, f"Client {client_id} has no secret.\n")


def test_where_a_client_is_told_of_a_sign_out_is_registered(run):
    back, front = "https://app.example.net/back", "https://app.example.net/front"

    made = run(
        *(*WEB, "--backchannel-logout-uri", back, "--frontchannel-logout-uri", front, "--json")
    ).json

    assert made["backchannel_logout_uri"] == back
    assert made["frontchannel_logout_uri"] == front
    assert made["backchannel_logout_session_required"] is True
    assert made["frontchannel_logout_session_required"] is True


def test_scopes_of_a_resource_server_are_known_once_it_is(run):
    run("resources", "add", "https://articles.example.net/", "--scope", "articles:list")

    made = run("clients", "add", "--type", "service", "--name", "Till", "--scope", "articles:list")
    client_id = run("clients", "list", "--json").json[0]["client_id"]
    run("resources", "remove", "https://articles.example.net/", "--yes")
    renamed = run("clients", "edit", client_id, "--name", "Desk")
    mistyped = run("clients", "edit", client_id, "--scope", "articles:list user:read")

    assert (made.status, renamed.status, mistyped.status) == (0, 0, 1)
    assert mistyped.stderr == "There is no scope user:read; did you mean users:read?\n"


def test_whoever_gives_a_service_a_redirect_uri_hears_that_it_can_never_use_it(run):
    service = ("clients", "add", "--type", "service", "--name", "Till")
    place = ("--redirect-uri", "https://till.example.net/")

    told = run(*service, *place)
    by_code = run(*service, *place, "--grant-type", "authorization_code", "--json")

    assert told.status == 0
    assert "Nobody is ever sent to a client that uses client_credentials alone" in told.stderr
    assert by_code.json["redirect_uris"] == [place[1]]
    assert "Nobody is ever sent" not in by_code.stderr
