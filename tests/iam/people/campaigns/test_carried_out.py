"""The end of a campaign is carried out in AWS, and turned back where AWS offers a way; only for those who
lack MFA when it is approved.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.runner import run
from iam.directory.models import Identity, Person
from iam.journal.models import Entry
from iam.mirror.models import Entity, UserCredentials
from iam.mirror.pull.sections import LOGIN_PROFILES, USER_MFA
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from iam.people.campaigns import reconcile, services
from iam.people.campaigns.models import Campaign, CampaignEnding, CampaignState
from iam.people.campaigns.services import CampaignTerms
from iam.people.enrolment.services import EnrolmentSession
from tests.iam.changes.conftest import Scene, make_user, nudges, scene, standin, standin_process, wait_over
from tests.iam.people.enrolment.conftest import Desk

__all__ = ["nudges", "scene", "standin", "standin_process"]
pytestmark = pytest.mark.django_db


class Staff:
    """Three users of AWS with a password and no MFA, in a campaign that was begun ten days ago and was due
    yesterday.
    """

    def __init__(self, scene: Scene, ending: CampaignEnding) -> None:
        self.scene = scene
        number = scene.user.name.rpartition("-")[2]
        self.users = [
            make_user(scene.aws, scene.account, f"{name}-{number}") for name in ("ada", "ben", "cem")
        ]
        for user in self.users:
            scene.aws.iam.create_login_profile(UserName=user.name, Password="Quiet-Harbor-47-lantern!")
            for section in (LOGIN_PROFILES, USER_MFA):
                read = read_credentials(scene.aws, user_name=user.name, section=section)
                reread_credentials(scene.account, user, read, cause_id=None)
            person = Person.objects.create(name=user.name, email=f"{user.name}@example.com")
            Identity.objects.create(person=person, user_arn=user.arn)
        UserCredentials.objects.filter(user=scene.user).update(has_password=False)
        today = datetime.now(tz=UTC).date()
        with time_machine.travel(datetime.now(tz=UTC) - timedelta(days=10), tick=True):
            terms = CampaignTerms(
                "By December", due=today - timedelta(days=1), ending=ending, reason="PCI 8.4.2"
            )
            self.campaign = services.begin(scene.requester, terms)

    def excuse(self, user: Entity, *, until: date | None = None) -> None:
        participant = self.campaign.participants.select_related("campaign", "user").get(user=user)
        services.excuse(
            self.scene.requester, participant, until=until or datetime.now(tz=UTC).date(), why="On leave"
        )

    def enrols(self, user: Entity) -> None:
        """By themselves, through Gatehouse."""
        person = Person.objects.get(identities__user_arn=user.arn)
        desk = Desk(self.scene, EnrolmentSession(person=person, user=user, secret="a browser"))
        enrolment = desk.begin()
        desk.submit(enrolment, *desk.codes(enrolment))
        assert user.name in {enrolment.user.name for enrolment in [enrolment]}

    def ends(self) -> list[Change]:
        """The beat comes by; what waits for approval then, in order."""
        reconcile.reconcile_campaigns()
        self.campaign.refresh_from_db()
        waiting = Change.objects.filter(state=ChangeState.AWAITING, change_set__cause_id=self.campaign.pk)
        return list(waiting.order_by("position"))

    def is_restricted(self, user: Entity) -> bool:
        attached_policies = self.scene.aws.iam.list_attached_user_policies(UserName=user.name)[
            "AttachedPolicies"
        ]
        return [holding["PolicyName"] for holding in attached_policies] == ["gatehouse-require-mfa-console"]

    def has_password(self, user: Entity) -> bool:
        try:
            self.scene.aws.iam.get_login_profile(UserName=user.name)
        except self.scene.aws.iam.exceptions.NoSuchEntityException:
            return False
        return True

    def struck(self, check: str) -> list[str]:
        """Whom the end has come to in AWS."""
        done = self.is_restricted if check == "restricted" else lambda user: not self.has_password(user)
        return [user.name.partition("-")[0] for user in self.users if done(user)]


def work(all_of: list[Change]) -> None:
    """Workers take each, and look again where AWS is slow to show it."""
    for change in all_of:
        for _ in range(4):
            run(change.pk)
            change.refresh_from_db()
            if change.is_final:
                break
            wait_over(change)
        assert change.state == ChangeState.APPLIED, (change.title, change.error_message)


def carried_out(staff: Staff, asked: list[Change]) -> None:
    staff.scene.approve(asked[0])
    work(asked)


def test_whoever_is_left_is_restricted_in_aws_and_the_undoing_frees_them(scene: Scene) -> None:
    staff = Staff(scene, CampaignEnding.RESTRICT)
    ada, ben, _ = staff.users
    staff.excuse(ben)
    staff.enrols(ada)
    asked = staff.ends()
    assert [change.operation for change in asked] == ["policy.create", "attachment.attach"]
    assert [change.branch for change in asked] == [0, 2]
    carried_out(staff, asked)
    assert staff.struck("restricted") == ["cem"]
    assert staff.campaign.state == CampaignState.DUE, "an exception is left"
    undone = changes.undo_several(
        asked[::-1], actor=scene.requester, reason="Too early", idempotency_key="undo"
    )
    scene.approve(undone[0])
    work(list(undone))
    assert staff.struck("restricted") == []
    assert not [
        policy
        for policy in scene.aws.iam.list_policies(Scope="Local")["Policies"]
        if "require-mfa" in policy["PolicyName"]
    ]


def test_whoever_is_left_loses_the_password_in_aws_and_is_told_beforehand_that_nothing_brings_it_back(
    scene: Scene,
) -> None:
    staff = Staff(scene, CampaignEnding.DISABLE)
    ada, ben, _ = staff.users
    staff.excuse(ben)
    staff.enrols(ada)
    asked = staff.ends()
    assert "this one can’t be restored" in asked[0].receipt["irreversible"]
    carried_out(staff, asked)
    assert staff.struck("password") == ["cem"]
    with pytest.raises(RefusedError, match="this one can’t be restored"):
        changes.undo(asked[0], actor=scene.requester, reason="Too early", idempotency_key="undo")


def test_when_its_author_is_only_told_aws_stays_as_it_is(scene: Scene) -> None:
    staff = Staff(scene, CampaignEnding.NOTIFY)
    scene.standin.control("faults/clear", {})
    assert staff.ends() == []
    assert staff.campaign.state == CampaignState.CLOSED
    assert (staff.struck("password"), staff.struck("restricted")) == ([], [])


@pytest.mark.parametrize("ending", [CampaignEnding.RESTRICT, CampaignEnding.DISABLE])
def test_whoever_enrols_or_is_excused_while_it_waits_for_approval_is_left_out(
    scene: Scene, ending: CampaignEnding
) -> None:
    staff = Staff(scene, ending)
    ada, ben, _ = staff.users
    first = staff.ends()
    assert staff.campaign.state == CampaignState.CLOSED
    staff.enrols(ada)
    # A worker tells of the end of a change after its transaction, which a test never ends.
    reconcile.reconsider(staff.campaign)
    assert {Change.objects.get(pk=change.pk).state for change in first} == {ChangeState.CANCELLED}
    with pytest.raises(RefusedError, match="nothing left to decide"):
        scene.approve(first[0])
    second = staff.ends()
    staff.excuse(ben)
    third = staff.ends()
    assert not {change.pk for change in second} & {change.pk for change in third}
    carried_out(staff, third)
    assert staff.struck("restricted" if ending is CampaignEnding.RESTRICT else "password") == ["cem"]
    assert staff.campaign.state == CampaignState.DUE
    notes = Entry.objects.filter(kind="campaign.take_back").order_by("pk")
    assert [entry.data["users"].partition("-")[0] for entry in notes] == ["ada", "ben"]
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=1), tick=True):
        assert [change.subject_arn for change in staff.ends()][-1] == ben.arn, (
            "an exception ends with its day"
        )


def test_one_whose_password_is_gone_already_stops_nobody_behind_them(scene: Scene) -> None:
    staff = Staff(scene, CampaignEnding.DISABLE)
    asked = staff.ends()
    scene.approve(asked[0])
    made: dict[str, Any] = {"UserName": staff.users[0].name}
    scene.aws.iam.delete_login_profile(**made)
    scene.aws.iam.delete_user(**made)
    for change in asked:
        run(change.pk)
    states = [Change.objects.get(pk=change.pk).state for change in asked]
    assert states[0] != ChangeState.APPLIED
    assert staff.struck("password")[1:] == ["ben", "cem"]


def test_a_campaign_that_is_over_is_opened_again_only_by_what_waits(scene: Scene) -> None:
    staff = Staff(scene, CampaignEnding.DISABLE)
    asked = staff.ends()
    carried_out(staff, asked)
    with pytest.raises(RefusedError, match="closed"):
        staff.excuse(staff.users[0])
    assert reconcile.reconsider(staff.campaign) == 0
    assert Campaign.objects.get().state == CampaignState.CLOSED
