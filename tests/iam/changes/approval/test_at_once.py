"""People at the same moment, with connections of their own: what comes out is what would have come out one
after the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from iam.changes import services
from iam.changes.approval import proposals
from iam.changes.approval.models import BreakGlass, Requirement, RuleSet, RulesState, StageDecider
from iam.changes.approval.rules import APPROVERS, SHIPPED, ApprovalRule, ApprovalStage, as_json
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change, ChangeState
from iam.changes.services import decisions
from iam.directory.models import Role
from tests import factories
from tests.iam.changes.approval.conftest import Desk, in_force
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.on_both

S = ChangeState
THREE = ApprovalRule(key="three", name="Three", stages=(ApprovalStage((APPROVERS,), 2),))
IN_TURN = ApprovalRule(
    key="turn", name="In turn", stages=(ApprovalStage((APPROVERS,)), ApprovalStage((APPROVERS,)))
)
Act = Callable[[], object]


def at_once(*acts: Act) -> list[str]:
    """Do all of it at the same moment: of each why it was refused, or ""."""
    together = Barrier(len(acts))

    def do(act: Act) -> str:
        together.wait(timeout=PATIENCE_S)
        try:
            return done(act)
        finally:
            # Every thread has a connection of its own, except where the test database lives in memory.
            if connection.vendor != "sqlite":
                connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(do, acts))


def done(act: Act) -> str:
    """Why it was refused, or ""; SQLite in memory refuses two writers at once instead of letting one wait."""
    while True:
        try:
            act()
        except RefusedError as refused:
            return refused.message
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)
        else:
            return ""


def approves(desk: Desk, change: Change, name: str) -> Act:
    """This person agrees to what is to be seen now."""
    viewer, seen = desk.again(name), change.change_set.receipt_digest
    return lambda: services.approve(Change.objects.get(pk=change.pk), actor=viewer, seen_digest=seen)


def rejects(desk: Desk, change: Change, name: str) -> Act:
    """This person says no."""
    viewer = desk.again(name)
    return lambda: services.reject(Change.objects.get(pk=change.pk), actor=viewer, comment="No")


def a_set(desk: Desk) -> list[Change]:
    """Four changes that are approved together."""
    viewer = desk.again("Ines Duarte")
    groups = [factories.group(desk.account, f"team-{number}") for number in range(4)]
    planned = [services.plan_membership(viewer, user=desk.user, group=entity, do="add") for entity in groups]
    return services.request_changes(planned, actor=viewer, reason="r", idempotency_key="set", title="All")


@pytest.mark.django_db(transaction=True)
def test_four_forms_of_two_people_at_once_are_two_approvals(desk: Desk) -> None:
    in_force(THREE)
    change = desk.ask()
    outcomes = at_once(*[approves(desk, change, name) for name in ("Hana Sato", "Jonas Berg") * 2])

    change.refresh_from_db()
    assert change.state == S.QUEUED
    assert outcomes.count("") == 2, outcomes
    assert Approval.objects.values("approver_id").distinct().count() == Approval.objects.count() == 2
    assert change.events.filter(kind="approved").count() == 1
    assert not StageDecider.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_one_who_approves_and_one_who_rejects_at_once_one_decides(desk: Desk) -> None:
    changes = a_set(desk)
    outcomes = at_once(approves(desk, changes[0], "Hana Sato"), rejects(desk, changes[0], "Jonas Berg"))

    assert sorted(outcomes, key=bool)[0] == ""
    assert "nothing left to decide" in max(outcomes, key=len)
    decided = S.QUEUED if outcomes[0] == "" else S.REJECTED
    assert set(Change.objects.values_list("state", flat=True)) == {decided}
    assert Approval.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_withdrawn_while_it_is_approved_is_withdrawn_whole(desk: Desk) -> None:
    changes = a_set(desk)
    asker = desk.again("Ines Duarte")

    def withdraw() -> None:
        services.withdraw(Change.objects.get(pk=changes[0].pk), actor=asker)

    outcomes = at_once(approves(desk, changes[0], "Hana Sato"), withdraw)
    assert outcomes[1] == "", "a request that no worker has begun can be withdrawn, approved or not"
    assert set(Change.objects.values_list("state", flat=True)) == {S.CANCELLED}
    assert Approval.objects.count() == (outcomes[0] == "")


@pytest.mark.django_db(transaction=True)
def test_break_glass_while_it_is_approved_is_one_of_both(desk: Desk) -> None:
    change = desk.ask()
    asker, seen = desk.again("Ines Duarte"), change.change_set.receipt_digest

    def break_glass() -> None:
        shown = Change.objects.get(pk=change.pk)
        services.break_glass(shown, actor=asker, reason="Now", seen_digest=seen)

    outcomes = at_once(approves(desk, change, "Hana Sato"), break_glass)
    assert outcomes.count("") == 1, outcomes
    change.refresh_from_db()
    assert change.state == S.QUEUED
    assert (Approval.objects.exists(), BreakGlass.objects.exists()) == (outcomes[0] == "", outcomes[1] == "")
    assert change.events.filter(kind__in=["approved", "broke_glass"]).count() == 1


@pytest.mark.django_db(transaction=True)
def test_rules_that_come_into_force_while_it_is_approved_leave_it_under_its_own(desk: Desk) -> None:
    ada = desk.person("Ada Lund", Role.ADMINISTRATOR)
    change = desk.ask()
    proposal = RuleSet.objects.create(
        state=RulesState.PROPOSED,
        body=as_json([IN_TURN]),
        author_id=desk.people["Ines Duarte"].pk,
        author_label="Ines Duarte",
    )
    outcomes = at_once(
        approves(desk, change, "Hana Sato"),
        lambda: proposals.agree(RuleSet.objects.get(pk=proposal.pk), actor=ada),
        lambda: proposals.agree(RuleSet.objects.get(pk=proposal.pk), actor=ada),
    )
    assert outcomes[0] == ""
    assert outcomes[1:].count("") == 1, outcomes
    change.refresh_from_db()
    assert change.state == S.QUEUED
    assert Requirement.objects.get(pk=change.change_set_id).because == [SHIPPED[-1].name]
    assert RuleSet.objects.get(state=RulesState.ACTIVE).pk == proposal.pk


@pytest.mark.django_db(transaction=True)
def test_two_who_meet_a_receipt_that_has_changed_are_both_asked_again_and_it_is_written_once(
    desk: Desk,
) -> None:
    in_force(THREE)
    change = desk.ask()
    acts = [approves(desk, change, name) for name in ("Hana Sato", "Jonas Berg")]
    desk.alter()
    outcomes = at_once(*acts)
    assert all("has changed" in outcome for outcome in outcomes), outcomes
    assert change.events.filter(kind="receipt_changed").count() == 1
    assert not Approval.objects.exists()
    assert at_once(*[approves(desk, change, name) for name in ("Hana Sato", "Jonas Berg")]) == ["", ""]
    change.refresh_from_db()
    assert change.state == S.QUEUED


def test_who_computes_late_does_not_void_what_was_agreed_to_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(IN_TURN)
    change = desk.ask()
    late = approves(desk, change, "Jonas Berg")
    desk.alter()
    true_examine = decisions.examine

    def then_hana_looks_and_agrees(*fields: object, **more: object) -> object:
        computed = true_examine(*fields, **more)  # type: ignore[arg-type]
        monkeypatch.setattr(decisions, "examine", true_examine)
        assert "has changed" in done(approves(desk, change, "Hana Sato"))
        assert done(approves(desk, change, "Hana Sato")) == ""
        return computed

    monkeypatch.setattr(decisions, "examine", then_hana_looks_and_agrees)
    assert "has changed" in done(late)
    assert Requirement.objects.get().stage == 1
    assert not change.events.filter(kind="approvals_void").exists()
    assert done(approves(desk, change, "Jonas Berg")) == ""
    change.refresh_from_db()
    assert change.state == S.QUEUED


@pytest.mark.django_db(transaction=True)
def test_of_two_who_review_break_glass_at_once_one_has_reviewed_it(desk: Desk) -> None:
    change = desk.ask()
    seen = change.change_set.receipt_digest
    services.break_glass(change, actor=desk.again("Ines Duarte"), reason="Now", seen_digest=seen)
    Change.objects.update(state=S.APPLIED)

    def reviews(name: str) -> Act:
        viewer = desk.again(name)
        return lambda: services.review(
            BreakGlass.objects.get(), actor=viewer, verdict="accept", comment=name, key=name
        )

    outcomes = at_once(reviews("Hana Sato"), reviews("Jonas Berg"))
    assert outcomes.count("") == 1, outcomes
    assert BreakGlass.objects.get().comment == ("Hana Sato" if outcomes[0] == "" else "Jonas Berg")
    assert change.events.filter(kind="review_accepted").count() == 1
