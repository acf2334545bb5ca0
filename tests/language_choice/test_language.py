"""In which language somebody is answered: as they chose, as the app asks, as the account says."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest

from oidc_server.domain import users
from oidc_server.languages import NAMES, tag, translate
from oidc_server.people.mail_facts import browser_name
from tests.browser import Browser, Page
from tests.factories import make_client, make_user
from tests.mails import read_mails
from tests.relying_party import RelyingParty

HEADINGS = {
    "en": "Sign in",
    "de": "Anmelden",
    "fr": "Se connecter",
    "es": "Iniciar sesión",
    "zh": "登录",
}
OVERVIEW = {
    "en": "Your account",
    "de": "Ihr Konto",
    "fr": "Votre compte",
    "es": "Su cuenta",
    "zh": "您的账户",
}


def heading(page) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text, re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "", found[1])).strip() if found else ""


def language_of(page) -> str:
    return str(re.findall(r'<html lang="([^"]*)">', page.text)[0])


def choose(browser: Browser, page, language: str):
    """Follow the link in the foot of a page, and press a button."""
    link = unescape(re.findall(r'href="([^"]*)" id="choose-language"', page.text)[0])
    return browser.send(browser.go(link), language=language)


@pytest.mark.parametrize("language", NAMES)
def test_a_sign_in_from_the_app_to_the_account_is_in_the_language_that_the_app_asks_for(
    site, language
):
    party = RelyingParty(site, make_client(site))
    person, browser = make_user(site), Browser(site.http, site.issuer)

    login = browser.go(party.url(ui_locales=f"xx {language}-XX"))
    failed = browser.log_in(login, person, password="wrong")
    consent = browser.log_in(failed, person)

    assert heading(login).startswith(HEADINGS[language].split()[0])
    assert {language_of(page) for page in (login, failed, consent)} == {tag(language)}
    assert browser.allow(consent).headers["location"].startswith(party.app.redirect_uri)


@pytest.mark.parametrize("sent_to", ["/login", "/login/passkey"])
def test_the_choice_on_a_page_that_a_form_has_sent_leads_back_to_the_app(site, sent_to):
    party = RelyingParty(site, make_client(site))
    person, browser = make_user(site), Browser(site.http, site.issuer)
    login = browser.go(party.url())
    fields = {**Page(login).hidden(), "username": person.username, "password": "wrong"}
    failed = browser.client.post(sent_to, data=fields, headers={"sec-fetch-site": "same-origin"})

    chosen = choose(browser, failed, "de")
    answer = browser.allow(browser.log_in(chosen, person))

    assert failed.status_code == 401
    assert heading(chosen) == HEADINGS["de"]
    assert answer.headers["location"].startswith(party.app.redirect_uri)


def test_the_choice_on_the_error_of_a_button_leads_back_to_the_page_with_the_button(site):
    person, browser = make_user(site), Browser(site.http, site.issuer)
    browser.log_in(browser.go("/login"), person)
    expired = browser.client.post("/account/sessions/end-others", data={"csrf_token": "old"})

    chosen = choose(browser, expired, "de")

    assert expired.status_code == 403
    assert (chosen.status_code, chosen.url.path) == (200, "/account/sessions")


@pytest.mark.parametrize("language", NAMES)
def test_the_language_of_the_account_counts_before_that_of_the_browser(site, language):
    person = make_user(site)
    with site.db() as db:
        users.edit(db, person.id, {"locale": language}, site.clock.now)
    site.http.headers["accept-language"] = "fr" if language != "fr" else "de"
    browser = Browser(site.http, site.issuer)
    try:
        browser.log_in(browser.go("/login"), person)
        page = browser.go("/account")
    finally:
        del site.http.headers["accept-language"]

    assert language_of(page) == tag(language)
    assert OVERVIEW[language] in page.text


def test_a_choice_is_kept_in_the_browser_counts_most_and_leads_back(site):
    party = RelyingParty(site, make_client(site))
    browser = Browser(site.http, site.issuer)
    asked_for_french = browser.go(party.url(ui_locales="fr"))

    page = choose(browser, asked_for_french, "es")

    assert page.request.url == asked_for_french.request.url
    assert language_of(page) == "es"
    assert language_of(browser.go("/login")) == "es"


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\r\nb"]
)
def test_a_choice_leads_nowhere_else(site, to):
    browser = Browser(site.http, site.issuer)

    page = browser.send(browser.go("/language"), language="de", to=to)

    assert urlsplit(str(page.request.url)).netloc == urlsplit(site.issuer).netloc


def test_a_language_that_is_none_of_ours_is_refused(site):
    browser = Browser(site.http, site.issuer)

    page = browser.send(browser.go("/language"), language="xx")

    assert page.status_code == 404


def test_a_mail_is_in_the_language_of_the_page_that_caused_it(site):
    browser = Browser(site.http, site.issuer)
    choose(browser, browser.go("/login"), "zh")
    person = make_user(site)

    browser.send(browser.go("/password-reset"), username=person.email)

    [mail] = read_mails(site)
    assert mail.language == "zh"
    assert mail.subject == "重设您的 Your ID 密码"
    assert "您好" in mail.text
    assert '<html lang="zh-Hans">' in (mail.html or "")


def test_an_error_page_is_in_the_language_that_the_app_asks_for(site):
    page = site.http.get("/authorize", params={"client_id": "nobody", "ui_locales": "de"})

    assert page.status_code == 400
    assert heading(page) == "Diese App ist nicht richtig eingerichtet"


def test_an_error_of_the_api_stays_english(site):
    answer = site.http.get("/api/v1/me", headers={"accept-language": "de"})

    assert answer.status_code == 401
    assert "token" in answer.json()["detail"]


def test_words_of_the_program_are_english_until_they_are_translated():
    name = browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")

    assert name == "Firefox on Linux"
    assert translate("zh", name) == "Linux 上的 Firefox"
    assert translate("de", "as it is") == "as it is"


def test_the_metadata_tells_the_languages(site):
    told = site.http.get("/.well-known/openid-configuration").json()

    assert told["ui_locales_supported"] == list(NAMES)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/logout?state=a&state=b", "Der Parameter state wurde mehr als einmal gesendet."),
        ("/logout?id_token_hint=x", "Der id_token_hint ist kein ID Token dieses Servers."),
        ("/authorize?client_id=none", "Mit dieser client_id ist kein Client registriert."),
        ("/login?return_to=%FF", "Die Parameter sind kein UTF-8-Text."),
        ("/login?return_to=%00", "Ein Parameter enthält ein NUL-Zeichen."),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_the_language_of_its_reader(site, path, words):
    page = site.http.get(path, headers={"accept-language": "de"})

    assert page.status_code == 400
    assert language_of(page) == "de"
    assert words in unescape(page.text)


def test_programs_are_told_in_english_and_in_ascii_what_is_wrong(site):
    answers = [
        site.http.post(
            path, content=content, headers={"accept-language": "de", "content-type": kind}
        )
        for path, content, kind in (
            ("/token", "grant_type=a&grant_type=b", "application/x-www-form-urlencoded"),
            ("/token", "grant_type=a%00", "application/x-www-form-urlencoded"),
            ("/token", "{}", "application/json"),
        )
    ]

    told = [answer.json()["error_description"] for answer in answers]
    assert all(text.isascii() and text.endswith(".") for text in told)
    assert "A parameter contains a NUL character." in told
