"""Actions of people on an open rotation: get the secret, deactivate, activate or delete the old key, issue a
new one, cancel.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from iam import nudge
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.directory.models import Person
from iam.guard import Viewer
from iam.journal.services import Actor
from iam.moments import moment_words
from iam.notify.pages import MessagePage, path_of
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link, revoke_link
from iam.people.rotation.events import end, move_to, notify_people, record_event, save
from iam.people.rotation.key_statuses import show_now
from iam.people.rotation.labels import how_long_old_works, what_stands
from iam.people.rotation.models import CHANGING, Rotation, RotationOutcome, RotationStage, RotationStep
from iam.people.rotation.rotation_plan import may_run
from iam.people.rotation.transitions import activate_old, discard_new
from iam.sealed import services as sealed
from iam.sealed.models import SecretState
from iam.sealed.queries import secret_of
from iam.sealed.services import SealedError

CHECK_USAGE: Final = "iam.people.rotation.tasks.check_usage"
NOT_YOURS: Final = "Only the person of this user and people who can request changes to it can do this."
LINK_PAUSE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with its secret, for one page only. It isn't stored."""

    key_id: str
    secret: str


def fetch(rotation: Rotation, *, person: Person | Viewer) -> IssuedKey:
    """Return the secret, once, to the person whose key it is. Raises RefusedError."""
    reader = person.person_id if isinstance(person, Viewer) else person.pk
    if rotation.person_id != reader or rotation.sealed_id is None:
        raise RefusedError("You have no access key to get here.")
    with transaction.atomic():
        locked_rotation = locked(rotation)
        seal = secret_of(locked_rotation.sealed_id) if locked_rotation.sealed_id else None
        if seal is None or locked_rotation.stage not in (RotationStage.HANDING, RotationStage.USING):
            raise RefusedError("No secret is available.")
        try:
            text = sealed.open_once(seal.pk, person=person)
        except SealedError as error:
            refused = error.message
        else:
            fetched(locked_rotation, actor=person)
            return IssuedKey(seal.label, text)
    # A rotation that turned out to be over stays ended.
    raise RefusedError(refused)


def fetched(rotation: Rotation, *, actor: Actor | None) -> None:
    """Start the observation period, because the secret was read. The caller holds the row lock."""
    now = datetime.now(tz=UTC)
    move_to(rotation, RotationStage.USING, fetched_at=now, quiet_from=now, told_at=now, reminders=0)
    record_event(
        rotation,
        "fetch",
        f"The secret of {rotation.new_key_id} was shown. Both keys are active.",
        actor=actor,
    )
    nudge.send_after_commit(CHECK_USAGE, rotation.pk)


def hand_over(rotation: Rotation, *, actor: Actor | None = None) -> OneTimeLink:
    """Send the person a link to the secret that works once, in one browser. The caller holds the row lock."""
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    until = seal.expires_at if seal else datetime.now(tz=UTC) + timedelta(hours=24)
    lasts = max(until - datetime.now(tz=UTC), timedelta(minutes=1))
    link = make_link(
        LinkPurpose.ROTATION,
        person=rotation.person,
        user_arn=rotation.user.arn,
        actor=actor or rotation.begun_by,
        lasts=lasts,
        cause_id=rotation.pk,
    )
    save(rotation, link=link, told_at=datetime.now(tz=UTC))
    notify_people(
        rotation,
        subject=f"A new access key for {rotation.user.name}",
        text=f"The key {rotation.old.aws_id} of your AWS user {rotation.user.name} in "
        f"{rotation.user.account.name} is being rotated. The new key is {rotation.new_key_id}. "
        f"Only you can see its secret, once, until {moment_words(link.expires_at)}: with this link, which "
        "works once in one browser, or in Gatehouse after you sign in.\n\n"
        f"Then use the new key wherever you use the old one. {how_long_old_works(rotation)}",
        path=path_of(MessagePage.LINK, link.pk),
        key=str(link.pk),
    )
    return link


def send_again(viewer: Viewer, rotation: Rotation) -> OneTimeLink:
    """Send the person a new link; the former one stops working. Raises RefusedError."""
    if not settings.MAIL_IS_CONFIGURED:
        raise RefusedError(
            f"No mail server is configured, so no link was sent to {rotation.person.name}. They can get the "
            "secret when they sign in."
        )
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation, RotationStage.HANDING)
        if locked_rotation.told_at and locked_rotation.told_at > datetime.now(tz=UTC) - LINK_PAUSE:
            raise RefusedError("A link was sent just now.")
        link = hand_over(locked_rotation, actor=viewer)
        record_event(
            locked_rotation, "send", f"A new link was sent to {locked_rotation.person.name}.", actor=viewer
        )
    return link


def request_check(viewer: Viewer, rotation: Rotation, what: RotationStep, *, in_spite: bool = False) -> None:
    """Have a worker check AWS and then do the step. Repeated requests count once. Raises RefusedError."""
    stages = {
        RotationStep.DEACTIVATE: (RotationStage.USING,),
        RotationStep.DELETE: (RotationStage.INACTIVE,),
    }.get(what, (RotationStage.HANDING, RotationStage.USING, RotationStage.INACTIVE))
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation, *stages)
        save(
            locked_rotation,
            wanted=what,
            wanted_by=Person.objects.get(pk=viewer.person_id),
            wanted_at=datetime.now(tz=UTC),
            in_spite=in_spite,
            trouble="",
            retry_at=None,
        )
        nudge.send_after_commit(CHECK_USAGE, locked_rotation.pk)


def activate(viewer: Viewer, rotation: Rotation) -> None:
    """Reactivate the old key at once, which the rotation's approval covers. Raises RefusedError."""
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation, RotationStage.INACTIVE)
        activate_old(locked_rotation, actor=viewer)


def issue_again(viewer: Viewer, rotation: Rotation) -> None:
    """Replace a lost secret: the new key is deleted and another one created. Raises RefusedError if the new
    key was used.
    """
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation, RotationStage.USING)
        if locked_rotation.new_used_at is not None:
            raise RefusedError(
                f"{locked_rotation.new_key_id} was used on {moment_words(locked_rotation.new_used_at)}: "
                "someone has its secret. Cancel, then start a new rotation with that key."
            )
        move_to(locked_rotation, RotationStage.HANDING, fetched_at=None, quiet_from=None)
        record_event(
            locked_rotation,
            "lost",
            f"The secret of {locked_rotation.new_key_id} was lost before it was used.",
            actor=viewer,
        )
        discard_new(locked_rotation, actor=viewer)


def may_take_over(viewer: Viewer, rotation: Rotation) -> bool:
    """Return True if another lead of the owning team can take over the new key, which is possible until it
    was used.
    """
    if rotation.team is None or rotation.team.slug not in viewer.leads:
        return False
    is_open = rotation.stage in (RotationStage.HANDING, RotationStage.USING) and rotation.new_used_at is None
    return is_open and rotation.person_id != viewer.person_id and rotation.discarding_id is None


def take_over(viewer: Viewer, rotation: Rotation) -> None:
    """Delete the new key and create one for this lead, as accepted with the request. Raises RefusedError."""
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation, RotationStage.HANDING, RotationStage.USING)
        if not may_take_over(viewer, locked_rotation):
            raise RefusedError("The new key is in use, or the team isn’t yours. It can’t be taken over.")
        if locked_rotation.link is not None:
            revoke_link(locked_rotation.link, actor=viewer, why=f"{viewer.name} took the rotation over")
        person = Person.objects.get(pk=viewer.person_id)
        # The former person may have read the secret, so a key that they don't know replaces it.
        move_to(
            locked_rotation, RotationStage.HANDING, person=person, fetched_at=None, quiet_from=None, link=None
        )
        record_event(
            locked_rotation,
            "take_over",
            f"{viewer.name} took over. The secret of another new key goes to them.",
            actor=viewer,
        )
        discard_new(locked_rotation, actor=viewer)


def cancel(viewer: Viewer, rotation: Rotation, *, with_new: bool = False) -> str:
    """Cancel the rotation and return a sentence on the remaining keys. `with_new` also deletes the new key.
    Raises RefusedError while a change is in progress.
    """
    with transaction.atomic():
        locked_rotation = _locked_rotation(viewer, rotation)
        if locked_rotation.stage in CHANGING:
            _withdraw(locked_rotation, viewer)
        if locked_rotation.link is not None:
            revoke_link(locked_rotation.link, actor=viewer, why="the rotation was cancelled")
        # A key whose secret no one has read is useless.
        unread = locked_rotation.stage == RotationStage.HANDING
        show_now([locked_rotation])
        what_is_left = what_stands(locked_rotation, discards=unread or with_new)
        if (
            locked_rotation.new_key_id
            and locked_rotation.stage != RotationStage.ENDED
            and (unread or with_new)
        ):
            if locked_rotation.new_used_at is not None:
                raise RefusedError(
                    f"{locked_rotation.new_key_id} was used, so deleting it would break what uses it. Cancel "
                    "without deleting it."
                )
            discard_new(locked_rotation, actor=viewer)
        end(locked_rotation, RotationOutcome.CANCELLED, what_is_left, actor=viewer)
        record_event(locked_rotation, "cancel", f"{viewer.name} cancelled the rotation.", actor=viewer)
    return what_is_left


def locked(rotation: Rotation) -> Rotation:
    """Return the row, locked in the caller's transaction."""
    rows = Rotation.objects.select_for_update(of=("self",)).select_related(
        "run",
        "user__account",
        "old__owner",
        "old__account",
        "person",
        "team",
        "begun_by",
        "wanted_by",
        "change",
        "agreed__change_set",
        "discarding",
        "link",
    )
    return rows.get(pk=rotation.pk)


def waits(rotation: Rotation) -> bool:
    """Return True if the secret can still be read."""
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    return (
        rotation.stage == RotationStage.HANDING
        and seal is not None
        and seal.state == SecretState.SEALED
        and seal.expires_at > datetime.now(tz=UTC)
    )


def new_keys_of(viewer: Viewer) -> list[Rotation]:
    """Return rotations whose new secret waits for this person, oldest first."""
    handing = Rotation.objects.filter(person=viewer.person_id, stage=RotationStage.HANDING)
    return [
        rotation for rotation in handing.select_related("user", "old").order_by("begun_at") if waits(rotation)
    ]


def _locked_rotation(viewer: Viewer, rotation: Rotation, *stages: RotationStage) -> Rotation:
    locked_rotation = locked(rotation)
    if not may_run(viewer, locked_rotation):
        raise RefusedError(NOT_YOURS)
    if locked_rotation.stage == RotationStage.ENDED:
        raise RefusedError("This rotation has ended.")
    if stages and locked_rotation.stage not in stages:
        raise RefusedError(f"The status has changed: {locked_rotation.get_stage_display().lower()}.")
    return locked_rotation


def _withdraw(rotation: Rotation, viewer: Viewer) -> None:
    """Withdraw the request that waits for approval. A set with other people's keys is left to its
    requester.
    """
    change = rotation.change
    if change is None or change.state != ChangeState.AWAITING:
        raise RefusedError("A change is in progress. Wait until it is done.")
    others = Rotation.objects.filter(change__change_set=change.change_set_id).exclude(pk=rotation.pk)
    if others.exists():
        raise RefusedError(
            f"It was requested together with {others.count()} other keys and waits for approval. "
            f"{change.requested_label} can withdraw the whole request."
        )
    changes.withdraw(change, actor=viewer)
