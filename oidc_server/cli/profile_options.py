"""The options of `users` for what a person may tell about themselves: one for each claim."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from oidc_server.domain import profiles
from oidc_server.domain.users import User

_HELP = {
    "name": "The name that apps are told.",
    "profile": "The address of a page about the person.",
    "picture": "The address of a picture.",
    "website": "The address of a web site.",
    "birthdate": "YYYY-MM-DD, 0000-MM-DD or YYYY.",
    "zoneinfo": "A time zone, like Europe/Paris.",
    "locale": "A language, like de-CH.",
    "phone_number": "With the country, like +1 604 555 1234.",
}
_VERIFIED = "phone_number_verified"


@dataclass(frozen=True)
class Profile:
    """What was given on the command line: the claims, and members of the address."""

    claims: dict[str, str]
    address: dict[str, str]
    phone_number_verified: bool | None

    def changes(self, address: Mapping[str, str] | None = None) -> dict[str, Any]:
        """As `profiles.checked` takes it; members of an address join those that are there."""
        if not self.address:
            return dict(self.claims)
        return {**self.claims, "address": {**(address or {}), **self.address}}


def takes_profile(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each claim; it gets them together, as `profile`."""

    @functools.wraps(command)
    def collecting(**values: Any) -> None:
        given = {name: values.pop(name) for name in _OPTIONS}
        verified = given.pop(_VERIFIED)
        present = {name: value for name, value in given.items() if value is not None}
        profile = Profile(
            claims={name: text for name, text in present.items() if name in profiles.CLAIMS},
            address={
                name.removeprefix("address_"): text
                for name, text in present.items()
                if name not in profiles.CLAIMS
            },
            phone_number_verified=verified,
        )
        command(**values, profile=profile)

    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.name != "profile"
    ]
    # Typer asks the signature which options there are.
    vars(collecting)["__signature__"] = inspect.Signature([*own, *_OPTIONS.values()])
    return collecting


def told(user: User) -> dict[str, object]:
    """What of the profile is there, for people who made or changed an account."""
    facts = {
        claim: value
        for claim in profiles.CLAIMS
        if claim not in ("name", "address") and (value := getattr(user, claim)) is not None
    }
    if user.phone_number is not None:
        facts[_VERIFIED] = user.phone_number_verified_at is not None
    address = {f"address_{member}": text for member, text in (user.address or {}).items()}
    return {**facts, **address}


def _option(name: str, kind: Any, text: str) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, typer.Option(help=text, rich_help_panel="Profile")],
    )


def _all_options() -> dict[str, inspect.Parameter]:
    texts = {
        claim: _HELP.get(claim, f"The {claim.replace('_', ' ')}.")
        for claim in profiles.CLAIMS
        if claim != "address"
    }
    for member in profiles.ADDRESS_MEMBERS:
        texts[f"address_{member}"] = f"Of the postal address: {member.replace('_', ' ')}."
    options = {name: _option(name, str, text) for name, text in texts.items()}
    options[_VERIFIED] = _option(_VERIFIED, bool, "Take the phone number as verified.")
    return options


_OPTIONS = _all_options()
