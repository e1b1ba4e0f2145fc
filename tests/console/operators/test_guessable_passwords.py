"""Passwords that anyone who guesses tries first: refused; what merely looks alike is not."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    get_password_validators,
    validate_password,
)
from django.core.exceptions import ValidationError
from django.test import Client

from console.operators.models import Operator
from console.operators.password_rules import validators
from tests.console.operators.conftest import PASSWORD, sign_in

RULES = get_password_validators(
    validators(words=["Northline"], base_url="https://gate.pay-harbour.example", breached="")
)
GUESSED = (
    "123456789012",
    "aaaaaaaaaaaa",
    "abcabcabcabc",
    "qwertyuiop12",
    "1qaz2wsx3edc1qaz2wsx3edc",
    "zyxwvutsrqpo",
    "Password2026!",
    "P@ssw0rd1234",
    "!!!Welcome123!!!",
    "Gatehouse2026",
    "g4teh0use-2026-g4teh0use",
    "northline-admin1",
    "Pay-Harbour#12345",
)
FINE = (
    "839401750263",
    "correct horse battery staple",
    "my gatehouse opens at dawn",
    "ключ от старого дома",
    "пароль-и-ещё-что-то",
    "        x    y  z",
    "🙂🔥🌊🗝️🪵🧭🪁🧊🎻🪨🌵🦉",
    "northline is where we work",
    "harbour-lantern-42",
)


@pytest.mark.parametrize("password", GUESSED)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, password_validators=RULES)


@pytest.mark.parametrize("password", FINE)
def test_any_characters_are_allowed(password: str) -> None:
    """Digits alone, blanks, other scripts and emoji as well."""
    validate_password(password, password_validators=RULES)


def test_the_most_common_ones_are_refused_also_with_something_added() -> None:
    """The 3,000 that come first in lists made from breaches, as people lengthen them to twelve characters."""
    path = Path(CommonPasswordValidator().DEFAULT_PASSWORD_LIST_PATH)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        common = [line.strip() for line in file][:3000]
    taken = []
    for word in common:
        for made in (f"{word}{'2026!' * 3}", f"{'!1' * 6}{word.title()}"):
            try:
                validate_password(made, password_validators=RULES)
            except ValidationError:
                continue
            taken.append(made)
    # Up to three letters among digits say nothing of what the digits are.
    assert len(common) == 3000
    assert [made for made in taken if sum(letter.isalpha() for letter in made) > 3] == []


def test_a_list_of_breached_passwords_can_be_given(tmp_path: Path) -> None:
    breached = tmp_path / "breached.txt"
    breached.write_text("tr0ub4dor&3 and more\n", encoding="utf-8")
    rules = get_password_validators(
        validators(words=[], base_url="https://gate.example", breached=str(breached))
    )
    with pytest.raises(ValidationError):
        validate_password("Tr0ub4dor&3 and more", password_validators=rules)
    validate_password("tr0ub4dor&3 and others", password_validators=rules)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "says"), [("Gatehouse2026!", "little more than “gatehouse”"), ("Welcome12345", "common one")]
)
def test_whoever_chooses_one_is_told_why_at_its_field(
    client: Client, kwame: Operator, password: str, says: str
) -> None:
    sign_in(client, kwame.email)
    form: dict[str, Any] = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    page = client.post("/sign-in/password/change/", form).content.decode()
    assert says in page
    assert "aria-invalid" in page
    kwame.refresh_from_db()
    assert kwame.check_password(PASSWORD)
