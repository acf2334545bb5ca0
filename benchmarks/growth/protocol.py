"""The operations of the protocol; each call is about another person than the one before."""

import itertools
import random
from typing import Any
from urllib.parse import urlencode

from benchmarks.growth.places import Place
from benchmarks.growth.population import refresh_token, session_handle, user_id, username
from benchmarks.growth.turns import Question
from benchmarks.operations import Visit
from benchmarks.stage import REDIRECT_URI
from tests.factories import Person


def questions(place: Place) -> dict[str, Question]:
    """Everything that is asked, by its name; the last one ends what the others need."""
    people = _People(place)
    return {
        "client credentials": Question(
            lambda _: place.service.post("/token", grant_type="client_credentials")
        ),
        "silent sign-in: authorize and token": Question(people.sign_in_silently, people.next),
        "refresh": Question(people.refresh, people.next),
        "introspection": Question(
            lambda token: place.service.post("/introspect", token=token), people.access_token
        ),
        "userinfo": Question(
            lambda token: place.web.get("/userinfo", authorization=f"Bearer {token}"),
            people.access_token,
        ),
        "sign-in with a password of next to no cost": Question(people.sign_in, people.next),
        "sign-out": Question(people.sign_out, people.hint),
    }


class _People:
    """Everybody of a place, in no order that the database knows."""

    def __init__(self, place: Place) -> None:
        numbers = list(range(1, place.population.users + 1))
        random.shuffle(numbers)
        self._numbers = itertools.cycle(numbers)
        self._place = place
        self._visit = Visit(place.server, place.web)
        self._refresh_tokens: dict[int, str] = {}

    def next(self) -> int:
        return next(self._numbers)

    def sign_in_silently(self, number: int) -> dict[str, Any]:
        return self._visit.silent_sign_in(_cookie(number))

    def refresh(self, number: int) -> dict[str, Any]:
        """With the token that this person has come to."""
        token = self._refresh_tokens.get(number) or refresh_token(number)
        answer = self._place.web.post("/token", grant_type="refresh_token", refresh_token=token)
        self._refresh_tokens[number] = answer["refresh_token"]
        return answer

    def access_token(self) -> str:
        return str(self.refresh(self.next())["access_token"])

    def sign_in(self, number: int) -> None:
        visit = Visit(self._place.server, self._place.web)
        visit.sign_in(Person(user_id(number), username(number), email=""))
        visit.close()

    def hint(self) -> tuple[int, str]:
        number = self.next()
        return number, str(self.sign_in_silently(number)["id_token"])

    def sign_out(self, hint: tuple[int, str]) -> None:
        number, id_token = hint
        fields = {"id_token_hint": id_token, "post_logout_redirect_uri": REDIRECT_URI}
        self._place.web.get(f"/logout?{urlencode(fields)}", 303, cookie=_cookie(number))


def _cookie(number: int) -> str:
    return f"sid={session_handle(number)}"
