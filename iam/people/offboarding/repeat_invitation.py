"""Sends another invitation to a person whose access was restored, with a new password if the former one can't
be shown any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.models import OPEN, Change, ChangeSet, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.login_profile import CreateLoginProfile, UpdateLoginProfile
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.services import SetCause, SetLane
from iam.changes.services.accepted_changes import queue_accepted
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.journal.models import Entry
from iam.journal.services import record
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.links.models import OneTimeLink
from iam.people.offboarding.models import OF_INVITING, OF_RETURN, Leaver, OffboardedUser, OffboardingStage
from iam.people.offboarding.restored_sign_in import has_link, invite_back, returned_by
from iam.people.offboarding.rules import asker_of, is_about_oneself, may_act
from iam.people.onboarding.invitation import can_be_shown
from iam.people.onboarding.invitation_state import has_chosen_password, is_password_gone, lacks_password
from iam.phrases import joined

BATCH: Final = 100
REPEAT_PAUSE: Final = timedelta(hours=1)
"""Minimum time between two notices that a person needs another invitation."""


def can_invite_again(viewer: Viewer, leaver: Leaver) -> bool:
    """Return True if the viewer can send the restored person another invitation."""
    is_restored = leaver.stage == OffboardingStage.RETURNED and leaver.person_id is not None
    return is_restored and may_act(viewer, leaver) and not is_about_oneself(viewer, leaver)


def invite_again(actor: Viewer, *, leaver: Leaver) -> OneTimeLink | None:
    """Send another link. Returns None if a new password is set first, as accepted with the restore; the link
    follows later. Raises RefusedError.
    """
    if not can_invite_again(actor, leaver):
        raise RefusedError("You can’t send this person another invitation.")
    with transaction.atomic():
        locked_leaver = Leaver.objects.select_for_update().get(pk=leaver.pk)
        if _open_resets(locked_leaver):
            raise RefusedError("A new password is being set. Try again when that has ended.")
        locked_leaver.trials += 1
        seats = [seat for seat in locked_leaver.seats.select_related("account", "user") if _needs_reset(seat)]
        # The link follows the new password, in whichever process that ends. Until it is sent, this column
        # records that it is due.
        locked_leaver.link_due_at = datetime.now(tz=UTC) if seats else None
        locked_leaver.save(update_fields=["trials", "link_due_at"])
        if seats:
            _reset(locked_leaver, seats, actor=actor)
            return None
        link = invite_back(locked_leaver)
        if link is None:
            raise RefusedError(f"{leaver.name} has no linked IAM user, or is deactivated in Gatehouse.")
        return link


def settle_password(leaver_id: UUID) -> None:
    """Send the link once the new passwords are set. If that fails, note why on the person's page. It is safe
    to run again.
    """
    with transaction.atomic():
        leaver = Leaver.objects.select_for_update(of=("self",)).select_related("run").get(pk=leaver_id)
        newest = _resets(leaver)
        if leaver.stage != OffboardingStage.RETURNED or not newest or _open_resets(leaver):
            return
        failed = next((change for change in newest if change.state != ChangeState.APPLIED), None)
        if failed is not None:
            leaver.trouble = f"The new password could not be set: {failed.error_message}"[:1024]
        elif has_link(leaver) or invite_back(leaver) is not None:
            leaver.trouble = ""
        else:
            leaver.trouble = (
                f"The new password is set, but no link was sent: {leaver.name} has no linked IAM user, or "
                "is deactivated in Gatehouse. "
                "Fix that, then send another invitation."
            )
        leaver.link_due_at = None
        leaver.save(update_fields=["trouble", "link_due_at"])


def settle_passwords(*, older_than: timedelta = timedelta(seconds=10)) -> int:
    """Send links that are due because a process was lost after a new password was set. Returns how many
    people were looked at.
    """
    before = datetime.now(tz=UTC) - older_than
    due = Leaver.objects.filter(link_due_at__lt=before).order_by("link_due_at")
    pks = list(due.values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        settle_password(pk)
    return len(pks)


def request_again(link: OneTimeLink) -> str:
    """Tell the requester of the offboarding and the leads of the team that the person needs another
    invitation, at most once an hour. Returns their names.
    """
    leaver = returned_by(link)
    if leaver is None or leaver.stage != OffboardingStage.RETURNED:
        return ""
    people = _inviters(leaver)
    since = datetime.now(tz=UTC) - REPEAT_PAUSE
    wanted_entries = Entry.objects.filter(
        kind="leaving.invitation_wanted", at__gt=since, data_json__contains=str(leaver.pk)
    )
    if not wanted_entries.exists():
        now = datetime.now(tz=UTC)
        notify(
            NotifyEvent.INVITATION_WANTED,
            people=people,
            subject=f"{leaver.name} needs another invitation",
            text=f"The invitation of {leaver.name} after the restore no longer shows a password. Open the "
            "page and choose “Send another invitation”: "
            "where it is needed, Gatehouse sets a new password, which only they see.",
            path=path_of(MessagePage.LEAVER, leaver.pk),
            key=f"back-wanted-{leaver.pk}-{now:%Y%m%d%H%M}",
        )
        record(
            kind="leaving.invitation_wanted",
            actor=link.person,
            subject=leaver.name,
            data={"leaver": leaver.pk},
        )
    return joined(sorted(person.name for person in people)) or "your team lead"


def _inviters(leaver: Leaver) -> list[Person]:
    leads = Person.objects.filter(
        assignments__role=Role.TEAM_LEAD, assignments__team__slug__in=leaver.teams, is_active=True
    )
    asker = asker_of(leaver.run)
    leads_by_pk = {person.pk: person for person in leads}
    if asker is not None and asker.is_active:
        leads_by_pk[asker.pk] = asker
    return list(leads_by_pk.values())


def _needs_reset(seat: OffboardedUser) -> bool:
    """Return True if the password that was set can't be shown in a new browser and the person hasn't chosen
    their own.
    """
    if seat.password_seal is None or has_chosen_password(seat):
        return False
    return not can_be_shown(seat.password_seal) or is_password_gone(seat)


def _reset(leaver: Leaver, seats: Sequence[OffboardedUser], *, actor: Viewer) -> None:
    approved = (
        ChangeSet.objects.filter(cause_kind=OF_RETURN, cause_id=leaver.pk).order_by("-created_at").first()
    )
    if approved is None:
        raise RefusedError("The restore was not found, so no new password can be set under its approval.")
    queue_accepted(
        [_new_password(leaver, seat) for seat in seats],
        with_set=approved,
        actor=actor,
        reason=f"{leaver.name} needs another invitation ({leaver.run.reference}).",
        title=f"Reset the password of {leaver.name}",
        cause=SetCause(OF_INVITING, leaver.pk),
        key=f"{OF_INVITING}-{leaver.pk.hex}-{leaver.trials}",
        lanes=[SetLane(lane) for lane, _ in enumerate(seats)],
    )
    data = {"leaver": leaver.pk, "passwords": len(seats)}
    record(kind="leaving.password_reset", actor=actor, subject=leaver.name, data=data)


def _new_password(leaver: Leaver, seat: OffboardedUser) -> Operation:
    """Return the operation that sets another password, sealed again for the person."""
    first = Change.objects.filter(
        change_set__cause_kind__in=(OF_RETURN, OF_INVITING),
        change_set__cause_id=leaver.pk,
        subject_arn=seat.user_arn,
        operation__in=(CreateLoginProfile.spec.slug, UpdateLoginProfile.spec.slug),
    ).first()
    if first is None or leaver.person_id is None:
        raise RefusedError(f"No password was set in {seat.account.name}.")
    seal = seal_id(person_id=leaver.person_id, key=f"{leaver.pk.hex}:{seat.pk.hex}:{leaver.trials}")
    seat.password_seal = seal
    seat.save(update_fields=["password_seal"])
    params: dict[str, Any] = dict(first.params) | {"sealed_id": str(seal)}
    slug = CreateLoginProfile.spec.slug if lacks_password(seat) else UpdateLoginProfile.spec.slug
    return restore(slug, account=seat.account, params=params)


def _resets(leaver: Leaver) -> list[Change]:
    """Return the changes of the newest password reset."""
    rows = Change.objects.filter(change_set__cause_kind=OF_INVITING, change_set__cause_id=leaver.pk)
    reset_changes = list(rows.order_by("-created_at"))
    return [change for change in reset_changes if change.change_set_id == reset_changes[0].change_set_id]


def _open_resets(leaver: Leaver) -> bool:
    return any(change.state in (*OPEN, ChangeState.DRAFT) for change in _resets(leaver))
