"""Who may ask, approve, reject, withdraw and undo, and what each is told when they may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes import services
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Approval, Change, ChangeState, Decision
from iam.changes.runner import run, sweep
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.mirror.models import AccountFact, EdgeKind
from tests import factories
from tests.changes.conftest import Nudges, Scene
from tests.factories import FIRST_READ


def refusal(error: pytest.ExceptionInfo[RefusedError]) -> str:
    """The sentence of a refusal."""
    return error.value.message


# Planning


def test_the_receipt_tells_what_the_person_gains_and_what_they_have_already(scene: Scene) -> None:
    deploy = factories.policy(scene.account, "PaymentsDeploy")
    reading = factories.policy(scene.account, "ReadLogs")
    other = factories.group(scene.account, "payments-dev")
    for kind, source, target in (
        (EdgeKind.ATTACHED, scene.group, deploy),
        (EdgeKind.ATTACHED, scene.group, reading),
        (EdgeKind.ATTACHED, other, reading),
        (EdgeKind.ATTACHED, scene.user, reading),
        (EdgeKind.MEMBER, scene.user, other),
    ):
        factories.edge(kind, source, target)
    factories.inline(scene.group, "artifacts", body={"Statement": []})

    effect = scene.plan().receipt.body["effect"]

    assert [(p["kind"], p["name"]) for p in effect["gains"]] == [
        ("inline", "artifacts"),
        ("managed", "PaymentsDeploy"),
    ]
    assert [(p["name"], p["ways"]) for p in effect["keeps"]] == [
        ("ReadLogs", ["directly", "through payments-dev"])
    ]
    assert effect["loses"] == []


def test_the_receipt_of_leaving_tells_what_is_lost_and_what_stays(member_scene: Scene) -> None:
    scene = member_scene
    deploy = factories.policy(scene.account, "PaymentsDeploy")
    reading = factories.policy(scene.account, "ReadLogs")
    factories.edge(EdgeKind.ATTACHED, scene.group, deploy)
    factories.edge(EdgeKind.ATTACHED, scene.group, reading)
    factories.edge(EdgeKind.ATTACHED, scene.user, reading)

    effect = scene.plan("remove").receipt.body["effect"]

    assert [p["name"] for p in effect["loses"]] == ["PaymentsDeploy"]
    assert [(p["name"], p["ways"]) for p in effect["keeps"]] == [("ReadLogs", ["directly"])]


def test_the_same_inline_text_elsewhere_counts_as_another_way(scene: Scene) -> None:
    other = factories.group(scene.account, "payments-dev")
    factories.edge(EdgeKind.MEMBER, scene.user, other)
    factories.inline(scene.group, "one-name")
    factories.inline(other, "another-name")

    effect = scene.plan().receipt.body["effect"]

    assert effect["gains"] == []
    assert effect["keeps"][0]["ways"] == ["through payments-dev"]


def test_a_boundary_is_named(scene: Scene) -> None:
    boundary = factories.policy(scene.account, "DeveloperBoundary")
    factories.edge(EdgeKind.BOUNDARY, scene.user, boundary)

    assert scene.plan().receipt.body["effect"]["boundary"] == "DeveloperBoundary"


@pytest.mark.parametrize(
    ("statement", "sensitivity"),
    [
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, "normal"),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "high"),
        ({"Effect": "Allow", "Action": ["s3:*", "iam:PassRole"], "Resource": "*"}, "high"),
        ({"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetUser"], "Resource": "*"}, "normal"),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, "high"),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, "normal"),
    ],
)
def test_what_allows_everything_or_changes_to_iam_is_sensitive(
    scene: Scene, statement: dict[str, Any], sensitivity: str
) -> None:
    risky = factories.policy(scene.account, "Some", body={"Version": "2012-10-17", "Statement": [statement]})
    factories.edge(EdgeKind.ATTACHED, scene.group, risky)

    assert scene.plan().receipt.body["sensitivity"] == sensitivity


def test_leaving_a_group_that_denies_something_is_sensitive(member_scene: Scene) -> None:
    body = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
    factories.edge(
        EdgeKind.ATTACHED, member_scene.group, factories.policy(member_scene.account, "NoMfaNoFun", body=body)
    )

    assert member_scene.plan("remove").receipt.body["sensitivity"] == "high"


def test_the_quota_of_the_account_is_respected(scene: Scene) -> None:
    for number in range(3):
        factories.edge(EdgeKind.MEMBER, scene.user, factories.group(scene.account, f"g{number}"))
    AccountFact.objects.create(
        account=scene.account,
        name="summary",
        value={"GroupsPerUserQuota": 3},
        valid_from=FIRST_READ,
        observed_at=FIRST_READ,
    )

    with pytest.raises(RefusedError) as error:
        scene.plan()
    assert "is in 3 groups, and AWS allows 3 a user" in refusal(error)


def test_without_a_summary_awss_own_quota_counts(scene: Scene) -> None:
    assert scene.plan().receipt.body["quota"] == {"used": 0, "after": 1, "limit": 10}


def test_who_is_a_member_already_is_not_added(member_scene: Scene) -> None:
    with pytest.raises(RefusedError, match="is already in"):
        member_scene.plan("add")


def test_who_is_no_member_is_not_removed(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="is not in"):
        scene.plan("remove")


def test_an_account_from_a_file_cannot_be_changed(scene: Scene) -> None:
    scene.account.source = "export"
    scene.account.save(update_fields=["source"])
    scene.user.refresh_from_db()
    with pytest.raises(RefusedError, match="uploaded file"):
        services.plan_membership(scene.requester, user=scene.user, group=scene.group, do="add")


def test_an_account_without_a_write_role_cannot_be_changed(scene: Scene) -> None:
    scene.account.source = "role"
    scene.account.save(update_fields=["source"])
    scene.user.refresh_from_db()
    with pytest.raises(RefusedError, match="no write role"):
        services.plan_membership(scene.requester, user=scene.user, group=scene.group, do="add")


def test_a_user_and_a_group_of_different_accounts_do_not_meet(scene: Scene) -> None:
    other = factories.account("222222222222", name="other")
    with pytest.raises(RefusedError, match="different accounts"):
        services.plan_membership(
            scene.requester, user=scene.user, group=factories.group(other, "deployers"), do="add"
        )


def test_a_role_is_no_member(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="between an IAM user and an IAM group"):
        services.plan_membership(
            scene.requester, user=factories.role(scene.account, "app"), group=scene.group, do="add"
        )


def test_gatehouse_does_not_touch_what_it_works_by(scene: Scene) -> None:
    factories.account("222222222222", name="other", role_arn="", write_role_arn=scene.user.arn)
    with pytest.raises(RefusedError, match="by which Gatehouse itself works"):
        scene.plan()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.MEMBER])
def test_who_may_not_ask_is_told_so(scene: Scene, role: Role) -> None:
    with pytest.raises(RefusedError, match="not ask for changes"):
        scene.plan(viewer=factories.viewer(role, name="Somebody Else"))


def lead_of(scene: Scene, *, groups: tuple[str, ...] = (), paths: tuple[str, ...] = ()) -> Viewer:
    """A team lead whose team is found by these rules."""
    team = Team.objects.create(slug="payments", name="Payments")
    for name in groups:
        TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value=name)
    for path in paths:
        TeamRule.objects.create(team=team, kind=RuleKind.PATH, value=path)
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    return viewer_for(lead)


def test_a_team_lead_asks_for_their_people_and_their_groups(member_scene: Scene) -> None:
    scene = member_scene
    assert scene.plan("remove", viewer=lead_of(scene, groups=(scene.group.name,)))


def test_a_team_lead_cannot_put_strangers_into_their_group(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=lead_of(scene, groups=(scene.group.name,)))


def test_a_team_lead_cannot_put_their_people_into_somebody_elses_group(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=lead_of(scene, paths=("/",)))


def test_an_auditor_who_leads_a_team_asks_for_the_team_only(scene: Scene) -> None:
    lead = lead_of(scene, paths=("/payments/",))
    person = type(factories.person("x")).objects.get(pk=lead.person_id)
    factories.assign(person, Role.AUDITOR)
    viewer = viewer_for(person)
    assert viewer.scope.sees_everything
    with pytest.raises(RefusedError, match="your own teams"):
        scene.plan(viewer=viewer)


def test_a_right_in_another_account_does_not_count(scene: Scene) -> None:
    person = factories.person("Ben Okri")
    factories.assign(person, Role.ADMINISTRATOR, account_id="222222222222")
    factories.assign(person, Role.AUDITOR)
    with pytest.raises(RefusedError, match="not ask for changes"):
        scene.plan(viewer=viewer_for(person))


# Asking


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
    true_look, looks = requests.asked_before, []

    def blind_at_first(*args: Any, **kwargs: Any) -> Any:
        looks.append(1)
        return [] if len(looks) == 1 else true_look(*args, **kwargs)

    monkeypatch.setattr(requests, "asked_before", blind_at_first)
    monkeypatch.setattr(requests, "plan", lambda operation, **_: planned)
    second = services.request_change(planned, actor=scene.requester, reason="r", idempotency_key="form")

    assert len(looks) == 2
    assert second.pk == first.pk
    assert Change.objects.count() == 1


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
    with pytest.raises(RefusedError, match="sent before, with other content"):
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
    with pytest.raises(RefusedError, match="Write why"):
        services.request_change(scene.plan(), actor=scene.requester, reason="  ", idempotency_key="k")
    assert not Change.objects.exists()


def test_a_plan_of_somebody_who_may_no_longer_ask_is_refused(scene: Scene) -> None:
    planned = scene.plan()
    powerless = replace(scene.requester, grants=frozenset())
    with pytest.raises(RefusedError):
        services.request_change(planned, actor=powerless, reason="r", idempotency_key="k")


# Deciding


def test_nobody_approves_what_they_asked_for_themselves(scene: Scene) -> None:
    planned = scene.plan(viewer=scene.approver)
    change = services.request_change(planned, actor=scene.approver, reason="r", idempotency_key="k")
    with pytest.raises(RefusedError, match="somebody else decides"):
        scene.approve(change)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING
    assert not Approval.objects.exists()


def test_a_single_operator_approves_alone_and_it_is_said_aloud(scene: Scene, settings: Any) -> None:
    settings.SINGLE_OPERATOR = True
    planned = scene.plan(viewer=scene.approver)
    change = services.request_change(planned, actor=scene.approver, reason="r", idempotency_key="k")

    scene.approve(change)

    assert change.state == ChangeState.QUEUED
    assert Approval.objects.get().is_own_request
    assert change.events.filter(kind="approved_alone").exists()
    assert Entry.objects.get(kind="change.approved_alone").data["single_operator"] is True


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.MEMBER])
def test_only_who_holds_the_right_decides(scene: Scene, role: Role) -> None:
    change = scene.ask()
    somebody = factories.viewer(role, name="Somebody Else")
    with pytest.raises(RefusedError, match="may not approve"):
        scene.approve(change, actor=somebody)
    with pytest.raises(RefusedError, match="may not approve"):
        services.reject(change, actor=somebody, comment="no")


def test_an_approver_of_another_account_does_not_decide(scene: Scene) -> None:
    person = factories.person("Ben Okri")
    factories.assign(person, Role.APPROVER, account_id="222222222222")
    with pytest.raises(RefusedError, match="may not approve"):
        scene.approve(scene.ask(), actor=viewer_for(person))


def test_a_second_approval_is_told_that_it_is_too_late(scene: Scene, nudges: Nudges) -> None:
    change = scene.queued()
    with pytest.raises(RefusedError, match="Nothing is left to decide"):
        scene.approve(change, actor=factories.viewer(Role.APPROVER, name="Amara Diallo"))
    assert Approval.objects.count() == 1


def test_of_two_approvals_at_once_one_counts(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from iam.changes.services import decisions

    change = scene.ask()
    true_awaiting = decisions._awaiting

    def then_somebody_else(one: Change) -> list[Change]:
        parts = true_awaiting(one)
        monkeypatch.setattr(decisions, "_awaiting", true_awaiting)
        scene.approve(Change.objects.get(pk=change.pk))
        return parts

    monkeypatch.setattr(decisions, "_awaiting", then_somebody_else)
    with pytest.raises(RefusedError):
        scene.approve(change, actor=factories.viewer(Role.APPROVER, name="Amara Diallo"))
    assert Approval.objects.count() == 1
    assert change.events.filter(kind="approved").count() == 1


def test_a_receipt_that_is_no_longer_true_is_shown_again_before_it_is_approved(scene: Scene) -> None:
    change = scene.ask()
    seen = change.change_set.receipt_digest
    factories.edge(EdgeKind.ATTACHED, scene.group, factories.policy(scene.account, "Added"))

    with pytest.raises(ReceiptChangedError):
        services.approve(change, actor=scene.approver, seen_digest=seen)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING
    assert [p["name"] for p in change.receipt["effect"]["gains"]] == ["Added"]
    assert change.events.filter(kind="receipt_changed").exists()

    with pytest.raises(ReceiptChangedError):
        services.approve(change, actor=scene.approver, seen_digest=seen)

    scene.approve(change)
    assert change.state == ChangeState.QUEUED
    assert Approval.objects.get().receipt_digest == change.change_set.receipt_digest


def test_room_under_the_quota_may_change_without_a_new_look(scene: Scene) -> None:
    change = scene.ask()
    factories.edge(EdgeKind.MEMBER, scene.user, factories.group(scene.account, "elsewhere"))

    assert scene.approve(change).state == ChangeState.QUEUED


def test_what_no_longer_makes_sense_cannot_be_approved(scene: Scene) -> None:
    change = scene.ask()
    factories.edge(EdgeKind.MEMBER, scene.user, scene.group)
    with pytest.raises(RefusedError, match="is already in"):
        scene.approve(change)
    change.refresh_from_db()
    assert change.state == ChangeState.AWAITING


def test_the_clock_starts_at_the_approval(scene: Scene) -> None:
    change = scene.ask()
    nearly = datetime.now(tz=UTC) + timedelta(minutes=1)
    Change.objects.filter(pk=change.pk).update(expires_at=nearly)

    scene.approve(change)

    assert change.expires_at is not None
    assert change.expires_at - datetime.now(tz=UTC) > timedelta(hours=23)


def test_an_unanswered_request_expires_and_stays_in_the_list(scene: Scene) -> None:
    change = scene.ask()
    Change.objects.filter(pk=change.pk).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    with pytest.raises(RefusedError, match="waited a day"):
        scene.approve(change)
    sweep()

    change.refresh_from_db()
    assert change.state == ChangeState.EXPIRED
    assert Entry.objects.filter(kind="change.expired").exists()
    with pytest.raises(RefusedError):
        scene.approve(change)


def test_an_approval_that_nothing_could_begin_expires(scene: Scene) -> None:
    change = scene.queued()
    Change.objects.filter(pk=change.pk).update(expires_at=datetime.now(tz=UTC) - timedelta(seconds=1))

    sweep()

    change.refresh_from_db()
    assert change.state == ChangeState.EXPIRED
    run(change.pk)
    assert scene.standin.calls("iam:AddUserToGroup") == 0


def test_a_change_for_later_is_not_begun_before(scene: Scene) -> None:
    later = datetime.now(tz=UTC) + timedelta(hours=2)
    change = scene.approve(scene.ask(not_before=later))

    run(change.pk)

    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED
    assert change.due_at == later


def test_rejecting_needs_a_comment(scene: Scene) -> None:
    change = scene.ask()
    with pytest.raises(RefusedError, match="Write why you reject"):
        services.reject(change, actor=scene.approver, comment=" ")

    services.reject(change, actor=scene.approver, comment="Ask Elif first")

    change.refresh_from_db()
    assert change.state == ChangeState.REJECTED
    approval = Approval.objects.get()
    assert (approval.decision, approval.comment) == (Decision.REJECT, "Ask Elif first")
    assert change.events.last().note == "Ask Elif first"


def test_who_asked_withdraws_until_a_worker_has_begun(scene: Scene) -> None:
    change = scene.queued()
    with pytest.raises(RefusedError, match="Only who asked"):
        services.withdraw(change, actor=scene.approver)

    services.withdraw(change, actor=scene.requester)

    change.refresh_from_db()
    assert change.state == ChangeState.CANCELLED
    run(change.pk)
    assert scene.standin.calls("iam:AddUserToGroup") == 0


def test_what_is_under_way_or_over_cannot_be_withdrawn(scene: Scene) -> None:
    change = scene.applied()
    with pytest.raises(RefusedError, match="too late"):
        services.withdraw(change, actor=scene.requester)


# Sets


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


# Undoing


def test_undo_is_a_change_of_its_own_that_somebody_else_approves(scene: Scene) -> None:
    change = scene.applied()
    undo = services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u")

    assert (undo.state, undo.operation, undo.reverts) == (
        ChangeState.AWAITING,
        "group_membership.remove",
        change,
    )
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
    from iam.mirror.reread import reread_memberships

    reread_memberships(scene.account, scene.aws, scene.user, cause_id=None)

    assert "moved on" in services.why_not_undo(change)
    with pytest.raises(RefusedError, match="moved on"):
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

    assert "nothing to undo" in services.why_not_undo(change)


def test_an_undone_change_is_not_undone_twice(scene: Scene) -> None:
    change = scene.applied()
    undo = scene.approve(services.undo(change, actor=scene.requester, reason="Over", idempotency_key="u"))
    run(undo.pk)

    assert "is undone already" in services.why_not_undo(change)
    undo.refresh_from_db()
    assert services.why_not_undo(undo) == ""


def test_a_change_that_is_not_applied_cannot_be_undone(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="Only an applied change"):
        services.undo(scene.ask(), actor=scene.requester, reason="Over", idempotency_key="u")


def test_who_may_not_ask_may_not_undo(scene: Scene) -> None:
    change = scene.applied()
    auditor = factories.viewer(Role.AUDITOR, name="Noor Haddad")
    with pytest.raises(RefusedError, match="not ask for changes"):
        services.undo(change, actor=auditor, reason="Over", idempotency_key="u")
