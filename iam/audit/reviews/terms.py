"""The terms of a campaign: subjects, access, reviewers and schedule. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from iam.audit.reviews.models import OverdueAction, ReviewerRule, ReviewScope, SubjectKind

MAX_TRIAL_DAYS: Final = 30
MAX_MONTHS: Final = 24
REMIND_DAYS: Final = 3
"""Reviewers are reminded daily from this many days before the due date."""
UNUSED_DAYS: Final = 90


class InvalidCampaignError(ValueError):
    """Raised for invalid terms; `field` is the form field, "" for the whole form, and `errors` has the
    message of each wrong field.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.errors = {field: message}


@dataclass(frozen=True, slots=True)
class ReviewTerms:
    """The terms of a campaign.

    `accounts` are account IDs, `teams` and `templates` are slugs, and `kinds` are values of SubjectKind; an
    empty list means all. With `months` 0, the review is not repeated. With `trial_days` 0, revoked access is
    not restored automatically.
    """

    accounts: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    which: str = ReviewScope.EVERYTHING.value
    reviewers: str = ReviewerRule.TEAM_LEAD.value
    overdue: str = OverdueAction.REMIND.value
    months: int = 0
    trial_days: int = 0

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the output of `to_json`."""
        values = dict(body)
        for name in ("accounts", "teams", "templates", "kinds"):
            values[name] = tuple(values[name])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The JSON that a row stores."""
        body: dict[str, Any] = asdict(self)
        for name in ("accounts", "teams", "templates", "kinds"):
            body[name] = list(body[name])
        return body


def check(terms: ReviewTerms) -> None:
    """Raise InvalidCampaignError for invalid terms."""
    if set(terms.kinds) - set(SubjectKind.values):
        raise InvalidCampaignError("Choose from the list.", field="kinds")
    for name, choices in (("which", ReviewScope), ("reviewers", ReviewerRule), ("overdue", OverdueAction)):
        if getattr(terms, name) not in choices.values:
            raise InvalidCampaignError("Choose from the list.", field=name)
    if not 0 <= terms.months <= MAX_MONTHS:
        raise InvalidCampaignError(f"Enter a number of months from 0 to {MAX_MONTHS}.", field="months")
    if not 0 <= terms.trial_days <= MAX_TRIAL_DAYS:
        raise InvalidCampaignError(f"Enter a number of days from 0 to {MAX_TRIAL_DAYS}.", field="trial_days")
