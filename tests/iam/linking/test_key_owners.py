"""An access key has the owner of its user, or one of its own: in findings, in rotations, when they leave."""

from __future__ import annotations

import pytest

from iam.audit.findings.calculation import calculate
from iam.audit.findings.models import AuditFinding
from iam.directory.deactivation import deactivate
from iam.directory.models import Identity, NamedOwner, OwnedUser, Person, Role, Team
from iam.directory.rules import DirectoryRuleError
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.linking.key_owners import may_name_key_owner, owners_of_keys, pass_on_key_owner, set_key_owner
from iam.linking.known_owners import hand_over, is_undecided, owned_by_person, set_identity_owner
from iam.mirror.models import Account, Entity
from tests import factories
from tests.console.rotation import rows
from tests.iam.linking.test_known_owners import CASES, own

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]


def key_of(user: Entity, key_id: str) -> Entity:
    made = rows.key(user)
    Entity.objects.filter(pk=made.pk).update(aws_id=key_id)
    return Entity.objects.select_related("account", "owner__account").get(pk=made.pk)


@pytest.fixture
def account() -> Account:
    account = factories.account()
    factories.synced(account)
    return account


@pytest.fixture
def machine(account: Account) -> Entity:
    return factories.user(account, "ci", credentials={"has_password": False, "active_keys": 1, "mfa": "none"})


@pytest.fixture
def key(machine: Entity) -> Entity:
    return key_of(machine, "AKIAONE")


@pytest.fixture
def payments() -> Team:
    return Team.objects.create(slug="payments", name="Payments")


@pytest.fixture
def ines() -> Viewer:
    return factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte", email="ines@example.com")


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato", email="hana@example.com")


def answer(key: Entity) -> tuple[str, str] | None:
    known = owners_of_keys([key]).get(key.pk)
    return (known.name, known.source) if known else None


def test_its_own_owner_then_that_of_its_user(
    machine: Entity, key: Entity, payments: Team, ines: Viewer, hana: Person
) -> None:
    assert answer(key) is None
    own(machine, payments)
    assert answer(key) == ("Payments", "user")
    assert set_key_owner(ines, key, "hana@example.com", why="Built by her")
    assert answer(key) == ("Hana Sato", "named")
    assert not set_key_owner(ines, key, "hana@example.com")
    other = key_of(machine, "AKIATWO")
    assert answer(other) == ("Payments", "user")
    deactivate(hana.pk, why="LVG-1")
    assert answer(key) == ("Payments", "user")
    assert set_key_owner(ines, key, "")
    assert not NamedOwner.objects.exists()
    entries = Entry.objects.filter(kind__startswith="owner.").order_by("id")
    assert [(entry.kind, entry.subject) for entry in entries] == [
        ("owner.name", "Hana Sato"),
        ("owner.unname", "Hana Sato"),
    ]
    assert {entry.data["owned"] for entry in entries} == {f"AKIAONE of {machine.arn}"}


def test_a_key_of_a_person_can_belong_to_a_team(
    account: Account, payments: Team, ines: Viewer, hana: Person
) -> None:
    user = factories.user(account, "hana")
    Identity.objects.create(person=hana, user_arn=user.arn)
    key = key_of(user, "AKIAONE")
    assert answer(key) == ("Hana Sato", "user")
    assert set_key_owner(ines, key, "Payments")
    assert answer(key) == ("Payments", "named")


@pytest.mark.parametrize("case", CASES)
def test_who_can_say_it(case: str, machine: Entity, key: Entity, payments: Team) -> None:
    roles, may, _ = CASES[case]
    data = Team.objects.create(slug="data", name="Data")
    own(machine, payments)
    person = factories.person("Somebody", email="somebody@example.com")
    for role, where in roles:
        if role is Role.TEAM_LEAD:
            factories.assign(person, role, team=payments if where == "payments" else data)
        else:
            person.assignments.create(role=role, account_id=where)
    viewer = viewer_for(person)
    assert may_name_key_owner(viewer, key) is may
    if may:
        assert set_key_owner(viewer, key, "payments")
    else:
        with pytest.raises(DirectoryRuleError):
            set_key_owner(viewer, key, "payments")


def test_a_lead_names_their_team_or_themselves(
    machine: Entity, key: Entity, payments: Team, hana: Person
) -> None:
    own(machine, payments)
    factories.assign(hana, Role.TEAM_LEAD, team=payments)
    factories.person("Tomas Lind", email="tomas@example.com")
    with pytest.raises(DirectoryRuleError, match="a team that you lead, or yourself"):
        set_key_owner(viewer_for(hana), key, "tomas@example.com")
    assert set_key_owner(viewer_for(hana), key, "hana@example.com")


def test_the_finding_of_missing_owners_asks_for_each_key(
    account: Account, machine: Entity, key: Entity, ines: Viewer, hana: Person
) -> None:
    def found() -> list[tuple[str, int]]:
        calculate(account)
        findings = AuditFinding.objects.filter(kind="owner-missing")
        return [(each.status, each.evidence.get("active_keys", 0)) for each in findings]

    assert found() == [("open", 1)]
    set_key_owner(ines, key, "hana@example.com")
    assert found()[0][0] == "fixed"
    deactivate(hana.pk, why="LVG-1")
    assert found() == [("open", 1)]
    set_identity_owner(ines, machine, "ines@example.com")
    assert found()[0][0] == "fixed"


def test_a_leaver_hands_over_their_keys_and_not_those_that_are_gone(
    machine: Entity, key: Entity, payments: Team, ines: Viewer, hana: Person
) -> None:
    gone = key_of(machine, "AKIAGONE")
    for each in (key, gone):
        set_key_owner(ines, each, "hana@example.com")
    Entity.objects.filter(pk=gone.pk).update(gone_at=factories.FIRST_READ)
    (row,) = owned_by_person(ines, hana.pk)
    assert (row.subject, row.kind_label) == ("AKIAONE", "Access key")
    lead = factories.person("Elif Kaya", email="elif@example.com")
    factories.assign(lead, Role.TEAM_LEAD, team=payments)
    assert owned_by_person(viewer_for(lead), hana.pk) == []
    own(machine, payments)
    assert [row.subject for row in owned_by_person(viewer_for(lead), hana.pk)] == ["AKIAONE"]
    assert hand_over(viewer_for(lead), hana.pk, "Payments", why="LVG-1") == 1
    assert answer(key) == ("Payments", "named")
    assert not is_undecided(hana.pk)


def test_the_owner_of_a_key_owns_the_one_that_replaces_it(
    machine: Entity, key: Entity, ines: Viewer, hana: Person
) -> None:
    assert not pass_on_key_owner(key, "AKIANEW", why="x")
    set_key_owner(ines, key, "hana@example.com")
    assert pass_on_key_owner(key, "AKIANEW", why="It replaces AKIAONE.")
    new = key_of(machine, "AKIANEW")
    assert answer(new) == ("Hana Sato", "named")
    assert OwnedUser.objects.count() == 0
