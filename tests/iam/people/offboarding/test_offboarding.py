"""Somebody leaves: what ends first, what is kept, what is proved, what comes back, what is deleted, and that
nothing is asked for twice.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from iam.access.grants.models import ENDING, Grant, LedgerEntry
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeSet
from iam.changes.runner.sweeps import sweep
from iam.changes.services import reject
from iam.changes.warnings import warnings_of
from iam.directory.deactivation import deactivate
from iam.directory.models import Role, RoleAssignment
from iam.journal.models import Entry
from iam.mirror.models import EdgeKind, Entity
from iam.notify.events import NotifyEvent
from iam.notify.models import OutgoingMessage
from iam.people.links.models import OneTimeLink
from iam.people.offboarding import reconcile, restore_and_delete, restored_sign_in
from iam.people.offboarding.certificates import matches_journal
from iam.people.offboarding.models import Leaver, OffboardedUser, OffboardingCertificate
from iam.people.offboarding.open_roles import OpenRole, OpenRoles, running_sessions
from iam.people.offboarding.regrants import grant_again
from iam.people.offboarding.removal_plan import RemovalPlan, RemovalSite, notes_for
from iam.people.offboarding.repeat_invitation import invite_again, request_again
from iam.people.offboarding.rules import warnings_for
from tests import factories
from tests.iam.people.offboarding.conftest import Farewell

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]


def test_everything_ends_the_deny_first_and_aws_shows_it(farewell: Farewell) -> None:
    run = farewell.asked()
    assert farewell.asked(key="form").pk == run.pk
    with pytest.raises(RefusedError, match="is already being offboarded"):
        farewell.asked(key="another form")
    first, *others = farewell.changes(run)
    assert (first.operation, first.branch, first.position) == ("inline_policy.put", 1, 0)
    assert [change.branch for change in others] == list(range(2, len(others) + 2))
    farewell.approve(run)
    farewell.work()

    leaver = run.people.get()
    assert leaver.stage == "gone", (farewell.told(run), list(leaver.seats.values("proof", "trouble")))
    assert farewell.held() == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": []}
    credentials = farewell.aws("ListServiceSpecificCredentials", UserName=farewell.user.name)
    assert [
        service_specific_credential["Status"]
        for service_specific_credential in credentials["ServiceSpecificCredentials"]
    ] == ["Inactive"]
    seat = OffboardedUser.objects.get()
    assert [(row["what"], row["says"]) for row in seat.proof][:4] == [
        ("User", "Exists"),
        ("Deny for everything", "In force"),
        ("Console password", "None"),
        ("Access keys", "2 inactive, none active"),
    ]
    assert not any(row["open"] for row in seat.proof)
    assert leaver.began_at <= leaver.closed_at <= leaver.proved_at < leaver.delete_after

    certificate = OffboardingCertificate.objects.get()
    body = json.loads(certificate.text)
    assert body["approvals"][0]["by"] == "Hana Sato"
    assert len(body["accounts"][0]["steps"]) == len(farewell.changes(run))
    assert matches_journal(certificate)
    assert Entry.objects.get(pk=certificate.entry_id).data["digest"] == certificate.digest
    certificate.text = certificate.text.replace("Hana Sato", "Nina Nobody")
    assert not matches_journal(certificate)


def test_what_came_after_the_approval_ends_as_well(farewell: Farewell) -> None:
    run = farewell.asked()
    farewell.approve(run)
    name = {"UserName": farewell.user.name}
    keys = farewell.aws("ListAccessKeys", **name)["AccessKeyMetadata"]
    old = next(key["AccessKeyId"] for key in keys if key["Status"] == "Inactive")
    farewell.aws("UpdateAccessKey", **name, AccessKeyId=old, Status="Active")
    farewell.aws("CreateGroup", GroupName=f"late-{farewell.mark}")
    farewell.learn_group(f"late-{farewell.mark}")
    farewell.aws("AddUserToGroup", **name, GroupName=f"late-{farewell.mark}")
    farewell.work()

    assert run.people.get().stage == "gone", list(OffboardedUser.objects.values("proof", "trouble"))
    assert farewell.held() == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": []}
    rest = Change.objects.filter(change_set__cause_kind="leaving-rest")
    assert sorted(change.operation for change in rest) == ["access_key.deactivate", "group_membership.remove"]
    assert OffboardedUser.objects.get().trials == 1


def test_a_user_who_was_renamed_in_aws_is_not_taken_for_one_who_is_gone(farewell: Farewell) -> None:
    run = farewell.asked()
    farewell.approve(run)
    old, new = farewell.user.name, f"renamed-{farewell.mark}"
    farewell.aws("UpdateUser", UserName=old, NewUserName=new)
    farewell.work()

    seat = OffboardedUser.objects.get()
    assert (seat.proof[0]["says"], seat.user.gone_at, seat.user.name) == ("Exists", None, new)
    assert run.people.get().stage == "gone", (seat.proof, seat.trouble)
    farewell.user.name = new
    assert farewell.held() == {"policies": ["GatehouseLeft"], "active keys": 0, "groups": []}


def test_at_a_time_it_begins_then_and_a_lost_worker_changes_nothing(farewell: Farewell) -> None:
    at = datetime.now(tz=UTC) + timedelta(hours=3)
    run = farewell.asked(leaves_at=at)
    farewell.approve(run)
    reconcile.reconcile(run.people.get().pk)
    farewell.work()
    assert run.people.get().stage == "planned"
    assert farewell.held()["active keys"] == 1

    Change.objects.filter(state="queued").update(due_at=datetime.now(tz=UTC) - timedelta(seconds=1))
    for _ in range(12):
        farewell.work_alone()
    assert run.people.get().stage == "planned"
    reconcile.reconcile_open(older_than=timedelta(seconds=-1))
    farewell.work()
    assert run.people.get().stage == "gone"


def test_where_no_worker_was_there_for_a_day_access_ends_when_one_comes_back(farewell: Farewell) -> None:
    run = farewell.asked(leaves_at=datetime.now(tz=UTC) + timedelta(hours=3))
    farewell.approve(run)
    past = datetime.now(tz=UTC) - timedelta(hours=25)
    Change.objects.filter(state="queued").update(due_at=past, expires_at=past + timedelta(hours=24))
    with farewell.committing(execute=True):
        sweep()
    assert set(Change.objects.values_list("state", flat=True)) == {"expired"}

    with farewell.committing(execute=True):
        reconcile.reconcile_open(older_than=timedelta(seconds=-1))
    farewell.work()
    leaver = run.people.get()
    assert (leaver.stage, leaver.began_at is not None) == ("gone", True), farewell.told(run)
    held_before = farewell.held()
    assert (held_before["policies"], held_before["active keys"], held_before["groups"]) == (
        ["GatehouseLeft"],
        0,
        [],
    )


def test_a_rejected_request_ends_nothing_and_can_be_made_again(farewell: Farewell) -> None:
    run = farewell.asked()
    with farewell.committing(execute=True):
        reject(farewell.changes(run)[0], actor=farewell.scene.approver, comment="Not today")
    assert run.people.get().stage == "called-off"
    assert farewell.held()["active keys"] == 1
    assert farewell.asked(key="again").pk != run.pk


def test_a_lead_gives_access_back_with_its_grants_and_an_inactive_key_stays_inactive(
    farewell: Farewell,
) -> None:
    user, grant = farewell.user, farewell.granted()
    before = farewell.held()
    leaver = farewell.gone(actor=farewell.lead)
    grant.refresh_from_db()
    farewell.person.refresh_from_db()
    assert (grant.state, leaver.teams, farewell.person.is_active) == ("ended", ["payments"], False)

    with pytest.raises(RefusedError, match="in your own teams"):
        restore_and_delete.request_return(farewell.stranger, leaver=leaver, reason="It was the wrong one")
    written = restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="It was the wrong one")
    farewell.agree(written[0])
    farewell.work()
    leaver.refresh_from_db()
    assert leaver.stage == "returned", leaver.trouble
    assert farewell.held() == before
    again = Grant.objects.exclude(pk=grant.pk).get()
    assert (again.state, again.terms["who"]["arns"]) == ("active", [user.arn])
    assert LedgerEntry.objects.get(part__grant=again).until is None
    farewell.person.refresh_from_db()
    assert farewell.person.is_active
    link = OneTimeLink.objects.get(cause_id=restored_sign_in.cause_of(leaver))
    seat = leaver.seats.get()
    password = restored_sign_in.show_password(link, seat, session="here")
    assert len(password) >= 12
    assert restored_sign_in.show_password(link, seat, session="here") == password
    with pytest.raises(RefusedError, match="another browser"):
        restored_sign_in.show_password(link, seat, session="elsewhere")
    assert farewell.aws("GetLoginProfile", UserName=user.name)["LoginProfile"]["PasswordResetRequired"]


def test_a_grant_whose_own_end_is_undone_gets_no_other_grant_after_it(farewell: Farewell) -> None:
    grant, leaver = farewell.granted(), farewell.gone(actor=farewell.lead)
    seat = leaver.seats.get()
    entry = LedgerEntry.objects.get(part__grant=grant)
    factories.edge(EdgeKind.MEMBER, seat.user, Entity.objects.get(arn=entry.target))

    def copied(cause_kind: str, **fields: Any) -> Change:
        change = Change.objects.filter(change_set=seat.change_set).order_by("position")[0]
        made = ChangeSet.objects.create(cause_kind=cause_kind, cause_id=grant.pk)
        change.pk, change.idempotency_key, change.change_set = uuid4(), uuid4().hex, made
        for name, value in fields.items():
            setattr(change, name, value)
        change.save(force_insert=True)
        return change

    grant_again(seat, by=[copied("leaving-return", reverts=copied(ENDING))])
    assert not Grant.objects.exclude(pk=grant.pk).exists()
    grant_again(seat, by=[copied("leaving-return")])
    assert Grant.objects.exclude(pk=grant.pk).get().title == grant.title


def test_a_restored_person_gets_another_password_by_another_invitation(farewell: Farewell) -> None:
    leaver = farewell.gone(actor=farewell.lead)
    farewell.agree(
        restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="It was the wrong one")[0]
    )
    farewell.work()
    leaver.refresh_from_db()
    first = OneTimeLink.objects.get(cause_id=restored_sign_in.cause_of(leaver))
    seat = leaver.seats.get()
    password = restored_sign_in.show_password(first, seat, session="here")
    assert request_again(first) == f"{farewell.lead.name}"
    assert OutgoingMessage.objects.filter(event=NotifyEvent.INVITATION_WANTED).exists()
    with pytest.raises(RefusedError, match="another invitation"):
        invite_again(farewell.stranger, leaver=leaver)
    with farewell.committing(execute=True):
        assert invite_again(farewell.lead, leaver=leaver) is None
    with pytest.raises(RefusedError, match="is being set"):
        invite_again(farewell.lead, leaver=leaver)
    farewell.work()
    leaver.refresh_from_db()
    assert (leaver.stage, leaver.trouble) == ("returned", "")
    second = OneTimeLink.objects.get(cause_id=restored_sign_in.cause_of(leaver))
    seat.refresh_from_db()
    again = restored_sign_in.show_password(second, seat, session="there")
    assert again != password
    with pytest.raises(RefusedError, match="no password for you"):
        restored_sign_in.show_password(first, seat, session="here")
    assert request_again(first) == ""


def test_a_password_that_nobody_has_seen_is_kept_and_only_the_link_is_new(farewell: Farewell) -> None:
    leaver = farewell.gone(actor=farewell.lead)
    farewell.agree(
        restore_and_delete.request_return(farewell.lead, leaver=leaver, reason="It was the wrong one")[0]
    )
    farewell.work()
    leaver.refresh_from_db()
    with farewell.committing(execute=True):
        link = invite_again(farewell.lead, leaver=leaver)
    assert link is not None
    leaver.refresh_from_db()
    assert len(restored_sign_in.show_password(link, leaver.seats.get(), session="here")) >= 12


def test_oneself_and_the_last_administrator_leave_only_when_that_is_confirmed(farewell: Farewell) -> None:
    own = farewell.own()
    with pytest.raises(RefusedError, match="your own access"):
        farewell.asked(actor=own)
    RoleAssignment.objects.filter(role=Role.ADMINISTRATOR).exclude(person=farewell.person).delete()
    warning_texts = warnings_for([farewell.somebody()], viewer=farewell.lead)
    assert "only administrator of Gatehouse" in warning_texts[0]
    run = farewell.asked(actor=own, confirmed=True)
    leaver = run.people.get()
    Leaver.objects.update(stage="gone")
    leaver.refresh_from_db()
    with pytest.raises(RefusedError, match="someone else has to request"):
        restore_and_delete.request_return(own, leaver=leaver, reason="I stay")
    assert "last administrator" in deactivate(farewell.person.pk, why="a test")


def test_the_approver_sees_the_warnings_that_the_requester_confirmed(farewell: Farewell) -> None:
    own = farewell.own()
    RoleAssignment.objects.filter(role=Role.ADMINISTRATOR).exclude(person=farewell.person).delete()
    warning_texts = warnings_for([farewell.somebody()], viewer=own)
    run = farewell.asked(actor=own, confirmed=True)
    change_set = run.people.get().seats.get().change_set
    assert change_set is not None
    accepted = {
        accepted_warning.text for accepted_warning in warnings_of(change_set, parts=change_set.changes.all())
    }
    assert len(warning_texts) == 2
    assert f"{own.name} requests the removal of their own access in all of these accounts." in accepted
    assert warning_texts[1] in accepted


def test_what_a_request_leaves_out_and_sessions_that_run_on_are_said_to_the_approver(
    farewell: Farewell, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = farewell.scene.user
    role = factories.role(user.account, "break-glass")
    open_roles = OpenRoles((OpenRole(role, (user.name,), is_sure=True),))
    monkeypatch.setattr("iam.people.offboarding.open_roles.open_roles", lambda users, viewer: open_roles)
    plan = RemovalPlan([RemovalSite(user, left=["Delete a key: it is gone"])], [])
    run = farewell.asked()
    notes = notes_for(plan, people=list(run.people.all()), run=run)
    assert f"Not included: {user.name} in {user.account.name}: Delete a key: it is gone" in notes
    warning_text = (
        f"Sessions that already run in break-glass in {user.account.name} continue until they expire."
    )
    change_set = run.people.get().seats.get().change_set
    assert change_set is not None
    assert warning_text in change_set.notes
    assert running_sessions([user], viewer=farewell.lead, ended=[role.pk]) == []


def test_after_the_grace_period_the_user_is_deleted_once_that_is_approved(farewell: Farewell) -> None:
    leaver = farewell.gone(grace_days=2)
    assert restore_and_delete.ask_due_deletions() == 0
    Leaver.objects.update(delete_after=datetime.now(tz=UTC) - timedelta(minutes=1))
    assert restore_and_delete.ask_due_deletions() == 1
    leaver.refresh_from_db()
    assert leaver.stage == "deleting", leaver.trouble
    with farewell.committing(execute=True):
        first = restore_and_delete.afterwards_changes(leaver, "leaving-deletion")[0]
        reject(first, actor=farewell.scene.approver, comment="She comes back")
    leaver.refresh_from_db()
    assert (leaver.stage, leaver.delete_after) == ("gone", None)
    assert farewell.held()["policies"] == ["GatehouseLeft"]
    restore_and_delete.request_deletion(farewell.scene.requester, leaver=leaver, reason="She does not")
    farewell.agree(restore_and_delete.afterwards_changes(leaver, "leaving-deletion")[0])
    farewell.work()
    leaver.refresh_from_db()
    assert leaver.stage == "deleted", leaver.trouble
    assert not Entity.objects.filter(pk=farewell.user.pk, gone_at__isnull=True).exists()
    certificate = leaver.certificates.get(kind="deleted")
    assert json.loads(certificate.text)["deletion"][-1]["what"].startswith("Delete user")
    assert matches_journal(certificate)
