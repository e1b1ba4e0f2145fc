"""What becomes of grants when something else happens meanwhile: another grant, an extension, a rename, a
worker that is lost.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iam.access.grants import services
from iam.access.grants.models import GrantState
from iam.access.grants.terms import GrantContent, WhatKind
from iam.changes import handlers
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.runner import run
from iam.changes.runner.claims import due
from iam.changes.services import approve
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_entity
from tests.iam.access.grants.conftest import Office, statements

pytestmark = pytest.mark.on_postgresql


def _joining(office: Office, group: Entity | None = None) -> GrantContent:
    return GrantContent(WhatKind.GROUP, group_arn=(group or office.scene.group).arn)


def _in(**time: float) -> datetime:
    return datetime.now(tz=UTC) + timedelta(**time)


def _leave_in_flight(change: Change) -> None:
    """As a worker leaves it that is killed with it in its hands."""
    Change.objects.filter(pk=change.pk).update(
        state=ChangeState.APPLYING, attempts=1, lease_until=datetime.now(tz=UTC) - timedelta(seconds=1)
    )


def _run_newest_first() -> None:
    for change in Change.objects.filter(state=ChangeState.QUEUED).order_by("-created_at"):
        run(change.pk)
        run(change.pk)


def test_an_extension_that_waits_closes_with_the_grant_and_is_approved_by_nobody(office: Office) -> None:
    grant = office.granted(office.terms(_joining(office), lasts=3600))
    services.extend_grant(grant, actor=office.asks, reason="Longer", idempotency_key="x", until=_in(hours=48))
    extension = grant.parts.get().extending_set
    assert extension is not None
    services.end_due_grants(now=_in(hours=2))
    office.work(grant)
    (waits,) = extension.changes.all()
    assert waits.state == ChangeState.EXPIRED
    with pytest.raises(RefusedError, match="nothing left to decide"):
        approve(waits, actor=office.scene.approver, seen_digest=extension.receipt_digest)
    grant.refresh_from_db()
    assert (grant.state, grant.extends_to) == (GrantState.ENDED, None)
    assert office.holds()[0] == set()


def test_an_extension_that_was_approved_a_moment_before_the_end_gives_nothing_back(office: Office) -> None:
    grant = office.granted(office.terms(_joining(office), lasts=3600))
    services.extend_grant(grant, actor=office.asks, reason="Longer", idempotency_key="x", until=_in(hours=48))
    extension = grant.parts.get().extending_set
    assert extension is not None
    approve(extension.changes.get(), actor=office.scene.approver, seen_digest=extension.receipt_digest)
    services.end_grant(grant, actor=office.asks, reason="Now")
    _run_newest_first()
    assert office.work(grant).state == GrantState.ENDED
    assert office.holds()[0] == set()


def test_what_one_account_does_not_answer_keeps_nobodys_access_alive_after_the_end(office: Office) -> None:
    other = office.user("other")
    terms = office.terms(_joining(office), office.scene.user, other, lasts=3600)
    grant = office.approve(office.ask(terms))
    first, *_ = list(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
    for _ in range(5):
        run(first)
    assert services.settle(grant).state == GrantState.APPLYING
    assert services.end_due_grants(now=_in(hours=2)) == 1
    grant = office.work(grant)
    assert grant.state == GrantState.ENDED
    assert office.holds()[0] | office.holds(other)[0] == set()
    assert [grant_version.act for grant_version in grant.versions.order_by("number")] == ["asked", "ran_out"]


def test_a_grant_is_ended_while_it_is_set_up(office: Office) -> None:
    grant = office.approve(office.ask(office.terms(_joining(office))))
    (change,) = office.changes(grant)
    _leave_in_flight(change)
    services.settle(grant)
    grant = services.end_grant(grant, actor=office.asks, reason="Not needed after all")
    part = grant.parts.get()
    assert (part.state, part.ending_set) == (GrantState.ENDING, None)
    assert "being set up right now" in part.trouble
    office.work(grant)
    services.end_due_grants()
    assert office.work(grant).state == GrantState.ENDED
    assert office.holds()[0] == set()


def test_of_two_grants_whose_worker_was_lost_neither_was_there_before(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (office.approve(office.ask(office.terms(_joining(office)))) for _ in range(2))
    with monkeypatch.context() as lost:
        lost.setattr(handlers, "tell_end_after_commit", lambda change: None)
        for change in [*office.changes(first), *office.changes(second)] * 2:
            run(change.pk)
    assert office.changes(second)[0].already_so
    services.settle(second)
    assert not office.entries(second)[0].stood_before
    office.ended(first)
    assert office.holds()[0] == {office.scene.group.name}
    office.ended(second)
    assert office.holds()[0] == set()


def test_the_end_of_one_waits_for_another_that_is_about_to_give_the_same(office: Office) -> None:
    first = office.granted(office.terms(_joining(office)))
    second = office.approve(office.ask(office.terms(_joining(office))))
    first = services.end_grant(first, actor=office.asks, reason="Over")
    assert "being set up" in first.parts.get().trouble
    assert office.work(second).state == GrantState.ACTIVE
    services.end_due_grants()
    assert services.settle(first).state == GrantState.ENDED
    assert office.holds()[0] == {office.scene.group.name}


def test_what_one_took_a_moment_after_another_found_it_is_given_again(office: Office) -> None:
    first = office.granted(office.terms(_joining(office)))
    services.end_grant(first, actor=office.asks, reason="Over")
    second = office.approve(office.ask(office.terms(_joining(office))))
    _run_newest_first()
    assert office.holds()[0] == set()
    services.settle(first)
    second = office.work(services.settle(second))
    assert office.holds()[0] == {office.scene.group.name}
    assert office.ended(second).state == GrantState.ENDED
    assert office.holds()[0] == set()


def _rename(office: Office, entity: Entity, kind: Kind) -> None:
    word = kind.value.capitalize()
    office.call(f"Update{word}", **{f"{word}Name": entity.name, f"New{word}Name": f"{entity.name}-new"})
    new = {"name": f"{entity.name}-new", "arn": f"{entity.arn}-new"}
    reread_entity(office.scene.account, office.scene.aws, kind=kind, cause_id=None, **new)
    entity.refresh_from_db()


def test_who_was_renamed_loses_it_at_the_end_all_the_same(office: Office) -> None:
    user, group = office.user("kofi"), office.group("night-shift")
    grants = [office.granted(office.terms(what, user)) for what in (statements(), _joining(office, group))]
    _rename(office, user, Kind.USER)
    _rename(office, group, Kind.GROUP)
    # A grant after the renaming is one reason more for the same membership.
    again = office.granted(office.terms(_joining(office, group), user))
    assert [office.ended(grant).state for grant in grants] == [GrantState.ENDED, GrantState.ENDED]
    assert office.holds(user) == ({group.name}, set(), set())
    office.ended(again)
    assert office.holds(user) == (set(), set(), set())


def _made_again(office: Office, user: Entity) -> None:
    """Somebody else of the same name, in the same group by hand."""
    for operation, named in (
        ("RemoveUserFromGroup", {"GroupName": office.scene.group.name}),
        ("DeleteUser", {}),
        ("CreateUser", {}),
        ("AddUserToGroup", {"GroupName": office.scene.group.name}),
    ):
        office.call(operation, UserName=user.name, **named)
        office.read(user)


def test_somebody_else_who_got_the_name_keeps_what_they_were_given_by_hand(office: Office) -> None:
    user = office.user("imani")
    grant = office.granted(office.terms(_joining(office), user))
    _made_again(office, user)
    assert office.ended(grant).state == GrantState.ENDED
    assert office.holds(user)[0] == {office.scene.group.name}


def test_a_worker_that_is_lost_in_an_end_and_a_beat_that_was_away_for_days_end_it_once(
    office: Office,
) -> None:
    grants = [office.granted(office.terms(what, lasts=3600)) for what in (_joining(office), statements())]
    later = _in(days=9)
    assert services.end_due_grants(now=later) == 2
    change = Change.objects.get(change_set__cause_id=grants[0].pk, operation="group_membership.remove")
    _leave_in_flight(change)
    assert services.end_due_grants(now=later) == 0
    assert [office.work(grant).state for grant in grants] == [GrantState.ENDED, GrantState.ENDED]
    assert services.end_due_grants(now=later + timedelta(days=1)) == 0
    assert office.holds() == (set(), set(), set())
    taken = Change.objects.filter(change_set__cause_kind="grant-end", operation="group_membership.remove")
    assert taken.count() == 1
    assert {grant.versions.filter(act="ran_out").count() for grant in grants} == {1}
