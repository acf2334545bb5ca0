"""What people call the device behind a `User-Agent`: the one door to ua-parser.

The library takes most of a second to read its rules. So it is loaded at the first need, and only
where waiting holds nobody up: `prepare` belongs into `before` of an endpoint, which computes in a
lane of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from oidc_server.people.mail_facts import browser_name

_MOST = 50
"""So many devices of one person are looked at closely; nobody can read more."""
_PLAIN = {"Mac OS X": "macOS", "Chrome OS": "ChromeOS", "Other": ""}
_APPLE = ("iPhone", "iPad", "iPod", "Apple Watch")
_PHONES = ("Android", "iOS", "KaiOS", "Windows Phone", "Tizen", "BlackBerry OS")
_LAPTOPS = ("Windows", "macOS", "Linux", "Ubuntu", "Fedora", "Debian", "ChromeOS", "FreeBSD")


@dataclass(frozen=True, slots=True)
class DeviceLabel:
    """Such as Firefox on Linux; both empty when nothing is known. `symbol` is an icon of ours."""

    browser: str
    system: str
    symbol: str


def prepare(user_agents: Iterable[str]) -> Callable[[], Mapping[str, DeviceLabel]]:
    """What computes the labels of these, away from the event loop."""
    wanted = tuple(dict.fromkeys(user_agents))[:_MOST]
    return lambda: {user_agent: _closely(user_agent) for user_agent in wanted}


def at_a_glance(user_agent: str) -> DeviceLabel:
    """The label of the few browsers and systems that most people have, at once."""
    browser, _, system = browser_name(user_agent).partition(" on ")
    return DeviceLabel(browser, system, _symbol(system))


@lru_cache(maxsize=2048)
def _closely(user_agent: str) -> DeviceLabel:
    found = _parser()(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    device = found.device.family if found.device else ""
    browser = (
        browser.removeprefix("Headless")
        .replace("Mobile", "")
        .replace("WebView", "")
        .strip()
        .removesuffix(" iOS")
    )
    system = device if device in _APPLE else _PLAIN.get(system, system)
    return DeviceLabel(_PLAIN.get(browser, browser), system, _symbol(system))


@cache
def _parser() -> Callable[[str], Any]:
    import ua_parser  # noqa: PLC0415 - costs memory and time that most servers never need
    from ua_parser.basic import Resolver  # noqa: PLC0415
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415

    return ua_parser.Parser(Resolver(load_lazy_builtins())).parse


def _symbol(system: str) -> str:
    if system in _APPLE or system.startswith(_PHONES):
        return "phone"
    return "laptop" if system.startswith(_LAPTOPS) else "globe"
