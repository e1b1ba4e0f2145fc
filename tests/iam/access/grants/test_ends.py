"""When grants end: the clock starts at the approval, ends move, and AWS itself denies afterwards, anyone who
runs.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.access.grants import services
from iam.access.grants.documents import timed, with_new_end
from iam.access.grants.models import Grant, GrantState, PermissionSort
from iam.access.grants.services.expiry import close_overdue
from iam.access.grants.terms import GrantContent, WhatKind
from iam.changes import services as changes
from iam.changes.approval import ends
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Change
from iam.changes.summary import text_of
from iam.directory.models import Role
from iam.moments import moment_words
from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.request import Principal, Request
from tests import factories
from tests.iam.access.grants.conftest import READS, Office, statements

pytestmark = pytest.mark.on_postgresql

HOUR = timedelta(hours=1)


def _end_in_aws(office: Office, grant: Grant) -> str:
    """The end that the default version of the made policy says in AWS."""
    arn = next(entry.target for entry in office.entries(grant) if entry.sort == PermissionSort.ATTACHED)
    iam = office.scene.aws.iam
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    body: Any = document if isinstance(document, dict) else json.loads(document)
    return str(body["Statement"][0]["Condition"]["DateLessThan"]["aws:CurrentTime"])


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_clock_starts_at_the_approval(office: Office) -> None:
    grant = office.ask(office.terms(statements(), lasts=3600))
    asked = datetime.now(tz=UTC) - timedelta(hours=5)
    old, new = grant.planned_end, asked.replace(microsecond=0) + HOUR
    assert old is not None
    # As if it had been asked for five hours ago.
    for change in office.changes(grant):
        text = json.dumps([change.params, change.calls]).replace(_stamp(old), _stamp(new))
        params, calls = json.loads(text)
        Change.objects.filter(pk=change.pk).update(params=params, calls=calls)
    Grant.objects.filter(pk=grant.pk).update(planned_end=new, ends_at=new)
    with pytest.raises(ReceiptChangedError):
        office.approve(grant)
    grant = office.work(office.approve(grant))
    assert grant.begins_at is not None
    assert grant.ends_at == grant.begins_at.replace(microsecond=0) + HOUR
    assert _end_in_aws(office, grant) == _stamp(grant.ends_at)
    assert grant.state == GrantState.ACTIVE


def test_an_extension_is_approved_anew_and_gives_the_made_policy_another_version(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    was = grant.ends_at
    assert was is not None
    grant = services.extend_grant(
        grant, actor=office.asks, reason="Not done yet", idempotency_key="x", lasts=7200
    )
    assert grant.ends_at == was
    assert services.extend_grant(
        grant, actor=office.asks, reason="Not done yet", idempotency_key="x", lasts=7200
    )
    (change,) = Change.objects.filter(state="awaiting_approval")
    with pytest.raises(RefusedError):
        changes.approve(change, actor=office.asks, seen_digest=change.change_set.receipt_digest)
    changes.approve(change, actor=office.scene.approver, seen_digest=change.change_set.receipt_digest)
    grant = office.work(grant)
    assert grant.ends_at == was + 2 * HOUR
    assert _end_in_aws(office, grant) == _stamp(was + 2 * HOUR)
    assert [grant_version.act for grant_version in grant.versions.order_by("number")] == [
        "asked",
        "extended",
        "renewed",
    ]
    assert office.ended(grant).state == GrantState.ENDED
    assert office.holds() == (set(), set(), set())


def test_an_extension_that_is_rejected_leaves_all_as_it_was(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    was = grant.ends_at
    services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="x", lasts=7200)
    (change,) = Change.objects.filter(state="awaiting_approval")
    changes.reject(change, actor=office.scene.approver, comment="Enough")
    grant = services.settle(grant)
    assert (grant.state, grant.ends_at) == (GrantState.ACTIVE, was)


def test_the_approver_agrees_to_what_ends_only_while_gatehouse_runs(office: Office) -> None:
    grant = office.ask(
        office.terms(GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn), lasts=3600)
    )
    group = grant.parts.get().change_set
    assert any("Ends only while Gatehouse runs" in note for note in group.notes)
    assert any(note.startswith("Access ends 1 hour after approval") for note in group.notes)
    shown = group.receipt_digest
    type(group).objects.filter(pk=group.pk).update(notes=group.notes[1:])
    with pytest.raises(ReceiptChangedError):
        changes.approve(office.changes(grant)[0], actor=office.scene.approver, seen_digest=shown)


@pytest.mark.parametrize("ends_in", [3 * HOUR, 72 * HOUR, None], ids=["hours", "days", "set at approval"])
def test_a_request_expires_with_what_it_gives_if_that_ends_first(
    office: Office, ends_in: timedelta | None
) -> None:
    end = datetime.now(tz=UTC).replace(microsecond=0) + (ends_in or HOUR)
    duration = {"until": end} if ends_in else {"lasts": 3600}
    grant = office.ask(office.terms(statements(), **duration))
    change = office.changes(grant)[0]
    assert change.expires_at is not None
    closes = ends.closes_at(change)
    assert closes == (end if ends_in == 3 * HOUR else change.expires_at)
    close_overdue(now=closes - timedelta(seconds=1))
    assert Grant.objects.get(pk=grant.pk).state == GrantState.WAITING
    if closes == end:
        close_overdue(now=closes)
        assert Grant.objects.get(pk=grant.pk).state == GrantState.EXPIRED


def test_an_extension_that_no_one_answers_expires_with_the_grant(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="x", lasts=7200)
    part = grant.parts.get()
    assert part.extending_set is not None
    change = part.extending_set.changes.order_by("position")[0]
    assert ends.closes_at(change) == Grant.objects.get(pk=grant.pk).ends_at


def test_a_membership_is_extended_by_an_approval_although_nothing_changes_in_aws(office: Office) -> None:
    what = GrantContent(WhatKind.GROUP, group_arn=office.scene.group.arn)
    grant = office.granted(office.terms(what, lasts=3600))
    was = grant.ends_at
    assert was is not None
    services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="x", lasts=3600)
    (change,) = Change.objects.filter(state="awaiting_approval")
    changes.approve(change, actor=office.scene.approver, seen_digest=change.change_set.receipt_digest)
    grant = office.work(grant)
    assert grant.ends_at == was + HOUR
    office.ended(grant)
    assert office.holds()[0] == set()


def test_whoever_asked_shortens_it_without_approval(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=8 * 3600))
    until = datetime.now(tz=UTC).replace(microsecond=0) + HOUR
    grant = services.shorten_grant(grant, until=until, actor=office.asks, reason="Done sooner")
    grant = office.work(grant)
    assert (grant.state, grant.ends_at) == (GrantState.ACTIVE, until)
    assert _end_in_aws(office, grant) == _stamp(until)
    with pytest.raises(RefusedError, match="new approval"):
        services.shorten_grant(grant, until=until + HOUR, actor=office.asks, reason="Longer")


def test_nobody_else_shortens_or_ends_it(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=8 * 3600))
    until = datetime.now(tz=UTC) + HOUR
    for role in (Role.AUDITOR, Role.MEMBER):
        other = factories.viewer(role, name=f"Other {role}")
        with pytest.raises(RefusedError):
            services.shorten_grant(grant, until=until, actor=other, reason="Mine now")
        with pytest.raises(RefusedError):
            services.end_grant(grant, actor=other, reason="Mine now")


def test_an_approver_shortens_what_waits_and_agrees_to_the_new_end(office: Office) -> None:
    grant = office.ask(office.terms(statements(), lasts=8 * 3600))
    first = office.changes(grant)[0]
    until = datetime.now(tz=UTC).replace(microsecond=0) + HOUR
    seen = first.change_set.receipt_digest
    changes.shorten(first, actor=office.scene.approver, until=until)
    first.refresh_from_db()
    with pytest.raises(ReceiptChangedError):
        changes.approve(first, actor=office.scene.approver, seen_digest=seen)
    grant = office.work(office.approve(grant))
    assert (grant.state, grant.ends_at) == (GrantState.ACTIVE, until)
    assert _end_in_aws(office, grant) == _stamp(until)


def test_a_request_is_withdrawn_by_whoever_asked_alone(office: Office) -> None:
    grant = office.ask(office.terms(statements()))
    with pytest.raises(RefusedError, match="Only the requester"):
        services.withdraw_grant(grant, actor=office.scene.approver)
    assert services.withdraw_grant(grant, actor=office.asks).state == GrantState.WITHDRAWN


def test_a_request_whose_end_comes_before_its_approval_closes(office: Office) -> None:
    until = datetime.now(tz=UTC) + HOUR
    dated, lasting = (
        office.ask(office.terms(statements(), until=until)),
        office.ask(office.terms(statements(), lasts=3600)),
    )
    assert close_overdue() == 0
    assert close_overdue(now=until + HOUR) == 1
    dated.refresh_from_db()
    lasting.refresh_from_db()
    assert (dated.state, lasting.state) == (GrantState.EXPIRED, GrantState.WAITING)


END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(("moment", "holds"), [(END - HOUR, True), (END + HOUR, False)])
def test_the_engine_denies_after_the_end_with_nobody_running(moment: datetime, holds: bool) -> None:
    assert _allows(timed(READS, end=END), moment) is holds
    assert (
        _allows(with_new_end(timed(READS, end=END - 9 * HOUR), old=END - 9 * HOUR, new=END), moment) is holds
    )


def _allows(text: str, moment: datetime) -> bool:
    """What the engine decides at that moment; nothing of Gatehouse has to run for it."""
    identity = compile_set([("made", read(text))], kind=PolicyKind.IDENTITY)
    request = Request(
        "s3:GetObject",
        "arn:aws:s3:::ledger/2026.csv",
        Principal("arn:aws:iam::111111111111:user/kwame"),
        context={"aws:CurrentTime": moment.isoformat()},
        strict=True,
    )
    return decide(request, RequestPolicies(identity=identity)) == EvaluationDecision.ALLOWED


def test_an_end_of_ones_own_counts_beside_that_of_the_grant() -> None:
    body = json.loads(READS)
    own = "2026-03-02T12:00:00Z"
    body["Statement"][0]["Condition"] = {
        "DateLessThan": {"AWS:CurrentTime": own},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
    }
    (statement,) = json.loads(timed(json.dumps(body), end=END))["Statement"]
    assert statement["Condition"] == {
        "DateLessThan": {"AWS:CurrentTime": own},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "DateLessThanEquals": {"aws:CurrentTime": "2026-03-02T18:00:00Z"},
    }


def test_only_one_extension_waits_and_the_first_one_counts(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    was = grant.ends_at
    assert was is not None
    services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="x", lasts=7200)
    with pytest.raises(RefusedError, match="already requested"):
        services.extend_grant(grant, actor=office.asks, reason="Less", idempotency_key="y", lasts=3600)
    (change,) = Change.objects.filter(state="awaiting_approval")
    changes.approve(change, actor=office.scene.approver, seen_digest=change.change_set.receipt_digest)
    grant = office.work(grant)
    assert (grant.ends_at, grant.extends_to) == (was + 2 * HOUR, None)
    assert _end_in_aws(office, grant) == _stamp(was + 2 * HOUR)
    assert services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="z", lasts=3600)


def test_an_extension_says_its_own_end_while_it_waits_and_whatever_becomes_of_it(office: Office) -> None:
    grant = office.granted(office.terms(statements(), lasts=3600))
    was = grant.ends_at
    assert was is not None
    giving = grant.parts.get().change_set
    services.extend_grant(grant, actor=office.asks, reason="More", idempotency_key="x", lasts=7200)
    (change,) = Change.objects.filter(state="awaiting_approval")
    later = was + 2 * HOUR
    words = text_of(change.change_set.summary, until=ends.end_of(change.change_set))
    assert words.endswith(f"until {moment_words(later)}")
    assert "inline policy" not in words.lower()
    assert words.startswith(text_of(giving.summary))
    assert ends.ends_of([change.change_set, giving]) == {change.change_set_id: later, giving.pk: was}
    changes.reject(change, actor=office.scene.approver, comment="Enough")
    services.settle(grant)
    assert ends.end_of(change.change_set) == later
    assert ends.end_of(giving) == was
