"""The form of an assertion: lines of text become terms, and what is wrong is said at its field."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from console.web.text import reads_as_stored
from iam.audit.approval_requests.requests import MAX_REASON
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.proposals import MAX_NAME, AssertionDraft, AssertionRefusedError
from iam.audit.assertions.terms import (
    AllowedKind,
    AllowedPrincipal,
    AssertionTerms,
    InvalidTermsError,
    check,
)
from iam.guard import Viewer
from iam.mirror.queries.accounts import visible_accounts

MAX_TEXT: Final = 20_000
ALLOWED: Final[dict[AllowedKind, tuple[str, str]]] = {
    AllowedKind.USER: ("IAM users", "Names or ARNs. * and ? are wildcards."),
    AllowedKind.ROLE: ("Roles", "Names or ARNs. * and ? are wildcards."),
    AllowedKind.GROUP: ("Groups", "Everyone in these IAM groups."),
    AllowedKind.PERMISSION_SET: ("Permission sets", "Names in IAM Identity Center, such as BreakGlass."),
    AllowedKind.ACCOUNT: ("Accounts", "Every IAM user and role of these account IDs."),
    AllowedKind.TAG: ("Tags", "IAM users and roles with these tags: key=value."),
}


def _lines(label: str, hint: str, *, rows: int = 2, missing: str = "") -> forms.CharField:
    return forms.CharField(
        max_length=MAX_TEXT,
        label=label,
        help_text=f"{hint} One per line.",
        required=bool(missing),
        error_messages={"required": missing},
        validators=[reads_as_stored],
        widget=forms.Textarea(attrs={"class": "input mono", "rows": rows, "spellcheck": "false"}),
    )


class AssertionForm(forms.Form):
    """What an assertion says, and why."""

    name = forms.CharField(
        max_length=MAX_NAME,
        strip=True,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a name."},
        help_text="What must stay true, such as “Only BreakGlass creates users”.",
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    owner = forms.CharField(
        max_length=200,
        strip=True,
        required=False,
        validators=[reads_as_stored],
        help_text="The team or person to ask about it.",
        widget=forms.TextInput(attrs={"class": "input"}),
    )
    counts_conditional = forms.BooleanField(
        required=False,
        initial=True,
        label="Count access that depends on conditions, and access to part of the resources",
    )
    reason = forms.CharField(
        max_length=MAX_REASON,
        strip=True,
        validators=[reads_as_stored],
        error_messages={"required": "Enter a reason. Approvers and auditors read it."},
        widget=forms.Textarea(attrs={"class": "input", "rows": 3}),
    )

    def __init__(
        self, data: Any = None, *, viewer: Viewer, assertion: StandingAssertion | None = None
    ) -> None:
        terms = AssertionTerms.from_json(assertion.terms) if assertion else None
        initial = _initial(assertion, terms) if assertion and terms else None
        super().__init__(data, initial=initial)
        self.fields["actions"] = _lines(
            "Actions",
            "Such as iam:CreateUser, iam:Put* or sts:AssumeRole.",
            rows=3,
            missing="Enter at least one action.",
        )
        self.fields["resources"] = _lines(
            "Resources",
            "ARNs with * and ?, or * for every resource.",
            rows=3,
            missing="Enter at least one ARN, or * for every resource.",
        )
        for kind, (label, hint) in ALLOWED.items():
            self.fields[field_of(kind)] = _lines(label, hint)
        accounts = list(visible_accounts(viewer).order_by("name").values_list("account_id", "name"))
        known = {number for number, _ in accounts}
        scope = terms.accounts if terms else ()
        chosen = [(number, number) for number in scope if number not in known]
        self.fields["accounts"] = forms.MultipleChoiceField(
            choices=accounts + chosen,
            label="Accounts checked",
            help_text="If you select none, the IAM users and roles of all accounts are checked.",
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    @property
    def allowed_fields(self) -> list[forms.BoundField]:
        """The fields that name who is allowed."""
        return [self[field_of(kind)] for kind in ALLOWED]

    def clean(self) -> dict[str, Any]:
        """Whether the terms can be checked."""
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                check(self.terms)
            except InvalidTermsError as error:
                self._add(error.field, error.message)
        return cleaned

    @property
    def terms(self) -> AssertionTerms:
        """What valid lines say."""
        allowed = []
        for kind in ALLOWED:
            for value in _split(self.cleaned_data[field_of(kind)]):
                allowed.append(AllowedPrincipal(kind, value))
        return AssertionTerms(
            _split(self.cleaned_data["actions"]),
            _split(self.cleaned_data["resources"]),
            tuple(allowed),
            tuple(self.cleaned_data["accounts"]),
            self.cleaned_data["counts_conditional"],
        )

    @property
    def draft(self) -> AssertionDraft:
        """What a valid form requests."""
        data = self.cleaned_data
        return AssertionDraft(data["name"], data["reason"], self.terms, owner=data["owner"])

    def refuse(self, error: AssertionRefusedError) -> None:
        """Say at its field what a service refused."""
        self._add(error.field, error.message)

    def _add(self, field: str, message: str) -> None:
        """Where no field is meant, it is said above the form."""
        place = field if field in self.fields else None
        self.add_error(place, message)


def field_of(kind: AllowedKind) -> str:
    """The name of the field for one way to name who is allowed."""
    return f"allowed_{kind.name.lower()}"


def _split(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def _initial(assertion: StandingAssertion, terms: AssertionTerms) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "name": assertion.name,
        "owner": assertion.owner,
        "actions": "\n".join(terms.actions),
        "resources": "\n".join(terms.resources),
        "accounts": list(terms.accounts),
        "counts_conditional": terms.counts_conditional,
    }
    for kind in ALLOWED:
        values = [each.value for each in terms.allowed if each.kind is kind]
        initial[field_of(kind)] = "\n".join(values)
    return initial
