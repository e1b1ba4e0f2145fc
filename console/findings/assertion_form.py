"""The form of an assertion; lines of text become terms, and errors appear at their fields."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from console.findings.assertion_text import unmatched_words
from console.web.form_fields import add_service_error, lines_field, name_field, reason_field
from console.web.text import distinct_lines, reads_as_stored
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.proposals import MAX_NAME, AssertionDraft
from iam.audit.assertions.terms import (
    AllowedKind,
    AllowedPrincipal,
    AssertionTerms,
    errors_in,
)
from iam.audit.assertions.unmatched import unmatched
from iam.guard import Viewer
from iam.mirror.queries.accounts import visible_accounts

ALLOWED: Final[dict[AllowedKind, tuple[str, str]]] = {
    AllowedKind.USER: ("IAM users", "Names or ARNs. * and ? are wildcards."),
    AllowedKind.ROLE: ("Roles", "Names or ARNs. * and ? are wildcards."),
    AllowedKind.GROUP: ("Groups", "Everyone in these IAM groups."),
    AllowedKind.PERMISSION_SET: ("Permission sets", "Names in IAM Identity Center, such as BreakGlass."),
    AllowedKind.ACCOUNT: ("Accounts", "Every IAM user and role of these account IDs."),
    AllowedKind.TAG: ("Tags", "IAM users and roles with these tags: key=value."),
}


class AssertionForm(forms.Form):
    """The terms of an assertion, and the reason."""

    name = name_field(
        max_length=MAX_NAME, hint="What must stay true, such as “Only BreakGlass creates users”."
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
    reason = reason_field()

    def __init__(
        self, data: Any = None, *, viewer: Viewer, assertion: StandingAssertion | None = None
    ) -> None:
        terms = AssertionTerms.from_json(assertion.terms) if assertion else None
        initial = _initial(assertion, terms) if assertion and terms else None
        super().__init__(data, initial=initial)
        self.viewer, self.stored_terms = viewer, terms
        self.fields["actions"] = lines_field(
            "Actions",
            "Such as iam:CreateUser, iam:Put* or sts:AssumeRole.",
            missing="Enter at least one action.",
        )
        self.fields["resources"] = lines_field(
            "Resources",
            "ARNs with * and ?, or * for every resource.",
            missing="Enter at least one ARN, or * for every resource.",
        )
        for kind, (label, hint) in ALLOWED.items():
            self.fields[field_of(kind)] = lines_field(label, hint, rows=2)
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
    def allowed_fields(self) -> list[tuple[forms.BoundField, str]]:
        """Return the fields that name who is allowed, each with a warning about entries that match no one."""
        terms = self.terms if self.is_bound and hasattr(self, "cleaned_data") else self.stored_terms
        warnings = {}
        if terms is not None:
            warnings = unmatched_words(unmatched(self.viewer, terms), terms, self.viewer)
        return [(self[field_of(kind)], warnings.get(kind, "")) for kind in ALLOWED]

    def clean(self) -> dict[str, Any]:
        """Check that the terms can be evaluated, together with the fields themselves."""
        cleaned = super().clean() or {}
        for error in errors_in(self.terms):
            add_service_error(self, error)
        return cleaned

    @property
    def terms(self) -> AssertionTerms:
        """Return the terms; a field with an error counts as empty."""
        data = self.cleaned_data
        allowed = []
        for kind in ALLOWED:
            for value in distinct_lines(data.get(field_of(kind), "")):
                allowed.append(AllowedPrincipal(kind, value))
        return AssertionTerms(
            distinct_lines(data.get("actions", "")),
            distinct_lines(data.get("resources", "")),
            tuple(allowed),
            tuple(data.get("accounts", ())),
            data.get("counts_conditional", False),
        )

    @property
    def draft(self) -> AssertionDraft:
        """Return the request of a valid form."""
        data = self.cleaned_data
        return AssertionDraft(data["name"], data["reason"], self.terms, owner=data["owner"])


def field_of(kind: AllowedKind) -> str:
    """Return the field for a type of allowed principal."""
    return f"allowed_{kind.name.lower()}"


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
