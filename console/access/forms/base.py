"""What the forms of the pages about access share: nothing that was typed is lost, and an error stands at its
field.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.http import Http404, QueryDict

from console.web.access import ViewerRequest
from console.web.context import frame_of

MAX_LENGTH: Final = 2048
"""Characters of an ARN."""


class TypedField(forms.CharField):
    """A text as it was typed, cut where nothing longer can be meant. What is wrong with it is for its form to
    say.
    """

    def __init__(self, *, cut: int | None = MAX_LENGTH, strip: bool = True) -> None:
        super().__init__(required=False, strip=strip)
        self.cut = cut
        self.validators = [
            check for check in self.validators if not isinstance(check, ProhibitNullCharactersValidator)
        ]

    def to_python(self, value: Any) -> str:
        """The text, cut."""
        return str(super().to_python(value) or "")[: self.cut]


class AccessForm(forms.Form):
    """A question about access. `texts` is what was typed, by field; a form in which none of `ASKED_BY` has a
    text asks nothing, and nothing is wrong with it.

    An account that the viewer doesn't see is 404.
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
        """Names in an address have hyphens."""
        return field_name.replace("_", "-")

    @property
    def is_blank(self) -> bool:
        """Whether nothing is asked yet."""
        return not self.is_bound

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, a sentence by field."""
        return {name: str(errors[0]) for name, errors in self.errors.items()}

    @property
    def account_id(self) -> str:
        """The chosen account; empty for all."""
        return self.account.account_id if self.account else ""

    @property
    def as_of(self) -> str:
        """The moment of the page as its address has it; empty for now."""
        return self.request.GET.get("as-of", "") if self.request.at else ""

    def answer(self, name: str) -> Any:
        """What a field means; None where it is wrong, or nothing is asked."""
        return self.cleaned_data.get(name) if self.is_bound and self.errors is not None else None
