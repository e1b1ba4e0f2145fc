"""A suspension cuts access at once, is confirmed or restored by somebody else, and gives back just what it
took.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.changes.approval.models import BreakGlass
from iam.changes.errors import ReceiptChangedError, RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.services import break_glass_use
from iam.directory.models import Identity, Role, Team
from iam.guard import Viewer, viewer_for
from iam.journal.models import Entry
from iam.mirror.models import Entity
from iam.notify.models import OutgoingMessage
from iam.people.links.models import OneTimeLink
from iam.people.offboarding import reconcile, removal_proof, restore_and_delete, services
from iam.people.offboarding.current_access import differs_now, users_now
from iam.people.offboarding.models import Leaver, OffboardingRun, OffboardingStage
from iam.people.offboarding.suspension import may_suspend, person_to_suspend, request_suspension
from iam.people.offboarding.suspension_decisions import (
    confirm,
    may_take_back,
    order_restore,
    take_back,
    why_not_confirm,
)
from tests import factories
from tests.iam.changes.test_lost_workers import KilledError, dying_after, killed
from tests.iam.people.offboarding.conftest import Farewell

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
REASON = "A laptop was stolen"


def suspend(farewell: Farewell, *, actor: Viewer | None = None, key: str = "form") -> Leaver:
    viewer = actor or farewell.lead
    farewell.person  # noqa: B018
    person = person_to_suspend(viewer, farewell.user.pk)
    if person is None:
        raise RefusedError("out of reach")
    with farewell.committing(execute=True):
        run = request_suspension(viewer, person=person, reason=REASON, key=key)
    return run.people.get()


@pytest.mark.parametrize("stage", OffboardingStage)
@pytest.mark.parametrize("is_suspension", [True, False])
def test_no_page_is_headed_by_what_no_longer_happens(stage: OffboardingStage, is_suspension: bool) -> None:
    leaver = Leaver(name="Maya Okafor", stage=stage, run=OffboardingRun(is_suspension=is_suspension))
    is_over = stage in (OffboardingStage.RETURNED, OffboardingStage.CALLED_OFF)
    assert (leaver.heading == leaver.title) is not is_over
    if is_over:
        assert leaver.heading == f"{'Suspension' if is_suspension else 'Offboarding'} of Maya Okafor"


def suspended(farewell: Farewell, *, actor: Viewer | None = None) -> Leaver:
    leaver = suspend(farewell, actor=actor)
    farewell.work()
    leaver.refresh_from_db()
    seats = list(leaver.seats.values("proof", "trouble"))
    assert leaver.stage == "suspended", (leaver.stage, changes_of(leaver), seats)
    return leaver


def changes_of(leaver: Leaver) -> list[tuple[str, str, str]]:
    sets = leaver.seats.values("change_set")
    rows = Change.objects.filter(change_set__in=sets).order_by("position")
    return list(rows.values_list("operation", "state", "error_message"))


def has_password(farewell: Farewell) -> bool:
    try:
        farewell.aws("GetLoginProfile", UserName=farewell.user.name)
    except AwsError as error:
        if error.kind != ErrorKind.NOT_FOUND:
            raise
        return False
    return True


@pytest.mark.parametrize("is_linked", [True, False])
def test_the_request_says_how_the_person_gets_a_password_after_a_restore(
    farewell: Farewell, is_linked: bool
) -> None:
    viewer = farewell.lead
    farewell.person  # noqa: B018
    person = person_to_suspend(viewer, farewell.user.pk)
    assert person is not None
    if not is_linked:
        person = replace(person, person_id=None)
    with farewell.committing():
        run = request_suspension(viewer, person=person, reason=REASON, key="form")
    [note] = [
        note
        for row in ChangeSet.objects.filter(pk__in=run.people.get().seats.values("change_set"))
        for note in row.notes
        if "console password" in note
    ]
    assert ("one-time link" in note) is is_linked
    assert ("administrator has to reset it" in note) is not is_linked


def test_no_warning_of_a_request_that_denies_everything_says_that_something_goes_on(
    farewell: Farewell,
) -> None:
    leaver = suspend(farewell)
    rows = ChangeSet.objects.filter(pk__in=leaver.seats.values("change_set"))
    changes = Change.objects.filter(change_set__in=rows)
    assert "login_profile.delete" in changes.values_list("operation", flat=True)
    receipts = json.dumps(list(changes.values_list("receipt", flat=True)))
    assert "continue until they expire" not in receipts
    assert "Access keys aren" not in receipts
    assert "AWSDenyAll" not in receipts


def test_a_lead_cuts_access_without_approval_and_approvers_are_told(farewell: Farewell) -> None:
    before = farewell.held()
    approver = farewell.scene.approver
    leaver = suspended(farewell)

    after = farewell.held()
    assert after == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": before["groups"]}
    assert not has_password(farewell)
    first, *others = changes_of(leaver)
    assert first[0] == "inline_policy.put"
    assert {row[0] for row in others} == {
        "login_profile.delete",
        "access_key.deactivate",
        "service_credential.deactivate",
    }
    for change_set in ChangeSet.objects.filter(pk__in=leaver.seats.values("change_set")):
        [block] = change_set.summary
        assert "GatehouseLeft" in block["what"][0], "what is done stands at the top of the request"
        assert "deny" in block["what"][0]
    farewell.person.refresh_from_db()
    assert not farewell.person.is_active
    entry = Entry.objects.get(kind="leaving.suspended")
    assert (entry.data["reason"], entry.data["reference"]) == (REASON, leaver.run.reference)
    assert leaver.run.reference.startswith("SUS-")
    review = BreakGlass.objects.get()
    assert review.used_by == farewell.lead.person_id
    outgoings = OutgoingMessage.objects.filter(event="break_glass.used").values_list("recipient", flat=True)
    assert str(approver.person_id) in set(outgoings)
    assert str(farewell.lead.person_id) not in set(outgoings)
    proof = {row["what"]: (row["says"], row["open"]) for row in leaver.seats.get().proof}
    assert proof["Deny for everything"] == ("In force", False)
    assert proof["Access keys"] == ("2 inactive, none active", False)
    assert proof["Groups"] == ("Member of 2, all denied", False)


def test_an_approver_confirms_it_and_it_stays_in_force(farewell: Farewell) -> None:
    leaver = suspended(farewell)
    assert why_not_confirm(farewell.lead, leaver) != ""
    with pytest.raises(RefusedError):
        confirm(farewell.lead, leaver=leaver, comment="Fine")
    with pytest.raises(RefusedError, match="Auditors read it"):
        confirm(farewell.scene.approver, leaver=leaver, comment=" ")
    confirm(farewell.scene.approver, leaver=leaver, comment="Stolen indeed")
    leaver.refresh_from_db()
    assert leaver.stage == "confirmed"
    assert farewell.held()["policies"] == ["GatehouseLeft"]
    assert not may_take_back(farewell.lead, leaver)
    with pytest.raises(RefusedError, match="until it is confirmed"):
        take_back(farewell.lead, leaver=leaver, reason="Found")
    with pytest.raises(RefusedError, match="has already reviewed it"):
        order_restore(farewell.scene.approver, leaver=leaver, comment="Or not")


@pytest.mark.parametrize("by", ["reviewer", "suspender", "review page"])
def test_a_restore_gives_back_what_it_took_and_nothing_else(farewell: Farewell, by: str) -> None:
    before = farewell.held()
    leaver = suspended(farewell)
    approver = farewell.scene.approver
    with farewell.committing(execute=True):
        if by == "reviewer":
            order_restore(approver, leaver=leaver, comment="It was found")
        elif by == "suspender":
            take_back(farewell.lead, leaver=leaver, reason="It was found")
        else:
            break_glass_use.review(
                BreakGlass.objects.get(), actor=approver, verdict="undo", comment="No", key="k"
            )
    farewell.work()
    leaver.refresh_from_db()
    assert (leaver.stage, leaver.trouble) == ("returned", "")
    # The key that was inactive before stays inactive.
    assert farewell.held() == before
    (now,) = users_now(list(leaver.seats.all()))
    facts = {fact.what: fact.note for fact in now.facts}
    assert (facts["Policy that denies everything"], facts["Active access keys"]) == ("Not attached", "1")
    assert differs_now(leaver, [now]) == []
    assert has_password(farewell)
    farewell.person.refresh_from_db()
    assert farewell.person.is_active
    assert OneTimeLink.objects.filter(person=farewell.person).count() == 1
    reviewed_now = BreakGlass.objects.get().reviewed_at is not None
    assert reviewed_now == (by != "suspender")
    # Who suspended them is told by whom it was restored, and not of what they did themselves.
    outgoings = OutgoingMessage.objects.filter(event="leaving.restored", channel="email")
    assert list(outgoings.values_list("recipient", "subject")) == (
        [] if by == "suspender" else [(str(farewell.lead.person_id), "Access restored: Maya Okafor")]
    )
    for message in outgoings:
        assert message.text.startswith(f"{approver.name} had the access restored")
        assert message.path == f"/leaving/people/{leaver.pk}/"


@pytest.mark.parametrize("is_by_other", [True, False])
def test_who_had_them_offboarded_learns_that_another_person_restored_them(
    farewell: Farewell, is_by_other: bool
) -> None:
    leaver = farewell.gone(actor=farewell.lead)
    actor = farewell.scene.requester if is_by_other else farewell.lead
    with farewell.committing(execute=True):
        written = restore_and_delete.request_return(actor, leaver=leaver, reason="Came back")
    farewell.agree(written[0])
    farewell.work()
    leaver.refresh_from_db()
    assert leaver.stage == "returned"
    outgoings = OutgoingMessage.objects.filter(event="leaving.restored", channel="email")
    assert [outgoing.recipient for outgoing in outgoings] == (
        [str(farewell.lead.person_id)] if is_by_other else []
    )
    assert all(outgoing.text.endswith(": Came back") for outgoing in outgoings)


def test_what_somebody_changes_in_aws_afterwards_is_shown(farewell: Farewell) -> None:
    leaver = suspended(farewell)
    seats = list(leaver.seats.select_related("account"))
    assert differs_now(leaver, users_now(seats)) == []
    name = {"UserName": farewell.user.name}
    farewell.aws("DeleteUserPolicy", **name, PolicyName="GatehouseLeft")
    key = farewell.aws("ListAccessKeys", **name)["AccessKeyMetadata"][0]["AccessKeyId"]
    farewell.aws("UpdateAccessKey", **name, AccessKeyId=key, Status="Active")
    farewell.read(farewell.user)
    (sentence,) = differs_now(leaver, users_now(seats))
    assert "policy that denies everything: not attached" in sentence
    assert "active access keys: 1" in sentence


def test_twice_is_once_and_another_form_is_refused(farewell: Farewell) -> None:
    leaver = suspend(farewell)
    assert suspend(farewell).pk == leaver.pk
    with pytest.raises(RefusedError, match=leaver.run.reference):
        suspend(farewell, key="another form")
    farewell.work()
    with pytest.raises(RefusedError, match="There is nothing to suspend"):
        suspend(farewell, key="another form")
    assert (OffboardingRun.objects.count(), BreakGlass.objects.count()) == (1, 1)


def test_who_may_suspend_whom(farewell: Farewell) -> None:
    # Another team's lead, an approver, an auditor, and the person themselves.
    for viewer in (farewell.stranger, farewell.scene.approver, factories.viewer(Role.AUDITOR, name="Otto")):
        with pytest.raises(RefusedError, match="out of reach"):
            suspend(farewell, actor=viewer)
    assert not may_suspend(farewell.scene.approver)
    own = farewell.own()
    with pytest.raises(RefusedError, match="can’t suspend yourself"):
        suspend(farewell, actor=own)
    # They are an administrator now, so that their lead can't suspend them, and another administrator can.
    with pytest.raises(RefusedError, match="Only an administrator"):
        suspend(farewell, actor=farewell.lead)
    other = factories.viewer(Role.ADMINISTRATOR, name="Ada Admin", email="ada@example.com")
    assert suspend(farewell, actor=other).stage == "suspending"


def test_the_last_administrator_of_gatehouse_is_not_suspended(farewell: Farewell) -> None:
    person = factories.person("Ines Duarte", email="ines@example.com")
    factories.assign(person, Role.ADMINISTRATOR, account_id=farewell.scene.account.account_id)
    factories.assign(farewell.person, Role.ADMINISTRATOR)
    from iam.directory.models import RoleAssignment

    everywhere = RoleAssignment.objects.filter(role=Role.ADMINISTRATOR, account_id="")
    everywhere.exclude(person=farewell.person).delete()
    with pytest.raises(RefusedError, match="is the only administrator of Gatehouse"):
        suspend(farewell, actor=viewer_for(person))


def test_a_tag_in_aws_shields_nobody(farewell: Farewell) -> None:
    """Only a link made by hand says that a user is an administrator's: else anyone who writes tags could make
    themselves untouchable.
    """
    factories.assign(farewell.person, Role.ADMINISTRATOR)
    Identity.objects.filter(user_arn=farewell.user.arn).delete()
    person = person_to_suspend(farewell.lead, farewell.user.pk)
    assert person is not None
    assert request_suspension(farewell.lead, person=person, reason=REASON, key="k").is_suspension


STEPS: dict[str, tuple[Any, str, Any]] = {
    "before AWS is read again": (removal_proof, "reread_user_access", killed),
    "after it is proved": (reconcile, "prove_user", dying_after(reconcile.prove_user)),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_leaves_the_suspension_to_another(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    leaver = suspend(farewell)
    place, name, dies = STEPS[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            farewell.work()
    farewell.sent.clear()
    reconcile.reconcile_open(older_than=timedelta(seconds=-1))
    farewell.work()
    leaver.refresh_from_db()
    assert leaver.stage == "suspended"


def test_a_request_to_offboard_neither_stops_a_suspension_nor_is_stopped_by_it(farewell: Farewell) -> None:
    groups = farewell.held()["groups"]
    run = farewell.asked(actor=farewell.lead, key="offboarding")
    suspension = suspended(farewell)
    # The receipt says now what is left to end; anyone who approves looks at it once more.
    with pytest.raises(ReceiptChangedError):
        farewell.approve(run)
    farewell.approve(run)
    farewell.work()
    offboarding = run.people.get()
    assert offboarding.stage == "gone", (farewell.told(run), list(offboarding.seats.values("trouble")))
    suspension.refresh_from_db()
    assert (suspension.stage, suspension.followed_by_id) == ("followed", offboarding.pk)

    # Restoring the offboarding turns back the suspension as well: the deny, the key and the password are of
    # it.
    written = restore_and_delete.request_return(farewell.lead, leaver=offboarding, reason="A mistake")
    farewell.agree(written[0])
    farewell.work()
    offboarding.refresh_from_db()
    assert (offboarding.stage, farewell.held()) == (
        "returned",
        {"policies": [], "active keys": 1, "groups": groups},
    )


def test_somebody_who_is_suspended_can_be_offboarded(farewell: Farewell) -> None:
    suspension = suspended(farewell)
    confirm(farewell.scene.approver, leaver=suspension, comment="Right")
    offboarding = farewell.gone(actor=farewell.lead)
    suspension.refresh_from_db()
    assert suspension.followed_by_id == offboarding.pk
    assert farewell.held()["groups"] == []


def test_without_a_reason_nothing_is_cut(farewell: Farewell) -> None:
    person = person_to_suspend(farewell.lead, farewell.user.pk)
    assert person is not None
    for reason in ("  ", "x" * (services.MAX_REASON + 1)):
        with pytest.raises(RefusedError, match="reason"):
            request_suspension(farewell.lead, person=person, reason=reason, key="k")
    assert not Change.objects.filter(change_set__cause_kind="suspension").exists()


def test_a_lead_reaches_no_user_of_theirs_outside_of_the_team(farewell: Farewell) -> None:
    elsewhere: Entity = factories.user(factories.account("222222222222", name="secret-lab"), "m.okafor")
    Identity.objects.create(person=farewell.person, user_arn=elsewhere.arn)
    person = person_to_suspend(farewell.lead, farewell.user.pk)
    assert person is not None
    assert ([user.pk for user in person.users], person.unseen) == ([farewell.user.pk], 1)
    other = Team.objects.create(slug="other", name="Other")
    factories.assign(factories.person("Zed", email="zed@example.com"), Role.TEAM_LEAD, team=other)
    assert person_to_suspend(farewell.stranger, farewell.user.pk) is None
