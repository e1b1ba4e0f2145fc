"""Forms about people, roles and teams; they check the input's shape, and the services check the rules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms

from console.web.address_choices import order_problem
from console.web.moments import day_end
from console.web.text import reads_as_stored
from iam.directory.audit_scopes import AuditTerms
from iam.directory.models import AuditScope, Role, RuleKind, Team


def _text(**attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "input"} | attrs)


def _account_field() -> forms.RegexField:
    return forms.RegexField(
        r"^(\d{12})?$",
        required=False,
        label="Account",
        widget=_text(list="accounts", inputmode="numeric", autocomplete="off", placeholder="All accounts"),
        error_messages={"invalid": "Enter a 12-digit account ID, or leave it empty for all accounts."},
    )


class PersonForm(forms.Form):
    """A new person."""

    name = forms.CharField(max_length=128, widget=_text(autocomplete="off"), validators=[reads_as_stored])
    email = forms.EmailField(
        label="Email",
        max_length=150,
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "off"}),
        help_text="Single sign-on identifies them by it. You can’t change it later.",
    )


class OperatorRoleForm(forms.Form):
    """A role, in one account or in all, for one team or none."""

    role = forms.ChoiceField(
        choices=[("", "Choose a role"), *Role.choices], widget=forms.Select(attrs={"class": "input"})
    )
    account_id = _account_field()
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"),
        required=False,
        empty_label="No team",
        widget=forms.Select(attrs={"class": "input"}),
        help_text="Team leads only.",
    )
    until = forms.DateField(
        required=False,
        label="Last day",
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}),
        help_text="Auditors only. Afterwards the role has no rights.",
        error_messages={"invalid": "Write the day as 2026-11-30."},
    )

    def clean_until(self) -> datetime | None:
        """Return the end of the day."""
        day = self.cleaned_data["until"]
        return day_end(day) if day else None


class AuditScopeForm(forms.Form):
    """The limits of an auditor."""

    frameworks = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose frameworks from the list."},
    )
    packs = forms.MultipleChoiceField(
        required=False,
        label="Evidence packs",
        widget=forms.CheckboxSelectMultiple,
        help_text="The 50 newest are offered, and those that were chosen before.",
        error_messages={"invalid_choice": "Choose packs from the list."},
    )
    since = forms.DateField(
        required=False,
        label="First day of the period",
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
        help_text="As in evidence packs, days are those of UTC.",
        error_messages={"invalid": "Write the day as 2026-11-30."},
    )
    until = forms.DateField(
        required=False,
        label="Last day of the period",
        widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
        help_text="This day is included (UTC).",
        error_messages={"invalid": "Write the day as 2026-11-30."},
    )

    def __init__(
        self,
        data: Any = None,
        *,
        frameworks: list[tuple[str, str]],
        packs: list[tuple[str, str]],
        scope: AuditScope | None,
    ) -> None:
        initial: dict[str, Any] = {}
        if scope is not None:
            last = scope.until - timedelta(days=1) if scope.until else None
            initial = {
                "frameworks": scope.frameworks,
                "packs": scope.packs,
                "since": scope.since.date() if scope.since else None,
                "until": last.date() if last else None,
            }
        # The form for roles is on the same page and has its own last day.
        super().__init__(data, initial=initial, auto_id="audit_%s")
        for name, choices in (("frameworks", frameworks), ("packs", packs)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Check that the period ends after it starts."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("since"), cleaned.get("until")
        if problem := order_problem(first, last):
            self.add_error("until", problem)
        if first and first > datetime.now(tz=UTC).date():
            self.add_error("since", "The first day must not be in the future.")
        return cleaned

    def terms(self) -> AuditTerms:
        """Return the limits for the service, from a valid form."""
        values = self.cleaned_data
        since = until = None
        if values["since"]:
            since = datetime.combine(values["since"], time(), tzinfo=UTC)
        if values["until"]:
            until = datetime.combine(values["until"], time(), tzinfo=UTC) + timedelta(days=1)
        return AuditTerms(values["frameworks"], values["packs"], since, until)


class FactorsForm(forms.Form):
    """Remove lost second factors; asks how the administrator verified the person's identity."""

    proof = forms.CharField(
        max_length=300,
        label="How did you verify that it’s them?",
        widget=_text(autocomplete="off", placeholder="Met in person"),
        validators=[reads_as_stored],
        help_text="Don’t accept an email or a chat message alone. Meet them, or call a number that you "
        "already "
        "have. This is kept in the journal.",
        error_messages={
            "required": (
                "Write how you verified that it’s them, such as “Met in person” or “Called their known "
                "number”."
            )
        },
    )


class IdentityForm(forms.Form):
    """An IAM user to link to the person."""

    user_arn = forms.CharField(
        max_length=2048,
        label="ARN of an IAM user",
        widget=_text(
            autocomplete="off", spellcheck="false", placeholder="arn:aws:iam::111111111111:user/maya"
        ),
    )


class TeamForm(forms.Form):
    """A new team."""

    name = forms.CharField(max_length=128, widget=_text(autocomplete="off"), validators=[reads_as_stored])
    description = forms.CharField(
        max_length=512, required=False, widget=_text(autocomplete="off"), validators=[reads_as_stored]
    )


class TeamRuleForm(forms.Form):
    """A rule that makes IAM users part of a team."""

    kind = forms.ChoiceField(
        choices=RuleKind.choices, label="An IAM user who", widget=forms.Select(attrs={"class": "input"})
    )
    value = forms.CharField(
        max_length=512, label="Group or path", widget=_text(autocomplete="off", spellcheck="false")
    )
    account_id = _account_field()


def _name_field() -> forms.CharField:
    return forms.CharField(
        max_length=128, label="Name", widget=_text(autocomplete="off"), validators=[reads_as_stored]
    )


def _email_field() -> forms.EmailField:
    return forms.EmailField(
        max_length=150,
        label="Email",
        widget=forms.EmailInput(attrs={"class": "input", "autocomplete": "off"}),
    )


class SetUpForm(forms.Form):
    """The two people who approve from the start."""

    first_name = _name_field()
    first_email = _email_field()
    second_name = _name_field()
    second_email = _email_field()

    def clean(self) -> dict[str, Any]:
        """Check that the two people differ."""
        cleaned = super().clean() or {}
        first, second = cleaned.get("first_email", ""), cleaned.get("second_email", "")
        if first and first.casefold() == second.casefold():
            self.add_error("second_email", "Choose a different person. No one can approve alone.")
        return cleaned
