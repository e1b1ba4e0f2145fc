"""Tells people that a grant ends soon, or has ended: whoever asked for it, and whom it is for, as far as they may open it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from iam.access.grants.effects import bodies_for, in_one_line
from iam.access.grants.models import GIVING, Act, Grant, LedgerEntry, State
from iam.access.grants.queries import visible_grants
from iam.access.grants.wording import moment
from iam.directory.models import Person
from iam.guard import viewer_for
from iam.notify.events import Event
from iam.notify.services import notify

EARLIEST: Final = timedelta(days=1)
LATEST: Final = timedelta(minutes=10)
BATCH: Final = 200
TOLD: Final = 5


def warn_of_ends(*, now: datetime | None = None) -> int:
    """Warn of each grant once before its end, a day ahead or a quarter of its time; how many were warned of."""
    at = now or datetime.now(tz=UTC)
    soon = Grant.objects.filter(state__in=GIVING, ends_at__gt=at, ends_at__lte=at + EARLIEST)
    # Many who were warned already, or whose time has not come, keep nobody from being warned.
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
    text = f"{_what(grant)} until {moment(grant.ends_at)}. To keep the access longer, open the grant before then and extend it or request it again. Both need approval."
    _tell(
        grant,
        Event.GRANT_ENDING,
        said="ends soon",
        text=text,
        key=f"{grant.pk}:ends:{grant.ends_at:%Y%m%d%H%M%S}",
    )


def tell_ended(grant: Grant) -> None:
    """A grant has ended, and nothing of it is left but what others need; in the caller's transaction.

    What Gatehouse ends because its person was offboarded or changed team is told by that request: nobody is told to ask for it again.
    """
    if grant.state == State.ENDED and grant.ended_at and not _went_with_its_person(grant):
        text = f"{_what(grant)}: ended on {moment(grant.ended_at)}. To get the access again, submit a new request."
        _tell(grant, Event.GRANT_ENDED, said="has ended", text=text, key=f"{grant.pk}:ended")


def _went_with_its_person(grant: Grant) -> bool:
    last = grant.versions.order_by("-number").first()
    return last is not None and last.act == Act.ENDED and last.by_id is None


def tell_refused(grant: Grant, problems: Sequence[str]) -> None:
    """A large grant that was submitted could not be asked for; in the caller's transaction. Only whoever submitted it knows of it."""
    more = f" And {len(problems) - TOLD} more." if len(problems) > TOLD else ""
    notify(
        Event.DECIDED,
        people=list(Person.objects.filter(pk=grant.requested_by, is_active=True)),
        subject=f"{grant.reference} couldn’t be submitted: {grant.title}",
        text=f"{' '.join(problems[:TOLD])}{more} Nothing was submitted. Open the grant to see what to do.",
        path=f"/grants/{grant.pk}/",
        key=f"{grant.pk}:refused",
        reference=grant.reference,
    )


def _what(grant: Grant) -> str:
    """What it gives, and where if that is one account: everyone who gets the mail sees it there."""
    terms = grant.agreed
    words = in_one_line(terms.what, account_id=terms.accounts[0], bodies=bodies_for([grant]), plain=True)
    names = list(grant.parts.values_list("account__name", flat=True)[:2])
    return f"{words} ({names[0]})" if len(names) == 1 else words


def _tell(grant: Grant, event: Event, *, said: str, text: str, key: str) -> None:
    people = [one for one in _people(grant) if visible_grants(viewer_for(one)).filter(pk=grant.pk).exists()]
    notify(
        event,
        people=people,
        subject=f"{grant.reference} {said}: {grant.title}",
        text=text,
        path=f"/grants/{grant.pk}/",
        key=key,
        reference=grant.reference,
    )


def _people(grant: Grant) -> list[Person]:
    """Whoever asked, and the people behind the users who hold something of it."""
    entries = LedgerEntry.objects.filter(part__grant=grant)
    named = Q(identities__user_arn__in=entries.filter(entity__isnull=True).values("holder_arn"))
    # Whoever was renamed since is told as well.
    meant = Q(identities__user_arn__in=entries.filter(entity__gone_at__isnull=True).values("entity__arn"))
    receivers = Person.objects.filter(named | meant, is_active=True)
    asked = Person.objects.filter(is_active=True, pk=grant.requested_by)
    return list((receivers | asked).distinct().order_by("pk"))
