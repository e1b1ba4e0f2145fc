"""Requests the replacement of a lost device, verifies or refuses it, and lets it expire if no one answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from iam.changes import services as changes
from iam.changes.errors import FieldChecks, FieldError, RefusedError
from iam.changes.models import Change
from iam.changes.services import SetCause
from iam.directory.models import Person
from iam.directory.second_approvers import seconds_for
from iam.guard import Right, Viewer, viewer_for
from iam.journal.services import Actor, record
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.enrolment.invitation import NOBODY, may_invite, person_of
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import make_link
from iam.people.links.signed_ids import address_of
from iam.people.replacing.models import SURE, DeviceReplacement, IdentityCheckChannel, ReplacementState
from iam.people.replacing.removal import check_removal, removal_of, removal_requester

CAUSE: Final = "mfa_replacement"
HOLDS: Final = timedelta(hours=4)
LINK_HOLDS: Final = timedelta(hours=1)
MAX_REPORT: Final = 800
"""Characters of a report. The removal's reason, which has a limit too, quotes it after the person's name."""


def may_ask(viewer: Viewer, *, user: Entity) -> bool:
    """Return True if the viewer owns the user or can request changes to it."""
    return user.arn in viewer.scope.user_arns or may_invite(viewer, user=user)


def why_not_ask(viewer: Viewer, *, device: Entity, user: Entity) -> str:
    """Return why the viewer can't report this device of the user as lost yet, or an empty string."""
    person = person_of(user)
    if person is None:
        return NOBODY
    try:
        check_removal(viewer, device=device, user=user, person=person)
    except RefusedError as refused:
        return refused.message
    return ""


def visible_replacements(viewer: Viewer) -> QuerySet[DeviceReplacement]:
    """Return replacements for users that the viewer can request changes for, and those about or by the
    viewer.
    """
    reach = replace(viewer, scope=viewer.asks)
    users = visible_entities(reach).filter(kind=Kind.USER)
    mine = Q(person=viewer.person_id) | Q(asked_by=viewer.person_id)
    rows = DeviceReplacement.objects.select_related(
        "user__account", "device", "person", "asked_by", "decided_by"
    )
    if viewer.may(Right.REQUEST_CHANGE):
        return rows.filter(mine | Q(user__in=users.values("pk")))
    return rows.filter(mine)


def why_not_check(viewer: Viewer, replacement: DeviceReplacement) -> str:
    """Return why the viewer can't verify the identity, or an empty string."""
    if replacement.state != ReplacementState.WAITING or replacement.until <= datetime.now(tz=UTC):
        return "This was already decided."
    if viewer.person_id == replacement.asked_by_id:
        return "You requested it, so someone else has to confirm it."
    if viewer.person_id == replacement.person_id:
        return "This is about you, so someone else has to confirm it."
    return (
        ""
        if may_invite(viewer, user=replacement.user)
        else "Someone who can request changes to this user has to confirm it."
    )


def ask(viewer: Viewer, *, device: Entity, over: str, reason: str) -> DeviceReplacement:
    """Report a lost device, and notify its person and those who can verify their identity. An open
    replacement is returned instead. `over` is an IdentityCheckChannel, ignored for one's own device. Raises
    RefusedError, also if the removal that the confirmation requests would be refused.
    """
    user = device.owner
    if user is None or not may_ask(viewer, user=user):
        raise RefusedError("You can request this for your own devices and for people in your teams.")
    person = person_of(user)
    if person is None:
        raise RefusedError(NOBODY)
    asked_over = IdentityCheckChannel.PORTAL.value if viewer.person_id == person.pk else over
    checks = FieldChecks()
    if asked_over not in IdentityCheckChannel.values:
        checks.add("over", "Choose how you heard of it.")
    reason = reason.strip()
    if not reason:
        checks.add("reason", "Describe what happened. The person who confirms it and the auditor read it.")
    if len(reason) > MAX_REPORT:
        checks.add("reason", f"This has {len(reason):,} characters. The limit is {MAX_REPORT:,}.")
    checks.finish()
    now = datetime.now(tz=UTC)
    expire(device=device)
    standing = DeviceReplacement.objects.filter(device=device, state=ReplacementState.WAITING).first()
    if standing is not None:
        return standing
    check_removal(viewer, device=device, user=user, person=person)
    try:
        with transaction.atomic():
            made = DeviceReplacement.objects.create(
                person=person,
                user=user,
                device=device,
                asked_by=Person.objects.get(pk=viewer.person_id),
                asked_at=now,
                asked_over=asked_over,
                reason=reason,
                until=now + HOLDS,
            )
            _record("ask", made, viewer, over=made.asked_over, reason=made.reason)
            _tell_asked(made)
            return made
    except IntegrityError:
        return DeviceReplacement.objects.get(device=device, state=ReplacementState.WAITING)


def check(viewer: Viewer, replacement: DeviceReplacement, *, over: str, how: str) -> DeviceReplacement:
    """Confirm the person's identity, over another IdentityCheckChannel than that of the request. The removal
    of the device is requested, and a link for a new one is sent.

    Raises RefusedError, and then nothing is done.
    """
    checks = FieldChecks()
    if over not in SURE:
        checks.add(
            "over", "Check in person, by phone or by video. Someone else may control a mailbox or a chat."
        )
    if over == replacement.asked_over:
        checks.add("over", "The request came over this channel. Check over another one.")
    if not how.strip():
        checks.add("how", "Describe how you checked their identity.")
    checks.finish()
    channel = IdentityCheckChannel(over)
    with transaction.atomic():
        locked_replacement = _decided(replacement, viewer, ReplacementState.CHECKED)
        locked_replacement.checked_over, locked_replacement.checked_how = channel, how.strip()[:500]
        locked_replacement.removal = _remove(locked_replacement, viewer)
        locked_replacement.link = _send(locked_replacement)
        locked_replacement.save()
        _record(
            "check",
            locked_replacement,
            viewer,
            over=channel.value,
            how=locked_replacement.checked_how,
            change=locked_replacement.removal.reference,
        )
        _tell_person(
            locked_replacement,
            subject="Your identity was checked for a new MFA device",
            text=f"{viewer.name} confirmed that it is you ({channel.label.lower()}). The lost device "
            f"{locked_replacement.device.name} is removed as soon as "
            f"the request is approved.",
            key=f"checked:{locked_replacement.pk}",
        )
    return locked_replacement


def refuse(viewer: Viewer, replacement: DeviceReplacement, *, why: str) -> DeviceReplacement:
    """Refuse a replacement because the identity could not be verified. Nothing else is done. Raises
    RefusedError.
    """
    if not why.strip():
        raise FieldError("Enter a reason. The requester reads it.", field="how")
    with transaction.atomic():
        locked_replacement = _decided(replacement, viewer, ReplacementState.REFUSED)
        locked_replacement.checked_how = why.strip()[:500]
        locked_replacement.save()
        _record("refuse", locked_replacement, viewer, reason=locked_replacement.checked_how)
        _tell_person(
            locked_replacement,
            subject="Your lost MFA device won’t be replaced",
            text=f"{viewer.name}: {locked_replacement.checked_how}",
            key=f"refused:{locked_replacement.pk}",
        )
    return locked_replacement


def may_show(viewer: Viewer, replacement: DeviceReplacement) -> bool:
    """Return True if the viewer verified the identity and can pass on the link by hand: within its hour and
    while it is unused.
    """
    if (
        replacement.state != ReplacementState.CHECKED
        or replacement.decided_by_id != viewer.person_id
        or replacement.decided_at is None
    ):
        return False
    is_used = replacement.link is not None and replacement.link.used_at is not None
    return not is_used and datetime.now(tz=UTC) < replacement.decided_at + LINK_HOLDS


def show_link(viewer: Viewer, replacement: DeviceReplacement) -> tuple[OneTimeLink, str]:
    """Create a link that replaces the one sent, and return it with its address, shown once. Raises
    RefusedError.
    """
    with transaction.atomic():
        locked_replacement = (
            DeviceReplacement.objects.select_for_update(of=("self",))
            .select_related("user__account", "device", "person", "decided_by", "link")
            .get(pk=replacement.pk)
        )
        if not may_show(viewer, locked_replacement) or locked_replacement.decided_at is None:
            raise RefusedError(
                "Only the person who confirmed can show the link, within an hour, until it is used."
            )
        locked_replacement.link = make_link(
            LinkPurpose.MFA,
            person=locked_replacement.person,
            user_arn=locked_replacement.user.arn,
            actor=locked_replacement.decided_by,
            lasts=locked_replacement.decided_at + LINK_HOLDS - datetime.now(tz=UTC),
            cause_id=locked_replacement.pk,
            is_checked=True,
        )
        locked_replacement.save(update_fields=["link"])
        _record("show", locked_replacement, viewer, link=locked_replacement.link.pk)
    return locked_replacement.link, address_of(locked_replacement.link)


def expire(*, device: Entity | None = None) -> int:
    """End replacements that no one answered in time and return how many."""
    over = DeviceReplacement.objects.filter(state=ReplacementState.WAITING, until__lte=datetime.now(tz=UTC))
    if device is not None:
        over = over.filter(device=device)
    ended = 0
    for replacement in over.select_related("user__account", "device", "person"):
        with transaction.atomic():
            if DeviceReplacement.objects.filter(pk=replacement.pk, state=ReplacementState.WAITING).update(
                state=ReplacementState.EXPIRED
            ):
                _record("expire", replacement, None)
                ended += 1
    return ended


def _decided(replacement: DeviceReplacement, viewer: Viewer, state: ReplacementState) -> DeviceReplacement:
    """Return the locked row with the decision, which the caller saves. Raises RefusedError."""
    locked_replacement = (
        DeviceReplacement.objects.select_for_update(of=("self",))
        .select_related("user__account", "device__owner", "person", "asked_by")
        .get(pk=replacement.pk)
    )
    if why := why_not_check(viewer, locked_replacement):
        raise RefusedError(why)
    locked_replacement.state, locked_replacement.decided_at = state, datetime.now(tz=UTC)
    locked_replacement.decided_by = Person.objects.get(pk=viewer.person_id)
    return locked_replacement


def _remove(replacement: DeviceReplacement, checker: Viewer) -> Change:
    """Request the removal. Raises RefusedError."""
    actor = removal_requester(viewer_for(replacement.asked_by), user=replacement.user, checker=checker)
    operation = removal_of(replacement.device)
    over = IdentityCheckChannel(replacement.checked_over).label
    return changes.request_changes(
        changes.plan_set([operation], viewer=actor),
        actor=actor,
        reason=f"{replacement.person.name} lost this device. {replacement.reason}",
        idempotency_key=f"replace-{replacement.pk}",
        cause=SetCause(CAUSE, replacement.pk),
        notes=[
            f"{checker.name} checked their identity: {over[0].lower()}{over[1:]}. {replacement.checked_how}"
        ],
    )[0]


def _send(replacement: DeviceReplacement) -> OneTimeLink:
    user = replacement.user
    link = make_link(
        LinkPurpose.MFA,
        person=replacement.person,
        user_arn=user.arn,
        actor=replacement.decided_by,
        lasts=LINK_HOLDS,
        cause_id=replacement.pk,
        is_checked=True,
    )
    notify(
        NotifyEvent.ENROL,
        people=[replacement.person],
        subject=f"Add a new MFA device to {user.name}",
        text=f"Use this link to replace {replacement.device.name}, which you lost. It works once, in one "
        "browser, until "
        f"{moment_words(link.expires_at)}. You never need to enter a password there.",
        path=path_of(MessagePage.LINK, link.pk),
        key=str(link.pk),
    )
    return link


def _tell_asked(made: DeviceReplacement) -> None:
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
        f"by {moment_words(made.until)}.",
        path=path_of(MessagePage.MFA_REPLACEMENT, made.pk),
        key=f"replacement:{made.pk}",
    )


def _tell_person(replacement: DeviceReplacement, *, subject: str, text: str, key: str) -> None:
    notify(
        NotifyEvent.REPLACED,
        people=[replacement.person],
        subject=subject,
        text=text,
        path=path_of(MessagePage.MFA_REPLACEMENT, replacement.pk),
        key=key,
    )


def _record(act: str, replacement: DeviceReplacement, actor: Actor | None, **data: object) -> None:
    record(
        kind=f"replacement.{act}",
        actor=actor,
        subject=replacement.user.arn,
        account_id=replacement.user.account.account_id,
        data={
            "replacement": replacement.pk,
            "device": replacement.device.aws_id,
            "for": replacement.person.email,
            **data,
        },
    )
