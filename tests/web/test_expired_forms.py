"""A form that is refused leads to a page that can be opened, and takes nothing from its browser."""

import re

import pytest

from oidc_server.routes import DEV_ROUTES, ROUTES
from oidc_server.web.endpoint import Endpoint
from tests.site import Site

FORMS = [
    re.sub(r"{\w+}", "0193b1d2-0000-4000-8000-000000000000", route.path)
    for route in [*ROUTES, *DEV_ROUTES]
    if isinstance(route.endpoint, Endpoint) and "POST" in route.endpoint.methods
]


def test_whichever_button_posted_it_the_page_can_be_loaded_again(site: Site) -> None:
    without_page, followed = [], 0
    for path in FORMS:
        expired = site.http.post(path, data={"csrf_token": "old"})
        for again in re.findall(r'href="([^"]+)">Load the page again<', expired.text):
            followed += 1
            if site.http.get(again).status_code == 405:
                without_page.append(path)

    assert followed > len(FORMS) / 3
    assert without_page == []


def test_who_opens_the_address_of_a_button_is_led_to_its_page(site: Site) -> None:
    opened = site.http.get("/login/passkey")

    assert opened.status_code == 405
    assert f'href="{site.issuer}/login">Open the page<' in opened.text


def test_a_page_that_does_not_exist_leads_to_the_account(site: Site) -> None:
    nothing = site.http.get("/nowhere")

    [home] = re.findall(r'href="([^"]+)">Go to your account<', nothing.text)
    assert nothing.status_code == 404
    assert site.http.get(home).status_code == 200


@pytest.mark.parametrize(
    "said", [{"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}]
)
def test_no_post_from_another_site_takes_the_mark_of_a_browser(
    site: Site, said: dict[str, str]
) -> None:
    """A browser sends no Lax cookies along with it, and would keep those that are answered."""
    answers = [site.browser().post(path, data={"a": "b"}, headers=said) for path in FORMS]

    assert [answer.headers.get_list("set-cookie") for answer in answers] == [[]] * len(FORMS)
    assert "set-cookie" in site.browser().get("/login", headers=said).headers
    own = {"sec-fetch-site": "same-origin", "origin": site.issuer}
    assert "set-cookie" in site.browser().post("/login", data={"a": "b"}, headers=own).headers
