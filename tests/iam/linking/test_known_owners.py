"""Who owns a user or role, who can say so, and what becomes of it when the owner leaves."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from iam.audit.findings.calculation import calculate, is_due
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.owners import owned_by, owners_of
from iam.directory.deactivation import deactivate
from iam.directory.models import Identity, NamedOwner, OwnedKind, OwnedUser, Person, Role, Team
from iam.directory.rules import DirectoryRuleError
from iam.directory.teams import delete_team
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.linking.known_owners import (
    hand_over,
    leavers_tagged,
    may_name_owner,
    owned_by_person,
    owners_known,
    set_identity_owner,
)
from iam.mirror.models import Account, Entity
from iam.mirror.queries.lists.rows import ROWS
from tests import factories
from tests.iam.linking.test_ownership import tagged

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
MACHINE = {"has_password": False, "active_keys": 1, "mfa": "none"}


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def machine(account: Account) -> Entity:
    return factories.user(account, "ci", credentials=MACHINE)


@pytest.fixture
def payments() -> Team:
    return Team.objects.create(slug="payments", name="Payments")


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte", email="ines@example.com")


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato", email="hana@example.com")


def own(machine: Entity, team: Team) -> None:
    OwnedUser.objects.create(
        team=team,
        account_id=machine.account.account_id,
        aws_id=machine.aws_id,
        user_arn=machine.arn,
        set_by="x",
    )


def answer(entity: Entity) -> tuple[str, str] | None:
    known = owners_known([entity.pk]).get(entity.pk)
    return (known.name, known.source) if known else None


@pytest.mark.parametrize("count", [1, len(ROWS) - 1, len(ROWS), len(ROWS) + 1])
def test_each_owner_is_known_however_many_are_asked_for(account: Account, payments: Team, count: int) -> None:
    with factories.at_once():
        users = [factories.user(account, f"ci-{number}", credentials=MACHINE) for number in range(count)]
    for user in users[::2]:
        own(user, payments)
    assert set(owners_known(user.pk for user in users)) == {user.pk for user in users[::2]}
    assert owners_known([]) == {}


def test_the_named_owner_then_a_tag_then_the_owning_team(
    machine: Entity, payments: Team, ines: Viewer, hana: Person
) -> None:
    assert answer(machine) is None
    own(machine, payments)
    assert answer(machine) == ("Payments", "team")
    tagged(machine, Owner="billing@example.com", Team="billing")
    assert answer(machine) == ("billing@example.com", "tagged")
    assert set_identity_owner(ines, machine, "hana@example.com")
    assert answer(machine) == ("Hana Sato", "named")
    assert not set_identity_owner(ines, machine, " HANA@example.com ")
    assert set_identity_owner(ines, machine, "payments")
    assert answer(machine) == ("Payments", "named")
    assert set_identity_owner(ines, machine, "")
    assert not set_identity_owner(ines, machine, "")
    assert answer(machine) == ("billing@example.com", "tagged")
    kinds = list(
        Entry.objects.filter(kind__startswith="owner.").order_by("id").values_list("kind", flat=True)
    )
    assert kinds == ["owner.name", "owner.name", "owner.unname"]


def test_who_has_left_owns_nothing(machine: Entity, payments: Team, ines: Viewer, hana: Person) -> None:
    own(machine, payments)
    tagged(machine, Owner="hana@example.com")
    assert set_identity_owner(ines, machine, "hana@example.com")
    deactivate(hana.pk, why="LVG-1")
    assert answer(machine) == ("Payments", "team")
    assert [row.name for row in owned_by_person(ines, hana.pk)] == [machine.arn]


@pytest.mark.parametrize("written", ["tomas.lind", "Tomas.Lind", "Tomas Lind", "t@example.com"])
def test_who_has_left_owns_nothing_by_whatever_name_a_tag_has_for_them(
    written: str, account: Account, machine: Entity
) -> None:
    """An address, a name or a user name; where someone who is here has the same one, they are meant."""
    user = factories.user(account, "tomas.lind")
    leaver = factories.person("Tomas Lind", email="t@example.com", arns=(user.arn,))
    tagged(machine, Owner=written, Team="Billing")
    assert answer(machine) == (written, "tagged")
    assert leavers_tagged(machine) == []
    deactivate(leaver.pk, why="LVG-1")
    assert answer(machine) == ("Billing", "tagged")
    assert leavers_tagged(machine) == [written]
    if "@" not in written:
        other = factories.user(factories.account("222222222222"), "tomas.lind")
        factories.person("Tomas Lind", email="tl@example.com", arns=(other.arn,))
        assert answer(machine) == (written, "tagged")


def test_the_pages_of_a_finding_and_of_a_user_say_that_the_owner_of_the_tag_has_left(
    account: Account, machine: Entity
) -> None:
    leaver = factories.person("Tomas Lind", email="t@example.com", arns=(factories.user(account, "tl").arn,))
    tagged(machine, Owner="tl")
    deactivate(leaver.pk, why="LVG-1")
    calculate(account)
    finding = AuditFinding.objects.get(kind="owner-missing", entity=machine)
    client = Client()
    client.force_login(factories.operator(Role.AUDITOR))
    pages = (
        reverse("findings:finding", args=[finding.pk]),
        reverse("identities:person", args=[machine.pk]),
    )
    for page in pages:
        assert "A tag in AWS names tl, who has left." in client.get(page).content.decode()


def test_a_role_that_is_created_again_has_another_owner(account: Account, ines: Viewer, hana: Person) -> None:
    role = factories.role(account, "app")
    set_identity_owner(ines, role, "hana@example.com")
    Entity.objects.filter(pk=role.pk).update(aws_id="AROAANOTHER")
    assert answer(role) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody", "“nobody” isn’t a team"),
        ("otto@example.com", "No person in Gatehouse"),
        ("left@example.com", "deactivated"),
        ("x" * 400, "isn’t a team"),
    ],
)
def test_what_names_no_one_is_refused(text: str, message: str, machine: Entity, ines: Viewer) -> None:
    factories.person("Otto Left", email="left@example.com")
    Person.objects.filter(email="left@example.com").update(is_active=False)
    with pytest.raises(DirectoryRuleError, match=message):
        set_identity_owner(ines, machine, text)
    assert not NamedOwner.objects.exists()


def test_the_user_of_a_person_has_no_other_owner(account: Account, ines: Viewer, hana: Person) -> None:
    user = factories.user(account, "tomas")
    Identity.objects.create(person=factories.person("Tomas Lind", email="t@example.com"), user_arn=user.arn)
    with pytest.raises(DirectoryRuleError, match="linked to Tomas Lind"):
        set_identity_owner(ines, user, "hana@example.com")


def test_the_user_of_someone_who_has_left_can_have_another_owner(
    account: Account, ines: Viewer, hana: Person
) -> None:
    """The finding, its filter, the pages and the form agree that a leaver owns nothing."""
    user = factories.user(account, "tomas", credentials=MACHINE)
    leaver = factories.person("Tomas Lind", email="t@example.com", arns=(user.arn,))
    assert answer(user) == ("Tomas Lind", "linked")
    deactivate(leaver.pk, why="LVG-1")
    assert answer(user) is None
    calculate(account)
    findings = AuditFinding.objects.filter(entity=user)
    assert findings.get(kind="owner-missing").status == "open"
    assert not owners_of(list(findings))
    assert not findings.filter(owned_by("Tomas Lind")).exists()
    tagged(user, Team="Payments")
    assert answer(user) == ("Payments", "tagged")
    assert set_identity_owner(ines, user, "hana@example.com")
    assert answer(user) == ("Hana Sato", "named")
    calculate(account)
    assert findings.get(kind="owner-missing").status == "fixed"


OTHER = "222222222222"
CASES = {
    "administrator": ([(Role.ADMINISTRATOR, "")], True, True),
    "administrator of another account": ([(Role.ADMINISTRATOR, OTHER)], False, False),
    "approver": ([(Role.APPROVER, "")], False, False),
    "auditor": ([(Role.AUDITOR, "")], False, False),
    "member": ([(Role.MEMBER, "")], False, False),
    "lead of the owning team": ([(Role.TEAM_LEAD, "payments")], True, False),
    "lead of another team": ([(Role.TEAM_LEAD, "data")], False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_who_can_say_it(case: str, account: Account, machine: Entity, payments: Team) -> None:
    roles, of_machine, of_role = CASES[case]
    data = Team.objects.create(slug="data", name="Data")
    own(machine, payments)
    person = factories.person("Somebody", email="somebody@example.com")
    for role, where in roles:
        if role is Role.TEAM_LEAD:
            factories.assign(person, role, team=payments if where == "payments" else data)
        else:
            person.assignments.create(role=role, account_id=where)
    viewer = viewer_for(person)
    role_entity = factories.role(account, "app")
    for entity, may in ((machine, of_machine), (role_entity, of_role)):
        assert may_name_owner(viewer, entity) is may
        if may:
            assert set_identity_owner(viewer, entity, "payments")
        else:
            with pytest.raises(DirectoryRuleError):
                set_identity_owner(viewer, entity, "payments")


def test_a_lead_names_their_team_or_themselves(machine: Entity, payments: Team, hana: Person) -> None:
    own(machine, payments)
    Team.objects.create(slug="data", name="Data")
    factories.assign(hana, Role.TEAM_LEAD, team=payments)
    factories.person("Tomas Lind", email="tomas@example.com")
    lead = viewer_for(hana)
    for text in ("data", "tomas@example.com"):
        with pytest.raises(DirectoryRuleError, match="a team that you lead, or yourself"):
            set_identity_owner(lead, machine, text)
    assert set_identity_owner(lead, machine, "hana@example.com")


def test_all_that_a_leaver_owns_is_handed_over(
    account: Account, machine: Entity, payments: Team, ines: Viewer, hana: Person
) -> None:
    role = factories.role(account, "app")
    for entity in (machine, role):
        set_identity_owner(ines, entity, "hana@example.com")
    of_other = factories.person("Otto", email="otto@example.com")
    of_other.assignments.create(role=Role.ADMINISTRATOR, account_id=OTHER)
    assert owned_by_person(viewer_for(of_other), hana.pk) == []
    with pytest.raises(DirectoryRuleError, match="leaves"):
        hand_over(ines, hana.pk, "hana@example.com", why="LVG-1")
    assert hand_over(ines, hana.pk, "Payments", why="LVG-1") == 2
    assert {answer(machine), answer(role)} == {("Payments", "named")}
    assert owned_by_person(ines, hana.pk) == []
    entries = Entry.objects.filter(kind="owner.name").order_by("-id")[:2]
    assert {entry.data["former"] for entry in entries} == {"Hana Sato"}
    with pytest.raises(DirectoryRuleError, match="owned identities and grants belong to it"):
        delete_team(payments, actor=ines)


def test_the_finding_follows_the_owner(account: Account, machine: Entity, ines: Viewer, hana: Person) -> None:
    def statuses() -> list[str]:
        return list(AuditFinding.objects.filter(kind="owner-missing").values_list("status", flat=True))

    calculate(account)
    assert statuses() == ["open"]
    set_identity_owner(ines, machine, "hana@example.com")
    assert is_due(account)
    calculate(account)
    assert statuses() == ["fixed"]
    deactivate(hana.pk, why="LVG-1")
    assert is_due(account)
    calculate(account)
    assert statuses() == ["open"]
    link = Identity.objects.create(
        person=factories.person("Tomas Lind", email="t@example.com"), user_arn=machine.arn
    )
    assert is_due(account)
    calculate(account)
    assert statuses() == ["fixed"]
    link.delete()
    assert is_due(account)


@pytest.mark.parametrize("kind", OwnedKind)
def test_each_type_of_what_is_owned_has_its_name(kind: OwnedKind) -> None:
    name = "arn:aws:iam::123456789012:user/deploy"
    label = NamedOwner(kind=kind, name=name).kind_label
    assert label == {"identity": "IAM user", "key": "Access key", "grant": "Grant"}[kind]
