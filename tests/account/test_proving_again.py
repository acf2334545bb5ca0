"""A form that was let in only after its proof was looked at asks for the proof once more."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from oidc_server.database import Access
from oidc_server.domain import factors
from oidc_server.web.load.lanes import Lane
from tests.authentication.forms import csrf, post_to
from tests.factors import first_step, second_step, someone_with_an_app
from tests.site import Site


class Between:
    """The lane of the server, in which something happens once between two transactions."""

    def __init__(self, lane: Lane, meanwhile: Callable[[], None]) -> None:
        self.lane = lane
        self.meanwhile: Callable[[], None] | None = meanwhile

    async def run(
        self, work: Callable[[], Any], access: Access = "write", *, for_people: bool = False
    ) -> Any:
        result = await self.lane.run(work, access, for_people=for_people)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return result

    def close(self) -> None:
        self.lane.close()


@pytest.fixture
def own_lane(site: Site) -> Iterator[Site]:
    lane = site.runtime.lane
    yield site
    object.__setattr__(site.runtime, "lane", lane)


@pytest.mark.parametrize(
    "path",
    ["/account/profile/email", "/account/data/delete", "/account/security/recovery-codes"],
)
def test_who_is_let_in_only_now_is_asked_to_prove_it_again(own_lane: Site, path: str) -> None:
    site = own_lane
    person, app = someone_with_an_app(site)
    browser, page = first_step(site, person)
    second_step(browser, page, app.code())
    token = csrf(browser)
    site.clock.advance(timedelta(minutes=20))

    def lose_the_factor() -> None:
        with site.db() as db:
            factors.remove_all(db, person.id)

    object.__setattr__(site.runtime, "lane", Between(site.runtime.lane, lose_the_factor))
    answer = post_to(browser, path, csrf_token=token, current_password=person.password)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{path}?notice=prove_again"
    if path != "/account/security/recovery-codes":  # codes are for who has a factor
        assert "Prove once more" in browser.go(answer.headers["location"]).text
