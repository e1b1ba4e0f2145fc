"""The form of an evidence pack: topic, accounts, period and sample."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django import forms

from iam.audit.evidence.change_sample import MOST, USUAL_SIZE
from iam.audit.evidence.contents import whole_accounts
from iam.audit.evidence.models import PackKind
from iam.audit.evidence.packs import PackOrder, PackRefusedError, period_problems, seed_problem
from iam.audit.frameworks.definitions import all_frameworks
from iam.audit.reviews.queries import sees_whole, visible_campaigns
from iam.guard import Viewer
from iam.moments import day_words

PERIOD_DAYS: Final = 90
REVIEWS: Final = 20
PERIOD: Final = "period"
DATE: Final = {"class": "input", "type": "date"}


def about_choices(viewer: Viewer) -> list[tuple[str, str]]:
    """Return the topics of packs that this viewer can request."""
    limits = viewer.limits
    frameworks = [
        (f"framework:{name}", each.title)
        for name, each in all_frameworks().items()
        if limits is None or limits.sees_framework(name)
    ]
    if limits is not None and not limits.is_period_only:
        return frameworks
    reviews = []
    for campaign in visible_campaigns(viewer, is_ended=True)[:REVIEWS]:
        if sees_whole(viewer, campaign):
            reviews.append((f"review:{campaign.reference}", f"Access review: {campaign.name}"))
    return [*frameworks, *reviews, (PERIOD, "Changes and journal of a period")]


class SampleForm(forms.Form):
    """A period, accounts, the number of changes to draw, and the seed."""

    accounts = forms.MultipleChoiceField(
        required=False,
        help_text="If you select none, all that you see.",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose from the list."},
    )
    since = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs=DATE, format="%Y-%m-%d"),
        error_messages={"required": "Enter the first day.", "invalid": "Write the day as 2026-11-30."},
    )
    until = forms.DateField(
        label="To",
        help_text="This day is included (UTC).",
        widget=forms.DateInput(attrs=DATE, format="%Y-%m-%d"),
        error_messages={"required": "Enter the last day.", "invalid": "Write the day as 2026-11-30."},
    )
    sample_size = forms.IntegerField(
        label="Changes to sample",
        min_value=0,
        max_value=MOST,
        initial=USUAL_SIZE,
        widget=forms.NumberInput(attrs={"class": "input"}),
        error_messages={
            "required": "Enter a number. 0 draws none.",
            "invalid": "Enter a whole number.",
            "min_value": "Enter 0 or more.",
            "max_value": f"A sample has at most {MOST} changes.",
        },
    )
    seed = forms.CharField(
        required=False,
        max_length=64,
        help_text="Draws the same sample again. Leave it empty for a random one.",
        widget=forms.TextInput(attrs={"class": "input mono", "spellcheck": "false", "autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, viewer: Viewer, now: datetime, **initial: Any) -> None:
        self.viewer = viewer
        since, until = _usual_period(viewer, now)
        super().__init__(data, initial={"since": since.date(), "until": until.date(), **initial})
        accounts = [(account.account_id, account.name) for account in whole_accounts(viewer).order_by("name")]
        self._set_choices("accounts", accounts)

    def _set_choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Check the period as far as it is there, so that all that is wrong is said at once."""
        values = dict(self.cleaned_data)
        since, until = values.get("since"), values.get("until")
        first = _start(since) if since else None
        end = _end_of(until) if until else None
        for name, problem in period_problems(first, end, self.viewer.limits).items():
            self.add_error(name, problem)
        return values

    def clean_seed(self) -> str:
        """Refuse a seed that no sample can be drawn with."""
        seed = str(self.cleaned_data["seed"])
        if problem := seed_problem(seed):
            raise forms.ValidationError(problem)
        return seed

    def field_of(self, name: str) -> str | None:
        """Return the form field for an error of the service; None for errors of the whole form."""
        return name if name in self.fields else None

    def refuse(self, refused: PackRefusedError) -> None:
        """Show what the service refused, each at its field."""
        for name, problem in refused.errors.items():
            self.add_error(self.field_of(name), problem)

    def order(self) -> PackOrder:
        """Return the order of a valid form: a pack about a period."""
        values = self.cleaned_data
        return PackOrder(
            kind=PackKind.PERIOD,
            since=_start(values["since"]),
            until=_end_of(values["until"]),
            accounts=tuple(values["accounts"]),
            seed=values["seed"],
            sample_size=values["sample_size"],
        )


class PackForm(SampleForm):
    """The form to request a pack."""

    about = forms.ChoiceField(label="About", widget=forms.Select(attrs={"class": "input"}))

    def __init__(self, data: Any = None, *, viewer: Viewer, chosen: str, now: datetime) -> None:
        super().__init__(data, viewer=viewer, now=now, about=chosen)
        self._set_choices("about", about_choices(viewer))
        help_text = "This day is included. Changes and journal entries of the period are in the pack (UTC)."
        self.fields["until"].help_text = help_text
        last = viewer.limits.last_moment(now=now) if viewer.limits else None
        if last is not None:
            words = f"The period of your audit is over. A framework is shown as it was on {day_words(last)}."
            self.fields["about"].help_text = words

    def field_of(self, name: str) -> str | None:
        """Return the form field for an error of the service, including the two that this form combines."""
        return "about" if name in ("kind", "subject") else super().field_of(name)

    def order(self) -> PackOrder:
        """Return the order of a valid form."""
        kind, _, subject = self.cleaned_data["about"].partition(":")
        return replace(super().order(), kind=PackKind(kind), subject=subject)


def _usual_period(viewer: Viewer, now: datetime) -> tuple[datetime, datetime]:
    """Return the default period: the last days, within the limits of an auditor."""
    limits = viewer.limits
    until = now
    if limits is not None:
        until = limits.last_moment(now=now) or now
    since = until - timedelta(days=PERIOD_DAYS)
    if limits is not None and limits.since is not None:
        since = max(since, limits.since)
    return since, until


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _end_of(day: date) -> datetime:
    """Return the end of a day; the last day there is ends with itself."""
    return _start(day) + min(timedelta(days=1), datetime.max.replace(tzinfo=UTC) - _start(day))
