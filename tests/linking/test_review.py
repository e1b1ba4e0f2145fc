"""The review of all matches: what is proposed and why, what is ambiguous, who is new, what stays; deselected rows stay; one confirmation."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.directory.models import Identity, OwnedUser, Person, Role, RuleKind, Team, TeamRule
from iam.journal.models import Entry
from iam.linking import proposals
from iam.linking.models import NameRule
from iam.linking.working import work_out
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.linking.test_whose import tagged

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.ADMINISTRATOR, **more: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, name="Ines Duarte", **more))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.fixture
def account() -> Account:
    return factories.account()


@pytest.fixture
def maya() -> Person:
    return factories.person("Maya Okafor", email="maya.okafor@example.com")


@pytest.fixture
def users(account: Account, maya: Person) -> dict[str, Entity]:
    """A match by tag, one by rule, a contradiction, a name, an address that is new, and a machine."""
    factories.person("Jonas Berg", email="jonas.berg@example.com")
    NameRule.objects.create(user_name="{f}{last}", address="{first}.{last}", added_by="test")
    found = {
        "by tag": tagged(factories.user(account, "mo"), email=maya.email),
        "by rule": factories.user(account, "mokafor"),
        "ambiguous": tagged(factories.user(account, "jberg"), email=maya.email),
        "by name": tagged(factories.user(account, "m-okafor-2"), DisplayName="Maya Okafor"),
        "new": tagged(factories.user(account, "kofi"), email="kofi@example.com", DisplayName="Kofi Mensah"),
        "machine": factories.user(account, "ci-release"),
    }
    work_out(whole=True)
    return found


def test_everything_is_shown_with_its_reason_and_nothing_is_saved(users: dict[str, Entity]) -> None:
    page = browser().get(reverse("linking:review"))
    shown = text(page)
    assert {row.user.name for row, _ in page.context["proposed"]} == {"mo", "mokafor"}
    assert "Tag email: maya.okafor@example.com" in shown
    assert "Name rule {f}{last} of {first}.{last}" in shown
    ambiguous = {row.user.name: row for row, _ in page.context["ambiguous"]}
    assert set(ambiguous) == {"jberg", "m-okafor-2"}
    assert {one.person.name for one in ambiguous["jberg"].choices} == {"Maya Okafor", "Jonas Berg"}
    assert ambiguous["m-okafor-2"].choices[0].words == ("has the same name",)
    assert [(row.user.name, name) for row, _, name, _ in page.context["newcomers"]] == [
        ("kofi", "Kofi Mensah")
    ]
    assert page.context["review"].unmatched == 1
    assert not Identity.objects.exists()


def test_deselected_rows_stay_and_the_others_are_linked_at_once(
    users: dict[str, Entity], maya: Person
) -> None:
    jonas = Person.objects.get(name="Jonas Berg")
    answer = browser().post(
        reverse("linking:review"),
        {
            f"link-{users['by tag'].pk}": str(maya.pk),
            f"link-{users['ambiguous'].pk}": str(jonas.pk),
            f"link-{users['by name'].pk}": "",
            f"add-{users['new'].pk}": "1",
            f"name-{users['new'].pk}": "Kofi  Mensah",
            "why": "First match",
        },
        follow=True,
    )
    assert "3 IAM users are linked" in text(answer)
    linked = dict(Identity.objects.values_list("user_arn", "person__name"))
    assert linked == {
        users["by tag"].arn: "Maya Okafor",
        users["ambiguous"].arn: "Jonas Berg",
        users["new"].arn: "Kofi Mensah",
    }
    assert {row.user.name for row, _ in answer.context["proposed"]} == {"mokafor"}
    whys = {entry.data["why"] for entry in Entry.objects.filter(kind="identity.link")}
    assert "First match" in whys


def test_two_users_of_one_new_person_are_both_linked(account: Account) -> None:
    first, second = (tagged(factories.user(account, name), email="kofi@example.com") for name in ("k1", "k2"))
    work_out(whole=True)
    data = {f"{act}-{user.pk}": "Kofi" for user in (first, second) for act in ("add", "name")}
    browser().post(reverse("linking:review"), data)
    assert Person.objects.get(email="kofi@example.com").identities.count() == 2


def test_a_missing_name_is_said_at_its_field_and_nothing_is_saved(
    users: dict[str, Entity], maya: Person
) -> None:
    new = users["new"].pk
    answer = browser().post(
        reverse("linking:review"),
        {f"add-{new}": "1", f"name-{new}": " ", f"link-{users['by tag'].pk}": str(maya.pk), "why": "Because"},
    )
    assert answer.status_code == 422
    assert f'aria-describedby="n{new}-error"' in text(answer)
    assert 'value="Because"' in text(answer)
    selected = {row.user.name: is_on for row, is_on in answer.context["proposed"]}
    assert selected == {"mo": True, "mokafor": False}
    assert not Identity.objects.exists()


def test_nothing_selected_is_refused_in_words(users: dict[str, Entity]) -> None:
    answer = browser().post(reverse("linking:review"), {"why": ""})
    assert answer.status_code == 422
    assert "No match is selected" in text(answer)


def test_an_administrators_own_user_is_refused_and_stops_no_other(
    users: dict[str, Entity], maya: Person
) -> None:
    client = browser()
    for name in ("Hana Sato", "Lena Berg"):
        factories.assign(factories.person(name), Role.APPROVER)
    ines = Person.objects.get(name="Ines Duarte")
    answer = client.post(
        reverse("linking:review"),
        {f"link-{users['machine'].pk}": str(ines.pk), f"link-{users['by tag'].pk}": str(maya.pk)},
        follow=True,
    )
    assert "can’t link an IAM user to yourself" in text(answer)
    assert "1 IAM user is linked" in text(answer)


def test_a_lead_reviews_only_the_users_of_their_team(
    users: dict[str, Entity], account: Account, maya: Person
) -> None:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    factories.edge(EdgeKind.MEMBER, users["by tag"], factories.group(account, "payments-dev"))
    client = browser(Role.TEAM_LEAD, team=team)
    page = client.get(reverse("linking:review"))
    assert [row.user.name for row, _ in page.context["proposed"]] == ["mo"]
    assert not page.context["ambiguous"]
    assert not page.context["newcomers"]
    client.post(reverse("linking:review"), {f"link-{users['by rule'].pk}": str(maya.pk)})
    assert not Identity.objects.exists()
    client.post(reverse("linking:review"), {f"link-{users['by tag'].pk}": str(maya.pk)})
    assert Identity.objects.get().person == maya


def test_machine_users_with_an_owning_team_are_not_unmatched(users: dict[str, Entity]) -> None:
    machine = users["machine"]
    team = Team.objects.create(slug="payments", name="Payments")
    OwnedUser.objects.create(
        team=team, account_id="111111111111", aws_id=machine.aws_id, user_arn=machine.arn, set_by="test"
    )
    assert browser().get(reverse("linking:review")).context["review"].unmatched == 0


def test_a_page_that_is_full_says_how_many_follow(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MOST", 3)
    for number in range(5):
        factories.person(f"P {number}", email=f"p{number}@example.com")
        tagged(factories.user(account, f"p{number}"), email=f"p{number}@example.com")
    work_out(whole=True)
    page = browser().get(reverse("linking:review"))
    assert len(page.context["proposed"]) == 3
    assert page.context["review"].left == 2
    assert "follow after you confirm" in text(page)


def test_the_page_takes_the_same_queries_for_few_and_for_many(account: Account, maya: Person) -> None:
    client, counts = browser(), []
    for size in (2, 30):
        for number in range(size):
            name = f"u{size}-{number}"
            tagged(factories.user(account, name), email=maya.email)
            tagged(factories.user(account, f"n{name}"), email=f"{name}@example.com")
            tagged(factories.user(account, f"d{name}"), DisplayName="Maya Okafor")
        work_out(whole=True)
        client.get(reverse("linking:review"))
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse("linking:review")).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1]
