"""Somebody moves from one blueprint to another: one request, and the ledger keeps what another grant still
justifies.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants.models import Grant, LedgerEntry
from iam.access.grants.services import request_grant
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.services import approve
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror.models import Entity, TagSet, valid_at
from iam.people.links.models import OneTimeLink
from iam.people.moving.access_difference import MovingPerson
from iam.people.moving.models import Move
from iam.people.moving.queries import blueprint_of
from iam.people.moving.services import planned, request_move
from iam.people.offboarding.leaver_lookup import leaver_of
from iam.people.onboarding import services
from iam.people.onboarding.invitation import cause_of, close_invitations, show_secret
from iam.people.onboarding.invitation_state import TEAM_CHANGED, why_over
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.repeat_invitation import invite_again
from tests import factories
from tests.iam.changes.conftest import make_group
from tests.iam.people.onboarding.conftest import Squad, template

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def _is_invited_anew(squad: Squad, run: OnboardingRun, admin: Viewer) -> None:
    """The first invitation is over, with its password; another one sets a new password on the user in its new
    path.
    """
    newcomer = run.people.get(user_name=squad.yuki)
    first = OneTimeLink.objects.get(cause_id=cause_of(newcomer))
    assert why_over(newcomer, since=first.created_at) == TEAM_CHANGED
    assert close_invitations() == 1
    assert newcomer.places.get().user_arn.endswith(f"{squad.path}data/{squad.yuki}")
    assert invite_again(newcomer, actor=admin).resets == 1
    squad.work(run)
    link = OneTimeLink.objects.filter(cause_id=cause_of(newcomer)).latest("created_at")
    assert link != first
    assert why_over(newcomer, since=link.created_at) == ""
    now = datetime.now(tz=UTC)
    OneTimeLink.objects.filter(pk=link.pk).update(
        used_at=now, browser="b", session_until=now + timedelta(minutes=30)
    )
    link.refresh_from_db()
    assert len(show_secret(link, newcomer.places.get(), session="cookie")) >= 24


def agree(squad: Squad, first: Change) -> None:
    """Two approvers, where two are asked for."""
    other = factories.viewer(Role.APPROVER, name="Jonas Berg", email=f"jonas-{first.pk}@example.com")
    for person in (squad.scene.approver, other):
        first.refresh_from_db()
        if first.state == "awaiting_approval":
            approve(first, actor=person, seen_digest=first.change_set.receipt_digest)


def test_a_mover_loses_and_gains_in_one_request_and_keeps_what_a_grant_still_justifies(squad: Squad) -> None:
    admin = squad.scene.requester
    on_call, data = (
        make_group(squad.scene.aws, squad.scene.account, f"{name}-{squad.mark}")
        for name in ("on-call", "data")
    )
    former = squad.blueprint(
        actor=admin,
        groups=(squad.group.name, on_call.name),
        templates=(template(),),
        tags={"Team": "payments"},
    )
    version = squad.blueprint(
        actor=admin,
        name="Analysts",
        groups=(squad.group.name, data.name),
        tags={"Team": "data"},
        path=f"{squad.path}data/",
    )
    staged = squad.staged(squad.two, version=former, actor=admin)
    run = squad.work(squad.approve(services.request_run(admin, run=staged, reason="They begin")))
    user = Entity.objects.select_related("account").get(name=squad.yuki)
    grant = request_grant(
        GrantTerms(
            who=WhoTerms(WhoKind.USERS, arns=(user.arn,)),
            what=GrantContent(WhatKind.GROUP, group_arn=on_call.arn),
            accounts=(squad.scene.account.account_id,),
            why="The rota of this week",
        ),
        actor=admin,
        idempotency_key=f"rota-{squad.mark}",
    )
    agree(squad, Change.objects.get(change_set__cause_id=grant.pk))
    squad.work(run)
    assert blueprint_of([user]) == former.blueprint

    person = leaver_of(user)
    mover = MovingPerson(person.name, person.person_id, person.users)
    plan = planned(admin, mover=mover, former=former, version=version, key="form")
    summary = {(row["sign"], row["text"]) for row in plan.summary}
    assert ("keeps", f"Member of {on_call.name}") in summary
    assert {("keeps", f"Member of {squad.group.name}"), ("gains", f"Member of {data.name}")} <= summary
    assert (plan.count("loses"), plan.count("gains")) == (1, 1)

    move = request_move(admin, mover=mover, former=former, version=version, reason="Joins Data", key="form")
    assert (
        request_move(admin, mover=mover, former=former, version=version, reason="Joins Data", key="form")
        == move
    )
    with pytest.raises(RefusedError, match=f"is already changing team .{move.reference}"):
        request_move(admin, mover=mover, former=former, version=version, reason="Joins Data", key="other")
    assert move.change_set is not None
    assert move.change_set.title.endswith("loses 1, gains 1")
    agree(squad, move.change_set.changes.order_by("position")[0])
    squad.work(run)
    move.refresh_from_db()
    assert move.state == "done", [(c.title, c.state, c.error_message) for c in move.change_set.changes.all()]

    groups = squad.aws("ListGroupsForUser", UserName=squad.yuki)["Groups"]
    assert {holding["GroupName"] for holding in groups} == {squad.group.name, on_call.name, data.name}
    assert squad.aws("ListUserPolicies", UserName=squad.yuki)["PolicyNames"] == []
    assert squad.aws("GetUser", UserName=squad.yuki)["User"]["Path"] == f"{squad.path}data/"
    assert TagSet.objects.get(valid_at(None), entity=user).tags["Team"] == "data"
    reasons = LedgerEntry.objects.filter(entity=user, until__isnull=True, since__isnull=False)
    by_target = {
        entry.target.rpartition("/")[2]: entry.part.grant for entry in reasons.select_related("part__grant")
    }
    assert by_target.keys() == {squad.group.name, on_call.name, data.name}
    assert by_target[on_call.name] == grant
    assert move.reference in by_target[data.name].terms["why"]
    assert Grant.objects.filter(state="ended").count() == 2
    assert blueprint_of([user]) == version.blueprint
    _is_invited_anew(squad, run, admin)

    with pytest.raises(RefusedError, match="already have this blueprint"):
        planned(admin, mover=mover, former=former, version=former, key="other")
    with pytest.raises(RefusedError, match="of your teams"):
        planned(squad.lead, mover=mover, former=former, version=version, key="other")
    assert Move.objects.count() == 1
