"""Ask for the replacement of a lost device, make sure who it is, refuse; let it end where nobody answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.mfa_device import DeactivateMfaDevice, DeleteMfaDevice
from iam.changes.services import Cause
from iam.directory.models import Person
from iam.directory.second_approvers import seconds_for
from iam.guard import Right, Viewer, viewer_for
from iam.journal.services import Actor, record
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.mirror.refresh.credentials import is_virtual
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import Page, path_of
from iam.notify.services import notify
from iam.people.enrolment.inviting import NOBODY, may_invite, person_of
from iam.people.links.models import Link, Purpose
from iam.people.links.services import make_link
from iam.people.links.signed_ids import address_of
from iam.people.replacing.models import SURE, Channel, Replacement, State

CAUSE: Final = "mfa_replacement"
HOLDS: Final = timedelta(hours=4)
LINK_HOLDS: Final = timedelta(hours=1)


def may_ask(viewer: Viewer, *, user: Entity) -> bool:
    """Its own person, and anyone who may ask for changes of it."""
    return user.arn in viewer.scope.user_arns or may_invite(viewer, user=user)


def visible_replacements(viewer: Viewer) -> QuerySet[Replacement]:
    """Those of the users for whom the viewer asks for changes, and those that are about them or asked for by
    them.
    """
    reach = replace(viewer, scope=viewer.asks)
    users = visible_entities(reach).filter(kind=Kind.USER)
    mine = Q(person=viewer.person_id) | Q(asked_by=viewer.person_id)
    rows = Replacement.objects.select_related("user__account", "device", "person", "asked_by", "decided_by")
    if viewer.may(Right.REQUEST_CHANGE):
        return rows.filter(mine | Q(user__in=users.values("pk")))
    return rows.filter(mine)


def why_not_check(viewer: Viewer, one: Replacement) -> str:
    """Why the viewer cannot make sure, or ""."""
    if one.state != State.WAITING or one.until <= datetime.now(tz=UTC):
        return "This was already decided."
    if viewer.person_id == one.asked_by_id:
        return "You requested it, so someone else has to confirm it."
    if viewer.person_id == one.person_id:
        return "This is about you, so someone else has to confirm it."
    return (
        ""
        if may_invite(viewer, user=one.user)
        else "Someone who can request changes to this user has to confirm it."
    )


def ask(viewer: Viewer, *, device: Entity, over: Channel, reason: str) -> Replacement:
    """Say that a device is lost: the person is told, and those who can make sure. What waits already is the
    answer. Raises RefusedError.
    """
    user = device.owner
    if user is None or not may_ask(viewer, user=user):
        raise RefusedError("You can request this for your own devices and for people in your teams.")
    person = person_of(user)
    if person is None:
        raise RefusedError(NOBODY)
    if not reason.strip():
        raise RefusedError("Describe what happened. The person who confirms it and the auditor read it.")
    now = datetime.now(tz=UTC)
    asked_over = Channel.PORTAL if viewer.person_id == person.pk else over
    expire(device=device)
    try:
        with transaction.atomic():
            made = Replacement.objects.create(
                person=person,
                user=user,
                device=device,
                asked_by=Person.objects.get(pk=viewer.person_id),
                asked_at=now,
                asked_over=asked_over,
                reason=reason.strip()[:1000],
                until=now + HOLDS,
            )
            _note("ask", made, viewer, over=made.asked_over, reason=made.reason)
            _tell_asked(made)
            return made
    except IntegrityError:
        return Replacement.objects.get(device=device, state=State.WAITING)


def check(viewer: Viewer, one: Replacement, *, over: Channel, how: str) -> Replacement:
    """Say that it is really them, over another channel than the request came by: the removal is asked for,
    and a link for a new device goes out.

    Raises RefusedError; then nothing of it is done.
    """
    if over not in SURE:
        raise RefusedError(
            "Check in person, by phone or by video. Someone else may control a mailbox or a chat."
        )
    if over == one.asked_over:
        raise RefusedError("The request came over this channel. Check over another one.")
    if not how.strip():
        raise RefusedError("Describe how you checked their identity.")
    with transaction.atomic():
        held = _held(one, viewer)
        held.state, held.decided_at = State.CHECKED, datetime.now(tz=UTC)
        held.decided_by = Person.objects.get(pk=viewer.person_id)
        held.checked_over, held.checked_how = over, how.strip()[:500]
        held.removal = _remove(held, viewer)
        held.link = _send(held)
        held.save()
        _note("check", held, viewer, over=over.value, how=held.checked_how, change=held.removal.reference)
        _tell_person(
            held,
            subject="Your identity was checked for a new MFA device",
            text=f"{viewer.name} confirmed that it is you ({over.label.lower()}). The lost device "
            f"{held.device.name} is removed as soon as "
            f"the request is approved.",
            key=f"checked:{held.pk}",
        )
    return held


def refuse(viewer: Viewer, one: Replacement, *, why: str) -> Replacement:
    """Say that it could not be made sure: nothing is done. Raises RefusedError."""
    if not why.strip():
        raise RefusedError("Enter a reason. The requester reads it.")
    with transaction.atomic():
        held = _held(one, viewer)
        held.state, held.decided_at = State.REFUSED, datetime.now(tz=UTC)
        held.decided_by = Person.objects.get(pk=viewer.person_id)
        held.checked_how = why.strip()[:500]
        held.save()
        _note("refuse", held, viewer, reason=held.checked_how)
        _tell_person(
            held,
            subject="Your lost MFA device won’t be replaced",
            text=f"{viewer.name}: {held.checked_how}",
            key=f"refused:{held.pk}",
        )
    return held


def may_show(viewer: Viewer, one: Replacement) -> bool:
    """Anyone who made sure, and nobody else, passes the link on by hand, within its hour and as long as
    nobody has used it.
    """
    if one.state != State.CHECKED or one.decided_by_id != viewer.person_id or one.decided_at is None:
        return False
    is_used = one.link is not None and one.link.used_at is not None
    return not is_used and datetime.now(tz=UTC) < one.decided_at + LINK_HOLDS


def show_link(viewer: Viewer, one: Replacement) -> tuple[Link, str]:
    """A link in the place of the one that went out, and its address, to be passed on; shown this once. Raises
    RefusedError.
    """
    with transaction.atomic():
        held = (
            Replacement.objects.select_for_update(of=("self",))
            .select_related("user__account", "device", "person", "decided_by", "link")
            .get(pk=one.pk)
        )
        if not may_show(viewer, held) or held.decided_at is None:
            raise RefusedError(
                "Only the person who confirmed can show the link, within an hour, until it is used."
            )
        held.link = make_link(
            Purpose.MFA,
            person=held.person,
            user_arn=held.user.arn,
            actor=held.decided_by,
            lasts=held.decided_at + LINK_HOLDS - datetime.now(tz=UTC),
            cause_id=held.pk,
            is_checked=True,
        )
        held.save(update_fields=["link"])
        _note("show", held, viewer, link=held.link.pk)
    return held.link, address_of(held.link)


def expire(*, device: Entity | None = None) -> int:
    """End what nobody answered in time; how many."""
    over = Replacement.objects.filter(state=State.WAITING, until__lte=datetime.now(tz=UTC))
    if device is not None:
        over = over.filter(device=device)
    ended = 0
    for one in over.select_related("user__account", "device", "person"):
        with transaction.atomic():
            if Replacement.objects.filter(pk=one.pk, state=State.WAITING).update(state=State.EXPIRED):
                _note("expire", one, None)
                ended += 1
    return ended


def _held(one: Replacement, viewer: Viewer) -> Replacement:
    held = (
        Replacement.objects.select_for_update(of=("self",))
        .select_related("user__account", "device__owner", "person", "asked_by")
        .get(pk=one.pk)
    )
    if why := why_not_check(viewer, held):
        raise RefusedError(why)
    return held


def _remove(held: Replacement, checker: Viewer) -> Change:
    """Asked for by anyone who asked, so that anyone who made sure may approve; by the checker, where they may
    not ask.
    """
    asker = viewer_for(held.asked_by)
    actor = asker if may_invite(asker, user=held.user) else checker
    operation = (DeleteMfaDevice if is_virtual(held.device.aws_id) else DeactivateMfaDevice).of(held.device)
    over = Channel(held.checked_over).label
    return changes.request_changes(
        changes.plan_set([operation], viewer=actor),
        actor=actor,
        reason=f"{held.person.name} lost this device. {held.reason}",
        idempotency_key=f"replace-{held.pk}",
        cause=Cause(CAUSE, held.pk),
        notes=[f"{checker.name} checked their identity: {over[0].lower()}{over[1:]}. {held.checked_how}"],
    )[0]


def _send(held: Replacement) -> Link:
    user = held.user
    link = make_link(
        Purpose.MFA,
        person=held.person,
        user_arn=user.arn,
        actor=held.decided_by,
        lasts=LINK_HOLDS,
        cause_id=held.pk,
        is_checked=True,
    )
    notify(
        NotifyEvent.ENROL,
        people=[held.person],
        subject=f"Add a new MFA device to {user.name}",
        text=f"Use this link to replace {held.device.name}, which you lost. It works once, in one browser, "
        "until "
        f"{moment_words(link.expires_at)}. You never need to enter a password there.",
        path=path_of(Page.LINK, link.pk),
        key=str(link.pk),
    )
    return link


def _tell_asked(made: Replacement) -> None:
    _tell_person(
        made,
        subject=f"{made.asked_by.name} reported that you lost an MFA device",
        text=f"This is about {made.device.name} of {made.user.name}. If you still have it, or didn’t request "
        "this, tell your AWS administrators "
        f"now: someone may be trying to sign in as you.",
        key=f"asked:{made.pk}",
    )
    able = seconds_for(but={made.asked_by_id, made.person_id}, account_id=made.user.account.account_id)
    notify(
        NotifyEvent.WAITING,
        people=able,
        subject=f"Check the identity of {made.person.name}, who lost an MFA device",
        text=f"{made.asked_by.name} requested a replacement. Contact {made.person.name} over another channel "
        f"by {made.until:%H:%M} UTC.",
        path=path_of(Page.MFA_REPLACEMENT, made.pk),
        key=f"replacement:{made.pk}",
    )


def _tell_person(one: Replacement, *, subject: str, text: str, key: str) -> None:
    notify(
        NotifyEvent.REPLACED,
        people=[one.person],
        subject=subject,
        text=text,
        path=path_of(Page.MFA_REPLACEMENT, one.pk),
        key=key,
    )


def _note(act: str, one: Replacement, actor: Actor | None, **data: object) -> None:
    record(
        kind=f"replacement.{act}",
        actor=actor,
        subject=one.user.arn,
        account_id=one.user.account.account_id,
        data={"replacement": one.pk, "device": one.device.aws_id, "for": one.person.email, **data},
    )
