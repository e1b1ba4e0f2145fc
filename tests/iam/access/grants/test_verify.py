"""What AWS does not show any more of a grant is said with it; and what a later reading of everything bears
out of an end.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.access.grants.marks import marks_of
from console.access.grants.parts import parts_shown
from iam.access.grants import services
from iam.access.grants.models import Grant, GrantPart, GrantState, PermissionSort
from iam.access.grants.proof import HOLDING, proof_of
from iam.access.grants.services.notifications import warn_of_ends
from iam.access.grants.terms import GrantContent, WhatKind
from iam.access.grants.verify import altered_grants, missing_in
from iam.changes.models import Change, ChangeState
from iam.directory.models import Role
from iam.guard import viewer_for
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, PolicyVersion, Section
from tests import factories as make
from tests.iam.access.grants.conftest import Office, allowing, statements

pytestmark = pytest.mark.on_postgresql


def _said(grant: Grant) -> str:
    return " ".join(sentence for sentences in missing_in(grant).values() for sentence in sentences)


def _gone(row: Any) -> None:
    make.ends(row, at=datetime.now(tz=UTC))


def test_what_somebody_took_away_by_hand_is_said_with_the_grant(office: Office) -> None:
    user, group = office.user("kofi"), office.scene.group
    joined = office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn), user, lasts=3600))
    grant = office.granted(office.terms(statements(), user, lasts=3600))
    assert missing_in(joined) == missing_in(grant) == {}
    _gone(Edge.objects.get(source=user, kind=EdgeKind.MEMBER, valid_to__isnull=True))
    assert _said(joined) == f"{user.name} is no longer in the group {group.name}."
    _gone(Edge.objects.get(source=user, kind=EdgeKind.ATTACHED, valid_to__isnull=True))
    assert "is no longer attached to" in _said(grant)
    version = PolicyVersion.objects.get(policy__name__startswith="gatehouse-", valid_to__isnull=True)
    version.document = make.document(json.loads(allowing("s3:*")))
    version.save()
    assert "a different end date" in _said(grant)
    Entity.objects.filter(pk=user.pk).update(gone_at=datetime.now(tz=UTC))
    assert "no longer exists" in _said(joined)
    (shown,) = parts_shown(joined, viewer=office.asks).shown
    assert "no longer exists" in shown.trouble
    assert missing_in(joined, hidden={user.arn}) == {}
    # Ending works all the same, and is over without a call.
    assert services.end_grant(joined, actor=office.asks, reason="Left").state == GrantState.ENDED


def _inline(office: Office) -> Grant:
    someone = make.person("Tomas Lind", arns=(office.scene.user.arn,))
    make.assign(someone, Role.MEMBER)
    asked = office.ask(office.terms(statements(), lasts=3600), actor=viewer_for(someone))
    return office.work(office.approve(asked))


@pytest.mark.parametrize("sort", [PermissionSort.MEMBER, PermissionSort.ATTACHED, PermissionSort.INLINE])
def test_a_grant_whose_permission_was_taken_away_by_hand_is_not_called_active(
    office: Office, sort: PermissionSort
) -> None:
    user, group = office.scene.user, office.scene.group
    if sort == PermissionSort.MEMBER:
        content = GrantContent(WhatKind.GROUP, group_arn=group.arn)
        grant = office.granted(office.terms(content, lasts=3600))
        row: Any = Edge.objects.get(source=user, kind=EdgeKind.MEMBER, target=group, valid_to__isnull=True)
    elif sort == PermissionSort.ATTACHED:
        grant = office.granted(office.terms(statements(), lasts=3600))
        row = Edge.objects.get(source=user, kind=EdgeKind.ATTACHED, valid_to__isnull=True)
    else:
        grant = _inline(office)
        row = InlinePolicy.objects.get(owner=user, valid_to__isnull=True)
    other = office.granted(office.terms(statements(), office.user("abena"), lasts=3600))
    marks = marks_of([grant, other])
    assert [marks[grant.pk].text, marks[other.pk].text] == ["Active", "Active"]
    (shown,) = parts_shown(grant, viewer=office.asks).shown
    assert not any(entry.is_missing for entry in shown.entries)
    _gone(row)
    marks = marks_of([grant, other])
    assert [marks[grant.pk].text, marks[other.pk].text] == ["Changed in AWS", "Active"]
    assert altered_grants([grant, other]) == {grant.pk}
    (shown,) = parts_shown(grant, viewer=office.asks).shown
    assert [entry.target for entry in shown.entries if entry.is_missing and entry.relation]
    assert shown.trouble


def test_a_statement_of_trust_that_is_gone_is_missed_as_well(office: Office) -> None:
    role = make.role(office.scene.account, "breakglass")
    what = GrantContent(WhatKind.ROLE, role_arn=role.arn)
    grant = office.approve(office.ask(office.terms(what, lasts=3600)))
    Change.objects.filter(change_set__cause_id=grant.pk).update(
        state=ChangeState.APPLIED, ended_at=datetime.now(tz=UTC)
    )
    grant = services.settle(grant)
    # The mirror shows the trust policy as it was before.
    assert "no longer allows them" in _said(grant)


def test_a_later_reading_of_everything_bears_the_end_out(office: Office) -> None:
    group = office.scene.group
    grant = office.ended(office.granted(office.terms(GrantContent(WhatKind.GROUP, group_arn=group.arn))))
    part = grant.parts.get()
    proof = proof_of(part)
    assert proof.is_whole
    assert proof.again_at is None
    later = datetime.now(tz=UTC) + timedelta(minutes=10)
    for name in HOLDING:
        Section.objects.update_or_create(account=part.account, name=name, defaults={"observed_at": later})
    assert "and by a sync of the whole account" in proof_of(part).sentence
    make.edge(EdgeKind.MEMBER, office.scene.user, group)
    assert proof_of(part).again_at is None


def test_the_proof_keeps_what_went_through_at_the_first_trial(
    office: Office,
) -> None:
    other = office.user("abena")
    grant = office.granted(
        office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn), office.scene.user, other)
    )
    grant = services.end_grant(grant, actor=office.asks, reason="Over")
    part = GrantPart.objects.get(grant=grant)
    assert part.ending_set is not None
    change = part.ending_set.changes.order_by("position").last()
    assert change is not None
    Change.objects.filter(pk=change.pk).update(state=ChangeState.FAILED, ended_at=datetime.now(tz=UTC))
    office.work(grant)
    part.refresh_from_db()
    office.work(services.retry_part(part, actor=office.asks))
    part.refresh_from_db()
    proof = proof_of(part)
    assert proof.is_whole
    assert len(proof.removals) == 2
    assert office.holds()[0] | office.holds(other)[0] == set()


def test_what_failed_in_some_accounts_is_tried_again_there_and_nowhere_else(office: Office) -> None:
    terms = office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn))
    grant = office.approve(office.ask(terms))
    (change,) = office.changes(grant)
    Change.objects.filter(pk=change.pk).update(state=ChangeState.FAILED, ended_at=datetime.now(tz=UTC))
    grant = services.settle(grant)
    assert grant.state == GrantState.FAILED
    assert office.work(services.retry_failed(grant, actor=office.asks)).state == GrantState.ACTIVE
    assert office.holds()[0] == {office.scene.group.name}


def test_many_who_were_warned_already_keep_nobody_from_being_warned(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iam.access.grants.services.notifications.BATCH", 1)
    terms = office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn), lasts=3600)
    grants = [office.ask(terms) for _ in range(3)]
    now = datetime.now(tz=UTC)
    for place, grant in enumerate(grants):
        ends = now + timedelta(minutes=5 + place)
        Grant.objects.filter(pk=grant.pk).update(state=GrantState.ACTIVE, ends_at=ends, begins_at=now)
    assert [warn_of_ends(now=now) for _ in range(4)] == [1, 1, 1, 0]
