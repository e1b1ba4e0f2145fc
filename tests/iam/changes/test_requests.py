"""Asking, withdrawing, and sets of changes that are approved together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change, ChangeState
from iam.changes.runner import run
from iam.journal.models import Entry
from tests import factories
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_both


def refusal(error: pytest.ExceptionInfo[RefusedError]) -> str:
    """The sentence of a refusal."""
    return error.value.message


def test_asking_writes_what_it_rests_on(scene: Scene) -> None:
    change = scene.ask()

    assert change.state == ChangeState.AWAITING
    assert (change.before, change.after) == ({"member": False}, {"member": True})
    assert change.receipt["calls"][0]["params"] == {
        "GroupName": scene.group.name,
        "UserName": scene.user.name,
    }
    assert change.subject_arn == scene.user.arn
    assert change.requested_label == "Ines Duarte"
    entry = Entry.objects.get(kind="change.requested")
    assert (entry.actor_label, entry.account_id) == ("Ines Duarte", scene.account.account_id)
    assert entry.data["change"] == str(change.pk)


def test_a_form_sent_twice_gives_the_same_change(scene: Scene) -> None:
    planned = scene.plan()
    first = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key="form")
    second = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key="form")

    assert first.pk == second.pk
    assert Change.objects.count() == 1
    assert Entry.objects.filter(kind="change.requested").count() == 1


def test_a_form_sent_twice_at_the_same_time_gives_the_same_change(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both requests have looked before either has written."""
    from iam.changes.services import requests

    planned = scene.plan()
    first = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key="form")
    true_look, looks = requests.already_requested, []

    def blind_at_first(*args: Any, **kwargs: Any) -> Any:
        looks.append(1)
        return [] if len(looks) == 1 else true_look(*args, **kwargs)

    monkeypatch.setattr(requests, "already_requested", blind_at_first)
    monkeypatch.setattr(requests, "plan", lambda operation, **_: planned)
    second = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key="form")

    assert len(looks) == 2
    assert second.pk == first.pk
    assert Change.objects.count() == 1


def test_a_form_overtaken_by_itself_gives_the_same_change(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request has looked before the first wrote, and finds when it plans that this is asked for
    already.
    """
    from iam.changes.services import requests

    form = {"user": scene.user, "group": scene.group, "do": "add", "reason": "r", "idempotency_key": "form"}
    first = services.request_membership(scene.requester, **form)  # type: ignore[arg-type]
    true_look, looks = requests.already_requested, []

    def blind_at_first(*args: Any, **kwargs: Any) -> Any:
        looks.append(1)
        return [] if len(looks) == 1 else true_look(*args, **kwargs)

    monkeypatch.setattr(requests, "already_requested", blind_at_first)
    second = services.request_membership(scene.requester, **form)  # type: ignore[arg-type]
    assert second.pk == first.pk
    with pytest.raises(RefusedError, match="already requests this"):
        services.request_membership(scene.requester, **form | {"idempotency_key": "another"})  # type: ignore[arg-type]


def test_a_page_that_asks_twice_with_one_form_gives_the_same_change(scene: Scene) -> None:
    form = {"user": scene.user, "group": scene.group, "do": "add", "reason": "r", "idempotency_key": "form"}
    first = services.request_membership(scene.requester, **form)  # type: ignore[arg-type]
    second = services.request_membership(scene.requester, **form)  # type: ignore[arg-type]
    assert first.pk == second.pk


def test_a_form_sent_again_with_other_content_is_refused(scene: Scene) -> None:
    scene.ask(key="form")
    other = services.plan_membership(
        scene.requester, user=scene.user, group=factories.group(scene.account, "other"), do="add"
    )
    with pytest.raises(RefusedError, match="already submitted with other content"):
        services.request_change(other, actor=scene.requester, reason="r", idempotency_key="form")


def test_the_same_key_of_another_person_is_another_form(scene: Scene) -> None:
    scene.ask(key="form")
    other = services.plan_membership(
        scene.approver, user=scene.user, group=factories.group(scene.account, "other"), do="add"
    )
    assert services.request_change(other, actor=scene.approver, reason="r", idempotency_key="form")


def test_what_is_asked_for_already_is_not_asked_for_twice(scene: Scene) -> None:
    change = scene.ask()
    with pytest.raises(RefusedError) as error:
        scene.ask()
    assert change.reference in refusal(error)
    assert error.value.change == change


def test_no_reason_no_request(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="Enter a reason"):
        services.request_change(scene.plan(), actor=scene.requester, reason="  ", idempotency_key="k")
    assert not Change.objects.exists()


def test_a_plan_of_somebody_who_may_no_longer_ask_is_refused(scene: Scene) -> None:
    planned = scene.plan()
    powerless = replace(scene.requester, grants=frozenset())
    with pytest.raises(RefusedError):
        services.request_change(planned, actor=powerless, reason="r", idempotency_key="k")


def two_changes(scene: Scene) -> list[Change]:
    """A set of two: into the group, then into another."""
    other = factories.group(scene.account, "second", arn=f"{scene.group.arn}-second")
    plans = [
        scene.plan(),
        services.plan_membership(scene.requester, user=scene.user, group=other, do="add"),
    ]
    return services.request_changes(plans, actor=scene.requester, reason="r", idempotency_key="k")


def test_a_set_is_approved_as_one_and_applied_in_order(scene: Scene) -> None:
    first, second = two_changes(scene)
    scene.approve(first)
    second.refresh_from_db()
    assert second.state == ChangeState.QUEUED
    assert Approval.objects.count() == 1

    run(second.pk)
    second.refresh_from_db()
    assert second.state == ChangeState.QUEUED, "the first one is not applied yet"

    run(first.pk)
    run(second.pk)
    second.refresh_from_db()
    assert second.events.filter(kind="applying").exists()


def test_what_follows_a_failed_change_is_cancelled(scene: Scene) -> None:
    first, second = two_changes(scene)
    scene.approve(first)
    scene.standin.control("faults", {"deny": {"*": ["iam:AddUserToGroup"]}})

    run(first.pk)

    second.refresh_from_db()
    assert second.state == ChangeState.CANCELLED
    assert first.reference in second.events.last().note
