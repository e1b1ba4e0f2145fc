"""Base classes of the forms about access: they keep all input, and show errors at their fields."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.http import Http404, QueryDict

from console.web.access import ViewerRequest
from console.web.context import frame_of

MAX_LENGTH: Final = 2048
"""Maximum length of an ARN."""


class TypedField(forms.CharField):
    """Text field that keeps the input and cuts it at a maximum length; its form validates it."""

    def __init__(self, *, cut: int | None = MAX_LENGTH, strip: bool = True) -> None:
        super().__init__(required=False, strip=strip)
        self.cut = cut
        self.validators = [
            check for check in self.validators if not isinstance(check, ProhibitNullCharactersValidator)
        ]

    def to_python(self, value: Any) -> str:
        """Return the text, cut at the maximum length."""
        return str(super().to_python(value) or "")[: self.cut]


class AccessForm(forms.Form):
    """A question about access.

    `texts` is the input by field; a form without a text in any of `ASKED_BY` is unbound and has no errors.
    Raises Http404 for an account that the viewer doesn’t see.
    """

    ASKED_BY: ClassVar[tuple[str, ...]]

    def __init__(self, data: QueryDict, *, request: ViewerRequest) -> None:
        super().__init__(data)
        self.request = request
        self.account = frame_of(request).chosen
        if request.GET.get("account") and self.account is None:
            raise Http404
        self.texts = {
            name: str(field.to_python(data.get(self.add_prefix(name), "")))
            for name, field in self.fields.items()
        }
        self.is_bound = any(self.texts[name].strip() for name in self.ASKED_BY)

    def add_prefix(self, field_name: str) -> str:
        """Use hyphens instead of underscores in query parameters."""
        return field_name.replace("_", "-")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked yet."""
        return not self.is_bound

    @property
    def problems(self) -> dict[str, str]:
        """Return the error message of each invalid field."""
        return {name: str(errors[0]) for name, errors in self.errors.items()}

    @property
    def account_id(self) -> str:
        """The ID of the chosen account; "" for all."""
        return self.account.account_id if self.account else ""

    @property
    def as_of(self) -> str:
        """The as-of parameter of the page; "" for now."""
        return self.request.GET.get("as-of", "") if self.request.at else ""

    def answer(self, name: str) -> Any:
        """Return the cleaned value of a field; None if it is invalid or the form is blank."""
        return self.cleaned_data.get(name) if self.is_bound and self.errors is not None else None
