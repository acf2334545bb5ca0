"""Roles: what they give, who has them, and that one administrator always stays."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oidc_server.database import ConflictError, Database
from oidc_server.domain import closed_accounts, credentials, endings, roles, users
from oidc_server.domain.roles import (
    ADMIN,
    MODERATOR,
    USER,
    BuiltInRoleError,
    Held,
    InvalidRoleError,
    LastAdministratorError,
    RoleTakenError,
    UnknownRoleError,
)
from oidc_server.oauth2.vocabulary import API_SCOPES
from tests.domain.conftest import NOW
from tests.domain.racing import race
from tests.factories import account_of
from tests.held_up import held_up

KNOWN = frozenset({"users:read", "users:write", "articles:write"})


def make_role(db, name="editor", scopes=("articles:write",)):
    return roles.create(
        db, name=name, description="", scopes=frozenset(scopes), known=KNOWN, now=NOW
    )


def make_person(db, name):
    return users.create(db, username=name, email=None, name=None, password_hash=None, now=NOW).id


def test_a_role_is_given_once_however_often(database, ada):
    with database.transaction("write") as db:
        assert roles.roles_of(db, ada) == {USER}
        assert not roles.administrator_exists(db)

        assert roles.assign(db, ada, ADMIN, NOW)
        assert not roles.assign(db, ada, ADMIN, NOW)

        assert roles.roles_of(db, ada) == {ADMIN, USER}
        assert roles.administrator_exists(db)


def test_another_role_makes_nobody_an_administrator(database, ada):
    with database.transaction("write") as db:
        make_role(db)
        roles.assign(db, ada, "editor", NOW)

        assert not roles.administrator_exists(db)


def test_everybody_is_a_user_and_no_row_says_so(database, ada):
    with database.transaction("write") as db:
        assert not roles.assign(db, ada, USER, NOW)
        assert not endings.withdraw_role(db, ada, USER)

        assert roles.held_by(db, ada) == Held(frozenset({USER}), frozenset())


def test_a_role_that_is_not_there_is_given_to_nobody(database, ada):
    with database.transaction("write") as db, pytest.raises(UnknownRoleError):
        roles.assign(db, ada, "editor", NOW)


def test_roles_give_what_they_name_and_that_of_an_administrator_gives_all(database, ada):
    with database.transaction("write") as db:
        make_role(db)
        make_role(db, "reader", ["users:read"])
        roles.assign(db, ada, "editor", NOW)
        roles.assign(db, ada, "reader", NOW)
        held = roles.held_by(db, ada)
        roles.assign(db, ada, ADMIN, NOW)

        assert held.scopes == {"articles:write", "users:read"}
        assert held.give("articles:write")
        assert not held.give("users:write")
        assert roles.held_by(db, ada).give("users:write")


@pytest.mark.parametrize(
    ("own", "other", "covers"),
    [
        (Held(frozenset(), frozenset("ab")), Held(frozenset(), frozenset("a")), True),
        (Held(frozenset(), frozenset("a")), Held(frozenset(), frozenset("a")), True),
        (Held(frozenset(), frozenset("a")), Held(frozenset(), frozenset("ab")), False),
        (Held(frozenset(), frozenset("a")), Held(frozenset({ADMIN}), frozenset()), False),
        (Held(frozenset({ADMIN}), frozenset()), Held(frozenset(), frozenset("a")), True),
        (Held(frozenset({ADMIN}), frozenset()), Held(frozenset({ADMIN}), frozenset()), True),
    ],
)
def test_roles_cover_those_that_give_nothing_more(own, other, covers):
    assert own.cover(other) == covers


@pytest.mark.parametrize("name", ["", "Editor", "an editor", "-x", "é", "x" * 65, "x\n", "a/b"])
def test_a_role_has_a_name_that_fits_into_tokens_and_addresses(database, name):
    with database.transaction("write") as db, pytest.raises(InvalidRoleError) as refused:
        make_role(db, name)

    assert refused.value.field == "name"


def test_a_role_gives_only_scopes_that_there_are(database):
    with database.transaction("write") as db, pytest.raises(InvalidRoleError) as refused:
        make_role(db, scopes=["articles:write", "articles:burn"])

    assert (refused.value.field, str(refused.value)) == (
        "scopes",
        "There is no scope articles:burn here.",
    )


def test_a_scope_that_has_gone_does_not_keep_a_role_from_being_changed(database):
    with database.transaction("write") as db:
        role = make_role(db)

        changed = roles.change(
            db, role, description="Writes", scopes=role.scopes, known=frozenset(), now=NOW
        )

        assert roles.find(db, "editor") == changed
        assert changed.description == "Writes"


@pytest.mark.parametrize("name", [ADMIN, MODERATOR, USER, "editor"])
def test_a_name_is_given_once(database, name):
    with database.transaction("write") as db:
        make_role(db)

        with pytest.raises(RoleTakenError):
            make_role(db, name)


@pytest.mark.parametrize("name", [ADMIN, MODERATOR, USER])
def test_the_roles_of_the_server_can_be_neither_changed_nor_deleted(database, name):
    with database.transaction("write") as db:
        role = roles.get(db, name)

        with pytest.raises(BuiltInRoleError):
            roles.remove(db, role)
        with pytest.raises(BuiltInRoleError):
            roles.change(db, role, description="", scopes=KNOWN, known=KNOWN, now=NOW)


def test_a_role_that_is_deleted_is_taken_from_everybody_and_does_not_come_back(database, ada):
    with database.transaction("write") as db:
        role = make_role(db)
        roles.assign(db, ada, "editor", NOW)

        assert roles.remove(db, role) == 1
        make_role(db)

        assert roles.roles_of(db, ada) == {USER}


def test_who_read_a_role_before_it_gave_more_does_not_delete_it(database, ada):
    with database.transaction("write") as db:
        seen = make_role(db)
        roles.assign(db, ada, "editor", NOW)
    with database.transaction("write") as db:
        roles.change(db, seen, description="", scopes=KNOWN, known=KNOWN, now=NOW)

    with pytest.raises(ConflictError), database.transaction("write") as db:
        roles.remove(db, seen)

    with database.transaction("read") as db:
        assert roles.held_by(db, ada).scopes == KNOWN


@pytest.mark.parametrize("how", ["changed", "deleted"])
def test_a_role_by_which_somebody_does_something_is_left_until_it_is_done(database, ada, how):
    with database.transaction("write") as db:
        role = make_role(db)
        roles.assign(db, ada, "editor", NOW)

    def end():
        with database.transaction("write") as db:
            if how == "deleted":
                roles.remove(db, role)
            else:
                roles.change(db, role, description="", scopes=frozenset(), known=KNOWN, now=NOW)

    with database.transaction("write") as db:
        assert roles.hold(db, ada).scopes
        ending = held_up(end)
    ending()

    with database.transaction("read") as db:
        assert not roles.held_by(db, ada).scopes


def test_the_scopes_of_a_moderator_are_scopes_of_the_api():
    assert {"credits:read"} <= roles.BUILT_IN[MODERATOR][1] & API_SCOPES


def test_the_last_administrator_stays(database, ada):
    with database.transaction("write") as db:
        roles.assign(db, ada, ADMIN, NOW)
        disabled = make_person(db, "disabled")
        endings.disable_user(db, disabled, NOW)
        roles.assign(db, disabled, ADMIN, NOW)

        with pytest.raises(LastAdministratorError):
            endings.withdraw_role(db, ada, ADMIN)
        with pytest.raises(LastAdministratorError):
            endings.disable_user(db, ada, NOW)
        assert endings.withdraw_role(db, disabled, ADMIN)


def remove_the_other(database: Database, name: str) -> bool:
    """The first disables the second, who takes the role from the first."""
    with database.transaction("read") as db:
        other = account_of(db, "second" if name == "first" else "first").id
    try:
        with database.transaction("write") as db:
            if name == "first":
                endings.disable_user(db, other, NOW)
            else:
                endings.withdraw_role(db, other, ADMIN)
    except LastAdministratorError:
        return False
    return True


@pytest.mark.race
def test_of_two_administrators_who_remove_each_other_one_stays(database):
    with database.transaction("write") as db:
        for name in ("first", "second"):
            roles.assign(db, make_person(db, name), ADMIN, NOW)

    assert sorted(race(remove_the_other, database)) == [False, True]


STEP = st.tuples(st.sampled_from(["give", "take", "disable", "enable"]), st.integers(0, 2))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEP, max_size=12))
def test_no_sequence_of_steps_leaves_a_server_without_administrator(database, steps):
    with database.transaction("write") as db:
        people = [
            (credentials.find_by_name(db, f"person{n}") or make_named(db, f"person{n}")).id
            for n in range(3)
        ]
        roles.assign(db, people[0], ADMIN, NOW)
        closed_accounts.mark_enabled(db, people[0], NOW)
        for action, number in steps:
            with suppress(LastAdministratorError):
                take_step(db, action, people[number])

            able = [
                person
                for person in people
                if ADMIN in roles.roles_of(db, person) and users.get(db, person).disabled_at is None
            ]
            assert able


def make_named(db, name):
    make_person(db, name)
    return credentials.find_by_name(db, name)


def take_step(db, action, user_id):
    if action == "give":
        roles.assign(db, user_id, ADMIN, NOW)
    elif action == "take":
        endings.withdraw_role(db, user_id, ADMIN)
    elif action == "disable":
        endings.disable_user(db, user_id, NOW)
    else:
        closed_accounts.mark_enabled(db, user_id, NOW)


def test_a_role_that_was_read_before_it_lost_a_scope_does_not_bring_it_back(database):
    with database.transaction("write") as db:
        seen = make_role(db, scopes=("articles:write", "users:write"))
    with database.transaction("write") as db:
        roles.change(
            db, seen, description="", scopes=frozenset({"articles:write"}), known=KNOWN, now=NOW
        )

    with pytest.raises(ConflictError), database.transaction("write") as db:
        roles.change(db, seen, description="Edits", scopes=seen.scopes, known=KNOWN, now=NOW)

    with database.transaction("read") as db:
        assert roles.get(db, "editor").scopes == {"articles:write"}
