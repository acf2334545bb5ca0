"""The looks that an operator chooses: a logo, one colour, three links."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from oidc_server.web import brand
from tests.authentication.forms import new_browser, sign_up
from tests.mails import read_mails
from tests.site import running_site, settings_for

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'

SURFACES_LIGHT = ((0xFF, 0xFF, 0xFF), (0xF3, 0xF6, 0xF6))
SURFACES_DARK = ((0x14, 0x20, 0x24), (0x0D, 0x15, 0x18))


def color_of(written: str) -> brand.Color:
    red, green, blue = bytes.fromhex(written.removeprefix("#"))
    return red, green, blue


def refusal(tmp_path: Path, **changes: object) -> str:
    with pytest.raises(ValidationError) as refused:
        settings_for("sqlite:///:memory:", tmp_path, **changes)
    return str(refused.value)


def test_every_page_has_logo_colour_and_links_from_our_own_address(tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_bytes(SVG)
    settings = settings_for(
        f"sqlite:///{tmp_path}/oidc.db",
        tmp_path,
        brand_logo=logo,
        brand_color="#6D1F4F",
        help_url="https://example.com/help",
        privacy_url="https://example.com/privacy",
        terms_url="https://example.com/terms",
    )
    with running_site(settings) as site:
        page = site.http.get("/login").text
        sheet = site.http.get(re.findall(r'href="(/static/\w+/brand/brand\.css)"', page)[0])
        picture = site.http.get(re.findall(r'src="(/static/\w+/brand/logo\.svg)"', page)[0])

    assert "--accent: light-dark(#6d1f4f," in sheet.text
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert picture.content == SVG
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    assert "immutable" in picture.headers["cache-control"]
    for address in ("help", "privacy", "terms"):
        assert f'href="https://example.com/{address}"' in page


def test_pages_without_a_brand_ask_for_no_sheet_of_it(site):
    page = site.http.get("/login").text

    assert "brand.css" not in page


@pytest.mark.parametrize(
    "color", ["#000000", "#ffffff", "#ffff00", "#0b5d71", "#6d1f4f", "#00ff00", "#777777"]
)
def test_whatever_the_colour_everything_can_be_read(color):
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", brand.style(color))
    light = {name: color_of(value) for name, value, _ in pairs}
    night = {name: color_of(value) for name, _, value in pairs}

    for accent in (light["accent"], night["accent"]):
        assert brand.contrast((255, 255, 255), accent) >= 4.5
    for surface in (*SURFACES_LIGHT, light["tint"]):
        assert brand.contrast(light["link"], surface) >= 4.5
    for surface in (*SURFACES_DARK, night["tint"]):
        assert brand.contrast(night["link"], surface) >= 4.5
    for surface in SURFACES_DARK:
        assert brand.contrast(night["accent"], surface) >= 3


def test_the_surfaces_are_those_of_the_style_sheet():
    sheet = Path("static/css/id.css").read_text()

    assert "--surface: light-dark(#fff, #142024)" in sheet
    assert "--canvas: light-dark(#f3f6f6, #0d1518)" in sheet


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "rgb(0,0,0)", "#123456;}"])
def test_what_is_no_colour_is_refused(tmp_path, color):
    assert "such as #6d1f4f" in refusal(tmp_path, brand_color=color)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("logo.png", SVG, "PNG or SVG"),
        ("logo.svg", PNG, "PNG or SVG"),
        ("logo.gif", b"GIF89a", "PNG or SVG"),
        ("logo.svg", b"<html><script>alert(1)</script>", "PNG or SVG"),
        ("logo.png", PNG + b"\0" * 40_000, "larger than 32 KiB"),
    ],
)
def test_what_is_no_small_picture_is_refused(tmp_path, name, content, why):
    logo = tmp_path / name
    logo.write_bytes(content)

    assert why in refusal(tmp_path, brand_logo=logo)


def test_a_logo_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in refusal(tmp_path, brand_logo=tmp_path / "none.png")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "/terms", "https://user@example.com/"])
def test_a_link_that_is_no_web_address_is_refused(tmp_path, link):
    assert "https://" in refusal(tmp_path, terms_url=link)


def test_mails_have_the_colours_of_the_brand(tmp_path):
    """Their button and their links, for light and for dark; a mail carries no picture."""
    settings = settings_for(f"sqlite:///{tmp_path}/oidc.db", tmp_path, brand_color="#6D1F4F")
    with running_site(settings) as site:
        sign_up(new_browser(site), "ada")
        (mail,) = read_mails(site)

    assert mail.html is not None
    found = brand.colors("#6D1F4F")
    assert f"background:{found.accent}" in mail.html
    assert f'style="color:{found.link}"' in mail.html
    assert f".link {{ color: {found.link_dark} !important; }}" in mail.html
    assert f".button {{ background: {found.accent_dark} !important; }}" in mail.html
    assert "#0b5d71" not in mail.html
    assert "<img" not in mail.html


def test_without_a_colour_mails_look_like_the_pages():
    sheet, ours = Path("static/css/id.css").read_text(), brand.colors(None)

    assert f"--accent: light-dark({ours.accent}, {ours.accent_dark})" in sheet
    assert f"--link: light-dark({ours.link}, {ours.link_dark})" in sheet
