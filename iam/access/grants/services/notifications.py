"""Notifies people that a grant began, ends soon or has ended.

Recipients are notified in words that they are allowed to read; the requester is notified of the end too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from iam.access.grants.effects import bodies_for, in_one_line
from iam.access.grants.models import GIVING, Grant, GrantAct, GrantState, LedgerEntry
from iam.access.grants.queries import visible_grants
from iam.access.grants.recipients import recipients_of
from iam.changes.summary import where_words
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.moments import moment_words
from iam.notify.events import NotifyEvent, spec_of
from iam.notify.models import MessageChannel
from iam.notify.pages import MessagePage, path_of
from iam.notify.queries import who_wants
from iam.notify.services import notify

EARLIEST: Final = timedelta(days=1)
LATEST: Final = timedelta(minutes=10)
BATCH: Final = 200
TOLD: Final = 5


def warn_of_ends(*, now: datetime | None = None) -> int:
    """Warn once of each end date: one day ahead, or at the last quarter of a shorter grant. Returns the
    number of grants.
    """
    at = now or datetime.now(tz=UTC)
    soon = Grant.objects.filter(state__in=GIVING, ends_at__gt=at, ends_at__lte=at + EARLIEST)
    # Filter before the limit, so that grants that are not due don't crowd out those that are.
    unwarned = soon.filter(Q(warned_for__isnull=True) | ~Q(warned_for=F("ends_at"))).order_by("ends_at")
    due = list(islice((grant for grant in unwarned.iterator() if _is_time(grant, at)), BATCH))
    for grant in due:
        with transaction.atomic():
            if Grant.objects.filter(pk=grant.pk, warned_for=grant.warned_for).update(
                warned_for=grant.ends_at
            ):
                _warn(grant)
    return len(due)


def _is_time(grant: Grant, now: datetime) -> bool:
    assert grant.ends_at is not None
    whole = grant.ends_at - (grant.begins_at or grant.created_at)
    return grant.ends_at - now <= max(LATEST, min(EARLIEST, whole / 4))


def _warn(grant: Grant) -> None:
    assert grant.ends_at is not None
    end = moment_words(grant.ends_at)
    _notify(
        grant,
        NotifyEvent.GRANT_ENDING,
        outcome="ends soon",
        text=f"{_permission_text(grant)} until {end}. To keep the access longer, open the grant before then "
        "and extend it or request it again. Both need approval.",
        key=f"{grant.pk}:ends:{grant.ends_at:%Y%m%d%H%M%S}",
    )
    for group in recipients_of(grant):
        where = where_words([name for _, name in group.places])
        _tell_others(
            grant,
            group.people,
            NotifyEvent.GRANT_ENDING,
            subject=f"Your access ends soon: {_permission_words(grant)}",
            text=f"{_permission_words(grant)} ({where}) until {end}. To keep the access longer, ask "
            f"{grant.requested_label}, who requested it.",
            key=f"{grant.pk}:ends:{grant.ends_at:%Y%m%d%H%M%S}",
        )


def tell_began(grant: Grant) -> None:
    """Notify recipients of a grant that somebody else requested, in the caller's transaction.

    Each reads only of accounts in which they receive access. The requester is notified by the request
    instead. Recipients are notified again if another account follows later or the end is undone. Recipients
    by a group or a role can't open the grant, and read how to use the access.
    """
    returns = grant.versions.filter(act=GrantAct.RETURNED).count()
    until = f"until {moment_words(grant.ends_at)}" if grant.ends_at else "permanently"
    for group in recipients_of(grant):
        people = [person for person in group.people if person.pk != grant.requested_by]
        if not people:
            continue
        where = where_words([name for _, name in group.places])
        numbers = ",".join(number for number, _ in group.places)
        key = f"{grant.pk}:began:{returns}:{hashlib.sha256(numbers.encode()).hexdigest()[:16]}"
        what = "\n\n".join([f"{_permission_words(grant)} ({where}) {until}.", *group.how])
        _tell_some(
            grant,
            people,
            NotifyEvent.GRANT_BEGAN,
            subject=f"You now have access: {grant.title}",
            text=f"{what}\n\nRequested by {grant.requested_label}: {grant.agreed.why}",
            key=key,
        )
        _tell_others(
            grant,
            people,
            NotifyEvent.GRANT_BEGAN,
            subject=f"You now have access: {_permission_words(grant)}",
            text=f"{what}\n\nRequested by {grant.requested_label}.",
            key=key,
        )


def tell_ended(grant: Grant) -> None:
    """Notify people that a grant has ended, in the caller's transaction.

    If it ended because a person was offboarded or changed team, that request notifies instead, so that nobody
    is advised to request the access again.
    """
    if grant.state != GrantState.ENDED or not grant.ended_at or _went_with_its_person(grant):
        return
    end, again = moment_words(grant.ended_at), "To get the access again, submit a new request."
    key = f"{grant.pk}:ended"
    text = f"{_permission_text(grant)}: ended on {end}. {again}"
    _notify(grant, NotifyEvent.GRANT_ENDED, outcome="has ended", text=text, key=key)
    for group in recipients_of(grant, has_ended=True):
        where = where_words([name for _, name in group.places])
        _tell_others(
            grant,
            group.people,
            NotifyEvent.GRANT_ENDED,
            subject=f"Your access has ended: {_permission_words(grant)}",
            text=f"{_permission_words(grant)} ({where}): ended on {end}. {again}",
            key=key,
        )


def told_of_end(grant_id: UUID) -> set[UUID]:
    """The ids of people who get a mail when the grant ends (`iam.changes.causes`)."""
    grant = Grant.objects.filter(pk=grant_id).first()
    if grant is None or _went_with_its_person(grant):
        return set()
    people = [person.pk for person in _who_open(grant, _people(grant))]
    return who_wants(people, spec=spec_of(NotifyEvent.GRANT_ENDED), channel=MessageChannel.EMAIL)


def _went_with_its_person(grant: Grant) -> bool:
    last = grant.versions.order_by("-number").first()
    return last is not None and last.act == GrantAct.ENDED and last.by_id is None


def tell_refused(grant: Grant, problems: Sequence[str]) -> None:
    """Notify the requester that a large grant could not be requested, in the caller's transaction."""
    more = f" And {len(problems) - TOLD} more." if len(problems) > TOLD else ""
    notify(
        NotifyEvent.DECIDED,
        people=list(Person.objects.filter(pk=grant.requested_by, is_active=True)),
        subject=f"{grant.reference} couldn’t be submitted: {grant.title}",
        text=f"{' '.join(problems[:TOLD])}{more} Nothing was submitted. Open the grant to see what to do.",
        path=path_of(MessagePage.GRANT, grant.pk),
        key=f"{grant.pk}:refused",
        reference=grant.reference,
    )


def _permission_text(grant: Grant) -> str:
    """The given access, with the account if there is just one, which every recipient can see."""
    words = _permission_words(grant)
    names = list(grant.parts.values_list("account__name", flat=True)[:2])
    return f"{words} ({names[0]})" if len(names) == 1 else words


def _permission_words(grant: Grant) -> str:
    """The given access in plain language."""
    terms = grant.agreed
    return in_one_line(terms.what, account_id=terms.accounts[0], bodies=bodies_for([grant]), plain=True)


def _notify(grant: Grant, event: NotifyEvent, *, outcome: str, text: str, key: str) -> None:
    subject = f"{grant.reference} {outcome}: {grant.title}"
    _tell_some(grant, _people(grant), event, subject=subject, text=text, key=key)


def _who_open(grant: Grant, people: Sequence[Person]) -> list[Person]:
    """Those of the people who can open the grant."""
    return [person for person in people if visible_grants(viewer_for(person)).filter(pk=grant.pk).exists()]


def _tell_others(
    grant: Grant, people: Sequence[Person], event: NotifyEvent, *, subject: str, text: str, key: str
) -> None:
    """Notify recipients who can't open the grant, without title and reason, which may name other people."""
    opening = {person.pk for person in _who_open(grant, people)}
    others = [person for person in people if person.pk not in opening]
    if others:
        notify(event, people=others, subject=subject, text=text, path="/", key=key, reference=grant.reference)


def _tell_some(
    grant: Grant, people: Sequence[Person], event: NotifyEvent, *, subject: str, text: str, key: str
) -> None:
    notify(
        event,
        people=_who_open(grant, people),
        subject=subject,
        text=text,
        path=path_of(MessagePage.GRANT, grant.pk),
        key=key,
        reference=grant.reference,
    )


def _people(grant: Grant) -> list[Person]:
    """The requester, and the people behind the users that hold permissions of the grant."""
    entries = LedgerEntry.objects.filter(part__grant=grant)
    named = Q(identities__user_arn__in=entries.filter(entity__isnull=True).values("holder_arn"))
    # Match by current ARN too, for users who were renamed.
    identities_of_receivers = Q(
        identities__user_arn__in=entries.filter(entity__gone_at__isnull=True).values("entity__arn")
    )
    receivers = Person.objects.filter(named | identities_of_receivers, is_active=True)
    asked = Person.objects.filter(is_active=True, pk=grant.requested_by)
    return list((receivers | asked).distinct().order_by("pk"))
