"""The owning team of a machine user: who can set it, what it gives the leads, what ends it, and the pages on
which it is set.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.changes.approval.people import teams_of
from iam.directory.models import Identity, OwnedUser, Person, Role, RuleKind, Team, TeamRule
from iam.directory.rules import DirectoryRuleError
from iam.directory.teams import delete_team
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.linking import acts, owners
from iam.linking.refresh import refresh_links
from iam.mirror.models import Account, EdgeKind, Entity
from iam.mirror.queries.visibility import visible_entities
from tests import factories
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
MACHINE = {"has_password": False, "keys": 1, "active_keys": 1, "mfa": "none"}


def team(name: str = "Payments", *, group: str = "") -> Team:
    made = Team.objects.create(slug=name.lower(), name=name)
    if group:
        TeamRule.objects.create(team=made, kind=RuleKind.GROUP, value=group)
    return made


def lead(of: Team, name: str = "Elif Kaya", **more: Any) -> Person:
    person = factories.person(name, email=f"{name.split()[0].lower()}-{of.slug}@example.com")
    factories.assign(person, Role.TEAM_LEAD, team=of, **more)
    return person


@pytest.fixture
def account() -> Account:
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")


@pytest.fixture
def machine(account: Account) -> Entity:
    return factories.user(account, "ci-release", credentials=MACHINE)


def owned(machine: Entity, of: Team) -> None:
    administrator = factories.viewer(Role.ADMINISTRATOR, name="Astrid Berg", email="astrid@example.com")
    assert owners.set_owning_team(administrator, user=machine, team=of)


def sees(person: Person, user: Entity) -> bool:
    return visible_entities(viewer_for(person)).filter(pk=user.pk).exists()


def test_the_leads_of_the_owning_team_see_the_user_and_request_changes_to_it(machine: Entity) -> None:
    payments, data = team(), team("Data")
    elif_, omar = lead(payments), lead(data, "Omar Haddad")
    assert not sees(elif_, machine)
    owned(machine, payments)
    assert sees(elif_, machine)
    assert not sees(omar, machine)
    viewer = viewer_for(elif_)
    assert viewer.asks.owned == frozenset({("111111111111", machine.aws_id)})
    assert not viewer.scope.user_arns


def test_a_lead_of_one_account_gets_the_machines_of_that_account_only(machine: Entity) -> None:
    payments = team()
    here = lead(payments, "Elif Kaya", account_id="111111111111")
    elsewhere = lead(payments, "Noor Amin", account_id="222222222222")
    owned(machine, payments)
    assert sees(here, machine)
    assert not sees(elsewhere, machine)


def test_a_renamed_user_stays_with_its_team_and_one_created_again_does_not(machine: Entity) -> None:
    payments = team()
    elif_ = lead(payments)
    owned(machine, payments)
    Entity.objects.filter(pk=machine.pk).update(name="ci-deploy", arn=f"{machine.arn}-renamed")
    assert sees(elif_, machine)
    Entity.objects.filter(pk=machine.pk).update(gone_at=factories.FIRST_READ)
    again = factories.user(machine.account, "ci-release", credentials=MACHINE)
    assert not sees(elif_, again)
    assert owners.owning_team(again) is None


def test_the_lead_of_the_owning_team_counts_where_a_rule_asks_for_the_lead(machine: Entity) -> None:
    payments = team()
    owned(machine, payments)
    arns = {machine.account.pk: [machine.arn]}
    assert teams_of(arns) == {machine.arn: frozenset({"payments"})}
    Entity.objects.filter(pk=machine.pk).update(arn=f"{machine.arn}-renamed")
    refresh_links(whole=True)
    assert OwnedUser.objects.get().user_arn == f"{machine.arn}-renamed"


def test_linking_a_person_ends_the_ownership_and_the_journal_says_why(machine: Entity) -> None:
    owned(machine, team())
    maya = factories.person("Maya Okafor", email="maya@example.com")
    acts.link(factories.viewer(Role.ADMINISTRATOR), user=machine, person=maya)
    assert not OwnedUser.objects.exists()
    entry = Entry.objects.get(kind="owner.remove")
    assert entry.data["why"] == "The user was linked to Maya Okafor."


def test_a_user_of_a_person_gets_no_owning_team(machine: Entity) -> None:
    maya = factories.person("Maya Okafor", email="maya@example.com")
    Identity.objects.create(person=maya, user_arn=machine.arn, aws_id=machine.aws_id)
    with pytest.raises(DirectoryRuleError, match="linked to Maya Okafor"):
        owned(machine, team())


def test_each_role_sets_only_what_it_can(machine: Entity, account: Account) -> None:
    payments, data = team(group="payments-dev"), team("Data")
    elif_ = viewer_for(lead(payments))
    for role in (Role.AUDITOR, Role.APPROVER, Role.MEMBER):
        with pytest.raises(DirectoryRuleError, match="administer the account"):
            owners.set_owning_team(
                factories.viewer(role, email=f"{role}@example.com"), user=machine, team=data
            )
    with pytest.raises(DirectoryRuleError, match="administer the account"):
        owners.set_owning_team(elif_, user=machine, team=payments)
    factories.edge(EdgeKind.MEMBER, machine, factories.group(account, "payments-dev"))
    with pytest.raises(DirectoryRuleError, match="don’t lead Data"):
        owners.set_owning_team(elif_, user=machine, team=data)
    assert owners.set_owning_team(elif_, user=machine, team=payments)
    assert not owners.set_owning_team(elif_, user=machine, team=payments)
    assert owners.set_owning_team(elif_, user=machine, team=None)


def test_a_lead_cannot_take_a_user_of_another_team(machine: Entity, account: Account) -> None:
    payments, data = team(group="payments-dev"), team("Data")
    factories.edge(EdgeKind.MEMBER, machine, factories.group(account, "payments-dev"))
    owned(machine, data)
    elif_ = viewer_for(lead(payments))
    for wanted in (payments, None):
        with pytest.raises(DirectoryRuleError, match="Data owns ci-release"):
            owners.set_owning_team(elif_, user=machine, team=wanted)
    assert not owners.may_set_owner(elif_, machine)


def test_a_team_that_owns_users_cannot_be_deleted(machine: Entity) -> None:
    payments = team()
    owned(machine, payments)
    with pytest.raises(DirectoryRuleError, match="1 machine user"):
        delete_team(payments, actor=factories.viewer(Role.ADMINISTRATOR))


@pytest.mark.parametrize(
    ("tags", "proposed"),
    [
        ({"Team": "payments"}, "payments"),
        ({"owner": "PAYMENTS"}, "payments"),
        ({"Owning-Team": "Payments"}, "payments"),
        ({"Owner": "elif-payments@example.com"}, "payments"),
        ({"Team": "payments", "Owner": "Data"}, ""),
        ({"Team": "unknown"}, ""),
        ({"Name": "payments"}, ""),
    ],
)
def test_tags_propose_a_team(machine: Entity, tags: dict[str, str], proposed: str) -> None:
    lead(team())
    team("Data")
    tagged(machine, **tags)
    (row,) = owners.owner_rows(factories.viewer(Role.ADMINISTRATOR), [machine])
    assert (row.proposed.slug if row.proposed else "") == proposed


def browser(role: Role, *, name: str = "", **more: Any) -> Client:
    client = Client()
    client.force_login(factories.operator(role, name=name or f"Ines {role.label}", **more))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_many_are_set_from_tags_on_one_review_page(account: Account) -> None:
    payments, data = team(), team("Data")
    first, second, third = (
        factories.user(account, name, credentials=MACHINE) for name in ("ci-a", "ci-b", "ci-c")
    )
    person = factories.user(account, "maya.okafor")
    tagged(first, Team="payments")
    tagged(second, Team="payments", Owner="data")
    refresh_links()
    client = browser(Role.ADMINISTRATOR)
    page = client.get(reverse("linking:owners"))
    shown = {row.user.pk: chosen for row, chosen in page.context["rows"]}
    assert shown == {first.pk: "payments", second.pk: "", third.pk: ""}
    assert "Several teams fit" in text(page)
    assert not OwnedUser.objects.exists()
    answer = client.post(
        reverse("linking:owners"),
        {
            "id": [first.pk, second.pk, third.pk, person.pk],
            f"team-{first.pk}": "payments",
            f"team-{second.pk}": "everyone",
            f"team-{third.pk}": "",
            "everyone": "data",
            "why": "Quarterly clean-up",
        },
        follow=True,
    )
    assert "2 IAM users have an owning team now" in text(answer)
    assert dict(OwnedUser.objects.values_list("aws_id", "team__slug")) == {
        first.aws_id: payments.slug,
        second.aws_id: data.slug,
    }
    assert {row.user.pk for row, _ in answer.context["rows"]} == {third.pk}
    assert Entry.objects.filter(kind="owner.set").count() == 2
    assert Entry.objects.filter(kind="owner.set").first().data["why"] == "Quarterly clean-up"  # type: ignore[union-attr]


def test_saving_without_a_choice_says_so_and_keeps_what_was_typed(machine: Entity) -> None:
    team()
    answer = browser(Role.ADMINISTRATOR).post(
        reverse("linking:owners"), {"id": machine.pk, f"team-{machine.pk}": "", "why": "Because"}
    )
    assert answer.status_code == 422
    assert "No change was selected" in text(answer)
    assert 'value="Because"' in text(answer)


def test_a_selection_of_the_list_is_reviewed_and_a_persons_user_says_why_not(
    machine: Entity, account: Account
) -> None:
    team()
    linked = factories.user(account, "maya.okafor")
    maya = factories.person("Maya Okafor", email="maya@example.com")
    Identity.objects.create(person=maya, user_arn=linked.arn, aws_id=linked.aws_id)
    client = browser(Role.ADMINISTRATOR)
    listed = text(client.get(reverse("identities:people")))
    assert "Set owning team" in listed
    page = text(client.get(reverse("linking:owners"), {"id": [machine.pk, linked.pk]}))
    assert "maya.okafor is linked to Maya Okafor" in page
    assert f'name="team-{machine.pk}"' in page
    assert f'name="team-{linked.pk}"' not in page


def test_an_owning_team_is_set_and_shown_on_the_page_of_the_user_and_filtered_in_both_lists(
    machine: Entity, account: Account
) -> None:
    payments = team()
    other = factories.user(account, "ci-other", credentials=MACHINE)
    factories.user(account, "maya.okafor")
    client = browser(Role.ADMINISTRATOR)
    client.post(reverse("linking:owner", args=[machine.pk]), {"team": "payments"})
    assert OwnedUser.objects.get().team == payments
    page = text(client.get(reverse("identities:person", args=[machine.pk])))
    assert "<dt>Owning team</dt>" in page

    def names(value: str) -> list[str]:
        rows = client.get(reverse("identities:people"), {"owner": value}).context["rows"]
        return [row["name"] for row in rows]

    assert names("payments") == names("Payments") == names("any") == ["ci-release"]
    assert names("none") == [other.name]
    assert "Owned by Payments" in text(client.get(reverse("identities:people")))
    client.post(reverse("linking:owner", args=[machine.pk]), {"team": ""})
    assert not OwnedUser.objects.exists()


def offered(client: Client, address: str) -> list[tuple[str, str]]:
    """The choices of the filter by owning team."""
    menus = client.get(reverse(address)).context["menus"]
    return [(value, label) for menu in menus if menu.name == "owner" for value, label, _ in menu.choices]


@pytest.mark.parametrize("address", ["identities:people", "keys:keys"])
def test_the_owning_team_is_chosen_from_the_teams_there_are(account: Account, address: str) -> None:
    team()
    Team.objects.create(slug="data", name="Data")
    words = [("any", "Any team"), ("none", "No owning team")]
    assert offered(browser(Role.ADMINISTRATOR), address) == [
        *words,
        ("data", "Data"),
        ("payments", "Payments"),
    ]
    lead = browser(Role.TEAM_LEAD, team=Team.objects.get(slug="data"))
    assert offered(lead, address) == [*words, ("data", "Data")]


def test_a_team_that_is_none_is_said_and_not_looked_for(account: Account) -> None:
    page = text(browser(Role.ADMINISTRATOR).get(reverse("identities:people"), {"owner": "nobody"}))
    assert "“Owning team: nobody” isn’t a filter of this list and was ignored." in page


def test_who_cannot_set_it_finds_no_form_and_no_address(machine: Entity) -> None:
    payments = team()
    owned(machine, payments)
    auditor = browser(Role.AUDITOR)
    page = text(auditor.get(reverse("linking:person", args=[machine.pk])))
    assert "Payments" in page
    assert reverse("linking:owner", args=[machine.pk]) not in page
    for client in (auditor, browser(Role.MEMBER), browser(Role.APPROVER)):
        assert client.get(reverse("linking:owners")).status_code == 404
        assert client.post(reverse("linking:owner", args=[machine.pk]), {"team": ""}).status_code == 404
    stranger = browser(Role.TEAM_LEAD, team=team("Data"))
    assert stranger.post(reverse("linking:owner", args=[machine.pk]), {"team": ""}).status_code == 404
    assert OwnedUser.objects.exists()


def test_the_review_page_takes_the_same_queries_for_few_and_for_many(account: Account) -> None:
    lead(team())
    client, counts = browser(Role.ADMINISTRATOR), []
    for size in (2, 30):
        for number in range(size):
            tagged(
                factories.user(account, f"ci-{size}-{number}", credentials=MACHINE),
                Owner="elif-payments@example.com",
            )
        client.get(reverse("linking:owners"))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse("linking:owners")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
