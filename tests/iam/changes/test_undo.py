"""Undo: a change of its own, refused when AWS has moved on."""

from __future__ import annotations

import pytest

from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.changes.runner import run
from iam.changes.titles import undo_title_of
from iam.directory.models import Role
from tests import factories
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_postgresql


def test_undo_is_a_change_of_its_own_that_somebody_else_approves(scene: Scene) -> None:
    change = scene.applied()
    undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")

    assert (undo.state, undo.operation, undo.reverts) == (
        ChangeState.AWAITING,
        "group_membership.remove",
        change,
    )
    assert undo.change_set.title == undo_title_of(change) == f"Undo: {change.change_set.title}"
    with pytest.raises(RefusedError):
        services.approve(undo, actor=scene.requester, seen_digest=undo.change_set.receipt_digest)
    with pytest.raises(RefusedError, match="is being undone"):
        services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u2")


def test_an_undo_form_sent_twice_gives_the_same_change(scene: Scene) -> None:
    change = scene.applied()
    first = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")
    second = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")
    assert first.pk == second.pk


def test_undo_is_refused_when_the_mirror_has_moved_on(scene: Scene) -> None:
    change = scene.applied()
    scene.by_hand("RemoveUserFromGroup")
    from iam.mirror.refresh import reread_memberships

    reread_memberships(scene.account, scene.aws, scene.user, cause_id=None)

    assert "changed this in AWS since" in services.why_not_undo(change, viewer=scene.requester)
    with pytest.raises(RefusedError, match="changed this in AWS since"):
        services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")


def test_undo_that_meets_drift_in_aws_changes_nothing(scene: Scene) -> None:
    """The mirror does not know yet; the runner looks at AWS itself."""
    change = scene.applied()
    undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")
    scene.approve(undo)
    scene.by_hand("RemoveUserFromGroup")
    scene.standin.control("faults/clear", {})

    run(undo.pk)

    undo.refresh_from_db()
    assert undo.already_so
    assert scene.standin.calls("iam:RemoveUserFromGroup") == 0


def test_what_altered_nothing_cannot_be_undone(scene: Scene) -> None:
    change = scene.queued()
    scene.by_hand("AddUserToGroup")
    run(change.pk)
    change.refresh_from_db()

    assert "nothing to undo" in services.why_not_undo(change, viewer=scene.requester)


def test_an_undone_change_is_not_undone_twice(scene: Scene) -> None:
    change = scene.applied()
    undo = scene.approve(services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u"))
    run(undo.pk)

    assert "has already been undone" in services.why_not_undo(change, viewer=scene.requester)
    undo.refresh_from_db()
    assert services.why_not_undo(undo, viewer=scene.requester) == ""


def test_of_a_change_that_was_applied_again_the_last_change_is_named_as_what_to_undo(scene: Scene) -> None:
    chain = [scene.applied()]
    for key in ("undo", "redo", "undo once more"):
        asked = services.undo(chain[-1], actor=scene.requester, reason="Over", idempotency_key=key)
        chain.append(scene.approve(asked))
        run(chain[-1].pk)
        chain[-1].refresh_from_db()
        why_not = services.why_not_undo(chain[0], viewer=scene.requester)
        last = chain[-1].reference
        if key == "redo":
            assert why_not == (
                f"This was undone by {chain[1].reference}, and then applied again by {last}. "
                f"Undo {last} instead."
            )
        else:
            assert why_not == f"This has already been undone by {last}."
        assert services.why_not_undo(chain[-1], viewer=scene.requester) == ""


def test_a_change_that_is_not_applied_cannot_be_undone(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="Only a change that is done"):
        services.undo(scene.ask(), actor=scene.requester, reason="Over", idempotency_key="u")


def test_who_may_not_ask_may_not_undo(scene: Scene) -> None:
    change = scene.applied()
    auditor = factories.viewer(Role.AUDITOR, name="Noor Haddad")
    with pytest.raises(RefusedError, match="can’t request changes"):
        services.undo(change, actor=auditor, reason="Over", idempotency_key="u")


def test_an_undo_is_called_after_its_request_but_the_undo_of_an_undo_after_its_change(scene: Scene) -> None:
    change = scene.applied()
    change.change_set.title = "Give Kwame the on-call role"
    change.change_set.save(update_fields=["title"])
    undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")
    assert undo.change_set.title == "Undo: Give Kwame the on-call role"
    assert undo_title_of(undo) == f"Undo: {undo.title}"
