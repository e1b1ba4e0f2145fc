"""The table of transitions, and the compare-and-set that moves a change along it."""

from __future__ import annotations

import itertools

import pytest

from iam.changes.models import Approval, Change, ChangeEvent, ChangeState
from iam.changes.states import TRANSITIONS, ForbiddenTransitionError, move
from iam.journal.models import Entry
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_postgresql

S = ChangeState

ALLOWED = {
    (S.DRAFT, S.AWAITING),
    (S.DRAFT, S.CANCELLED),
    (S.AWAITING, S.QUEUED),
    (S.AWAITING, S.REJECTED),
    (S.AWAITING, S.CANCELLED),
    (S.AWAITING, S.EXPIRED),
    (S.QUEUED, S.APPLYING),
    (S.QUEUED, S.CANCELLED),
    (S.QUEUED, S.EXPIRED),
    (S.APPLYING, S.CONFIRMING),
    (S.APPLYING, S.QUEUED),
    (S.APPLYING, S.APPLIED),
    (S.APPLYING, S.FAILED),
    (S.APPLYING, S.UNKNOWN),
    (S.CONFIRMING, S.APPLIED),
    (S.CONFIRMING, S.UNKNOWN),
    (S.UNKNOWN, S.CONFIRMING),
}


def test_a_change_moves_only_along_the_table(scene: Scene) -> None:
    change = scene.ask()
    for was, to in itertools.product(S, S):
        Change.objects.filter(pk=change.pk).update(state=was)
        change.refresh_from_db()

        if (was, to) in ALLOWED:
            assert move(change, to=to, actor=None)
        else:
            with pytest.raises(ForbiddenTransitionError):
                move(change, to=to, actor=None)

        change.refresh_from_db()
        assert change.state == (to if (was, to) in ALLOWED else was)


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(S)


def test_of_two_who_move_the_same_change_one_wins_and_one_writes_nothing(scene: Scene) -> None:
    change = scene.ask()
    other = Change.objects.get(pk=change.pk)

    assert move(change, to=S.CANCELLED, actor=None)
    events, entries = ChangeEvent.objects.count(), Entry.objects.count()

    assert not move(other, to=S.QUEUED, actor=None)
    assert (ChangeEvent.objects.count(), Entry.objects.count()) == (events, entries)
    assert Change.objects.get(pk=change.pk).state == S.CANCELLED


def test_a_worker_that_was_overtaken_cannot_move_the_change(scene: Scene) -> None:
    change = scene.queued()
    Change.objects.filter(pk=change.pk).update(state=S.APPLYING, attempts=1)
    overtaken = Change.objects.get(pk=change.pk)
    Change.objects.filter(pk=change.pk).update(attempts=2)

    assert not move(overtaken, to=S.FAILED, actor=None)


def test_timeline_and_approvals_are_only_ever_added(scene: Scene) -> None:
    change = scene.queued()
    event = change.events.first()
    assert event is not None
    approval = Approval.objects.get(change_set=change.change_set)

    for row in (event, approval):
        with pytest.raises(TypeError):
            row.save()
        with pytest.raises(TypeError):
            row.delete()
    for rows in (change.events.all(), Approval.objects.all()):
        with pytest.raises(TypeError):
            rows.update(actor_label="somebody else") if rows.model is ChangeEvent else rows.update(comment="")
        with pytest.raises(TypeError):
            rows.delete()
