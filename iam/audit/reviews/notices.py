"""Notifies reviewers of waiting rows, and owners of reviews of events, through the outbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Count

from iam.audit.reviews.models import ReviewCampaign, ReviewItem
from iam.directory.models import Person
from iam.moments import moment_words
from iam.notify.events import NotifyEvent
from iam.notify.pages import MessagePage, path_of
from iam.notify.services import notify


def _waiting(campaign: ReviewCampaign) -> dict[UUID, int]:
    """The number of waiting rows by reviewer; reviewers without any are left out."""
    rows = ReviewItem.objects.filter(campaign=campaign, decision="", reviewer_id__isnull=False)
    counts = rows.order_by().values_list("reviewer_id").annotate(number=Count("pk"))
    return dict(counts)


def _tell(campaign: ReviewCampaign, people: dict[UUID, int], *, key: str, words: str, text: str) -> int:
    """Send a message to each reviewer with their number of rows."""
    sent = 0
    for person in Person.objects.filter(pk__in=people, is_active=True):
        number = people[person.pk]
        what = "1 access item" if number == 1 else f"{number:,} access items"
        sent += notify(
            NotifyEvent.REVIEW,
            people=[person],
            subject=f"{words}: {what} in {campaign.name}",
            text=text,
            path=path_of(MessagePage.REVIEW, campaign.pk),
            key=f"{campaign.pk}:{key}:{person.pk.hex[:8]}",
            reference=campaign.reference,
        )
    return sent


def tell_opened(campaign: ReviewCampaign) -> int:
    """Notify the reviewers that the review has opened."""
    text = f"{campaign.reason}\nPlease decide by {moment_words(campaign.due_at)}."
    return _tell(campaign, _waiting(campaign), key="opened", words="To review", text=text)


def remind(campaign: ReviewCampaign, *, now: datetime) -> int:
    """Remind reviewers of undecided rows, each at most once a day."""
    is_late = now > campaign.due_at
    words = "Overdue" if is_late else "Still to review"
    text = (
        f"It was due on {moment_words(campaign.due_at)}."
        if is_late
        else f"It is due on {moment_words(campaign.due_at)}."
    )
    return _tell(campaign, _waiting(campaign), key=f"remind:{now:%Y%m%d}", words=words, text=text)


def tell_assigned(campaign: ReviewCampaign, person: Person, *, by: str, rows: int, reason: str) -> int:
    """Notify a new reviewer."""
    key = f"assigned:{person.pk.hex[:8]}:{rows}"
    text = f"{by} assigned this to you: {reason}"
    return _tell(campaign, {person.pk: rows}, key=key, words="To review", text=text)


def tell_person(
    campaign: ReviewCampaign, person_id: UUID | None, *, subject: str, text: str, key: str
) -> int:
    """Notify one person, such as the owner."""
    people = list(Person.objects.filter(pk__in=[person_id], is_active=True)) if person_id else []
    return notify(
        NotifyEvent.REVIEW,
        people=people,
        subject=subject,
        text=text,
        path=path_of(MessagePage.REVIEW, campaign.pk),
        key=f"{campaign.pk}:{key}",
        reference=campaign.reference,
    )
