"""No page is forgotten where pages are looked at."""

import re

from tests.project.repository import read, tracked_files

WALKS = [
    path for path in tracked_files("tests/browser_flows/every_page/") if path.name != "looking.py"
]
TEMPLATES = {
    path.relative_to("templates").as_posix(): read(path)
    for path in tracked_files("templates/")
    if path.suffix == ".html"
}
ELSEWHERE = (
    "email/",  # no pages: they are mailed
    "api_docs/",  # shown by other people's programs; see test_api_docs.py
)
LOOK = re.compile(r'\blook\(\s*"([^"]+)"')
EXTENDS = re.compile(r'{% extends "([^"]+)" %}')


def pages() -> set[str]:
    """The templates that are whole pages: they extend a frame, and are none themselves."""
    frames = {frame for text in TEMPLATES.values() for frame in EXTENDS.findall(text)}
    shown = {"dev/mail.html"}  # a page, and the frame of a single mail
    return {
        name
        for name, text in TEMPLATES.items()
        if EXTENDS.search(text)
        and not name.startswith(ELSEWHERE)
        and (name not in frames or name in shown)
    }


def test_every_page_is_looked_at_and_nothing_that_is_none() -> None:
    looked_at = {name for walk in WALKS for name in LOOK.findall(read(walk))}

    assert looked_at == pages(), "add a look at it to a walk in tests/browser_flows/every_page/"
