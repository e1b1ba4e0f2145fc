"""Form fields for the resource of a question about access, and its account."""

from __future__ import annotations

import re
from typing import Final

from django.core.exceptions import ValidationError

from console.access.circumstances import ANY
from console.access.forms.base import MAX_LENGTH, AccessForm, TypedField
from iam.policy.request import account_of

ARN_FIELDS: Final = 6
ACCOUNT: Final = re.compile(r"[0-9]{12}")
EXAMPLE: Final = "arn:aws:s3:::my-bucket/*"
PREVIEW_LENGTH: Final = 80


class ResourceForm(AccessForm):
    """A question about a resource, or about any resource."""

    resource = TypedField(cut=MAX_LENGTH + 1)
    owner = TypedField()

    @property
    def arn(self) -> str:
        """The resource as entered, or * for any."""
        return self.texts["resource"] or "*"

    @property
    def checked_arn(self) -> str:
        """The resource, or * if the input is invalid."""
        return str(self.cleaned_data.get("resource", "*"))

    def clean_resource(self) -> str:
        """Validate the resource."""
        if problem := resource_problem(self.arn):
            raise ValidationError(problem)
        return self.arn

    def clean_owner(self) -> str:
        """Return the account of the resource; "" if it isn’t given."""
        if problem := owner_problem(self.texts["owner"], resource=self.arn):
            raise ValidationError(problem)
        return self.texts["owner"]


def resource_problem(text: str) -> str:
    """Return why a text isn’t a valid resource; "" if it is."""
    shown = f"“{text[:PREVIEW_LENGTH]}{'…' if len(text) > PREVIEW_LENGTH else ''}”"
    if len(text) > MAX_LENGTH:
        return f"{shown} is too long. An ARN has at most {MAX_LENGTH:,} characters."
    if not text.isprintable() or " " in text:
        return f"{shown} contains spaces or invisible characters. Enter an ARN such as {EXAMPLE}."
    if text.strip("*") == "":
        return ""
    parts = text.split(":", ARN_FIELDS - 1)
    if parts[0] != "arn" or len(parts) < ARN_FIELDS or not parts[-1]:
        return f"{shown} isn’t a valid ARN. Enter one such as {EXAMPLE}, or * for any resource."
    return ""


def owner_problem(text: str, *, resource: str) -> str:
    """Return why a text can’t be the account of a resource; "" if it can or is empty."""
    if not text or text == ANY:
        return ""
    if ACCOUNT.fullmatch(text) is None:
        return f"“{text[:PREVIEW_LENGTH]}” isn’t an account ID. An account ID has 12 digits."
    in_arn = account_of(resource)
    if in_arn != text and ACCOUNT.fullmatch(in_arn):
        return f"The ARN says that the resource is in account {in_arn}. Leave this empty, or change the ARN."
    return ""
