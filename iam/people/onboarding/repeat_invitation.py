"""Sends another invitation, with a new first password if the former one can't be used any more. The invited
person can request it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation, restore
from iam.changes.operations.login_profile import CreateLoginProfile, UpdateLoginProfile
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.journal.services import record
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify
from iam.people.links.models import OneTimeLink
from iam.people.onboarding.invitation import can_be_shown, invite, newcomer_of
from iam.people.onboarding.invitation_state import (
    ACCESS_ENDED,
    MOVED_AWAY,
    PASSWORDS,
    WITHOUT_ACCESS,
    check_may_invite,
    has_chosen_password,
    is_password_gone,
    lacks_password,
    team_of,
    why_over,
)
from iam.people.onboarding.models import OnboardedPerson, OnboardingRun, ProvisionedUser
from iam.people.onboarding.queries import ProvisionedUserChanges, held_by
from iam.people.onboarding.retry import Stuck, new_seal, queue_again
from iam.phrases import joined

REPEAT_PAUSE: Final = timedelta(hours=1)
"""Minimum time between two notices to the lead that a person needs another invitation."""


@dataclass(frozen=True, slots=True)
class SentAgain:
    """The result: the link that was sent, or the number of passwords that are set first, after which
    Gatehouse sends it.
    """

    link: OneTimeLink | None
    resets: int = 0


def needs_reset(place: ProvisionedUser, place_changes: ProvisionedUserChanges) -> Change | None:
    """Return the change that set the first password of a place if that password can no longer be shown and
    the person hasn't chosen their own, or None.
    """
    first = next(
        (change for change in place_changes.latest if change.operation in PASSWORDS and change.queued_at),
        None,
    )
    if first is None or has_chosen_password(place):
        return None
    return None if can_be_shown(place.password_seal) and not is_password_gone(place) else first


def invite_again(newcomer: OnboardedPerson, *, actor: Viewer) -> SentAgain:
    """Send the person another link. If the first password was shown, has expired or no longer exists in AWS,
    a new one is set first, under the approval of the onboarding. Only the person sees it. Raises
    RefusedError.
    """
    check_may_invite(newcomer, actor=actor)
    now = datetime.now(tz=UTC)
    why = why_over(newcomer, since=now)
    if why == ACCESS_ENDED:
        raise RefusedError(f"The access of {newcomer.name} has ended. Restore it, or onboard them again.")
    if why == MOVED_AWAY:
        raise RefusedError(f"{newcomer.name} changed team. Send the invitation of the new team again.")
    if why in WITHOUT_ACCESS:
        raise RefusedError(f"{newcomer.name} is suspended. Restore access first.")
    with transaction.atomic():
        run = OnboardingRun.objects.select_for_update().get(pk=newcomer.run_id)
        places = list(newcomer.places.filter(joined_at__isnull=False).select_related("account", "change_set"))
        changes_by_place = held_by(places)
        if any(place_changes.is_open for place_changes in changes_by_place):
            raise RefusedError(
                f"Changes for {newcomer.name} are in progress. Try again when they have ended."
            )
        resets = [
            (place, change)
            for place, state in zip(places, changes_by_place, strict=True)
            if (change := needs_reset(place, state)) is not None
        ]
        if not resets:
            return SentAgain(invite(newcomer, actor=actor))
        _reset(run, newcomer, resets, actor=actor)
    return SentAgain(None, resets=len(resets))


def _reset(run: OnboardingRun, newcomer: OnboardedPerson, resets: Sequence[Stuck], *, actor: Viewer) -> None:
    OnboardedPerson.objects.filter(pk=newcomer.pk).update(link_for=actor.person_id)
    queue_again(
        run,
        resets,
        partial(_new_password, run),
        actor=actor,
        reason=f"{newcomer.name} needs another invitation ({run.reference}).",
        title_of=lambda _: f"Reset the first password of {newcomer.name}",
        key="run-invite",
    )
    data = {"run": run.pk, "for": newcomer.email, "passwords": len(resets)}
    record(kind="onboarding.reset", actor=actor, subject=run.reference, data=data)


def _new_password(run: OnboardingRun, place: ProvisionedUser, change: Change) -> Operation:
    """Return the operation that sets a new first password under a new seal."""
    params: dict[str, Any] = dict(change.params)
    user = place.user()
    if user is None:
        raise RefusedError(
            f"IAM user {place.user_arn.rpartition('/')[2]} no longer exists in {place.account.name}."
        )
    params |= {
        "user_name": user.name,
        "user_arn": user.arn,
        "user_id": user.aws_id,
        "sealed_id": str(new_seal(run, place, "password")),
    }
    slug = CreateLoginProfile.spec.slug if lacks_password(place) else UpdateLoginProfile.spec.slug
    return restore(slug, account=place.account, params=params)


@transaction.atomic
def request_invitation(link: OneTimeLink) -> str:
    """Tell the sender and the leads of the team that the holder of an unusable link requests another one, at
    most once an hour. Returns their names, or an empty string if the link is no invitation or its person's
    access has ended.
    """
    newcomer = newcomer_of(link)
    now = datetime.now(tz=UTC)
    if newcomer is None or why_over(newcomer, since=now) in WITHOUT_ACCESS:
        return ""
    people = _inviters(newcomer, link)
    wanted = newcomer.wants_link_at
    if wanted is None or wanted < now - REPEAT_PAUSE:
        OnboardedPerson.objects.filter(pk=newcomer.pk).update(wants_link_at=now)
        notify(
            NotifyEvent.INVITATION_WANTED,
            people=people,
            subject=f"{newcomer.name} needs another invitation",
            text=f"The invitation of {newcomer.name} ({newcomer.email}) no longer opens. Open the page and "
            "choose “Send the invitation again”: "
            "if needed, Gatehouse sets a new first password that only they can see.",
            path=path_of(MessagePage.NEWCOMER, newcomer.run_id, newcomer.user_name),
            key=f"invitation-wanted-{newcomer.pk}-{now:%Y%m%d%H%M}",
        )
        data = {"run": newcomer.run_id, "for": newcomer.email}
        record(
            kind="onboarding.invitation_wanted", actor=link.person, subject=newcomer.run.reference, data=data
        )
    return joined(sorted(person.name for person in people)) or "your team lead"


def _inviters(newcomer: OnboardedPerson, link: OneTimeLink) -> list[Person]:
    leads = Person.objects.filter(
        assignments__role=Role.TEAM_LEAD, assignments__team=team_of(newcomer), is_active=True
    )
    senders = Person.objects.filter(pk__in=[newcomer.run.requested_by, link.created_by], is_active=True)
    return list(leads.union(senders))
