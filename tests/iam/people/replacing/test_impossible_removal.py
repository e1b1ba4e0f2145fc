"""A lost device whose removal nobody could request or approve is refused when it is reported, and not only
when a second person has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client, override_settings

from iam.changes import services as changes
from iam.changes.approval.rules import (
    ADMINISTRATORS,
    APPROVERS,
    LEAD,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
)
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.operations.mfa_device import DeleteMfaDevice
from iam.directory.models import Person, Role, RoleAssignment, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Account, Entity, Kind
from iam.notify.models import OutgoingMessage
from iam.people.replacing import services
from iam.people.replacing.models import DeviceReplacement, IdentityCheckChannel, ReplacementState
from tests import factories
from tests.iam.changes.approval.conftest import in_force

pytestmark = pytest.mark.django_db

ELSEWHERE = "999999999999"
APPROVED = ""
ONE = ApprovalRule(key="one", name="One", stages=(ApprovalStage((APPROVERS,)),))
TWO = ApprovalRule(
    key="two", name="Two", stages=(ApprovalStage((APPROVERS,)), ApprovalStage((ADMINISTRATORS, APPROVERS)))
)
ESCALATES = ApprovalRule(
    key="later",
    name="Later",
    stages=(ApprovalStage((APPROVERS,)),),
    escalate_hours=8,
    escalate_to=(ADMINISTRATORS,),
)
BY_LEADS = ApprovalRule(
    key="lead", name="Lead", stages=(ApprovalStage((ApproverSpec(LEAD), ADMINISTRATORS)),)
)


@pytest.fixture
def device() -> Entity:
    """Maya's phone, in a directory with many administrators of another account."""
    account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
    user = factories.user(account, "maya.okafor", path="/pay/")
    maya = factories.person("Maya", arns=(user.arn,))
    factories.assign(maya, Role.MEMBER)
    for number in range(4):
        other = factories.person(f"Elsewhere {number}")
        factories.assign(other, Role.ADMINISTRATOR, account_id=ELSEWHERE)
    made = factories.entity(account, Kind.MFA_DEVICE, "maya-phone", arn="", category="virtual")
    serial = "arn:aws:iam::111111111111:mfa/maya-phone"
    Entity.objects.filter(pk=made.pk).update(owner=user, aws_id=serial)
    in_force(ONE)
    return Entity.objects.get(pk=made.pk)


def somebody(name: str, *roles: Role, team: Team | None = None) -> None:
    person = Person.objects.filter(name=name).first() or factories.person(name)
    for role in roles:
        team_of_role = None
        if role == Role.TEAM_LEAD:
            team_of_role = team
        factories.assign(person, role, team=team_of_role)


def usual(device: Entity) -> None:
    somebody("Ines", Role.ADMINISTRATOR)
    somebody("Hana", Role.APPROVER)


def no_approver(device: Entity) -> None:
    somebody("Ines", Role.ADMINISTRATOR)
    somebody("Ada", Role.ADMINISTRATOR)


def only_the_reporter_approves(device: Entity) -> None:
    somebody("Ines", Role.ADMINISTRATOR, Role.APPROVER)
    somebody("Ada", Role.ADMINISTRATOR)


def only_the_owner_approves(device: Entity) -> None:
    no_approver(device)
    somebody("Maya", Role.APPROVER)


def only_one_approver_and_a_lead(device: Entity) -> None:
    usual(device)
    RoleAssignment.objects.filter(person__name="Ines").delete()
    somebody("Ines", Role.TEAM_LEAD, team=payments())


def only_one_approver(device: Entity) -> None:
    somebody("Ines", Role.MEMBER)
    somebody("Hana", Role.APPROVER)


def nobody_confirms(device: Entity) -> None:
    somebody("Ines", Role.ADMINISTRATOR, Role.APPROVER)


def two_stages_one_approver(device: Entity) -> None:
    usual(device)
    in_force(TWO)


def two_stages_enough(device: Entity) -> None:
    usual(device)
    somebody("Ada", Role.ADMINISTRATOR)
    in_force(TWO)


def escalates(device: Entity) -> None:
    no_approver(device)
    in_force(ESCALATES)


def leads_decide(device: Entity) -> None:
    somebody("Ines", Role.ADMINISTRATOR)
    somebody("Elif", Role.TEAM_LEAD, team=payments())
    in_force(BY_LEADS)


def read_only(device: Entity) -> None:
    usual(device)
    Account.objects.filter(pk=device.account_id).update(write_role_arn="")


def already_requested(device: Entity) -> None:
    usual(device)
    actor = viewer_for(Person.objects.get(name="Ines"))
    planned = changes.plan_set([DeleteMfaDevice.of(device)], viewer=actor)
    changes.request_changes(planned, actor=actor, reason="Old phone", idempotency_key="old")


def payments() -> Team:
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.PATH, value="/pay/")
    return team


CASES = [
    (usual, {"Ines": True, "Maya": True}),
    (no_approver, {"Ines": False, "Maya": False}),
    (only_the_reporter_approves, {"Ines": False, "Maya": True}),
    (only_the_owner_approves, {"Ines": False, "Maya": False}),
    (only_one_approver_and_a_lead, {"Ines": True, "Maya": True}),
    (only_one_approver, {"Maya": False}),
    (nobody_confirms, {"Ines": False}),
    (two_stages_one_approver, {"Ines": False, "Maya": False}),
    (two_stages_enough, {"Ines": True}),
    (escalates, {"Ines": True, "Maya": True}),
    (leads_decide, {"Ines": True}),
    (read_only, {"Ines": False, "Maya": False}),
    (already_requested, {"Ines": False, "Maya": False}),
]


def report(name: str, device: Entity) -> str:
    """Why this person can't report the loss; "" if they can."""
    try:
        services.ask(
            viewer_for(Person.objects.get(name=name)),
            device=Entity.objects.get(pk=device.pk),
            over=IdentityCheckChannel.CHAT,
            reason="Left in a train.",
        )
    except RefusedError as refused:
        return refused.message
    return APPROVED


def confirmations(name: str, device: Entity) -> list[str]:
    """What each person who can confirm the report of this one reads: why not, or ""."""
    reporter = Person.objects.get(name=name)
    now = datetime.now(tz=UTC)
    replacement = DeviceReplacement.objects.create(
        person=Person.objects.get(name="Maya"),
        user=device.owner,
        device=device,
        asked_by=reporter,
        asked_at=now,
        asked_over=IdentityCheckChannel.CHAT,
        reason="Left in a train.",
        until=now + timedelta(hours=4),
    )
    outcomes = []
    for person in Person.objects.order_by("name"):
        checker = viewer_for(person)
        if not services.why_not_check(checker, replacement):
            outcomes.append(confirmation(replacement, person))
    replacement.delete()
    return outcomes


def confirmation(replacement: DeviceReplacement, person: Person) -> str:
    """What this person reads who confirms. Nothing of it remains."""
    outcome = APPROVED
    with transaction.atomic():
        try:
            services.check(
                viewer_for(person), replacement, over=IdentityCheckChannel.PHONE, how="Knew her voice."
            )
        except RefusedError as refused:
            outcome = refused.message
        transaction.set_rollback(True)
    return outcome


@pytest.mark.parametrize("is_single", [False, True], ids=["two-people", "single-operator"])
@pytest.mark.parametrize(("arrange", "reports"), CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_loss_is_reported_if_and_only_if_its_removal_could_be_requested(
    device: Entity, arrange: Callable[[Entity], None], reports: dict[str, bool], is_single: bool
) -> None:
    arrange(device)
    OutgoingMessage.objects.all().delete()
    before = (Change.objects.count(), ChangeSet.objects.count())
    with override_settings(SINGLE_OPERATOR=is_single):
        for name, is_possible in reports.items():
            outcomes = confirmations(name, device)
            why = report(name, device)
            if APPROVED in outcomes:
                assert why == APPROVED
            elif outcomes:
                assert why in outcomes
            else:
                assert "No one can confirm who lost this device." in why
            if not is_single:
                assert (why == APPROVED) is is_possible
            if why != APPROVED:
                assert not DeviceReplacement.objects.exists()
                assert not OutgoingMessage.objects.exists()
            DeviceReplacement.objects.all().delete()
            OutgoingMessage.objects.all().delete()
    assert (Change.objects.count(), ChangeSet.objects.count()) == before


@pytest.mark.parametrize("arrange", [no_approver, nobody_confirms])
def test_the_refusal_names_who_can_fix_it(device: Entity, arrange: Callable[[Entity], None]) -> None:
    arrange(device)
    why = report("Ines", device)
    assert "Ines) can give someone" in why
    assert "under Operators" in why


def test_the_page_says_it_before_anything_is_typed(device: Entity) -> None:
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Ines Duarte"))
    somebody("Ada", Role.ADMINISTRATOR)
    page = client.get(f"/mfa/devices/{device.pk}/lost/").content.decode()
    assert "No one can approve this request." in page
    assert 'name="reason"' not in page
    somebody("Hana", Role.APPROVER)
    assert 'name="reason"' in client.get(f"/mfa/devices/{device.pk}/lost/").content.decode()


def test_a_report_that_waits_is_returned_even_if_no_one_could_approve_a_new_one(device: Entity) -> None:
    usual(device)
    assert report("Ines", device) == APPROVED
    RoleAssignment.objects.filter(person__name="Hana").delete()
    assert report("Ines", device) == APPROVED
    assert DeviceReplacement.objects.get().state == ReplacementState.WAITING


def test_a_report_is_as_long_as_the_reason_of_the_removal_can_quote(device: Entity) -> None:
    usual(device)
    Person.objects.filter(name="Maya").update(name="M" * 128)
    ines, hana = (viewer_for(Person.objects.get(name=name)) for name in ("Ines", "Hana"))
    with pytest.raises(RefusedError, match=r"This has 801 characters\. The limit is 800\."):
        services.ask(ines, device=device, over=IdentityCheckChannel.CHAT, reason="x" * 801)
    made = services.ask(ines, device=device, over=IdentityCheckChannel.CHAT, reason="x" * 800)
    services.check(hana, made, over=IdentityCheckChannel.PHONE, how="Knew her voice.")
    assert "x" * 800 in Change.objects.get().reason
