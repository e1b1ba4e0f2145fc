"""Many changes that end together: in few statements, as each by itself would be written, and what follows is
told by a worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from iam import nudge
from iam.changes import handlers, services
from iam.changes.models import Change, ChangeEvent, ChangeState
from iam.changes.states import end_all, move
from iam.changes.tasks import notify_ended
from iam.journal.models import Entry
from tests.iam.changes.conftest import Scene, make_group

MANY = 3


def _asked(scene: Scene, word: str = "one") -> list[Change]:
    """As many memberships of the scene's user as are told by a worker, asked for together."""
    groups = [
        make_group(scene.aws, scene.account, f"{scene.group.name}-{word}-{number}") for number in range(MANY)
    ]
    plans = [
        services.plan_membership(scene.requester, user=scene.user, group=group, do="add") for group in groups
    ]
    return services.request_changes(
        plans, actor=scene.requester, reason="All at once", idempotency_key=f"{word}-{scene.group.name}"
    )


@pytest.fixture
def told_ids(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The changes of which handlers were told."""
    seen_ids: list[UUID] = []
    monkeypatch.setattr(handlers, "_on_end", [lambda change: seen_ids.append(change.pk)])
    monkeypatch.setattr(handlers, "MAX_HANDLED_AT_ONCE", MANY - 1)
    return seen_ids


def _rows(changes: Sequence[Change]) -> list[Any]:
    """What is written of each, but ids, moments and whose it is."""
    places = {change.pk: number for number, change in enumerate(changes)}
    columns = ("state", "due_at", "lease_until", "expires_at", "attempts")
    of_change = [
        [getattr(change, column) for column in columns] + [change.ended_at is None]
        for change in (Change.objects.get(pk=change.pk) for change in changes)
    ]
    events = ChangeEvent.objects.filter(change__in=places).order_by("pk")
    of_events = [
        (places[pk], *rest) for pk, *rest in events.values_list("change", "kind", "actor_label", "note")
    ]
    entries = [
        (places[UUID(entry.data["change"])], entry.kind, entry.actor_label, entry.data.get("note"))
        for entry in Entry.objects.order_by("pk")
        if entry.data.get("change") in {str(pk) for pk in places}
    ]
    return [of_change, sorted(of_events), sorted(entries, key=str)]


def test_they_are_written_as_each_by_itself(
    scene: Scene, django_assert_max_num_queries: Any, told_ids: list[UUID]
) -> None:
    together, alone = _asked(scene, "together"), _asked(scene, "alone")
    with django_assert_max_num_queries(9):
        done = end_all(together, to=ChangeState.REJECTED, actor=scene.approver, note="Not now")
    for change in alone:
        assert move(change, to=ChangeState.REJECTED, actor=scene.approver, note="Not now")
    assert done == MANY
    assert _rows(together) == _rows(alone)


def test_where_somebody_was_quicker_the_others_end(scene: Scene, told_ids: list[UUID]) -> None:
    changes = _asked(scene)
    Change.objects.filter(pk=changes[1].pk).update(state=ChangeState.APPLYING, attempts=1)

    assert end_all(changes, to=ChangeState.CANCELLED, actor=None) == MANY - 1

    states = [Change.objects.get(pk=change.pk).state for change in changes]
    assert states == [ChangeState.CANCELLED, ChangeState.APPLYING, ChangeState.CANCELLED]
    assert ChangeEvent.objects.filter(kind="cancelled").count() == MANY - 1


def test_what_follows_is_told_by_a_worker(
    scene: Scene,
    told_ids: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[tuple[str, list[Any]]] = []
    monkeypatch.setattr(
        nudge.current_app, "send_task", lambda name, args, **_: sent.append((name, args)), raising=False
    )
    changes = _asked(scene)

    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(changes[0], actor=scene.requester)

    assert not told_ids
    ((name, (ids,)),) = sent
    assert name == notify_ended.name
    notify_ended(ids)
    assert sorted(told_ids) == sorted(change.pk for change in changes)


def test_where_no_broker_takes_it_it_is_told_here(
    scene: Scene,
    told_ids: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(nudge.current_app, "send_task", refuse, raising=False)
    changes = _asked(scene)

    with django_capture_on_commit_callbacks(execute=True):
        services.reject(changes[0], actor=scene.approver, comment="Not now")

    assert sorted(told_ids) == sorted(change.pk for change in changes)


def test_few_are_told_at_once(
    scene: Scene,
    told_ids: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    monkeypatch.setattr(handlers, "MAX_HANDLED_AT_ONCE", MANY)
    changes = _asked(scene)
    with django_capture_on_commit_callbacks(execute=True):
        services.withdraw(changes[0], actor=scene.requester)
    assert sorted(told_ids) == sorted(change.pk for change in changes)
