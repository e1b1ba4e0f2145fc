"""The pages about operators, roles and teams: as administrator, as everybody else, with every rule."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.operators import locks
from console.operators.models import Operator
from console.operators.services import create_operator
from iam.directory.models import Identity, Person, Role, Team, TeamRule
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def admin(client: Client, ines: Operator) -> Client:
    """A browser in which an administrator has just signed in."""
    client.force_login(ines)
    return client


def _text(response: Any) -> str:
    return str(response.content.decode())


def test_the_list_shows_everybody(admin: Client, kwame: Operator) -> None:
    page = _text(admin.get("/operators/"))
    assert "Kwame Boateng" in page
    assert "Ines Duarte" in page
    assert "No second factor is required here" in page


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("q=kwame", "Kwame Boateng", "ines.duarte@"),
        ("role=member", "Kwame Boateng", "ines.duarte@"),
        ("role=administrator", "ines.duarte@", "Kwame Boateng"),
        ("state=inactive", "No one matches", "Kwame Boateng"),
        ("q=%27%22", "No one matches", "Kwame Boateng"),
    ],
)
def test_the_list_is_filtered(admin: Client, kwame: Operator, query: str, shown: str, hidden: str) -> None:
    fragment = _text(admin.get(f"/operators/?{query}", headers={"HX-Request": "true"}))
    assert shown in fragment
    assert hidden not in fragment
    assert "<html" not in fragment


def test_a_nul_in_the_address_is_refused(admin: Client) -> None:
    response = admin.get("/operators/?q=%00")
    assert response.status_code == 400
    assert "Bad request" in _text(response)


def test_the_list_goes_on_where_the_page_ended(admin: Client) -> None:
    for i in range(60):
        factories.person(f"Person {i:02d}")
    seen: list[str] = []
    address = "/operators/"
    for _ in range(3):
        page = _text(admin.get(address))
        seen += re.findall(r">(Person \d\d)</a>", page)
        following = re.search(r'href="(\?[^"]*after=[^"]*)" rel="next"', page)
        if not following:
            break
        address = "/operators/" + following[1].replace("&amp;", "&")
    assert seen == [f"Person {i:02d}" for i in range(60)]


def test_the_list_costs_the_same_for_one_and_for_fifty(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get("/operators/")
        return len(captured)

    queries()
    before = queries()
    for i in range(49):
        factories.operator(Role.MEMBER, name=f"Person {i:02d}")
    assert queries() == before


@pytest.mark.parametrize("role", [Role.APPROVER, Role.TEAM_LEAD, Role.MEMBER, None])
def test_for_everybody_else_there_is_no_such_page(client: Client, kwame: Operator, role: Role | None) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    someone = factories.operator(role, name="Rosa Lind", team=team if role is Role.TEAM_LEAD else None)
    client.force_login(someone)
    address = f"/operators/{kwame.person_id}/"
    for path in (
        "/operators/",
        "/operators/new/",
        "/operators/set-up/",
        "/operators/teams/",
        "/operators/teams/payments/",
        address,
    ):
        assert client.get(path).status_code == 404
    for path in (
        "roles/",
        "users/",
        "invite/",
        "unlock/",
        "factors/remove/",
        "company-sign-ins/1/remove/",
        "deactivate/",
    ):
        assert client.post(address + path, {"role": "administrator"}).status_code == 404
    assert Person.objects.get(pk=kwame.person_id).is_active


def _invitation() -> str:
    match = re.search(r"http://127\.0\.0\.1:8000(/sign-in/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert match
    return match[1]


def test_an_invited_person_chooses_a_password_and_comes_in(admin: Client) -> None:
    response = admin.post("/operators/new/", {"name": "Maya Okafor", "email": "Maya@Example.com"})
    operator = Operator.objects.get(username="maya@example.com")
    assert response["Location"] == f"/operators/{operator.person_id}/"
    page = _text(admin.get(response["Location"]))
    assert "Invitation sent to" in page
    assert "/password/reset/key/" not in page, "nobody sees somebody else's link"
    assert mail.outbox[-1].to == ["maya@example.com"]
    maya = Client()
    form = maya.get(_invitation())["Location"]
    maya.post(form, {"password1": PASSWORD, "password2": PASSWORD})
    sign_in(maya, "maya@example.com")
    assert is_signed_in(maya)
    assert [e.kind for e in Entry.objects.filter(actor_label="Ines Duarte").order_by("id")] == [
        "person.add",
        "operator.create",
        "operator.invite",
    ]


@pytest.mark.parametrize(
    ("name", "email", "complaint"),
    [
        ("", "m@example.com", "required"),
        ("M", "no address", "valid email"),
        ("M", "ines.duarte@example.com", "already belongs to another person"),
        ("M", "a" * 150 + "@example.com", "at most 150"),
    ],
)
def test_a_person_who_cannot_be_added_is_explained(
    admin: Client, name: str, email: str, complaint: str
) -> None:
    response = admin.post("/operators/new/", {"name": name, "email": email})
    assert response.status_code == 422
    assert complaint in _text(response)
    assert Person.objects.count() == 1


def test_without_a_mail_server_the_page_says_so(admin: Client, settings: Any) -> None:
    settings.MAIL_IS_CONFIGURED = False
    page = _text(admin.post("/operators/new/", {"name": "Maya", "email": "m@example.com"}, follow=True))
    assert "GATEHOUSE_EMAIL_HOST" in page
    assert not mail.outbox


def test_a_mail_server_that_fails_loses_nobody(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("console.operators.services.send_mail", broken)
    page = _text(admin.post("/operators/new/", {"name": "Maya", "email": "m@example.com"}, follow=True))
    assert "ConnectionRefusedError" in page
    assert Person.objects.filter(email="m@example.com").exists()


def test_roles_are_given_and_taken(admin: Client, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    page = _text(
        admin.post(address + "roles/", {"role": "approver", "account_id": "111111111111"}, follow=True)
    )
    assert "Kwame Boateng now has the approver role." in page
    assert kwame.person is not None
    role_assignment = kwame.person.assignments.get(role=Role.APPROVER)
    page = _text(admin.post(f"{address}roles/{role_assignment.pk}/remove/", follow=True))
    assert "signed out everywhere" in page
    assert [a.role for a in kwame.person.assignments.all()] == ["member"]


def test_a_broken_rule_is_told_and_changes_nothing(admin: Client, ines: Operator, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    assert "needs a team" in _text(admin.post(address + "roles/", {"role": "team-lead"}, follow=True))
    assert admin.post(address + "roles/", {"role": "emperor"}).status_code == 422
    assert admin.post(address + "roles/", {"role": "auditor", "account_id": "12"}).status_code == 422
    own = f"/operators/{ines.person_id}/"
    assert "can’t change your own" in _text(admin.post(own + "roles/", {"role": "approver"}, follow=True))
    assert "This is you" in _text(admin.get(own))


def test_a_role_of_somebody_else_is_not_taken_by_its_number(
    admin: Client, ines: Operator, kwame: Operator
) -> None:
    assert ines.person is not None
    mine = ines.person.assignments.get()
    assert admin.post(f"/operators/{kwame.person_id}/roles/{mine.pk}/remove/").status_code == 404


def test_iam_users_are_linked_and_unlinked(admin: Client, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    admin.post(address + "users/", {"user_arn": "arn:aws:iam::111111111111:user/kwame"})
    identity = Identity.objects.get()
    assert identity.user_arn in _text(admin.get(address))
    assert "ARN of an IAM user" in _text(admin.post(address + "users/", {"user_arn": "kwame"}, follow=True))
    assert admin.post(address + "users/", {"user_arn": ""}).status_code == 422
    admin.post(f"{address}users/{identity.pk}/remove/")
    assert not Identity.objects.exists()


def test_somebody_leaves_and_comes_back(admin: Client, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    admin.post(address + "deactivate/")
    page = _text(admin.get(address))
    assert "Deactivated" in page
    assert "Reactivate" in page
    assert "is deactivated" in _text(admin.post(address + "invite/", follow=True))
    admin.post(address + "reactivate/")
    assert "Deactivate" in _text(admin.get(address))


def test_a_lock_is_shown_and_lifted(admin: Client, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    for _ in range(5):
        locks.count_failure(locks.login_key(kwame.email))
    assert "Too many failures" in _text(admin.get(address))
    admin.post(address + "unlock/")
    assert "Too many failures" not in _text(admin.get(address))
    assert Entry.objects.filter(kind="sign_in.unlock").exists()


def test_names_from_outside_are_shown_as_text(admin: Client) -> None:
    person = factories.person("<script>alert(1)</script>", email="x@example.com")
    for path in ("/operators/", f"/operators/{person.id}/"):
        page = _text(admin.get(path))
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


def test_a_person_without_a_sign_in_has_nothing_to_invite(admin: Client) -> None:
    person = factories.person("Nobody")
    assert "has no sign-in" in _text(admin.get(f"/operators/{person.id}/"))
    assert admin.post(f"/operators/{person.id}/invite/").status_code == 404


def test_danger_asks_who_one_is_after_a_while(client: Client, ines: Operator, kwame: Operator) -> None:
    address = f"/operators/{kwame.person_id}/"
    with time_machine.travel(NOON, tick=False):
        sign_in(client, ines.email)
    with time_machine.travel(NOON + timedelta(minutes=14), tick=False):
        assert client.get(address).status_code == 200
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        assert client.get("/operators/").status_code == 200
        asked = client.get(address)
        assert asked["Location"].startswith("/sign-in/confirm/?next=%2Foperators%2F")
        posted = client.post(address + "deactivate/", headers={"referer": f"http://testserver{address}"})
        # What was posted is kept, and offered again once it is confirmed who one is.
        assert posted["Location"] == "/sign-in/confirm/?next=%2Fprofile%2Fcontinue%2F"
        fragment = client.get(
            address, headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/operators/"}
        )
        assert fragment["HX-Redirect"] == "/sign-in/confirm/?next=%2Foperators%2F"
    assert Person.objects.get(pk=kwame.person_id).is_active


def test_who_has_only_the_company_sign_in_comes_in_through_it_again(client: Client, ines: Operator) -> None:
    ines.set_unusable_password()
    ines.save()
    with time_machine.travel(NOON, tick=False):
        client.force_login(ines)
    with time_machine.travel(NOON + timedelta(minutes=14, seconds=59), tick=False):
        assert client.get("/operators/new/").status_code == 200
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        assert client.get("/operators/new/")["Location"] == "/sign-in/?next=%2Foperators%2Fnew%2F"
        assert not is_signed_in(client)


def test_teams_are_made_with_rules_and_removed(admin: Client) -> None:
    assert admin.post("/operators/teams/", {"name": "Payments"})["Location"] == "/operators/teams/payments/"
    assert admin.post("/operators/teams/", {"name": "payments"}).status_code == 422
    address = "/operators/teams/payments/"
    assert admin.post(address, {"kind": "group", "value": "payments-dev"}).status_code == 302
    bad = admin.post(address, {"kind": "path", "value": "payments"})
    assert bad.status_code == 422
    assert "begins and ends with a slash" in _text(bad)
    rule = TeamRule.objects.get()
    assert "payments-dev" in _text(admin.get(address))
    admin.post(f"{address}rules/{rule.pk}/remove/")
    assert not TeamRule.objects.exists()
    assert admin.post(f"{address}delete/")["Location"] == "/operators/teams/"
    assert not Team.objects.exists()


def test_a_team_that_is_led_is_kept(admin: Client) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    factories.operator(Role.TEAM_LEAD, name="Maya Okafor", team=team)
    assert "Maya Okafor still leads" in _text(admin.post("/operators/teams/payments/delete/", follow=True))
    assert Team.objects.exists()


class TestSetUp:
    """The first run."""

    FORM = {
        "first_name": "Hana Sato",
        "first_email": "hana@example.com",
        "second_name": "Jonas Berg",
        "second_email": "jonas@example.com",
    }

    def test_two_people_are_appointed_and_invited(self, admin: Client) -> None:
        assert "Gatehouse needs two approvers" in _text(admin.get("/operators/"))
        assert admin.post("/operators/set-up/", self.FORM)["Location"] == "/"
        assert sorted(m.to[0] for m in mail.outbox) == ["hana@example.com", "jonas@example.com"]
        assert "Gatehouse needs two approvers" not in _text(admin.get("/operators/"))
        assert "This is settled" in _text(admin.get("/operators/set-up/"))

    def test_somebody_who_is_known_already_is_not_invited_again(self, admin: Client, kwame: Operator) -> None:
        admin.post("/operators/set-up/", self.FORM | {"first_email": kwame.email})
        assert [m.to[0] for m in mail.outbox] == ["jonas@example.com"]
        assert kwame.person is not None
        assert kwame.person.assignments.filter(role=Role.APPROVER).exists()

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"second_email": "HANA@example.com"}, "No one can approve alone"),
            ({"second_email": "ines.duarte@example.com"}, "can’t change your own"),
            ({"first_name": ""}, "required"),
        ],
    )
    def test_half_of_it_is_not_done(self, admin: Client, change: dict[str, str], complaint: str) -> None:
        response = admin.post("/operators/set-up/", self.FORM | change)
        assert response.status_code == 422
        assert complaint in _text(response)
        assert Person.objects.count() == 1
        assert not mail.outbox


def test_a_sign_in_is_made_with_everything_at_once_and_only_once(ines: Operator) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    made = [
        create_operator(
            username="maya",
            name="Maya Okafor",
            email="maya@example.com",
            password=PASSWORD,
            roles=[Role.TEAM_LEAD, Role.AUDITOR],
            team=team,
            arns=["arn:aws:iam::111111111111:user/maya"],
            actor=COMMAND_LINE,
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    person = made[0].person
    assert person is not None
    assert sorted((a.role, a.team) for a in person.assignments.all()) == [
        ("auditor", None),
        ("team-lead", team),
    ]
    assert person.identities.get().user_arn.endswith("user/maya")


def test_the_profile_shows_ones_own_and_keeps_preferences(client: Client, kwame: Operator) -> None:
    client.force_login(kwame)
    page = _text(client.get("/profile/"))
    assert "Kwame Boateng" in page
    assert "after 60 minutes without activity" in page
    assert 'data-shortcuts="off"' not in page
    response = client.post("/profile/preferences/", {"theme": "dark"})
    assert response.cookies["theme"].value == "dark"
    page = _text(client.get("/profile/"))
    assert 'data-shortcuts="off"' in page
    assert 'data-theme="dark"' in page
    response = client.post("/profile/preferences/", {"theme": "<script>", "shortcuts": "on"})
    assert response.cookies["theme"].value == ""
    assert 'data-shortcuts="off"' not in _text(client.get("/profile/"))


def test_somebody_without_a_role_still_has_a_profile(client: Client) -> None:
    client.force_login(factories.operator(None))
    assert "No role yet" in _text(client.get("/profile/"))
