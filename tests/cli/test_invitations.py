"""`oidc-server users invite`, `list-invitations` and `revoke-invitation`."""

import pytest

NOBODY = "019b8d62-7a80-73a1-acf1-88f9fcf744e7"


@pytest.fixture(autouse=True)
def by_invitation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OIDC_SIGN_UP", "invite")


def test_a_link_is_shown_once_unless_it_is_mailed(run, monkeypatch):
    monkeypatch.setenv("OIDC_SMTP_URL", "smtp://127.0.0.1:2525")
    handed = run("users", "invite", "--role", "moderator", "--json").json
    mailed = run("users", "invite", "--email", "ann@example.com", "--json").json
    listed = run("users", "list-invitations", "--json")

    link = handed.pop("link")
    assert "/sign-up?link=" in link
    assert "link" not in mailed
    assert link.partition("link=")[2] not in listed.stdout
    assert listed.json == [mailed, handed]
    assert (handed["role"], mailed["email"]) == ("moderator", "ann@example.com")
    assert {row["state"] for row in listed.json} == {"open"}
    assert run("users", "list-invitations", "--limit", "1", "--json").json == [mailed]


def test_without_a_mail_server_the_link_of_an_address_is_shown_and_why(run):
    done = run("users", "invite", "--email", "ann@example.com", "--json")

    assert "/sign-up?link=" in done.json["link"]
    assert "no mail server is set (OIDC_SMTP_URL)" in done.stderr


def test_an_invitation_is_withdrawn_once(run):
    invitation_id = run("users", "invite", "--json").json["id"]

    done = run("users", "revoke-invitation", invitation_id, "--json")
    again = run("users", "revoke-invitation", invitation_id, "--json")

    assert done.json == {"id": invitation_id, "state": "revoked"}
    said = f"There is no invitation {invitation_id} that is open."
    assert (again.status, again.json) == (1, {"error": said})
    assert run("users", "list-invitations", "--json").json[0]["state"] == "revoked"
    events = run("audit", "list", "--json").json
    assert "invitation.revoked" in {event["event"] for event in events}


@pytest.mark.parametrize("invitation_id", ["nothing", NOBODY])
def test_an_invitation_that_is_not_there_is_named(run, invitation_id):
    assert invitation_id in run("users", "revoke-invitation", invitation_id).stderr


@pytest.mark.parametrize(
    "options",
    [("--expires", "91d"), ("--expires", "0s"), ("--role", "nothing"), ("--email", "nowhere")],
)
def test_what_cannot_be_invited_is_refused(run, options):
    assert run("users", "invite", *options).status in (1, 2)
    assert run("users", "list-invitations", "--json").json == []
