"""The pages that show the description, what they may load, and how to be without them."""

import gzip
import re

import pytest

from tests.site import Site
from tests.wire import ask

PAGES = ("/docs", "/redoc", "/docs/signed-in")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_about_the_api_runs_our_files_only(site: Site, path: str) -> None:
    answer = ask(site, "GET", path)

    policy = answer.header("content-security-policy") or ""
    [scripts] = re.findall(r"script-src ([^;]*)", policy)
    assert answer.status == 200
    assert scripts == "'self'"
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert len(answer.all("content-security-policy")) == 1


def test_styles_that_redoc_makes_need_a_new_word_each_time(site: Site) -> None:
    answers = [ask(site, "GET", "/redoc") for _ in range(2)]

    words = [
        re.findall(r"'nonce-([^']+)'", one.header("content-security-policy") or "")
        for one in answers
    ]
    for answer, [word] in zip(answers, words, strict=True):
        assert f'<meta name="sc-nonce" content="{word}">' in answer.text
    assert words[0] != words[1]


def test_the_address_with_the_code_is_told_to_nobody(site: Site) -> None:
    answer = ask(site, "GET", "/docs/signed-in?code=x&state=y")

    assert answer.all("referrer-policy") == ["no-referrer"]
    assert answer.header("cross-origin-opener-policy") == "unsafe-none"


def test_a_big_script_is_sent_compressed_to_whoever_takes_that(site: Site) -> None:
    [script] = re.findall(r'src="([^"]*swagger-ui-bundle\.js)"', ask(site, "GET", "/docs").text)

    small = ask(site, "GET", script, headers=(("accept-encoding", "br, gzip"),))
    plain = ask(site, "GET", script)
    head = ask(site, "HEAD", script)

    for answer in (small, plain, head):
        assert answer.status == 200
        assert (answer.header("content-type") or "").startswith("text/javascript")
        assert answer.header("vary") == "accept-encoding"
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("cache-control") == "public, max-age=31536000, immutable"
    assert small.header("content-encoding") == "gzip"
    assert plain.header("content-encoding") is None
    assert small.header("content-length") == str(len(small.body))
    assert plain.header("content-length") == head.header("content-length") == str(len(plain.body))
    assert head.body == b""
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 3


def test_the_page_signs_in_with_the_client_that_was_chosen(start_site) -> None:
    site = start_site(api_docs_client_id="the-client")

    page = ask(site, "GET", "/docs").text

    assert 'data-client-id="the-client"' in page
    assert f'data-redirect-uri="{site.issuer}/docs/signed-in"' in page


def test_a_server_can_be_without_all_this(start_site) -> None:
    site = start_site(api_docs=False)

    assert [ask(site, "GET", path).status for path in (*PAGES, "/openapi.json")] == [404] * 4
