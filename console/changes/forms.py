"""Forms for reasons, decisions and comments; the services check what is allowed."""

from __future__ import annotations

import uuid
from typing import Self

from django import forms

from console.web.form_fields import reason_field
from console.web.text import reads_as_stored
from iam.changes.approval.models import ReviewVerdict
from iam.changes.services.decisions import MAX_COMMENT
from iam.changes.services.requests import MAX_REASON


class ReasonForm(forms.Form):
    """The reason of a request; the key makes a form sent twice one request."""

    reason = reason_field()
    key = forms.UUIDField(widget=forms.HiddenInput)

    @classmethod
    def blank(cls) -> Self:
        """Return a new form with its own key."""
        return cls(initial={"key": uuid.uuid4()})


class DecisionForm(forms.Form):
    """Approve or reject; `seen` is the digest of the receipt that the page showed."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")])
    comment = forms.CharField(
        max_length=MAX_COMMENT, strip=True, required=False, validators=[reads_as_stored]
    )
    seen = forms.CharField(max_length=64)


class CommentForm(forms.Form):
    """A question or a remark."""

    text = forms.CharField(max_length=MAX_COMMENT, strip=True, validators=[reads_as_stored])


class BreakGlassForm(forms.Form):
    """Why the request is urgent; `seen` is the digest of the receipt that the page showed."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        strip=True,
        validators=[reads_as_stored],
        error_messages={"required": "Describe the emergency. The reviewer reads it."},
    )
    seen = forms.CharField(max_length=64)


class ReviewForm(forms.Form):
    """The result of a break-glass review; the key makes a form sent twice one undo."""

    verdict = forms.ChoiceField(
        choices=ReviewVerdict.choices,
        error_messages={"required": "Choose Accept or Undo."},
    )
    comment = forms.CharField(
        max_length=MAX_REASON,
        strip=True,
        validators=[reads_as_stored],
        error_messages={"required": "Describe what you found. Auditors read it."},
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    @classmethod
    def blank(cls) -> Self:
        """Return a new form with its own key."""
        return cls(initial={"key": uuid.uuid4()})

    def given(self) -> dict[str, str]:
        """Return the keyword arguments of the service."""
        return {name: str(value) for name, value in self.cleaned_data.items()}
