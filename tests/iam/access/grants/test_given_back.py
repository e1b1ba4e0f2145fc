"""An end that is undone gives back what it took, and the ledger says so; break-glass starts a grant's clock;
sessions of one source identity end alone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants import services
from iam.access.grants.ledger import ledger_of
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.proof import proof_of
from iam.access.grants.services.reconcile import change_ended
from iam.access.grants.services.revoke_sessions import request_cut
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.changes import services as changes
from iam.changes.approval.models import BreakGlass
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.request import Principal, Request
from tests import factories
from tests.iam.access.grants.conftest import Office, statements
from tests.iam.access.grants.test_roles import _json, _role

pytestmark = pytest.mark.on_postgresql

HOUR = timedelta(hours=1)


def _joining(office: Office) -> GrantContent:
    return GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)


def _undone(office: Office, grant: Grant, key: str = "u") -> Grant:
    """All that the newest end took is given back, with approval, and told twice."""
    (part,) = grant.parts.all()
    assert part.ending_set is not None
    taken = list(part.ending_set.changes.order_by("position"))
    asked = changes.undo_several(
        taken, actor=office.asks, reason="Needed after all", idempotency_key=f"{key}-{grant.pk}"
    )
    office.scene.approve(asked[0])
    grant = office.work(grant)
    for change in asked:
        change.refresh_from_db()
        change_ended(change)
        change_ended(change)
    grant.refresh_from_db()
    return grant


@pytest.mark.parametrize("way", ["membership", "policy"])
def test_undoing_the_end_gives_it_back_until_its_time_and_it_ends_again(office: Office, way: str) -> None:
    user = office.user("lena")
    what = _joining(office) if way == "membership" else statements()
    grant = office.granted(office.terms(what, user, lasts=3600))
    holds = office.holds(user)
    grant = office.ended(grant)
    assert office.holds(user) == (set(), set(), set())
    grant = _undone(office, grant)
    assert office.holds(user) == holds
    assert (grant.state, grant.ended_at, grant.parts.get().ending_set) == (GrantState.ACTIVE, None, None)
    acts = [grant_version.act for grant_version in grant.versions.order_by("number")]
    assert acts == ["asked", "ended", "returned"]
    # Each reason that was over stays so; each has one more, which began with the undoing.
    over = [entry for entry in office.entries(grant) if entry.until]
    again = [entry for entry in office.entries(grant) if not entry.until]
    assert len(over) == len(again) > 0
    assert all(
        new.since >= old.until for old, new in zip(over, again, strict=True) if new.since and old.until
    )
    (permission,) = ledger_of(user, viewer=office.asks)
    assert [entry.part.grant_id for entry in permission.reasons] == [grant.pk]
    assert not permission.is_by_hand
    # Its time is what it was, and it ends like any other.
    assert services.end_due_grants(now=datetime.now(tz=UTC) + 2 * HOUR) == 1
    grant = office.work(grant)
    assert (grant.state, office.holds(user)) == (GrantState.ENDED, (set(), set(), set()))
    acts = [grant_version.act for grant_version in grant.versions.order_by("number")]
    assert acts == ["asked", "ended", "returned", "ran_out"]
    assert all(entry.until for entry in office.entries(grant))


def test_what_comes_back_after_its_time_is_taken_away_again(office: Office) -> None:
    user = office.user("mira")
    grant = office.granted(office.terms(_joining(office), user, lasts=3600))
    grant = office.ended(grant)
    Grant.objects.filter(pk=grant.pk).update(ends_at=datetime.now(tz=UTC) - HOUR)
    _undone(office, grant)
    assert services.end_due_grants() == 1
    grant = office.work(grant)
    assert (grant.state, office.holds(user)[0]) == (GrantState.ENDED, set())


def test_break_glass_gives_it_at_once_and_its_clock_starts_there(office: Office) -> None:
    user = office.user("nils")
    grant = office.ask(office.terms(statements(), user, lasts=3600))
    first, *_ = office.changes(grant)
    seen = first.change_set.receipt_digest
    with pytest.raises(RefusedError, match="don’t let you"):
        changes.break_glass(first, actor=office.scene.approver, reason="Now", seen_digest=seen)
    changes.break_glass(first, actor=office.asks, reason="Payments are down", seen_digest=seen)
    grant = office.work(services.settle(grant))
    assert grant.state == GrantState.ACTIVE
    assert len(office.holds(user)[1]) == 1
    assert grant.begins_at is not None
    assert grant.ends_at == grant.begins_at.replace(microsecond=0) + HOUR
    assert all(entry.since for entry in office.entries(grant))
    glass = BreakGlass.objects.get()
    reviewer = factories.viewer(name="Ada Lund", email="ada@northline.example")
    undoing = changes.review(glass, actor=reviewer, verdict="undo", comment="Not an emergency", key="review")
    office.scene.approve(undoing[0])
    grant = office.work(grant)
    for change in undoing:
        change.refresh_from_db()
        change_ended(change)
    grant.refresh_from_db()
    assert (grant.state, office.holds(user)) == (GrantState.ENDED, (set(), set(), set()))


def _may_read(office: Office, role_name: str, *, source_identity: str, issued: datetime) -> bool:
    """Whether a session of the role still can do something, as AWS's documents of the role say."""
    iam = office.scene.aws.iam
    names = iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    texts = [
        _json(iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]) for name in names
    ]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    sources = [(str(place), read(json.dumps(text))) for place, text in enumerate([*texts, allow])]
    request = Request(
        action="s3:GetObject",
        resource="arn:aws:s3:::ledger/2026.csv",
        principal=Principal(f"arn:aws:sts::{office.number}:assumed-role/{role_name}/work"),
        context={
            "aws:SourceIdentity": source_identity,
            "aws:TokenIssueTime": f"{issued:%Y-%m-%dT%H:%M:%SZ}",
        },
        strict=True,
    )
    policies = RequestPolicies(identity=compile_set(sources, kind=PolicyKind.IDENTITY))
    return decide(request, policies) == EvaluationDecision.ALLOWED


def test_the_sessions_of_one_source_identity_end_and_the_proof_says_when(office: Office) -> None:
    role = _role(office, factories.TRUST_EC2)
    who = WhoTerms(
        WhoKind.ACCOUNT, account_id="339011276654", principal="arn:aws:iam::339011276654:role/reader"
    )
    what = GrantContent(WhatKind.ROLE, role_arn=role.arn)
    grant = office.ended(
        office.granted(GrantTerms(who=who, what=what, accounts=(office.number,), why="An audit"))
    )
    part = grant.parts.get()
    for wrong in ("x", "a b", "kwame*", "k" * 65):
        with pytest.raises(RefusedError, match="source identity"):
            request_cut(part, actor=office.asks, reason="Leaked", idempotency_key="c", source_identity=wrong)
    issued = datetime.now(tz=UTC) - HOUR
    (change,) = request_cut(
        part, actor=office.asks, reason="Leaked", idempotency_key="c", source_identity="kwame@shop"
    )
    assert proof_of(part).cuts == (), "nobody agreed yet"
    office.scene.approve(change)
    office.work(grant)
    assert not _may_read(office, role.name, source_identity="kwame@shop", issued=issued)
    assert _may_read(office, role.name, source_identity="ama@shop", issued=issued)
    assert _may_read(office, role.name, source_identity="kwame@shop", issued=datetime.now(tz=UTC) + HOUR)
    (cut,) = proof_of(part).cuts
    assert cut.is_of_sessions
    assert f"Revoke sessions of kwame@shop in role {role.name}: removed on" in cut.sentence
    assert "confirmed by" in cut.sentence
    assert Change.objects.get(pk=change.pk).reads >= 1
