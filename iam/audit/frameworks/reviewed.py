"""The joint with access reviews: which one was signed off last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from iam.audit.frameworks.checks.case import ReviewFact

LastReview = Callable[[str, tuple[str, ...], datetime], ReviewFact | None]
_sources: Final[list[LastReview]] = []


def on_last_review(source: LastReview) -> LastReview:
    """Enter who knows access reviews: (about “people” or “applications”, account numbers or () for all, by
    which moment) → the last one that was signed off and covers all of these accounts, if there is one.
    """
    _sources.append(source)
    return source


def last_review(about: str, *, accounts: tuple[str, ...], by: datetime) -> ReviewFact | None:
    """The last review of people or applications that was signed off by a moment."""
    reviews = [review for source in _sources if (review := source(about, accounts, by)) is not None]
    return max(reviews, key=lambda review: review.signed_at, default=None)
