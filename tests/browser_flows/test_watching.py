"""The browser's guard sees what it is there for."""

from playwright.sync_api import BrowserContext, Route

from tests.services import chromium

HERE = "http://localhost:9"
ELSEWHERE = "http://127.0.0.1:9"


def problems_of(context: BrowserContext, body: str, policy: str) -> list[str]:
    """What the guard notes of a page with this body and policy."""

    def answer(route: Route) -> None:
        headers = {"content-security-policy": policy, "content-type": "text/html"}
        route.fulfill(status=200, headers=headers, body=body)

    page = context.new_page()
    problems = chromium._watch(page)
    page.route("**/*", answer)
    page.goto(HERE)
    page.wait_for_load_state("networkidle")
    return problems


def test_a_page_that_keeps_to_itself_is_fine(browser_context: BrowserContext) -> None:
    assert problems_of(browser_context, "<img src='/own.png'>", "default-src 'self'") == []


def test_a_request_to_another_origin_is_noted(browser_context: BrowserContext) -> None:
    problems = problems_of(browser_context, f"<img src='{ELSEWHERE}/x.png'>", "default-src *")

    assert problems == [f"request to another origin: {ELSEWHERE}/x.png"]


def test_a_break_of_the_policy_is_noted(browser_context: BrowserContext) -> None:
    [problem] = problems_of(browser_context, "<script>alert(1)</script>", "script-src 'self'")

    assert "Content Security Policy" in problem


def test_a_script_that_throws_is_noted(browser_context: BrowserContext) -> None:
    [problem] = problems_of(
        browser_context, "<script>undefined.x</script>", "default-src * 'unsafe-inline'"
    )

    assert problem.startswith("script error: ")
