"""What must be true of grants and their tokens, as simply as it can be said: the reference."""

from dataclasses import dataclass, field

from tests.factories import App, Person


@dataclass
class ModelGrant:
    """One authorization, with everything it ever gave out."""

    app: App
    person: Person
    browser: int
    scopes: frozenset[str]
    code: str
    verifier: str
    redeemed: bool = False
    revoked: bool = False
    chain: list[str] = field(default_factory=list)
    """Refresh tokens in the order of their birth: the last one is alive."""
    access_tokens: dict[str, frozenset[str]] = field(default_factory=dict)
    """With the scopes that each was given."""
    revoked_one_by_one: set[str] = field(default_factory=set)

    @property
    def outlives_session(self) -> bool:
        return "offline_access" in self.scopes

    @property
    def issued(self) -> list[str]:
        return [self.code, *self.chain, *self.access_tokens]


@dataclass
class Model:
    """Everything that lives and died."""

    grants: list[ModelGrant] = field(default_factory=list)
    signed_in: dict[int, Person] = field(default_factory=dict)
    """By the number of the browser."""
    disabled_people: set[str] = field(default_factory=set)
    disabled_apps: set[str] = field(default_factory=set)

    def holds(self, grant: ModelGrant) -> bool:
        return (
            not grant.revoked
            and grant.person.id not in self.disabled_people
            and grant.app.client_id not in self.disabled_apps
        )

    def access_token_lives(self, grant: ModelGrant, token: str) -> bool:
        return self.holds(grant) and token not in grant.revoked_one_by_one

    def refresh_token_lives(self, grant: ModelGrant, token: str) -> bool:
        return self.holds(grant) and token == grant.chain[-1]

    def end_session(self, browser: int) -> None:
        """What was to end with the session of this browser ends."""
        self.signed_in.pop(browser, None)
        for grant in self.grants:
            if grant.browser == browser and not grant.outlives_session:
                grant.revoked = True

    def disable_person(self, person: Person) -> None:
        self.disabled_people.add(person.id)
        for browser, somebody in list(self.signed_in.items()):
            if somebody.id == person.id:
                self.end_session(browser)

    def change_password(self, person: Person) -> None:
        """Somebody else may have known the old one: everything it opened is closed."""
        for grant in self.grants:
            if grant.person.id == person.id:
                grant.revoked = True
        for browser, somebody in list(self.signed_in.items()):
            if somebody.id == person.id:
                self.end_session(browser)
