"""Taking away what a grant gave, where people have done something of their own meanwhile, and where it does
not go through for one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants import services
from iam.access.grants.models import GrantState, PermissionSort
from iam.access.grants.proof import proof_of
from iam.access.grants.services.expiry import _end_part
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.changes.models import Change
from tests.iam.access.grants.conftest import Office, allowing, statements

pytestmark = pytest.mark.on_postgresql

LATER = timedelta(hours=2)


def test_a_made_role_goes_with_what_somebody_else_gave_it(office: Office) -> None:
    who = WhoTerms(WhoKind.PARTNER, account_id="339011276654", external_id="gh-1", label="Brightwater")
    grant = office.granted(GrantTerms(who=who, what=statements(), accounts=(office.number,), why="An audit"))
    role = next(entry for entry in office.entries(grant) if entry.sort == PermissionSort.ROLE)
    by_hand = office.policy("by-hand", allowing("sns:Publish"))
    office.call("AttachRolePolicy", RoleName=role.target, PolicyArn=by_hand.arn)
    assert role.entity is not None
    office.read(role.entity)
    grant = office.ended(grant)
    assert grant.state == GrantState.ENDED
    names = {role["RoleName"] for role in office.scene.aws.iam.list_roles()["Roles"]}
    assert role.target not in names
    assert all(entry.until for entry in office.entries(grant))


def test_a_made_policy_that_somebody_gave_to_somebody_else_stays_for_their_sake(office: Office) -> None:
    grant, other = office.granted(office.terms(statements(), lasts=3600)), office.user("other")
    arn = next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ATTACHED)
    office.call("AttachUserPolicy", UserName=other.name, PolicyArn=arn)
    office.read(other)
    grant = office.ended(grant)
    assert grant.state == GrantState.ENDED
    assert office.holds()[1] == set()
    assert len(office.holds(other)[1]) == 1


def test_what_does_not_go_through_for_one_goes_through_for_the_others_and_is_tried_again(
    office: Office,
) -> None:
    first, second = office.user("a"), office.user("b")
    group = office.scene.group
    grant = office.granted(
        office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn), first, second, lasts=3600)
    )
    office.call("UpdateUser", UserName=first.name, NewUserName=f"away-{office.suffix}")
    services.end_due_grants(now=datetime.now(tz=UTC) + LATER)
    grant = office.work(grant)
    assert grant.state == GrantState.ENDING
    assert office.holds(second)[0] == set()
    assert not proof_of(grant.parts.get()).is_whole
    # At once again it is left alone, so that AWS is not asked the same every few seconds.
    before = Change.objects.count()
    services.end_due_grants(now=datetime.now(tz=UTC))
    assert Change.objects.count() == before
    office.call("UpdateUser", UserName=f"away-{office.suffix}", NewUserName=first.name)
    services.end_due_grants(now=datetime.now(tz=UTC) + LATER)
    grant = office.work(grant)
    assert grant.state == GrantState.ENDED
    assert office.holds(first)[0] == set()
    assert proof_of(grant.parts.get()).is_whole


def test_an_account_that_became_read_only_says_why_nothing_ends_and_ends_when_it_can(office: Office) -> None:
    what = GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)
    grant = office.granted(office.terms(what, lasts=3600))
    account = office.scene.account
    type(account).objects.filter(pk=account.pk).update(source="export")
    services.end_due_grants(now=datetime.now(tz=UTC) + LATER)
    part = grant.parts.get()
    assert part.state == GrantState.ENDING
    assert "uploaded as a file" in part.trouble
    type(account).objects.filter(pk=account.pk).update(source="environment")
    services.end_due_grants(now=datetime.now(tz=UTC) + LATER)
    assert office.work(grant).state == GrantState.ENDED
    assert grant.parts.get().trouble == ""


def test_what_somebody_took_away_by_hand_is_over_without_a_call(office: Office) -> None:
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)))
    office.scene.by_hand("RemoveUserFromGroup")
    office.read(office.scene.user)
    before = Change.objects.count()
    grant = services.end_grant(grant, actor=office.asks, reason="Over")
    assert grant.state == GrantState.ENDED
    assert Change.objects.count() == before


def test_two_processes_that_end_the_same_part_at_once_queue_it_once(office: Office) -> None:
    grant = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)))
    first, second = (
        grant.parts.select_related("grant", "account", "change_set", "ending_set").get() for _ in range(2)
    )
    assert _end_part(first, actor=None, reason="Over")
    assert not _end_part(second, actor=None, reason="Over")
    assert Change.objects.filter(change_set__cause_kind="grant-end").count() == 1
    assert office.work(grant).state == GrantState.ENDED
