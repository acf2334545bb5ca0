"""What a mail tells of the request that caused it."""

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
    """The browser and the address, so that the owner can tell whether it was them."""
    facts = {"browser": browser_name(ctx.origin.user_agent), "address": ctx.origin.address}
    return {name: value for name, value in facts.items() if value}


def browser_name(user_agent: str) -> str:
    """Such as `Firefox on Linux`; empty when neither is known.

    Only words of ours: what a stranger sends must not be mailed to somebody else in our name.
    """
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " on ".join(filter(None, (browser, system)))
