"""OpenID Connect Front-Channel Logout 1.0."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from tests.factories import make_client
from tests.relying_party import RelyingParty, signed_in
from tests.site import Site

AFTER = "https://app.example.net/signed-out"
FRONT = "https://app.example.net/frontchannel?of=us"


def sid_of(id_token: str) -> str:
    return str(jwt.decode(id_token, options={"verify_signature": False})["sid"])


def frames(answer: Any) -> list[str]:
    return [unescape(src) for src in re.findall(r'<iframe src="([^"]*)"', answer.text)]


def policy(answer: Any) -> dict[str, str]:
    directives = answer.headers["content-security-policy"].split(";")
    return dict(directive.strip().partition(" ")[::2] for directive in directives)


def test_s2_a_client_of_the_session_is_loaded_in_a_frame_with_iss_and_sid(site: Site) -> None:
    _, browser, _, tokens = signed_in(
        site, post_logout_redirect_uris=(AFTER,), frontchannel_logout_uri=FRONT
    )

    answer = browser.go(
        f"/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={AFTER}&state=a%26b"
    )

    assert answer.status_code == 200
    [frame] = frames(answer)
    assert frame.startswith(FRONT)
    assert parse_qs(urlsplit(frame).query) == {
        "of": ["us"],
        "iss": [site.issuer],
        "sid": [sid_of(tokens["id_token"])],
    }
    assert policy(answer)["frame-src"] == "https://app.example.net"
    onward = f'<meta http-equiv="refresh" content="2; url={AFTER}?state=a%26b">'
    assert f"<noscript>{onward}</noscript>" in answer.text
    assert f'href="{AFTER}?state=a%26b"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_s2_every_client_that_took_part_and_no_other_is_told(site: Site) -> None:
    party, browser, person, _ = signed_in(site, frontchannel_logout_uri=FRONT)
    home = "https://other.example.org"
    second = RelyingParty(
        site,
        make_client(
            site,
            redirect_uris=(f"{home}/callback",),
            frontchannel_logout_uri=f"{home}/signed-out",
        ),
    )
    second.redeem(second.authorize(browser, person).code)
    make_client(site, frontchannel_logout_uri=FRONT)
    signed_in(site, frontchannel_logout_uri=FRONT)

    answer = browser.send(browser.go("/logout"))

    sources = [urlsplit(frame)[:3] for frame in frames(answer)]
    assert sorted(sources) == [
        ("https", "app.example.net", "/frontchannel"),
        ("https", "other.example.org", "/signed-out"),
    ]
    assert policy(answer)["frame-src"] == "https://app.example.net https://other.example.org"
    assert 'http-equiv="refresh"' not in answer.text
    assert party.read(browser.go(party.url(prompt="none"))).error == "login_required"


def test_s2_without_such_a_client_nobody_waits_and_no_frame_is_allowed(site: Site) -> None:
    _, browser, _, tokens = signed_in(site, post_logout_redirect_uris=(AFTER,))

    answer = browser.go(
        f"/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={AFTER}"
    )
    page = browser.go("/logout")

    assert (answer.status_code, answer.headers["location"]) == (303, AFTER)
    assert "frame-src" not in policy(page)


def test_s2_who_is_not_signed_in_has_nothing_to_tell(site: Site) -> None:
    _, browser, _, _ = signed_in(site, frontchannel_logout_uri=FRONT)
    browser.send(browser.go("/logout"))

    again = browser.go("/logout")

    assert frames(again) == []


def test_s3_the_metadata_say_so(site: Site) -> None:
    document = site.http.get("/.well-known/openid-configuration").json()

    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True
