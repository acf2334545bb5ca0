"""Looks at a page as it is shown now: narrow and wide, in light and in dark."""

import base64
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import CDPSession, Page, expect

WIDTHS = (1280, 320)
HEAVIEST = 60_000
"""Bytes of a page with all that it loads, before compression."""

_Scheme = Literal["light", "dark"]
_RULES: dict[_Scheme, dict[str, Any]] = {
    "light": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # Only colours differ in the dark: the other rules have seen this very document.
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
_WEIGHT = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((bytes, entry) => bytes + entry.encodedBodySize, 0)
"""
_TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"
_TALL = "() => document.documentElement.scrollHeight"
_QUALITY = 50
_SCALE = {1280: 0.75, 320: 1}
_ENOUGH_OF_A_STATE = (320, "dark")


class Look:
    """Notes what is wrong with the pages that it is called on, and keeps pictures of them.

    A call names the template that is shown: `tests/project/test_pages.py` holds the calls against
    all templates there are, so that no page is forgotten.
    """

    def __init__(self, page: Page, axe: str, folder: Path | None) -> None:
        self.found: dict[str, list[str]] = {}
        self._page, self._axe, self._folder = page, axe, folder
        self._browser: CDPSession = page.context.new_cdp_session(page)

    def __call__(self, template: str, heading: str, state: str = "") -> None:
        """Wait for the heading, and look; `state` tells looks at the same template apart."""
        expect(self._page.locator("h1")).to_have_text(heading)
        name = template.removesuffix(".html") + (f"-{state}" if state else "")
        assert name not in self.found, f"two looks are called {name}"
        self.found[name] = []
        self._weigh(name)
        for width in WIDTHS:
            self._page.set_viewport_size({"width": width, "height": 800})
            for scheme, rules in _RULES.items():
                self._page.emulate_media(color_scheme=scheme)
                self._examine(name, f"{width} {scheme}", rules)
                if self._folder and (not state or (width, scheme) == _ENOUGH_OF_A_STATE):
                    self._take_picture(self._folder / f"{name}-{width}-{scheme}.webp", width)

    def faults(self) -> dict[str, list[str]]:
        """What was wrong, by the page that it was wrong with."""
        return {name: faults for name, faults in self.found.items() if faults}

    def _weigh(self, name: str) -> None:
        weight: int = self._page.evaluate(_WEIGHT)
        assert weight > 0
        if weight > HEAVIEST:
            self.found[name].append(f"weighs {weight} bytes")

    def _examine(self, name: str, shown: str, rules: dict[str, Any]) -> None:
        page = self._page
        if page.evaluate("() => !window.axe"):
            page.evaluate(self._axe)
        told: dict[str, Any] = page.evaluate("rules => axe.run({runOnly: rules})", rules)
        assert told["passes"] or told["incomplete"]
        faults = [
            f"{rule['id']}: {node['html']}: {node['failureSummary']}"
            for rule in told["violations"]
            for node in rule["nodes"]
        ]
        if (pixels := page.evaluate(_TOO_WIDE)) > 0:
            faults.append(f"{pixels} px too wide")
        self.found[name] += [f"{shown}: {fault}" for fault in faults]

    def _take_picture(self, path: Path, width: int) -> None:
        size = {"width": width, "height": self._page.evaluate(_TALL)}
        taken = self._browser.send(
            "Page.captureScreenshot",
            {
                "format": "webp",
                "quality": _QUALITY,
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "scale": _SCALE[width], **size},
            },
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(taken["data"]))
