"""Break-glass: who may, what it does, that everybody hears of it, and that somebody else looks at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from iam.changes import services
from iam.changes.approval.models import BreakGlass, ReviewVerdict
from iam.changes.approval.rules import APPROVERS, ApprovalRule, ApprovalStage
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Approval, Change, ChangeSet, ChangeState
from iam.directory.models import Role, RoleAssignment
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind
from iam.notify.models import OutgoingMessage
from tests import factories
from tests.iam.changes.approval.conftest import Desk, in_force

pytestmark = pytest.mark.on_postgresql


def use(
    desk: Desk, change: Change, *, name: str = "Ines Duarte", reason: str = "Payments are down"
) -> BreakGlass:
    """Apply a request without approval."""
    shown = Change.objects.get(pk=change.pk)
    services.break_glass(
        shown, actor=desk.again(name), reason=reason, seen_digest=shown.change_set.receipt_digest
    )
    change.refresh_from_db()
    return BreakGlass.objects.get(pk=change.change_set_id)


def applied(desk: Desk) -> tuple[Change, BreakGlass]:
    """A request that was applied without approval, as the mirror shows."""
    change = desk.ask()
    glass = use(desk, change)
    Change.objects.filter(pk=change.pk).update(state=ChangeState.APPLIED)
    factories.edge(EdgeKind.MEMBER, desk.user, desk.group)
    change.refresh_from_db()
    return change, glass


def review(
    desk: Desk, glass: BreakGlass, name: str, verdict: str = "accept", comment: str = "It was right"
) -> Any:
    """Look at it afterwards."""
    return services.review(
        BreakGlass.objects.get(pk=glass.pk),
        actor=desk.again(name),
        verdict=verdict,
        comment=comment,
        key=f"review-{name}",
    )


def test_break_glass_applies_at_once_and_tells_everybody_who_could_have_approved(desk: Desk) -> None:
    change = desk.ask()
    use(desk, change)

    assert change.state == ChangeState.QUEUED
    assert not Approval.objects.exists()
    assert change.events.get(kind="broke_glass").note == "Payments are down"
    assert Entry.objects.get(kind="change.broke_glass").data["break_glass"] is True
    recipients = set(OutgoingMessage.objects.filter(key__contains="broken").values_list("name", flat=True))
    assert {"Hana Sato", "Jonas Berg"} <= recipients
    assert "Tomas Lind" not in recipients


def test_of_several_that_nobody_reviewed_the_notice_names_the_one_that_waits_longest(desk: Desk) -> None:
    for hours, title in ((2, "Suspend Kwame Boateng"), (1, "Suspend Adaeze Obi")):
        at = datetime.now(tz=UTC) - timedelta(hours=hours)
        change_set = ChangeSet.objects.create(title=title)
        glass = BreakGlass.objects.create(
            change_set=change_set, used_by=uuid4(), used_label="Elif Kaya", reason="Left", remind_at=at
        )
        BreakGlass.objects.filter(pk=glass.pk).update(at=at)
    client = Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR, name="Sam Third"))
    page = client.get("/changes/").content.decode()
    assert "2 changes" in page
    assert "Waiting longest: Suspend Kwame Boateng" in page
    assert "Adaeze Obi" not in page.partition("<main")[2].partition("Waiting longest")[2].partition("</p>")[0]


def test_who_looks_after_one_of_its_accounts_hears_of_it_too(desk: Desk) -> None:
    desk.person("Ada Lund", Role.ADMINISTRATOR, account_id="111111111111")
    desk.person("Ben Okri", Role.ADMINISTRATOR, account_id="222222222222")
    viewer = desk.again("Ines Duarte")
    there = factories.account(
        "333333333333", name="data", write_role_arn="arn:aws:iam::333333333333:role/writer"
    )
    pairs = ((desk.user, desk.group), (factories.user(there, "maya"), factories.group(there, "analysts")))
    planned = [services.plan_membership(viewer, user=user, group=group, do="add") for user, group in pairs]
    made = services.request_changes(planned, actor=viewer, reason="r", idempotency_key="two", title="Both")
    use(desk, made[0])
    recipients = set(OutgoingMessage.objects.filter(event="break_glass.used").values_list("name", flat=True))
    assert recipients == {"Hana Sato", "Jonas Berg", "Ada Lund", "Ines Duarte"}
    assert not services.to_review(desk.again("Ada Lund")).exists()


def test_only_whom_the_rules_name_and_only_for_their_own_request(desk: Desk) -> None:
    change = desk.ask()
    with pytest.raises(RefusedError, match="don’t let you"):
        use(desk, change, name="Hana Sato")
    RoleAssignment.objects.filter(role=Role.ADMINISTRATOR).delete()
    with pytest.raises(RefusedError, match="don’t let you"):
        use(desk, change)
    assert change.state == ChangeState.AWAITING


def test_where_the_rules_name_nobody_there_is_no_break_glass(desk: Desk) -> None:
    in_force(ApprovalRule(key="r", name="Strict", stages=(ApprovalStage((APPROVERS,)),)))
    with pytest.raises(RefusedError, match="don’t let you"):
        use(desk, desk.ask())


def test_break_glass_needs_a_reason_and_the_receipt_that_was_shown(desk: Desk) -> None:
    change = desk.ask()
    with pytest.raises(RefusedError, match="Describe the emergency"):
        use(desk, change, reason="  ")
    seen = change.change_set.receipt_digest
    desk.alter()
    with pytest.raises(ReceiptChangedError):
        services.break_glass(
            Change.objects.get(pk=change.pk), actor=desk.again("Ines Duarte"), reason="Now", seen_digest=seen
        )
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING
    assert not BreakGlass.objects.exists()


def test_the_same_form_twice_is_used_once(desk: Desk) -> None:
    change = desk.ask()
    use(desk, change)
    with pytest.raises(RefusedError, match="don’t let you"):
        use(desk, change)
    assert BreakGlass.objects.count() == 1


def test_who_used_it_does_not_review_it_through_whichever_role(desk: Desk) -> None:
    desk.person("Ines Duarte", Role.APPROVER)
    _, glass = applied(desk)
    with pytest.raises(RefusedError, match="someone else reviews it"):
        review(desk, glass, "Ines Duarte")
    assert BreakGlass.objects.get().reviewed_at is None


def test_a_single_operator_reviews_alone_and_it_is_said_aloud(desk: Desk, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    _, glass = applied(desk)
    review(desk, glass, "Ines Duarte")
    assert BreakGlass.objects.get().is_alone
    assert Entry.objects.get(kind="change.review_accepted").data["single_operator"] is True


@pytest.mark.parametrize("name", ["Tomas Lind", "Elif Kaya", "Amara Diallo"])
def test_who_neither_administers_nor_approves_reviews_nothing(desk: Desk, name: str) -> None:
    _, glass = applied(desk)
    assert not services.to_review(desk.again(name)).exists()
    with pytest.raises(RefusedError, match="Administrators and approvers"):
        review(desk, glass, name)


def test_an_approver_of_another_account_reviews_nothing(desk: Desk) -> None:
    desk.person("Ben Okri", Role.APPROVER, account_id="222222222222")
    desk.person("Ada Lund", Role.APPROVER, account_id="111111111111")
    _, glass = applied(desk)
    assert not services.to_review(desk.again("Ben Okri")).exists()
    assert services.to_review(desk.again("Ada Lund")).exists()
    with pytest.raises(RefusedError, match="of its accounts"):
        review(desk, glass, "Ben Okri")


def test_a_break_glass_change_is_accepted_once_with_a_comment(desk: Desk) -> None:
    _, glass = applied(desk)
    with pytest.raises(RefusedError, match="Describe what you found"):
        review(desk, glass, "Hana Sato", comment="")
    assert review(desk, glass, "Hana Sato") == []
    assert not services.to_review(desk.again("Jonas Berg")).exists()
    with pytest.raises(RefusedError, match="Hana Sato has already reviewed it"):
        review(desk, glass, "Jonas Berg")


def test_what_is_to_be_undone_is_asked_for_and_somebody_else_approves_that(desk: Desk) -> None:
    change, glass = applied(desk)
    [undoing] = review(desk, glass, "Hana Sato", verdict=ReviewVerdict.UNDO, comment="Not an emergency")

    assert undoing.reverts_id == change.pk
    assert undoing.state == ChangeState.AWAITING
    with pytest.raises(RefusedError, match="someone else decides"):
        desk.approve(undoing, "Hana Sato")
    assert desk.approve(undoing, "Jonas Berg").state == ChangeState.QUEUED


def test_a_failed_break_glass_change_is_not_reviewed_by_undoing(desk: Desk) -> None:
    change, glass = applied(desk)
    Change.objects.filter(pk=change.pk).update(state=ChangeState.FAILED)
    with pytest.raises(RefusedError, match="changed nothing in AWS"):
        review(desk, glass, "Hana Sato", verdict=ReviewVerdict.UNDO)
    assert BreakGlass.objects.get().reviewed_at is None


def test_what_is_still_under_way_is_reviewed_later(desk: Desk) -> None:
    change = desk.ask()
    glass = use(desk, change)
    with pytest.raises(RefusedError, match="still in progress"):
        review(desk, glass, "Hana Sato")
