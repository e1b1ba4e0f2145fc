"""What a form says of an empty or malformed field is in Gatehouse's words, also without scripts, and whatever
library the form is of.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
from django import forms
from django.test import Client


def all_forms(form: type[forms.BaseForm] = forms.BaseForm) -> Iterator[type[forms.BaseForm]]:
    for subclass in form.__subclasses__():
        yield subclass
        yield from all_forms(subclass)


def test_no_field_of_any_form_says_what_django_says_of_an_empty_one() -> None:
    import_module("console.urls")
    fields = [
        (form.__qualname__, name, field)
        for form in all_forms()
        if form.__module__.startswith(("console.", "allauth."))
        for name, field in getattr(form, "base_fields", {}).items()
    ]
    assert len(fields) > 40
    without_label = [
        (form, name) for form, name, field in fields if "is required" in field.error_messages["required"]
    ]
    assert without_label == []


def test_no_limit_of_any_field_is_told_in_the_words_of_django() -> None:
    import_module("console.urls")
    validators = [
        (form.__qualname__, name, str(validator.message))
        for form in all_forms()
        if form.__module__.startswith(("console.", "allauth."))
        for name, field in getattr(form, "base_fields", {}).items()
        for validator in field.validators
        if hasattr(validator, "message")
    ]
    assert len(validators) > 40
    assert [each for each in validators if "Ensure" in each[2]] == []


def test_a_limit_says_what_to_enter() -> None:
    class Trial(forms.Form):
        months = forms.IntegerField(min_value=0, max_value=24)
        seed = forms.CharField(max_length=4)

    assert Trial({"months": "-1", "seed": "abcde"}).errors == {
        "months": ["Enter 0 or more."],
        "seed": ["Use at most 4 characters."],
    }
    assert Trial({"months": "25", "seed": "a"}).errors == {"months": ["Enter 24 or less."]}


def test_an_address_that_is_none_is_repeated() -> None:
    class Trial(forms.Form):
        email = forms.EmailField()

    assert Trial({"email": "nope"}).errors == {"email": ["“nope” isn’t a valid email address."]}
    assert Trial({}).errors == {"email": ["Fill in this field."]}


@pytest.mark.django_db
def test_a_sign_in_with_nothing_says_what_to_do() -> None:
    page = Client().post("/sign-in/", {}).content.decode()
    assert page.count("Fill in this field.") == 2
    assert "This field is required" not in page
