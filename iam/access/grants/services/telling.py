"""Tells people that a grant has begun, ends soon, or has ended: whom it is for, and of its end also who requested it, as far as they may open it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from iam.access.grants.effects import bodies_for, in_one_line
from iam.access.grants.models import GIVING, Act, Grant, LedgerEntry, State
from iam.access.grants.queries import visible_grants
from iam.access.grants.wording import moment
from iam.changes.summary import where_words
from iam.directory.models import Identity, Person
from iam.guard import viewer_for
from iam.notify.events import Event, spec_of
from iam.notify.models import Channel
from iam.notify.queries import wants
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


def tell_began(grant: Grant) -> None:
    """People who receive a grant that another person requested have access now: what, where and until when; in the caller's transaction.

    Each reads only of the accounts in which they hold something of it; who requested it is told by the request. Where another account follows later,
    or its end is undone, they are told again.
    """
    returns = grant.versions.filter(act=Act.RETURNED).count()
    until = f"until {moment(grant.ends_at)}" if grant.ends_at else "permanently"
    for accounts, people in _receivers(grant).items():
        where = where_words([name for _, name in accounts])
        numbers = ",".join(number for number, _ in accounts)
        _tell_some(
            grant,
            people,
            Event.GRANT_BEGAN,
            subject=f"You now have access: {grant.title}",
            text=f"{_words(grant)} ({where}) {until}.\n\nRequested by {grant.requested_label}: {grant.agreed.why}",
            key=f"{grant.pk}:began:{returns}:{hashlib.sha256(numbers.encode()).hexdigest()[:16]}",
        )


def _receivers(grant: Grant) -> dict[tuple[tuple[str, str], ...], list[Person]]:
    """The people whose users hold something of it by now, without who requested it, by the accounts (number, name) in which they do."""
    entries = LedgerEntry.objects.filter(part__grant=grant, since__isnull=False, until__isnull=True)
    accounts: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for entry in entries.select_related("entity", "account").order_by("pk"):
        # Those who were renamed since are told as well.
        arn = entry.entity.arn if entry.entity and entry.entity.gone_at is None else entry.holder_arn
        accounts[arn].add((entry.account.account_id, entry.account.name))
    places: dict[UUID, set[tuple[str, str]]] = defaultdict(set)
    linked = Identity.objects.filter(user_arn__in=accounts).exclude(person=grant.requested_by)
    for person_id, arn in linked.values_list("person_id", "user_arn"):
        places[person_id] |= accounts[arn]
    together: dict[tuple[tuple[str, str], ...], list[Person]] = defaultdict(list)
    for person in Person.objects.filter(pk__in=places, is_active=True).order_by("pk"):
        together[tuple(sorted(places[person.pk], key=lambda account: account[1]))].append(person)
    return together


def tell_ended(grant: Grant) -> None:
    """A grant has ended, and nothing of it is left but what others need; in the caller's transaction.

    What Gatehouse ends because its person was offboarded or changed team is told by that request: nobody is told to ask for it again.
    """
    if grant.state == State.ENDED and grant.ended_at and not _went_with_its_person(grant):
        text = f"{_what(grant)}: ended on {moment(grant.ended_at)}. To get the access again, submit a new request."
        _tell(grant, Event.GRANT_ENDED, said="has ended", text=text, key=f"{grant.pk}:ended")


def told_of_end(grant_id: UUID) -> set[UUID]:
    """Who gets a mail when the grant has ended (`iam.changes.telling.register_told`)."""
    grant = Grant.objects.filter(pk=grant_id).first()
    if grant is None or _went_with_its_person(grant):
        return set()
    people = [one.pk for one in _who_open(grant, _people(grant))]
    return wants(people, spec=spec_of(Event.GRANT_ENDED), channel=Channel.EMAIL)


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
    words = _words(grant)
    names = list(grant.parts.values_list("account__name", flat=True)[:2])
    return f"{words} ({names[0]})" if len(names) == 1 else words


def _words(grant: Grant) -> str:
    """What it gives, in words for everyone."""
    terms = grant.agreed
    return in_one_line(terms.what, account_id=terms.accounts[0], bodies=bodies_for([grant]), plain=True)


def _tell(grant: Grant, event: Event, *, said: str, text: str, key: str) -> None:
    subject = f"{grant.reference} {said}: {grant.title}"
    _tell_some(grant, _people(grant), event, subject=subject, text=text, key=key)


def _who_open(grant: Grant, people: Sequence[Person]) -> list[Person]:
    """Of these people, those who can open it."""
    return [one for one in people if visible_grants(viewer_for(one)).filter(pk=grant.pk).exists()]


def _tell_some(
    grant: Grant, people: Sequence[Person], event: Event, *, subject: str, text: str, key: str
) -> None:
    notify(
        event,
        people=_who_open(grant, people),
        subject=subject,
        text=text,
        path=f"/grants/{grant.pk}/",
        key=key,
        reference=grant.reference,
    )


def _people(grant: Grant) -> list[Person]:
    """Whoever asked, and the people behind the users who hold something of it."""
    entries = LedgerEntry.objects.filter(part__grant=grant)
    named = Q(identities__user_arn__in=entries.filter(entity__isnull=True).values("holder_arn"))
    # Those who were renamed since are told as well.
    meant = Q(identities__user_arn__in=entries.filter(entity__gone_at__isnull=True).values("entity__arn"))
    receivers = Person.objects.filter(named | meant, is_active=True)
    asked = Person.objects.filter(is_active=True, pk=grant.requested_by)
    return list((receivers | asked).distinct().order_by("pk"))
