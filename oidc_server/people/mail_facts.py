"""What a mail tells of the request that caused it."""

from oidc_server.languages import Words
from oidc_server.web.context import Context

_BROWSERS = (  # most of them claim to be those that follow
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def mail_facts(ctx: Context) -> dict[str, str]:
    """The device and the address, so that the owner can tell whether it was them; the language.

    Of the device only words of ours: what a stranger sends must not be mailed to somebody else in
    our name.
    """
    user_agent = ctx.origin.user_agent
    facts = {
        "browser": _first(_BROWSERS, user_agent),
        "system": _first(_SYSTEMS, user_agent),
        "address": ctx.origin.address,
        "language": ctx.language,
    }
    return {name: value for name, value in facts.items() if value}


def browser_name(user_agent: str) -> str:
    """Such as `Firefox on Linux`, for `translate`; empty when neither is known."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return Words("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system


def _first(marks: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")
