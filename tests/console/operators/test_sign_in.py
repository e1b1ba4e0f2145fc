"""Sign-in by password: who comes in, what strangers learn, and what is recorded."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import get_hasher
from django.core import mail
from django.test import Client

from console.operators.models import Operator
from console.operators.services import add_operator
from iam.directory.models import Person, Role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "login", ["kwame.boateng", "kwame.boateng@example.com", " KWAME.boateng@Example.com "]
)
def test_a_name_or_an_address_and_the_password_open_the_console(
    client: Client, kwame: Operator, login: str
) -> None:
    response = sign_in(client, login)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)
    entry = Entry.objects.get(kind="sign_in.succeeded")
    assert (entry.actor_label, entry.data, entry.ip) == ("Kwame Boateng", {"by": ["password"]}, "127.0.0.1")
    assert entry.request_id


def test_the_page_that_was_asked_for_is_opened_after_signing_in(client: Client, kwame: Operator) -> None:
    asked = client.get("/profile/?x=1")
    assert asked["Location"] == "/sign-in/?next=%2Fprofile%2F%3Fx%3D1"
    response = client.post(
        asked["Location"], {"login": kwame.username, "password": PASSWORD, "next": "/profile/?x=1"}
    )
    assert response["Location"] == "/profile/?x=1"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere_after_signing_in(client: Client, kwame: Operator, target: str) -> None:
    response = client.post("/sign-in/", {"login": kwame.username, "password": PASSWORD, "next": target})
    assert response["Location"] == "/"


def _page_without_what_was_typed(response: Any) -> str:
    text = response.content.decode()
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", text)
    return re.sub(r'name="login" value="[^"]*"', "", text)


def test_a_stranger_learns_nothing_about_who_is_known(client: Client, kwame: Operator) -> None:
    known = sign_in(client, kwame.email, "wrong password")
    unknown = sign_in(client, "nobody@example.com", "wrong password")
    assert known.status_code == unknown.status_code == 200
    assert "Wrong username or password" in known.content.decode()
    assert _page_without_what_was_typed(known) == _page_without_what_was_typed(unknown)


def test_as_much_work_is_done_for_strangers_as_for_the_known(
    client: Client, kwame: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing is what takes the time: one password is hashed, anyone who is named."""
    hashed: list[str] = []
    hasher = type(get_hasher())
    encode = hasher.encode

    def counted(self: Any, password: str, *args: Any, **kwargs: Any) -> str:
        hashed.append(password)
        made: str = encode(self, password, *args, **kwargs)
        return made

    gone = factories.operator(Role.MEMBER, name="Gone Away")
    Person.objects.filter(pk=gone.person_id).update(is_active=False)
    invited = add_operator(name="Ida Invited", email="ida@example.com", actor=COMMAND_LINE)
    monkeypatch.setattr(hasher, "encode", counted)
    for name in (kwame.username, kwame.email, gone.email, invited.email, "nobody", "nobody@example.com"):
        hashed.clear()
        sign_in(Client(), name, "wrong password")
        assert len(hashed) == 1, name


def test_what_a_stranger_types_as_a_name_is_not_kept(client: Client, kwame: Operator) -> None:
    sign_in(client, "my-secret-password-in-the-wrong-box", "x")
    sign_in(client, kwame.email, "wrong")
    assert [e.subject for e in Entry.objects.filter(kind="sign_in.failed").order_by("id")] == [
        "",
        kwame.email,
    ]
    assert not any("wrong-box" in e.data_json for e in Entry.objects.all())


@pytest.mark.parametrize(
    "path", ["/sign-in/signup/", "/sign-in/email/", "/sign-in/3rdparty/", "/sign-in/3rdparty/signup/"]
)
def test_nobody_signs_up_or_changes_their_address(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, {"email": "x@example.com"}).status_code == 404


def test_a_deactivated_person_does_not_come_in(client: Client, kwame: Operator) -> None:
    Person.objects.filter(pk=kwame.person_id).update(is_active=False)
    response = sign_in(client, kwame.email)
    assert response["Location"] == "/sign-in/inactive/"
    assert not is_signed_in(client)
    assert client.get("/sign-in/inactive/").status_code == 200


def test_a_sign_in_without_a_person_does_not_come_in(client: Client) -> None:
    Operator.objects.create_user(username="ghost", email="ghost@example.com", password=PASSWORD)
    sign_in(client, "ghost")
    assert not is_signed_in(client)


def test_the_session_gets_a_new_key_at_sign_in(client: Client, kwame: Operator) -> None:
    client.get("/sign-in/")
    session = client.session
    session["before"] = "yes"
    session.save()
    planted = session.session_key
    sign_in(client, kwame.email)
    assert client.session.session_key != planted


def test_signing_out_needs_a_post_and_is_recorded(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    assert client.get("/sign-in/out/").status_code == 200
    assert is_signed_in(client)
    assert client.post("/sign-in/out/")["Location"] == "/sign-in/"
    assert not is_signed_in(client)
    assert Entry.objects.latest("id").kind == "sign_in.ended"


def test_an_administrator_first_says_who_approves(client: Client, ines: Operator) -> None:
    assert sign_in(client, ines.email)["Location"] == "/operators/set-up/"


def test_once_two_people_approve_an_administrator_lands_on_the_overview(
    client: Client, ines: Operator
) -> None:
    for name in ("Hana Sato", "Jonas Berg"):
        factories.assign(factories.person(name), Role.APPROVER)
    assert sign_in(client, ines.email)["Location"] == "/"


def test_whoever_has_no_role_yet_lands_on_the_profile(client: Client) -> None:
    someone = factories.operator(None)
    assert sign_in(client, someone.email)["Location"] == "/profile/"


def test_in_single_operator_mode_nobody_is_asked_for_approvers(
    client: Client, ines: Operator, settings: Any
) -> None:
    settings.SINGLE_OPERATOR = True
    assert sign_in(client, ines.email)["Location"] == "/"
    assert "Single-operator mode" in client.get("/profile/").content.decode()


def test_a_form_without_the_token_is_refused(kwame: Operator) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = sign_in(strict, kwame.email)
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()


def _link() -> str:
    match = re.search(r"http://127\.0\.0\.1:8000(/sign-in/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert match, mail.outbox[-1].body
    return match[1]


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(client: Client, kwame: Operator) -> None:
    other = Client()
    sign_in(other, kwame.email)
    response = client.post("/sign-in/password/reset/", {"email": kwame.email})
    assert response["Location"] == "/sign-in/password/reset/done/"
    link = _link()
    form = client.get(link)["Location"]
    done = client.post(form, {"password1": "four brand new words", "password2": "four brand new words"})
    assert done["Location"] == "/sign-in/password/reset/key/done/"
    assert not is_signed_in(client), "a link in a mail must not get around the second factor"
    assert not is_signed_in(other), "whoever knew the old password is out"
    sign_in(client, kwame.email, "four brand new words")
    assert is_signed_in(client)
    assert "no longer works" in Client().get(link).content.decode()
    assert Entry.objects.filter(kind="password.reset", subject=kwame.email).exists()


def test_the_link_is_under_our_address_whatever_host_was_named(client: Client, kwame: Operator) -> None:
    client.post("/sign-in/password/reset/", {"email": kwame.email}, headers={"host": "localhost"})
    assert _link()


def test_for_an_unknown_address_the_page_is_the_same_and_no_mail_goes_out(
    client: Client, kwame: Operator
) -> None:
    known = client.post("/sign-in/password/reset/", {"email": kwame.email})
    unknown = client.post("/sign-in/password/reset/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [m.to for m in mail.outbox] == [[kwame.email]]


@pytest.mark.parametrize("password", ["short", "123456789012", "1qaz2wsx3edc", "kwame.boateng@example.com"])
def test_a_weak_password_is_refused(client: Client, kwame: Operator, password: str) -> None:
    client.post("/sign-in/password/reset/", {"email": kwame.email})
    form = client.get(_link())["Location"]
    response = client.post(form, {"password1": password, "password2": password})
    assert response.status_code == 200
    assert 'aria-invalid="true"' in response.content.decode()
    kwame.refresh_from_db()
    assert kwame.check_password(PASSWORD)


def test_the_password_is_changed_by_whoever_knows_it(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    other = Client()
    sign_in(other, kwame.email)
    new = {"password1": "four brand new words", "password2": "four brand new words"}
    assert client.post("/sign-in/password/change/", {"oldpassword": "wrong"} | new).status_code == 200
    assert (
        client.post("/sign-in/password/change/", {"oldpassword": PASSWORD} | new)["Location"] == "/profile/"
    )
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert Entry.objects.latest("id").kind == "password.change"


def test_pages_of_sign_in_are_not_stored(client: Client, kwame: Operator) -> None:
    assert "no-store" in client.get("/sign-in/")["Cache-Control"]


def test_the_policy_allows_no_inline_script_and_no_foreign_form(client: Client) -> None:
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    directives = {part.strip() for part in policy.split(";")}
    assert {"form-action 'self'", "default-src 'none'", "script-src 'self'"} <= directives
