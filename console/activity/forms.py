"""Filter forms of activity pages; invalid values are left out, and the page says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from console.web.address_choices import leave_out_invalid, order_problem
from console.web.moments import day_start
from iam.activity.queries import ALL, ActivityFilter

TEXT_LENGTH: Final = 200
RESULT_CHOICES: Final = (
    (ALL, "All"),
    ("denied", "Denied"),
    ("failed", "Failed"),
    ("changes", "Changes"),
    ("no-mfa", "Without MFA"),
)
PERIODS: Final = (
    ("", "Any time"),
    ("1", "Last 24 hours"),
    ("7", "Last 7 days"),
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
)


class ActivityForm(forms.Form):
    """A text, a result and a period."""

    q = forms.CharField(required=False, max_length=TEXT_LENGTH)
    result = forms.ChoiceField(required=False, choices=RESULT_CHOICES)
    days = forms.ChoiceField(required=False, choices=PERIODS)

    def __init__(self, request: HttpRequest, *, at: datetime | None = None) -> None:
        super().__init__(request.GET)
        self.at = at
        leave_out_invalid(request, self)

    def value(self, name: str) -> str:
        """Return the chosen value; "" if it is missing or invalid."""
        return str(self.cleaned_data.get(name) or "")

    @property
    def event_filter(self) -> ActivityFilter:
        """Return the filter; for a past moment it excludes later events."""
        since = None
        if days := self.value("days"):
            since = (self.at or timezone.now()) - timedelta(days=int(days))
        result = self.value("result") or ALL
        return ActivityFilter(result=result, text=self.value("q"), since=since, until=self.at)

    @property
    def is_filtered(self) -> bool:
        """Return whether anything is filtered."""
        return any(self.value(name) for name in ("q", "days")) or self.value("result") not in ("", ALL)

    @property
    def result_choices(self) -> list[tuple[str, str, bool]]:
        """Return the results, and which one is chosen."""
        chosen = self.value("result") or ALL
        return [(value, label, value == chosen) for value, label in RESULT_CHOICES]

    @property
    def period_choices(self) -> list[tuple[str, str, bool]]:
        """Return the periods, and which one is chosen."""
        return [(value, label, value == self.value("days")) for value, label in PERIODS]


class AccountsActivityForm(ActivityForm):
    """Adds a principal, an account, and a first and last day (in the reader's time zone)."""

    who = forms.CharField(required=False, max_length=TEXT_LENGTH)
    account = forms.RegexField(r"\d{12}", required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    @property
    def event_filter(self) -> ActivityFilter:
        """Return the filter, including both days completely."""
        chosen = super().event_filter
        if first := self.cleaned_data.get("since"):
            chosen = replace(chosen, since=day_start(first))
        if last := self.cleaned_data.get("until"):
            chosen = replace(chosen, until=day_start(last, later=1))
        return chosen

    @property
    def date_problem(self) -> str:
        """Return what is wrong with the two days; no event matches then."""
        return order_problem(self.cleaned_data.get("since"), self.cleaned_data.get("until"))

    @property
    def is_filtered(self) -> bool:
        """Return whether anything is filtered."""
        return super().is_filtered or any(self.value(name) for name in ("who", "account", "since", "until"))
