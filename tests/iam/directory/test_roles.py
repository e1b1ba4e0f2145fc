"""Who may appoint whom; nobody their own; somebody must remain."""

from __future__ import annotations

import pytest

from iam.directory.models import Person, Role, RoleAssignment, Team
from iam.directory.rules import DirectoryRuleError, approvers, enough_approvers
from iam.directory.services import (
    add_person,
    assign_role,
    deactivate_person,
    link_identity,
    reactivate_person,
    remove_role,
    rename_person,
    unlink_identity,
)
from iam.directory.teams import add_rule, create_team, delete_team, remove_rule
from iam.guard import viewer_for
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from iam.people.blueprints.models import Blueprint
from tests import factories

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
ONE, TWO = "111111111111", "222222222222"


@pytest.fixture
def admin() -> Person:
    someone = factories.person("Ines Duarte")
    factories.assign(someone, Role.ADMINISTRATOR)
    return someone


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato")


def test_an_administrator_appoints_and_the_journal_says_so(admin: Person, hana: Person) -> None:
    assign_role(hana, Role.APPROVER, account_id=ONE, actor=admin)
    entry = Entry.objects.get()
    assert (entry.kind, entry.actor_label, entry.subject) == ("role.assign", "Ines Duarte", hana.email)
    assert (entry.account_id, entry.data["role"]) == (ONE, "approver")


def test_a_viewer_acts_for_their_person(admin: Person, hana: Person) -> None:
    assign_role(hana, Role.AUDITOR, actor=viewer_for(admin))
    assert Entry.objects.get().actor_id == admin.id


def test_appointing_twice_changes_nothing(admin: Person, hana: Person) -> None:
    first = assign_role(hana, Role.APPROVER, actor=admin)
    assert assign_role(hana, Role.APPROVER, actor=admin) == first
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("role", [Role.APPROVER, Role.TEAM_LEAD, Role.MEMBER, Role.AUDITOR, None])
def test_nobody_else_appoints(role: Role | None, hana: Person) -> None:
    someone = factories.person("Rosa Lind")
    team = Team.objects.create(slug="payments", name="Payments")
    if role:
        factories.assign(someone, role, team=team if role is Role.TEAM_LEAD else None)
    with pytest.raises(DirectoryRuleError, match="Only an administrator"):
        assign_role(hana, Role.APPROVER, actor=someone)
    assert not hana.assignments.exists()


def test_a_deactivated_administrator_appoints_nobody(admin: Person, hana: Person) -> None:
    Person.objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(DirectoryRuleError):
        assign_role(hana, Role.APPROVER, actor=admin)


@pytest.mark.parametrize(
    ("of", "appoints_in", "allowed"),
    [("", "", True), ("", ONE, True), (ONE, ONE, True), (ONE, TWO, False), (ONE, "", False)],
)
def test_an_administrator_appoints_only_where_they_administer(
    of: str, appoints_in: str, allowed: bool, hana: Person
) -> None:
    someone = factories.person("Rosa Lind")
    factories.assign(someone, Role.ADMINISTRATOR, account_id=of)
    if allowed:
        assert assign_role(hana, Role.APPROVER, account_id=appoints_in, actor=someone)
    else:
        with pytest.raises(DirectoryRuleError):
            assign_role(hana, Role.APPROVER, account_id=appoints_in, actor=someone)


def test_an_administrator_of_one_account_takes_no_role_of_all_accounts(admin: Person, hana: Person) -> None:
    factories.assign(hana, Role.ADMINISTRATOR, account_id=ONE)
    with pytest.raises(DirectoryRuleError):
        remove_role(admin.assignments.get(), actor=hana)


def test_nobody_changes_their_own_rights(admin: Person) -> None:
    other = factories.person("Hana Sato")
    factories.assign(other, Role.ADMINISTRATOR)
    identity = factories.Identity.objects.create(person=admin, user_arn=f"arn:aws:iam::{ONE}:user/ines")
    for attempt in (
        lambda: assign_role(admin, Role.APPROVER, actor=admin),
        lambda: remove_role(admin.assignments.get(), actor=admin),
        lambda: deactivate_person(admin, actor=admin),
        lambda: reactivate_person(admin, actor=admin),
        lambda: link_identity(admin, user_arn=f"arn:aws:iam::{ONE}:user/root", actor=admin),
        lambda: unlink_identity(identity, actor=admin),
    ):
        with pytest.raises(DirectoryRuleError, match="your own"):
            attempt()
    assert admin.assignments.get().role == Role.ADMINISTRATOR


def test_the_last_administrator_stays(admin: Person) -> None:
    for attempt in (
        lambda: remove_role(admin.assignments.get(), actor=COMMAND_LINE),
        lambda: deactivate_person(admin, actor=COMMAND_LINE),
    ):
        with pytest.raises(DirectoryRuleError, match="last administrator"):
            attempt()
    assert Person.objects.get(pk=admin.pk).is_active


def test_a_deactivated_or_partial_administrator_does_not_count_as_remaining(admin: Person) -> None:
    gone = factories.person("Gone Away")
    factories.assign(gone, Role.ADMINISTRATOR)
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    partial = factories.person("Part Time")
    factories.assign(partial, Role.ADMINISTRATOR, account_id=ONE)
    with pytest.raises(DirectoryRuleError, match="last administrator"):
        remove_role(admin.assignments.get(), actor=COMMAND_LINE)


def test_with_a_second_administrator_the_first_can_go(admin: Person, hana: Person) -> None:
    assign_role(hana, Role.ADMINISTRATOR, actor=admin)
    remove_role(admin.assignments.get(), actor=hana)
    assert not admin.assignments.exists()
    assert Entry.objects.latest("id").kind == "role.remove"


def test_a_team_lead_needs_a_team_and_nobody_else_has_one(admin: Person, hana: Person) -> None:
    team = create_team(name="Payments", actor=admin)
    with pytest.raises(DirectoryRuleError, match="needs a team"):
        assign_role(hana, Role.TEAM_LEAD, actor=admin)
    with pytest.raises(DirectoryRuleError, match="needs a team"):
        assign_role(hana, Role.AUDITOR, team=team, actor=admin)
    assert assign_role(hana, Role.TEAM_LEAD, team=team, actor=admin).team == team


@pytest.mark.parametrize("number", ["1", "11111111111x", "1111-1111-1111", "1" * 13])
def test_a_malformed_account_number_is_refused(number: str, admin: Person, hana: Person) -> None:
    with pytest.raises(DirectoryRuleError, match="12 digits"):
        assign_role(hana, Role.APPROVER, account_id=number, actor=admin)


def test_a_deactivated_person_keeps_their_roles_for_a_return(admin: Person, hana: Person) -> None:
    assign_role(hana, Role.APPROVER, actor=admin)
    deactivate_person(hana, actor=admin)
    deactivate_person(hana, actor=admin)
    assert not Person.objects.get(pk=hana.pk).is_active
    reactivate_person(hana, actor=admin)
    assert hana.assignments.get().role == Role.APPROVER
    assert list(Entry.objects.order_by("id").values_list("kind", flat=True)) == [
        "role.assign",
        "person.deactivate",
        "person.reactivate",
    ]


def test_taking_a_role_or_a_person_away_is_told_to_the_layers_above(
    admin: Person, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    people: list[Person] = []
    monkeypatch.setattr("iam.directory.events._reduced", [people.append])
    assignment = assign_role(hana, Role.APPROVER, actor=admin)
    assert people == []
    remove_role(assignment, actor=admin)
    deactivate_person(hana, actor=admin)
    assert people == [hana, hana]


def test_people_are_known_by_one_address_each(admin: Person) -> None:
    added = add_person(name=" Maya Okafor ", email=" Maya@Example.com ", actor=admin)
    assert (added.name, added.email) == ("Maya Okafor", "maya@example.com")
    with pytest.raises(DirectoryRuleError, match="already belongs to another person"):
        add_person(name="Other", email="MAYA@example.com", actor=admin)
    rename_person(added, name="Maya Okafor-Lind", actor=admin)
    assert Entry.objects.latest("id").data == {"before": "Maya Okafor", "after": "Maya Okafor-Lind"}


def test_an_administrator_of_one_account_adds_and_ends_nobody(hana: Person) -> None:
    someone = factories.person("Rosa Lind")
    factories.assign(someone, Role.ADMINISTRATOR, account_id=ONE)
    for attempt in (
        lambda: add_person(name="M", email="m@example.com", actor=someone),
        lambda: rename_person(hana, name="M", actor=someone),
        lambda: deactivate_person(hana, actor=someone),
        lambda: reactivate_person(hana, actor=someone),
        lambda: create_team(name="Payments", actor=someone),
        lambda: link_identity(hana, user_arn=f"arn:aws:iam::{TWO}:user/hana", actor=someone),
    ):
        with pytest.raises(DirectoryRuleError, match="Only an administrator"):
            attempt()


def test_an_iam_user_belongs_to_one_person(admin: Person, hana: Person) -> None:
    arn = f"arn:aws:iam::{ONE}:user/engineering/hana"
    identity = link_identity(hana, user_arn=arn, actor=admin)
    assert link_identity(hana, user_arn=f" {arn} ", actor=admin) == identity
    with pytest.raises(DirectoryRuleError, match="belongs to Hana Sato"):
        link_identity(factories.person("Rosa Lind"), user_arn=arn, actor=admin)
    unlink_identity(identity, actor=admin)
    assert not hana.identities.exists()
    assert list(Entry.objects.order_by("id").values_list("kind", "account_id")) == [
        ("identity.link", ONE),
        ("identity.unlink", ONE),
    ]


@pytest.mark.parametrize(
    "arn",
    [
        "maya",
        f"arn:aws:iam::{ONE}:role/x",
        "arn:aws:iam::1:user/x",
        f"arn:aws:iam::{ONE}:user/",
        f"arn:aws:iam::{ONE}:user/a b",
    ],
)
def test_only_the_arn_of_an_iam_user_can_be_linked(arn: str, admin: Person, hana: Person) -> None:
    with pytest.raises(DirectoryRuleError, match="ARN of an IAM user"):
        link_identity(hana, user_arn=arn, actor=admin)


def test_teams_have_rules_and_go_when_nobody_leads_them(admin: Person, hana: Person) -> None:
    team = create_team(name="Data & Ledger", description="Numbers", actor=admin)
    assert team.slug == "data-ledger"
    rule = add_rule(team, kind="group", value="ledger", account_id=ONE, actor=admin)
    add_rule(team, kind="path", value="/ledger/eu/", actor=admin)
    for kind, value, account in (
        ("group", "ledger", ONE),
        ("group", "a b", ""),
        ("path", "ledger", ""),
        ("path", "//", ""),
        ("path", "/x/", "1"),
    ):
        with pytest.raises(DirectoryRuleError):
            add_rule(team, kind=kind, value=value, account_id=account, actor=admin)
    with pytest.raises(DirectoryRuleError, match="already"):
        create_team(name="data ledger", actor=admin)
    assignment = assign_role(hana, Role.TEAM_LEAD, team=team, actor=admin)
    with pytest.raises(DirectoryRuleError, match="Hana Sato still leads"):
        delete_team(team, actor=admin)
    remove_role(assignment, actor=admin)
    remove_rule(rule, actor=admin)
    delete_team(team, actor=admin)
    assert not Team.objects.exists()
    assert Entry.objects.latest("id").data == {"rules": ["path /ledger/eu/"]}


def test_a_team_with_records_is_kept_and_the_error_names_them(admin: Person) -> None:
    team = create_team(name="Ledger", actor=admin)
    for name in ("Developer", "Analyst"):
        Blueprint.objects.create(team=team, name=name)
    with pytest.raises(DirectoryRuleError, match="can’t delete Ledger: 2 blueprints belong to it"):
        delete_team(team, actor=admin)
    assert Team.objects.get() == team
    assert not Entry.objects.filter(kind="team.delete").exists()


@pytest.mark.parametrize("name", ["", "!!!"])
def test_a_team_needs_a_name(name: str, admin: Person) -> None:
    with pytest.raises(DirectoryRuleError, match="letter or a digit"):
        create_team(name=name, actor=admin)


def test_a_team_rule_of_another_account_is_out_of_reach(hana: Person) -> None:
    factories.assign(hana, Role.ADMINISTRATOR, account_id=ONE)
    team = Team.objects.create(slug="payments", name="Payments")
    assert add_rule(team, kind="group", value="payments", account_id=ONE, actor=hana)
    for account in ("", TWO):
        with pytest.raises(DirectoryRuleError):
            add_rule(team, kind="group", value="payments", account_id=account, actor=hana)


def test_two_different_active_people_are_enough_approvers(admin: Person, hana: Person) -> None:
    assign_role(hana, Role.APPROVER, account_id=ONE, actor=admin)
    assign_role(hana, Role.APPROVER, account_id=TWO, actor=admin)
    assert not enough_approvers()
    other = factories.person("Rosa Lind")
    assign_role(other, Role.APPROVER, actor=admin)
    assert enough_approvers()
    assert [p.name for p in approvers()] == ["Hana Sato", "Rosa Lind"]
    deactivate_person(other, actor=admin)
    assert not enough_approvers()
    assert RoleAssignment.objects.filter(person=other).exists()
