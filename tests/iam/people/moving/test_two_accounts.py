"""Somebody moves to where only the new blueprint leads: a user is made there with an invitation, and the one
of before leaves with a grace period.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from console.onboarding.presenters import person_rows
from iam.access.grants.models import Grant, GrantState
from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.session import Aws, connect
from iam.changes.services import reject
from iam.directory.models import Person
from iam.mirror.models import Account, Edge, EdgeKind, Entity, Kind, valid_at
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage
from iam.people.blueprints.models import BlueprintVersion
from iam.people.moving.access_difference import MovingPerson
from iam.people.moving.models import Move
from iam.people.moving.services import planned, request_move
from iam.people.moving.single_blueprint_accounts import left_id, made_id
from iam.people.offboarding import reconcile as offboarding
from iam.people.offboarding.leaver_lookup import leaver_of
from iam.people.offboarding.models import Leaver, OffboardingStage
from iam.people.offboarding.services import leaving_already
from iam.people.onboarding import services
from iam.people.onboarding.checklist import checklists
from iam.people.onboarding.invitation import invitations
from iam.people.onboarding.invitation_state import MOVED_AWAY, why_over
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun
from iam.people.onboarding.repeat_invitation import request_invitation
from tests import factories
from tests.console.onboarding import allows_own_passwords
from tests.iam.changes.conftest import make_group
from tests.iam.people.moving.test_moves import agree
from tests.iam.people.onboarding.conftest import Squad
from tests.queue import catch

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


@dataclass
class Elsewhere:
    """A second account, with a group, and the two blueprints."""

    squad: Squad
    aws: Aws
    account: Account
    former: BlueprintVersion
    version: BlueprintVersion

    @property
    def user(self) -> Entity:
        """Whom an onboarding has made by the former blueprint."""
        return Entity.objects.select_related("account").get(
            name=self.squad.yuki, account=self.squad.scene.account
        )

    def mover(self) -> MovingPerson:
        """Who moves."""
        person = leaver_of(self.user)
        return MovingPerson(person.name, person.person_id, person.users, person.email)

    def asked(self) -> Move:
        """Asked for by an administrator."""
        return request_move(
            self.squad.scene.requester,
            mover=self.mover(),
            former=self.former,
            version=self.version,
            reason="Builds reports from December on",
            key="form",
        )


@pytest.fixture
def elsewhere(squad: Squad, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Two people are onboarded in the first account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HUB_SECRET_ACCESS_KEY)
    number, admin = ACCOUNT_IDS["staging"], squad.scene.requester
    role = f"arn:aws:iam::{number}:role/gatehouse-writer"
    account = factories.account(
        number, name="staging", role_arn=f"{role}-none", write_role_arn=role, external_id=EXTERNAL_ID
    )
    allows_own_passwords(account)
    aws = connect(AccountAccess(number, mode="role", role_arn=role, external_id=EXTERNAL_ID))
    group = make_group(aws, account, f"reports-{squad.mark}")
    former = squad.blueprint(actor=admin)
    version = squad.blueprint(actor=admin, name="Reports", accounts=(number,), groups=(group.name,))
    staged = squad.staged(squad.two, version=former, actor=admin)
    squad.work(squad.approve(services.request_run(admin, run=staged, reason="They begin")))
    return Elsewhere(squad, aws, account, former, version)


def test_a_user_is_made_where_only_the_new_blueprint_leads_and_the_former_one_leaves(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_runs: list[object] = []
    catch(monkeypatch, "iam.people.offboarding.tasks", lambda _, pk: told_runs.append(pk))
    squad = elsewhere.squad
    move = elsewhere.asked()
    assert leaving_already([elsewhere.user]) == (
        f"{move.name} is changing team ({move.reference}). That has to end first."
    )
    agree(squad, move.change_set.changes.order_by("position")[0])
    squad.work(OnboardingRun.objects.get(pk=made_id(move.pk)))
    for seat in dict.fromkeys(told_runs):
        with squad.committing(execute=True):
            offboarding.prove(seat)

    move.refresh_from_db()
    changes = [(c.title, c.state, c.error_message) for c in move.change_set.changes.all()]
    assert move.state == "done", changes
    made = writes.call(elsewhere.aws, "iam", "GetUser", {"UserName": squad.yuki}).response["User"]
    assert made["Path"] == squad.path
    groups = writes.call(elsewhere.aws, "iam", "ListGroupsForUser", {"UserName": squad.yuki}).response
    assert [group["GroupName"] for group in groups["Groups"]] == [f"reports-{squad.mark}"]
    newcomer = OnboardedPerson.objects.get(run=made_id(move.pk))
    assert invitations([newcomer])[newcomer.pk].person.email == f"yuki-{squad.mark}@example.com"

    leaver = Leaver.objects.get(run=left_id(move.pk))
    assert leaver.stage == OffboardingStage.GONE, leaver.trouble
    assert leaver.delete_after is not None
    assert squad.aws("ListUserPolicies", UserName=squad.yuki)["PolicyNames"] == ["GatehouseLeft"]
    assert squad.aws("ListGroupsForUser", UserName=squad.yuki)["Groups"] == []
    assert Person.objects.get(email=newcomer.email).is_active
    _nothing_calls_it_an_offboarding(leaver, move)


def _nothing_calls_it_an_offboarding(leaver: Leaver, move: Move) -> None:
    """Their former invitation leads to the new one, nobody is asked to send it again, and no mail tells them
    to ask for what their team gave.
    """
    assert leaver.title == leaver.heading == f"Remove former access of {move.name}"
    former = OnboardedPerson.objects.exclude(run=made_id(move.pk)).get(email=leaver.email)
    link = invitations([former])[former.pk]
    assert why_over(former, since=link.created_at) == MOVED_AWAY
    assert request_invitation(link) == ""
    (row,) = person_rows(checklists([former]))
    assert (row.text, row.checklist.may_be_invited) == ("Changed team", False)
    assert not OutgoingMessage.objects.filter(event=NotifyEvent.GRANT_ENDED).exists()
    assert Grant.objects.filter(state=GrantState.ENDED).exists()


def test_whoever_has_the_user_for_something_else_as_well_keeps_it(elsewhere: Elsewhere) -> None:
    admin, user = elsewhere.squad.scene.requester, elsewhere.user
    factories.edge(EdgeKind.MEMBER, user, factories.group(user.account, "on-call"))
    plan = planned(
        admin, mover=elsewhere.mover(), former=elsewhere.former, version=elsewhere.version, key="form"
    )
    assert plan.left == ()
    notes = {step.text: step.note for step in plan.steps if step.sign == "note"}
    assert "The user is also in on-call." in notes.values()
    assert any(step.text == f"Member of {elsewhere.squad.group.name}" for step in plan.steps)


def test_a_move_that_is_rejected_leaves_everything_as_it_was(elsewhere: Elsewhere) -> None:
    squad = elsewhere.squad
    move = elsewhere.asked()
    with squad.committing(execute=True):
        reject(move.change_set.changes.order_by("position")[0], actor=squad.scene.approver, comment="No")
    move.refresh_from_db()
    assert move.state == "closed"
    assert OnboardingRun.objects.get(pk=made_id(move.pk)).state == "closed"
    assert Leaver.objects.get(run=left_id(move.pk)).stage == OffboardingStage.CALLED_OFF
    assert not Entity.objects.filter(account=elsewhere.account, kind=Kind.USER).exists()
    assert Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=elsewhere.user).exists()
